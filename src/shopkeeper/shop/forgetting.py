"""A person's rights: a copy of everything, and to be forgotten everywhere."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from shopkeeper.domain.clock import instant
from shopkeeper.domain.customer import plain
from shopkeeper.domain.errors import Conflict, NotFound
from shopkeeper.domain.event import Logged as Read
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.segment import AUDIENCE
from shopkeeper.know.fold import unpack
from shopkeeper.resolve.graph import observe
from shopkeeper.shop import backups, erasing
from shopkeeper.shop.draining import drain
from shopkeeper.shop.living import advance
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.recalling import of_customer
from shopkeeper.shop.showing import resolve
from shopkeeper.shop.unnaming import unname
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.segments import Entry

_AT_ONCE = 50_000
_CHANGES = 1_000
_OF_OTHERS = ("brought", "brought_by", "brought_sums", "brought_value", "brought_reach")
"""Whom somebody brought and who brought them; what those are worth (of an only one, what that one buys) and brought."""


class ErasureReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did, without saying whom it concerned beyond the id."""

    customer: str
    identifiers: int
    events_removed: int
    orders_kept: int
    """Orders and refunds that stay, without the person, because the books must add up."""
    places: tuple[str, ...]
    """What was cleaned."""
    unreachable: tuple[str, ...]
    """What holds the person still. "ledger log" (somebody reads an older state), "ledger", "lake" and backups that
    were busy are cleaned as soon as they let go: when the shop is opened, refreshed or backed up. A backup that is not
    where it was made, or that cannot be opened, is yours to clean.
    """


def export(places: Places, who: str | int) -> dict[str, Any]:
    """Everything that is known of a person, as plain data in a stable shape."""
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who, for_ever=True)
        nodes = [m.node for m in reader.nodes_of([customer])]
        kept = reader.identifiers(nodes)
        salts = {row.node: row.salt for row in kept}
        told: dict[int, dict[str, Any]] = {}
        for row in reader.sealed(nodes):
            told[row.seq] = places.vault.unseal(salts[row.node], row.sealed)
        events = _events(reader, nodes)
        record = reader.records([customer])
        foretold = reader.predictions([customer]).get(customer)
        return {
            "customer": f"c{customer}",
            "exported_at": places.clock.now().isoformat(),
            "identifiers": [
                {
                    "kind": row.kind,
                    "value": places.vault.unseal(row.salt, row.sealed),
                    "first_seen": instant(row.first_seen).isoformat(),
                }
                for row in kept
            ],
            "events": [
                {
                    "event": e.name,
                    "occurred_at": instant(e.occurred_at).isoformat(),
                    "received_at": instant(e.received_at).isoformat(),
                    "source": e.source,
                    "channel": e.channel,
                    "properties": msgspec.to_builtins(Read.read(e.name, e.version, e.payload))
                    | told.get(e.seq, {}),
                }
                for e in events
            ],
            "record": _readable(plain(unpack(record[0].body))) if record else {},
            "predictions": _of_oneself(msgspec.json.decode(foretold.body)) if foretold else {},
            "predicted_earlier": msgspec.to_builtins(of_customer(places, f"c{customer}").points),
            "segments": _segments(reader, customer),
            "identity": _settled(reader, customer, nodes),
        }


def _segments(reader: LedgerReader, customer: int) -> list[dict[str, Any]]:
    """Which segments the person entered and left, oldest first, also under a number of theirs that is no more."""
    called = {row.id: row.name for row in reader.segments()}
    found: list[Entry] = []
    ids = [customer, *reader.aliases([customer])]
    while page := reader.audience_of(ids, found[-1].id if found else None, _CHANGES):
        found += page
    return [
        {
            "event": AUDIENCE[0] if row.entered else AUDIENCE[1],
            "customer": f"c{row.customer}",
            "segment": called[row.segment],
            "at": instant(row.at).isoformat(),
        }
        for row in reversed(found)
    ]


def _settled(reader: LedgerReader, customer: int, nodes: list[int]) -> dict[str, Any]:
    """What was decided and believed of the person's identifiers, without naming anybody else's."""
    return {
        "decisions": [
            {
                "one_person": v.same,
                "decided_at": instant(v.decided_at).isoformat(),
                "by": v.actor,
                "why": v.why,
            }
            for v in reader.verdicts(nodes)
        ],
        "likenesses": [
            {"weight": one.weight, "model": one.model, "found_at": instant(one.found_at).isoformat()}
            for one in reader.likenesses(nodes)
        ],
        "merges_and_splits": [
            {"kind": turn.kind, "at": instant(turn.at).isoformat(), "why": turn.why, "by": turn.actor}
            for turn in reader.turns([customer], None, 500)
        ],
    }


