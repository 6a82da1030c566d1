"""What one process of the bulk builder makes: rows of the log, and everything about some customers.

Payloads are templates that the shop's own door made, with a number put in; what tells who somebody is goes through the
vault customer by customer, and one of every piece is compared with what the door makes of the same call.
"""

from __future__ import annotations

import gc
import marshal
import pickle
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import world as worlds

from shopkeeper.collect.intake import _SEARCHED
from shopkeeper.collect.prepare import Prepared, Preparer
from shopkeeper.collect.segment import parse_call
from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.know import memory
from shopkeeper.know.fold import fold
from shopkeeper.resolve.keys import Keys
from shopkeeper.stores.vault.aes import AesVault, open_vault

SOURCE = "site"
_ARRIVAL = 250_000
"""Microseconds from an event to its arrival."""


class Told(NamedTuple):
    """What the events of one kind and pick have in common, made once through the shop's own door."""

    name: str
    version: int
    before: bytes
    after: bytes | None
    """What follows the number of its own; None where it has none."""


class Introduction(NamedTuple):
    """The parts of ``collect.prepare.Prepared`` that differ from customer to customer."""

    key: bytes
    body: bytes
    payload: bytes
    seen: tuple[tuple[bytes, str, str], ...]
    sealed: dict[str, Any]


class Hand:
    """One process's means of preparing: the vault, the catalogue, the drawn world and the templates."""

    def __init__(self, arrays: Path, secret: Path, catalogue: bytes) -> None:
        self.world = worlds.mapped(arrays)
        self.vault: AesVault = open_vault(secret)
        self.preparer = Preparer(self.vault, Keys("GB"), currency="GBP")
        self.catalogue: Catalogue = pickle.loads(catalogue)
        self.told: dict[tuple[int, int], Told] = {}
        self.encode = msgspec.json.Encoder().encode

    def template(self, kind: int, pick: int) -> Told:
        """The template of a kind and a pick."""
        found = self.told.get((kind, pick))
        if found is None:
            call = worlds.call(0, kind, pick, 3, 0, "m", 0)
            for place in ("properties", "traits"):
                for key, value in call.get(place, {}).items():
                    if value == worlds.number(kind, 0) and key in ("order_id", "contact_id"):
                        call[place][key] = worlds.ORDER
            made = self._prepared(call)
            if made.sealed and kind:
                raise RuntimeError(f"{made.event.name}: a template with personal values")
            before, numbered, after = made.payload.partition(worlds.ORDER.encode())
            found = Told(made.event.name, made.version, before, after if numbered else None)
            self.told[kind, pick] = found
        return found

    def introduction(self, customer: int, has: int, index: int, payload: bytes) -> Introduction:
        """What the door makes of a customer's first event, which tells who they are."""
        told = worlds.introduced(customer)
        seen = []
        for slot in worlds.slots(0, 0, has):
            kind, value = worlds.identifier(customer, slot)
            seen.append((self.vault.pseudonym(kind, value), kind, value))
        hashed = blake2b(payload, digest_size=8)
        hashed.update(self.encode(told))
        hashed.update(worlds.KINDS[0].name.encode())
        return Introduction(_key(index), hashed.digest(), payload, tuple(seen), told)

    def checked(self, index: int, found: Introduction) -> None:
        """Raise RuntimeError where the shop's own door makes something else of that event."""
        made = self._prepared(worlds.event_call(self.world, index))
        if tuple(found) != (made.key, made.body, made.payload, made.seen, made.sealed):
            raise RuntimeError("the bulk builder differs from the door")

    def _prepared(self, call: dict[str, Any]) -> Prepared:
        return self.preparer.prepare(parse_call(call, received_at=1 << 52, default_source=SOURCE))


_hand: Hand


def begin(arrays: Path, secret: Path, catalogue: bytes) -> None:
    """Make this process ready."""
    global _hand  # noqa: PLW0603 - one a process, set as it starts
    _hand = Hand(arrays, secret, catalogue)
    gc.disable()


