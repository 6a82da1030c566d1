"""What one process of the bulk builder makes: everything about some customers that must be made one by one.

Payloads are templates that the shop's own door made (``templates``), with a number put in. What tells who somebody is
goes through the vault customer by customer. What an event does to a record is done by the shop's own reducers, on
contents that were read once per template. Samples of all of it are compared with what the door and the fold make.
"""

from __future__ import annotations

import gc
import pickle
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import world as worlds
from msgspec.structs import replace

import shopkeeper.domain.events  # noqa: F401  (fills the table of declared events)
from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Customer
from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.ordering import place
from shopkeeper.know import memory
from shopkeeper.know.fold import fold, pack
from shopkeeper.know.reducers import READS, REDUCERS, Moment, Reducer
from shopkeeper.stores.contract.rows import Record
from shopkeeper.stores.vault.aes import AesVault, open_vault

SOURCE = "site"
KEY, BODY, PLACE, TOKEN = 16, 8, 17, 8
"""Octets of a message's key and body, of an event's place among those of its instant, and of a token."""
_DEVICES = frozenset(kind.name for kind in IDENTIFIER_KINDS.values() if kind.session)
"""Kinds of identifiers by whose values nobody is found."""
SEARCHED = ("first_name", "last_name", "postcode", "city")
"""Of what customers tell of themselves, what finds them."""


class Template(NamedTuple):
    """What events of one kind and content have in common, made once through the shop's own door."""

    kind: int
    name: str
    version: int
    before: bytes
    after: bytes | None
    """What follows the number of its own; None where it has none."""


class Plan(NamedTuple):
    """A template as it is folded."""

    reduce: Reducer
    told: Any
    numbered: str
    """The field of ``told`` that holds the number; empty where it is not read."""
    letter: str
    before: bytes
    after: bytes | None
    """What follows the number, and the event's name."""


class Introduction(NamedTuple):
    """The parts of ``collect.prepare.Prepared`` that differ from customer to customer."""

    body: bytes
    seen: tuple[tuple[bytes, str, str], ...]
    sealed: dict[str, Any]
    finding: bytes
    """Tokens of what they told of themselves."""


class Hand:
    """One process's means: the vault, the catalogue, the drawn world and the templates."""

    def __init__(self, arrays: Path, secret: Path, catalogue: Catalogue, made: list[Template]) -> None:
        self.world = worlds.mapped(arrays)
        self.which = np.load(arrays / "which.npy")
        self.keys = np.asarray(np.load(arrays / "keys.npy", mmap_mode="r+"))
        self.bodies = np.asarray(np.load(arrays / "bodies.npy", mmap_mode="r+"))
        self.vault: AesVault = open_vault(secret)
        self.catalogue = catalogue
        self.templates = made
        self.plans = [_plan(one) for one in made]
        same = [
            b"" if one.after is not None or not one.kind
            else blake2b(one.before + one.name.encode(), digest_size=BODY).digest()
            for one in made
        ]  # fmt: skip
        self.body_of = np.array(same, f"V{BODY}")
        self._encode = msgspec.json.Encoder().encode
        self._words: dict[str, bytes] = {}
        self._people: dict[tuple[str, ...], tuple[dict[str, Any], bytes, bytes]] = {}

    def introduction(self, customer: int, has: int, payload: bytes) -> Introduction:
        """What the door makes of a customer's first event, which tells who they are."""
        told = worlds.introduced(customer)
        values = tuple(told.values())
        known = self._people.get(values)
        if known is None:
            tail = self._encode(told) + worlds.KINDS[0].name.encode()
            finding = b"".join(self.vault.tokens([str(told[field]) for field in SEARCHED]))
            known = self._people[values] = (told, tail, finding)
        pseudonym = self.vault.pseudonym
        named = [worlds.identifier(customer, slot) for slot in worlds.slots(0, 0, has)]
        return Introduction(
            blake2b(payload + known[1], digest_size=BODY).digest(),
            tuple([(pseudonym(kind, value), kind, value) for kind, value in named]),
            known[0],
            known[2],
        )

    def beginnings(self, value: str) -> tuple[bytes, str]:
        """Tokens of an identifier but of its longest word as a whole, and that word.

        A shorter beginning is shared by ten customers or more, and is asked for once.
        """
        word, at, rest = value.partition("@")
        found = self._words.get(word[:-1]) or self._asked(word[:-1])
        if at:
            found += self._words.get(rest) or self._asked(rest)
        return found, word

    def _asked(self, text: str) -> bytes:
        found = self._words[text] = b"".join(self.vault.tokens([text]))
        return found