def erase(places: Places, who: str | int) -> ErasureReceipt:
    """Forget a person: in the ledger, the lake and every backup within reach; the keys go first.

    Once the ledger has forgotten, the rest is finished by whoever comes next, whatever happens to this call.
    """
    with suppress(Exception):  # a right does not wait for what is wrong with somebody's delivery:
        drain(places)  # whatever arrives later and names the person is refused by the intake
    with backups.held(places, backups.PATIENCE) as ours:
        if ours:
            erasing.finish_held(places)
        backups.sweep(places)
        customer, nodes = _person(places, who)
        with places.ledger.read() as reader:
            customers = sorted({customer, *(m.customer for m in reader.members(nodes))})
            cells = erasing.cells_of(places, reader, nodes)

        def work(tx: LedgerWriter) -> tuple[erasing.Erasure, int, int]:
            all_of_them = [*nodes, *erasing.mailboxes(places, tx, nodes)]
            pseudonyms = [mark for _, mark in tx.marks(all_of_them).values()]
            unname(places, tx, pseudonyms)
            return erasing.begin(tx, all_of_them, customers, pseudonyms, cells, places.now(), places.scale)

        erasure, removed, kept = places.ledger.write(work)
        places.intake.discard()
        outcome = erasing.carry_out(places, erasure, ours=ours)
    return ErasureReceipt(
        customer=f"c{customer}",
        identifiers=len(nodes),
        events_removed=removed,
        orders_kept=kept,
        places=tuple(outcome.cleaned),
        unreachable=tuple(outcome.unreachable),
    )


class _SeenError(Exception):
    """Carries what was seen out of a transaction that is to be undone."""

    def __init__(self, customer: int, nodes: list[int]) -> None:
        self.customer = customer
        self.nodes = nodes
        super().__init__()


def _person(places: Places, who: str | int) -> tuple[int, list[int]]:
    """The customer and all nodes, with what arrived a moment ago; also where events cannot be folded."""
    try:
        advance(places)
    except Exception:  # noqa: BLE001 - a right does not wait for whatever is wrong with somebody's event
        with suppress(Exception):
            return _look_ahead(places, who)
    with places.ledger.read() as reader:
        return _known(places, reader, who)


def _known(places: Places, reader: LedgerReader, who: str | int) -> tuple[int, list[int]]:
    customer = resolve(places, reader, who, for_ever=True)
    members = reader.nodes_of([customer])
    nodes = [m.node for m in members]
    beside = _beside(reader, nodes)
    if members and all(m.shared for m in members) and beside:
        others = {m.customer for m in reader.members(list(beside))} - {customer}
        raise Conflict(
            f"{len(others)} customers share that identifier, so it does not say who is meant",
            hint=f"name one of them: {', '.join(f'c{one}' for one in sorted(others)[:10])}",
        )
    shared = [m.node for m in reader.members(list(beside)) if m.shared]
    # What nobody else is tied to any more would name the person for ever.
    return customer, nodes + [one for one in shared if _beside(reader, [one]) <= set(nodes)]


def _beside(reader: LedgerReader, nodes: list[int]) -> set[int]:
    """Nodes tied to some others."""
    beside = {n for e in reader.edges(nodes) for n in (e.a, e.b)} - set(nodes)
    kinds = reader.marks(sorted(beside))
    return {
        n for n in beside if n in kinds and not IDENTIFIER_KINDS[kinds[n][0]].reference
    }  # an order is nobody


def _look_ahead(places: Places, who: str | int) -> tuple[int, list[int]]:
    """The same as if every event had been taken into identities, of which nothing is kept: their fold is to come."""

    def work(tx: LedgerWriter) -> None:
        at = int(tx.setting("cursor") or 0)
        while rows := tx.observed_after(at, _AT_ONCE):
            observe(tx, rows)
            at = rows[-1].seq
        raise _SeenError(*_known(places, tx, who))

    try:
        places.ledger.write(work)
    except _SeenError as seen:
        return seen.customer, seen.nodes
    raise NotFound("nobody is known under that identifier")


def _events(reader: LedgerReader, nodes: list[int]) -> list[Any]:
    found: list[Any] = []
    before: tuple[int, int] | None = None
    while more := reader.log_of(nodes, before, 5_000):
        found += more
        before = (more[-1].occurred_at, more[-1].seq)
    return found[::-1]


def _of_oneself(said: dict[str, Any]) -> dict[str, Any]:
    """What is predicted, without what is of others. How many somebody brought stays, as part of their own score."""
    return {k: v for k, v in said.items() if k not in _OF_OTHERS}


def _readable(record: dict[str, Any]) -> dict[str, Any]:
    """The record without the ledger's own numbers."""
    return {k: v for k, v in record.items() if k not in ("last", "standings", "closed_early")}