def log_rows(low: int, high: int) -> bytes:
    """The rows of the log from one place to another (the first counts as 0)."""
    hand, world = _hand, _hand.world
    which = world.by_seq[low:high]
    owner = world.owner[which]
    columns = (
        world.kind[which], world.pick[which], world.has[owner], world.first_node[owner], world.at[which],
        world.about[which], which,
    )  # fmt: skip
    rows = []
    offsets, told_of, channels = worlds.OFFSETS, hand.told, [k.channel for k in worlds.KINDS]
    for seq, (kind, pick, has, first, at, about, index) in enumerate(
        zip(*(c.tolist() for c in columns), strict=True), low + 1
    ):
        name, version, payload, after = told_of.get((kind, pick)) or hand.template(kind, pick)
        if after is not None:
            payload = b"%b%b%b" % (payload, worlds.number(kind, about).encode(), after)
        node, *others = offsets[kind][pick & 1][has]
        rows.append(
            (seq, _key(index), name, version, SOURCE, "", channels[kind], at, at + _ARRIVAL,
             first + node, ",".join([str(first + other) for other in others]) if others else "", payload)
        )  # fmt: skip
    return marshal.dumps(rows)


def _key(index: int) -> bytes:
    return blake2b(worlds.message(index).encode(), digest_size=16).digest()


class Piece(NamedTuple):
    """Everything about some customers but the log."""

    nodes: list[tuple[Any, ...]]
    members: list[tuple[int, int, int]]
    edges: list[tuple[Any, ...]]
    sealed: list[tuple[Any, ...]]
    records: list[tuple[Any, ...]]
    messages: bytes
    """Key and body of each message, 24 bytes."""
    tokens: bytes
    """Token and node, 16 bytes."""


def people(low: int, high: int) -> bytes:
    """Customers from one to another: identifiers, records, messages, tokens."""
    hand, world = _hand, _hand.world
    a, b = int(world.start[low]), int(world.start[high])
    events = zip(
        range(a, b),
        *(c[a:b].tolist() for c in (world.kind, world.pick, world.at, world.about, world.seq)),
        strict=True,
    )
    firsts, has_all = world.first_node[low:high].tolist(), world.has[low:high].tolist()
    starts = world.start[low : high + 1].tolist()
    piece = Piece([], [], [], [], [], b"", b"")
    messages: list[bytes] = []
    tokens: list[bytes] = []
    offsets, told_of, channels = worlds.OFFSETS, hand.told, [k.channel for k in worlds.KINDS]
    for customer in range(low, high):
        first, has = firsts[customer - low], has_all[customer - low]
        folded = []
        for _ in range(starts[customer - low + 1] - starts[customer - low]):
            index, kind, pick, at, about, seq = next(events)
            name, version, payload, after = told_of.get((kind, pick)) or hand.template(kind, pick)
            node, *others = offsets[kind][pick & 1][has]
            if not kind:
                made = hand.introduction(customer, has, index, payload)
                if customer == low:
                    hand.checked(index, made)
                _introduce(hand.vault, piece, tokens, made, customer, first, seq, at)
                key, body = made.key, made.body
            else:
                key = _key(index)
                if after is not None:
                    number = worlds.number(kind, about)
                    payload = b"%b%b%b" % (payload, number.encode(), after)
                    if number[0] == "O":
                        for token in hand.vault.wanted(number):
                            tokens += (token, (first + node).to_bytes(8, "big"))
                body = blake2b(payload + name.encode(), digest_size=8).digest()
            messages += (key, body)
            folded.append(
                (customer + 1, at, key, name, version, channels[kind], SOURCE, first + node,
                 ",".join([str(first + other) for other in others]) if others else "", payload)
            )  # fmt: skip
        piece.records.append(tuple(memory.to_row(customer + 1, fold(folded, hand.catalogue), hand.catalogue)))
    return marshal.dumps(tuple(piece._replace(messages=b"".join(messages), tokens=b"".join(tokens))))


def _introduce(
    vault: AesVault,
    piece: Piece,
    tokens: list[bytes],
    made: Introduction,
    customer: int,
    first: int,
    seq: int,
    at: int,
) -> None:
    """Take a customer's identifiers, and what they told of themselves, in."""
    name = worlds.KINDS[0].name
    strongest = vault.salt()
    for node, (mark, kind, value) in enumerate(made.seen, first):
        salt = vault.salt() if node > first else strongest
        piece.nodes.append((node, mark, kind, salt, vault.seal(salt, value), at))
        piece.members.append((node, customer + 1, 0))
        if node > first:
            piece.edges.append((first, node, at, seq, name))
        if not IDENTIFIER_KINDS[kind].session:
            of = node.to_bytes(8, "big")
            for token in vault.tokens([value]):
                tokens += (token, of)
    piece.sealed.append((first, seq, at, name, vault.seal(strongest, made.sealed)))
    of = first.to_bytes(8, "big")
    for token in vault.tokens([str(made.sealed[field]) for field in _SEARCHED if field in made.sealed]):
        tokens += (token, of)
