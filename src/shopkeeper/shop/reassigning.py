"""Carries out a decision about identities: the graph decides anew, whoever it touches is folded anew, and nobody gets a
withdrawn consent back by it.

What was withdrawn while two were one customer, or beside an identifier that both shared, held for both. Where a
decision parts them, it is written into the log for whoever would lose it: that is how a rebuild comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from shopkeeper.collect.intake import Outcome, Taking
from shopkeeper.domain.customer import Standing, consents
from shopkeeper.domain.event import Event
from shopkeeper.domain.events.identity import ConsentWithdrawn
from shopkeeper.domain.identifier import IDENTIFIER_KINDS, Identifier
from shopkeeper.know import memory
from shopkeeper.know.fold import unpack
from shopkeeper.resolve.graph import Change, beside_shared, split_of
from shopkeeper.shop.places import Places
from shopkeeper.shop.standing import judging
from shopkeeper.shop.watching import watching
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter

_ITSELF: Final = "shopkeeper"
"""Source of what the shop itself writes down."""


class Reassigned(Struct):
    """What came of it. ``taking`` is to be kept once the transaction is on disk."""

    change: Change
    events: int = 0
    carried: int = 0
    taking: Taking | None = None


def reassign(
    places: Places, tx: LedgerWriter, nodes: Collection[int], decide: Callable[[], Change], now: int
) -> Reassigned:
    """Let ``decide`` decide about some nodes, and follow with records and consents."""
    before_of = _members_around(tx, nodes)
    before = _standings(tx, set(before_of.values()))
    change = decide()
    made = Reassigned(change)
    touched = {m.customer for m in tx.members(sorted({*before_of, *nodes}))} | change.refold
    touched |= beside_shared(tx, change.parted)
    touched -= change.gone
    tx.drop_records(sorted(change.gone))
    tx.unpredict(sorted(split_of(change)))
    watch = watching(places, tx, "merge")
    if watch is not None:
        watch.gone(change.gone)
    made.events = memory.refold(tx, touched, places.catalogue(tx), None, watch, judging(places, tx))
    events = list(_withdrawals(places, tx, touched, before_of, before, now))
    if events:
        made.taking = places.intake.begin(tx)
        outcome = Outcome()
        made.taking.append(events, outcome)
        made.carried = outcome.kept
    return made


def strongest(reader: LedgerReader, customer: int) -> int:
    """The identifier that speaks most for a customer."""
    nodes = [m.node for m in reader.nodes_of([customer])]
    marks = reader.marks(nodes)
    return min(marks, key=lambda node: (IDENTIFIER_KINDS[marks[node][0]].rank, node))


def _members_around(tx: LedgerReader, nodes: Collection[int]) -> dict[int, int]:
    """Whose the nodes are of all customers whom a decision about these may touch."""
    members = tx.members(sorted(nodes))
    shared = {m.node for m in members if m.shared}
    customers = {m.customer for m in members} | beside_shared(tx, shared)
    beside = {n for edge in tx.edges(sorted(nodes)) for n in (edge.a, edge.b)} - set(nodes)
    customers |= beside_shared(tx, {m.node for m in tx.members(sorted(beside)) if m.shared})
    return {m.node: m.customer for m in tx.nodes_of(sorted(customers))}


def _standings(reader: LedgerReader, customers: Iterable[int]) -> dict[int, dict[str, Standing]]:
    """Where consents stand, by customer."""
    return {row.customer: consents(unpack(row.body)) for row in reader.records(sorted(set(customers)))}


def _withdrawals(
    places: Places,
    tx: LedgerReader,
    touched: Collection[int],
    before_of: dict[int, int],
    before: dict[int, dict[str, Standing]],
    now: int,
) -> Iterable[Event]:
    """A withdrawal for every customer who would lose one by not being with the others any more."""
    after = _standings(tx, touched)
    was: dict[int, set[int]] = {}
    for member in tx.nodes_of(sorted(touched)):
        if member.node in before_of:
            was.setdefault(member.customer, set()).add(before_of[member.node])
    for customer in sorted(was):
        lost: dict[str, tuple[Standing, int]] = {}
        for old in sorted(was[customer]):
            for purpose, standing in before.get(old, {}).items():
                still = after.get(customer, {}).get(purpose)
                if not standing.granted and (still is None or still.granted):
                    lost[purpose] = (standing, max(now, still.at if still else 0))
        if lost:
            yield from _said(places, tx, customer, sorted(lost.items()), now)


def _said(
    places: Places,
    tx: LedgerReader,
    customer: int,
    lost: Sequence[tuple[str, tuple[Standing, int]]],
    now: int,
) -> Iterable[Event]:
    """The withdrawals to write down, each no earlier than what was said since."""
    (row,) = tx.identifiers([strongest(tx, customer)])
    who = Identifier(row.kind, str(places.vault.unseal(row.salt, row.sealed)))
    turn = max((one.id for one in tx.turns([customer], None, 1)), default=0)
    for purpose, (standing, at) in lost:
        yield Event(
            name="Consent Withdrawn",
            message_id=f"carried:{now}:{turn}:{row.node}:{purpose}:{standing.at}",
            occurred_at=at,
            received_at=max(now, at),
            identifiers=(who,),
            properties=ConsentWithdrawn(
                purpose=purpose, lawful_basis=standing.basis or "consent", method="split"
            ),
            source=_ITSELF,
        )