def _plan(made: Template) -> Plan:
    """How a template is folded."""
    wanted = READS.get(made.name, EVENTS[made.name].struct)
    payload = made.before if made.after is None else made.before + worlds.ORDER.encode() + made.after
    told = None if wanted is None else msgspec.json.decode(payload, type=wanted, strict=False)
    numbered = [f for f in getattr(told, "__struct_fields__", ()) if getattr(told, f) == worlds.ORDER]
    return Plan(
        REDUCERS[made.name],
        told,
        numbered[0] if numbered else "",
        worlds.KINDS[made.kind].number,
        made.before,
        None if made.after is None else made.after + made.name.encode(),
    )


_hand: Hand


def begin(arrays: Path, secret: Path, catalogue: bytes, made: list[Template]) -> Hand:
    """Make this process ready."""
    global _hand  # noqa: PLW0603 - one a process, set as it starts
    _hand = Hand(arrays, secret, pickle.loads(catalogue), made)
    return _hand


def begin_apart(*begun: Any) -> None:
    """Make a process ready that does nothing else."""
    begin(*begun)
    gc.disable()


def hashed(low: int, high: int) -> None:
    """Note the keys of some events."""
    keys = [blake2b(worlds.message(index).encode(), digest_size=KEY).digest() for index in range(low, high)]
    _hand.keys[low:high] = np.frombuffer(b"".join(keys), f"V{KEY}")


class Piece(NamedTuple):
    """Everything about some customers but the log and what the drawn arrays tell."""

    hashes: bytes
    salts: bytes
    values: bytes
    value_lengths: np.ndarray
    """Of the sealed values of identifiers."""
    told: bytes
    told_lengths: np.ndarray
    """Of what customers told of themselves, sealed."""
    records: bytes
    record_lengths: np.ndarray
    figures: dict[str, np.ndarray]
    """The other columns of records: whole numbers by name."""
    last_keys: bytes
    countries: tuple[str, ...]
    country: np.ndarray
    tokens: np.ndarray
    finds: np.ndarray
    """The node that each token finds."""


