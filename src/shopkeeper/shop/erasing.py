"""Carries an erasure through ledger, lake and backups, however often it is interrupted.

The ledger forgets in one transaction and notes there what else is to be done; the note goes when all of it is done.
An erasure that was cut short (a crash, a full disk, a reader that holds the ledger's log, a busy lake) is finished
when the shop is opened, and by the next refresh, backup or erasure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from shopkeeper.collect.forgotten import KEPT_WITHOUT_PERSON
from shopkeeper.collect.intake import row_mark
from shopkeeper.domain.errors import (
    InvalidInput,
    NotFound,
    StoreBusy,
    StoreDamaged,
    StoreFailure,
    StoreTooNew,
)
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.know import memory
from shopkeeper.resolve.graph import recompute
from shopkeeper.resolve.view import expired
from shopkeeper.shop import archive, backups, remembering
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.scratch import scratch
from shopkeeper.shop.standing import judging
from shopkeeper.shop.unnaming import unbring, unname
from shopkeeper.shop.watching import watching
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.rows import NewNode

_NOTE = "erasing"
_LARGE = 8_192
"""Octets of a sealed row from which on it may hold more words than are noted beside it."""
_ROWS_AT_ONCE = 500
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}")
_LOG = "ledger log"
_ALL = ("gate", "ledger", "lake", "models", "backups")


class Erasure(msgspec.Struct, frozen=True):
    """Somebody to be forgotten, without a name, and where that is still to be done."""

    number: int
    nodes: tuple[int, ...]
    pseudonyms: tuple[bytes, ...]
    at: int
    todo: tuple[str, ...] = _ALL
    customers: tuple[int, ...] = ()
    """Every id under which predictions of them were kept."""


class Outcome(msgspec.Struct):
    """What was cleaned, and what still holds the person."""

    cleaned: list[str] = msgspec.field(default_factory=list)
    unreachable: list[str] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)
    """What is to be tried again."""


def pending(reader: LedgerReader) -> list[Erasure]:
    """Erasures that are not through yet, oldest first."""
    return msgspec.json.decode(reader.setting(_NOTE) or "[]", type=list[Erasure])


def begin(
    tx: LedgerWriter,
    nodes: Sequence[int],
    customers: Sequence[int],
    pseudonyms: Sequence[bytes],
    cells: Sequence[bytes],
    at: int,
    scale: float,
) -> tuple[Erasure, int, int]:
    """Forget in the ledger and note what is to follow, in one transaction; also returns events removed and kept.

    ``pseudonyms`` are those of ``nodes``, and of mailboxes made with them (``mailboxes``);
    ``scale`` is minor units of one unit of money.
    """
    _let_go(tx, nodes)
    ids = sorted({*customers, *tx.aliases(customers)})
    removed, kept = tx.forget(nodes, customers, KEPT_WITHOUT_PERSON, cells, at)
    unbring(tx, ids, scale)
    remembering.forget(tx)
    number = int(tx.setting("erasures") or 0) + 1
    tx.keep("erasures", str(number))
    erasure = Erasure(number, tuple(nodes), tuple(pseudonyms), at, customers=tuple(ids))
    _note(tx, [*pending(tx), erasure])
    return erasure, removed, kept


def _let_go(tx: LedgerWriter, nodes: Sequence[int]) -> None:
    """Part what was tied to a telephone number before it came to somebody else from that number, for good.

    Whoever had it before is what says that it moved. Once they are forgotten, nothing would, and their other address
    would be the new holder's.
    """
    beside = {n for edge in tx.edges(nodes) for n in (edge.a, edge.b)} - set(nodes)
    moved = tx.moved(sorted(beside))
    old = [edge for edge in tx.edges(sorted(moved)) if expired(edge, moved)]
    marks = tx.marks(sorted({n for edge in old for n in (edge.a, edge.b)}))
    accounts = {n for n, (kind, _) in marks.items() if IDENTIFIER_KINDS[kind].exclusive}
    tx.cut([(edge.a, edge.b) for edge in old if accounts.isdisjoint((edge.a, edge.b))])


def carry_out(places: Places, erasure: Erasure, *, ours: bool) -> Outcome:
    """Do what is noted, as far as it goes. Backups only when they are ours (see ``backups.held``)."""
    outcome = Outcome()
    for part in erasure.todo:
        try:
            if part == "backups":
                _in_backups(places, erasure, outcome, ours=ours)
            elif part == "lake":
                places.lake.forget(erasure.nodes)
                outcome.cleaned.append("lake")
            elif part == "models":
                runs.forget(places, erasure.customers)
                outcome.cleaned.append("models")
            elif part == "gate":
                _in_gate(places, outcome)
            elif places.ledger.scrub(rebuild=part != _LOG):
                outcome.cleaned.append("ledger")
            else:  # somebody reads an older state, which lies in the log
                outcome.left.append(_LOG)
        except (StoreFailure, OSError):
            outcome.left.append(part)
    outcome.unreachable += [part for part in outcome.left if part != "backups"]
    if {"gate", "ledger", "lake", "models"} & set(outcome.left) and "backups" not in outcome.left:
        outcome.left.append("backups")  # one made before those are clean takes the person along

    def work(tx: LedgerWriter) -> None:
        rest = msgspec.structs.replace(erasure, todo=tuple(outcome.left))
        others = [other for other in pending(tx) if other.number != erasure.number]
        _note(tx, [*others, rest] if outcome.left else others)

    places.ledger.write(work)
    return outcome


def finish(places: Places) -> None:
    """Finish what an earlier erasure left, unless somebody else is at it."""
    with places.ledger.read() as reader:
        waiting = pending(reader)
    if waiting:
        with backups.held(places) as ours:
            if ours:
                finish_held(places)


def finish_held(places: Places) -> None:
    """The same for the one who holds the backups."""
    with places.ledger.read() as reader:
        waiting = pending(reader)
    for erasure in waiting:
        with suppress(StoreFailure):
            carry_out(places, erasure, ours=True)


def cells_of(places: Places, reader: LedgerReader, nodes: Sequence[int]) -> list[bytes]:
    """Pseudonyms under which quarantined rows of this person are found: identifiers and told values, as written."""
    kept = reader.identifiers(nodes)
    salts = {row.node: row.salt for row in kept}
    texts = {
        str(places.vault.unseal(row.salt, row.sealed))
        for row in kept
        if not IDENTIFIER_KINDS[row.kind].session
    }
    for told in reader.sealed(nodes):
        values = places.vault.unseal(salts[told.node], told.sealed)
        texts.update(values[field] for field in ("email", "phone") if isinstance(values.get(field), str))
        texts.update(str(pair[1]) for pair in values.get("unusable_identifiers", ()))
    texts |= {box for text in texts if (box := mailbox_of(places, text))}
    words = sorted({text.strip().casefold() for text in texts if len(text.strip()) > 2})
    found = {places.vault.pseudonym("cell", word) for word in words}
    return sorted(found | _in_large_rows(places, reader, words))


def mailboxes(places: Places, tx: LedgerWriter, nodes: Sequence[int]) -> list[int]:
    """Nodes, made to be forgotten with them, for the mailboxes that addresses among some identifiers reach.

    What was heard before mailboxes were told apart from addresses names none; without them somebody who was erased
    would come back through another address of the same mailbox. One that somebody has stays as it is.
    """
    wanted: dict[bytes, NewNode] = {}
    for row in tx.identifiers(nodes):
        if row.kind == "email" and (
            box := mailbox_of(places, str(places.vault.unseal(row.salt, row.sealed)))
        ):
            hash_, (salt, sealed, _) = places.vault.pseudonym("email", box), places.intake.offer("email", box)
            wanted[hash_] = NewNode(hash_, "email", salt, sealed, row.first_seen)
    there = tx.nodes(list(wanted))
    return list(tx.add_nodes([row for hash_, row in wanted.items() if hash_ not in there]).values())


def mailbox_of(places: Places, text: str) -> str | None:
    """The mailbox that a text reaches where it is an e-mail address, and that goes by another."""
    address = places.keys("email", text) if "@" in text else None
    return None if address is None else places.keys.reaches("email", address)


def _in_large_rows(places: Places, reader: LedgerReader, words: Sequence[str]) -> set[bytes]:
    """Pseudonyms of quarantined rows that hold one of these words, of those rows too large for all their words to be
    noted beside them, and of deliveries that nobody could read.
    """
    wanted = re.compile("|".join(map(_spelled, words))) if words else None
    found: set[bytes] = set()
    after = 0
    while wanted is not None and (rows := reader.refusals(after, _ROWS_AT_ONCE, None, None)):
        after = rows[-1].id
        for row in rows:
            if len(row.sealed) < _LARGE and not row.kind.endswith("/delivery"):
                continue
            told: Any = places.vault.unseal(row.salt, row.sealed)
            raw = told if isinstance(told, str) else str(told["raw"])
            body = b"" if isinstance(told, str) else told.get("body", b"")
            texts = raw.casefold(), body.decode("utf-8", "replace").casefold()
            if any(wanted.search(text) or _reaches(places, text, words) for text in texts):
                found.add(row_mark(places.vault, row.source, row.kind, raw, None if told is raw else told))
    return found


def _reaches(places: Places, text: str, words: Sequence[str]) -> bool:
    """Whether an address in a text reaches a mailbox that is among some words."""
    return any(mailbox_of(places, address) in words for address in _ADDRESS.findall(text))


def _spelled(word: str) -> str:
    """A pattern of a word by itself; digits of a telephone number may stand apart, and without the country's.

    >>> import re
    >>> bool(re.search(_spelled("+442079460958"), '"phone": "020 7946-0958"'))
    True
    >>> bool(re.search(_spelled("anna"), "susanna"))
    False
    """
    if word.startswith("+") and word[1:].isdigit():
        return r"[\s().\-]*".join(word[-9:]) + r"(?!\d)"
    return rf"(?<!\w){re.escape(word)}(?!\w)"


def _note(tx: LedgerWriter, erasures: Sequence[Erasure]) -> None:
    tx.keep(_NOTE, msgspec.json.encode(erasures).decode())


def _in_gate(places: Places, outcome: Outcome) -> None:
    """Let the gate's file hold nothing of what was taken in, nor of what jobs told of anybody."""
    places.gate.write(lambda tx: tx.drop_results(places.now() + 1))
    (outcome.cleaned if places.gate.scrub() else outcome.left).append("gate")


def _in_backups(places: Places, erasure: Erasure, outcome: Outcome, *, ours: bool) -> None:
    """Take the person out of every backup within reach."""
    if not ours:
        outcome.unreachable.append("backups, while one is being written or cleaned")
        outcome.left.append("backups")
        return
    again = False
    for file in backups.listed(places):
        try:
            if not file.is_file():
                outcome.unreachable.append(file.name)
            elif _clean(file, erasure):
                outcome.cleaned.append(f"backup {file.name}")
        except (InvalidInput, NotFound, StoreDamaged, StoreTooNew):  # trying again will not help
            outcome.unreachable.append(file.name)
        except (StoreFailure, OSError):
            outcome.unreachable.append(file.name)
            again = True
    if again:
        outcome.left.append("backups")


def _clean(file: Path, erasure: Erasure) -> bool:
    """Write a backup anew without the person; False where it does not know the person."""
    from shopkeeper.shop.draining import drain
    from shopkeeper.shop.opening import open_copy

    with archive.written(), scratch(file.parent) as room:
        archive.unpack(file, room / "shop")
        with open_copy(room / "shop") as shop:
            drain(shop.places)  # what waited when the backup was made may name the person as well
            if not forget_in_copy(shop.places, erasure):
                return False
            packed = archive.pack(shop.places, room)
        archive.put(packed, file)
    return True