class _Making:
    """A piece that is being made."""

    def __init__(self, hand: Hand) -> None:
        self.vault = hand.vault
        self.hashes: list[bytes] = []
        self.salts: list[bytes] = []
        self.values: list[bytes] = []
        self.told: list[bytes] = []
        self.records: list[Record] = []
        self.tokens: list[bytes] = []
        self.finds: list[int] = []
        self.words: list[str] = []
        """Words of which only the whole finds, or is not yet among ``tokens``."""
        self.word_nodes: list[int] = []
        self.own_bodies: list[bytes] = []
        """Of events whose content is nobody else's."""
        self.own_places: list[int] = []

    def introduce(self, hand: Hand, made: Introduction, first: int) -> None:
        """Take a customer's identifiers, and what they told of themselves, in."""
        seal, salt_of = self.vault.seal, self.vault.salt
        salts = [salt_of() for _ in made.seen]
        # The strongest last: what was told of the person is sealed under the same key.
        values = [seal(salt, one[2]) for salt, one in zip(salts[:0:-1], made.seen[:0:-1], strict=True)]
        values.append(seal(salts[0], made.seen[0][2]))
        self.told.append(seal(salts[0], made.sealed))
        self.values += values[::-1]
        self.salts += salts
        for node, (mark, kind, value) in enumerate(made.seen, first):
            self.hashes.append(mark)
            if kind not in _DEVICES:
                tokens, word = hand.beginnings(value)
                self.tokens.append(tokens)
                self.finds.append(node)
                self.words.append(word)
                self.word_nodes.append(node)
        self.tokens.append(made.finding)
        self.finds.append(first)

    def piece(self) -> Piece:
        """What was made."""
        wanted, nodes = self.vault.wanted(" ".join(self.words)), self.word_nodes
        if len(wanted) != len(nodes):  # the first orders have numbers too short to be found by
            found = [(t, n) for w, n in zip(self.words, nodes, strict=True) for t in self.vault.wanted(w)]
            wanted, nodes = [token for token, _ in found], [node for _, node in found]
        finds = np.concatenate(
            [np.repeat(self.finds, [len(one) // TOKEN for one in self.tokens]), nodes]
        ).astype(np.uint32)
        tokens = np.frombuffer(b"".join(self.tokens + wanted), ">u8").astype(np.uint64)
        by_node = np.argsort(finds, kind="stable")
        records = self.records
        countries = tuple(sorted({r.country for r in records}))
        figures = ("last_at", "reducers", "catalogue", "orders", "amount", "margin", "last_day")
        return Piece(
            b"".join(self.hashes),
            b"".join(self.salts),
            *_joined(self.values),
            *_joined(self.told),
            *_joined([r.body for r in records]),
            {name: np.array([getattr(r, name) for r in records], np.int64) for name in figures},
            b"".join([r.last_key for r in records]),
            countries,
            np.array([countries.index(r.country) for r in records], np.uint8),
            tokens[by_node],
            finds[by_node],
        )


def _joined(blobs: list[bytes]) -> tuple[bytes, np.ndarray]:
    return b"".join(blobs), np.fromiter(map(len, blobs), np.int32, len(blobs))


def people(low: int, high: int) -> Piece:
    """Customers from one to another: identifiers, records, tokens; notes the bodies of their events."""
    hand, world = _hand, _hand.world
    a, b = int(world.start[low]), int(world.start[high])
    kind, pick = world.kind[a:b], world.pick[a:b]
    which = hand.which[kind, pick]
    shape = worlds.SHAPE[kind, pick & 1, world.has[world.owner[a:b]]]
    channels = [CHANNELS[k] for k in kind.tolist()]
    plans = hand.plans
    events = zip(
        [plans[w] for w in which.tolist()],
        shape.tolist(),
        *(c[a:b].tolist() for c in (world.at, world.about)),
        channels,
        range(b - a),
        strict=True,
    )
    starts = world.start[low : high + 1] - a
    begin, end = starts[:-1], starts[1:]
    columns = (
        begin, end, which[begin], which[end - 1], world.at[a + begin], world.at[a + end - 1],
        hand.keys[a + end - 1], world.first_node[low:high], world.has[low:high],
    )  # fmt: skip
    making = _Making(hand)
    rows = zip(range(low, high), *(c.tolist() for c in columns), strict=True)
    for customer, begins, ends, first_which, last_which, first_at, last_at, key, node, has in rows:
        record = _fold(making, islice(events, ends - begins), node, hand.catalogue)
        record.channels = dict(Counter(channels[begins:ends]))
        record.first_seen, record.last_seen = first_at, last_at
        record.events = ends - begins
        record.last = (last_at, place(hand.templates[last_which].name, key))
        making.records.append(memory.to_row(customer + 1, record, hand.catalogue))
        made = hand.introduction(customer, has, plans[first_which].before)
        making.own_places.append(begins)
        making.own_bodies.append(made.body)
        making.introduce(hand, made, node)
        if customer == low:
            _checked(hand, customer, making)
    bodies = hand.body_of[which]
    bodies[making.own_places] = np.frombuffer(b"".join(making.own_bodies), bodies.dtype)
    hand.bodies[a:b] = bodies
    return making.piece()


CHANNELS = [one.channel for one in worlds.KINDS]


def _fold(making: _Making, events: Iterable[Any], first: int, catalogue: Catalogue) -> Customer:
    """What the reducers make of a customer's events; notes what hangs on the numbers of orders and contacts."""
    c = Customer()
    nodes_of: dict[int, tuple[int, ...]] = {}
    for (reduce, told, numbered, letter, before, after), shape, at, about, channel, here in events:
        if (nodes := nodes_of.get(shape)) is None:
            nodes = nodes_of[shape] = tuple([first + offset for offset in worlds.SHAPES[shape]])
        content = told
        if after is not None:
            number = f"{letter}{about}"
            if letter == "O":
                making.words.append(number)
                making.word_nodes.append(nodes[0])
            payload = b"%b%b%b" % (before, number.encode(), after)
            making.own_places.append(here)
            making.own_bodies.append(blake2b(payload, digest_size=BODY).digest())
            if numbered:
                content = replace(told, **{numbered: number})
        reduce(c, Moment(at, channel, SOURCE, nodes), content, catalogue)
    return c


def _checked(hand: Hand, customer: int, making: _Making) -> None:
    """Raise RuntimeError where the shop's own fold, or its vault, makes something else of a customer."""
    world = hand.world
    a, b = int(world.start[customer]), int(world.start[customer + 1])
    first, has = int(world.first_node[customer]), int(world.has[customer])
    rows = []
    for index in range(a, b):
        kind, pick = int(world.kind[index]), int(world.pick[index])
        made = hand.templates[int(hand.which[kind, pick])]
        payload = made.before
        if made.after is not None:
            payload += worlds.number(kind, int(world.about[index])).encode() + made.after
        node, *others = (first + offset for offset in worlds.OFFSETS[kind][pick & 1][has])
        rows.append(
            (customer + 1, int(world.at[index]), bytes(hand.keys[index]), made.name, made.version,
             CHANNELS[kind], SOURCE, node, ",".join(map(str, others)), payload)
        )  # fmt: skip
    body = making.records[-1].body
    if pack(fold(rows, hand.catalogue)) != body:
        raise RuntimeError("the bulk builder folds a customer differently")
    for slot in worlds.slots(0, 0, has)[:-1]:
        value = worlds.identifier(customer, slot)[1]
        tokens, word = hand.beginnings(value)
        found = {tokens[at : at + TOKEN] for at in range(0, len(tokens), TOKEN)}
        if found.union(hand.vault.wanted(word)) != hand.vault.tokens([value]):
            raise RuntimeError("the bulk builder makes other tokens than the vault")