def forget_in_copy(places: Places, erasure: Erasure) -> bool:
    """Forget exactly these pseudonyms in a copy of the shop, and nobody they were merged with at that time."""
    with places.ledger.read() as reader:
        # A copy made in the middle of an erasure knows of it: its ledger has forgotten, its lake perhaps has not.
        begun = [node for other in pending(reader) for node in other.nodes]
        nodes = sorted(reader.nodes(erasure.pseudonyms).values())
        if not nodes and not begun:
            return False
        customers = sorted({m.customer for m in reader.members(nodes)})
        around = {m.node for m in reader.nodes_of(customers)}
        around |= {node for edge in reader.edges(nodes) for node in (edge.a, edge.b)}
        cells = cells_of(places, reader, nodes)
        ids = {
            *customers,
            *reader.aliases(customers),
            *(id_ for other in pending(reader) for id_ in other.customers),
        }
    fold: set[int] = set()

    def work(tx: LedgerWriter) -> None:
        _let_go(tx, nodes)
        unname(places, tx, erasure.pseudonyms)
        tx.forget([*nodes, *mailboxes(places, tx, nodes)], customers, KEPT_WITHOUT_PERSON, cells, erasure.at)
        unbring(tx, ids, places.scale)
        remembering.forget(tx)
        change = recompute(tx, around - set(nodes))
        tx.drop_records(sorted(change.gone | change.refold | set(customers)))
        if (watch := watching(places, tx, "merge")) is not None:
            watch.gone(change.gone)
        fold.update((change.refold | change.fresh | set(customers)) - change.gone)
        tx.keep("erasures", str(int(tx.setting("erasures") or 0) + 1))
        _note(tx, [])

    places.ledger.write(work)
    with suppress(
        Exception
    ):  # those beside stay without a record until a rebuild rather than the person stays
        places.ledger.write(
            lambda tx: memory.refold(
                tx, fold, places.catalogue(tx), None, watching(places, tx, "merge"), judging(places, tx)
            )
        )
    if not places.ledger.scrub():
        raise StoreBusy("somebody reads the copy of a backup", hint="try again")
    places.gate.write(lambda tx: tx.drop_results(places.now() + 1))
    if not places.gate.scrub():
        raise StoreBusy("somebody reads the copy of a backup", hint="try again")
    places.lake.forget([*nodes, *begun])
    runs.forget(places, ids)
    return True
