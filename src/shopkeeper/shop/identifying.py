"""Shows who is who and why: explanations, the audit of merges and splits, and the list of what needs a look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.identity import (
    GUARDS,
    Beside,
    Explanation,
    Reason,
    ReviewPage,
    Step,
    Suspicion,
    TurnShown,
)
from shopkeeper.domain.profile import IdentifierShown
from shopkeeper.know.fold import unpack
from shopkeeper.resolve import explaining
from shopkeeper.resolve.union import LIKELY
from shopkeeper.resolve.view import DECIDED
from shopkeeper.shop.masking import Sees, seen
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places
from shopkeeper.shop.settling import node_of
from shopkeeper.shop.showing import resolve
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Edge, Member

CROWDED: Final = 60
"""Identifiers above which a customer needs a look: cookies count here, since they are what piles up."""
_BESIDE: Final = 6
_ALIKE: Final = 25
_LOOKED_THROUGH: Final = 200
"""Customers with many identifiers that are looked at: numbers of orders are among them."""


def explain(places: Places, one: str, other: str, *, sees: Sees) -> Explanation:
    """Why two identifiers are one customer's, or why not."""
    with places.ledger.read() as reader:
        a, b = node_of(places, reader, one), node_of(places, reader, other)
        if a == b:
            raise InvalidInput("both are the same identifier", hint="name two different ones")
        answer = explaining.explain(reader, a, b)
        customers = {m.node: f"c{m.customer}" for m in reader.members([a, b])}
        about = {n for e in answer.path for n in (e.a, e.b)} | {n for r in answer.reasons for n in r.nodes}
        shown = _shown(places, reader, about, sees)
        steps, here = [], a
        for edge in answer.path:
            there = edge.b if edge.a == here else edge.a
            steps.append(_step(reader, edge, shown[here], shown[there]))
            here = there
        reasons = tuple(
            Reason(
                guard=r.guard,
                sentence=GUARDS[r.guard],
                about=tuple(shown[n] for n in r.nodes if n in shown),
                of_kind=r.of_kind,
                count=r.count,
            )
            for r in answer.reasons
        )
    return Explanation(
        one=answer.one, customers=(customers[a], customers[b]), steps=tuple(steps), reasons=reasons
    )


def _step(reader: LedgerReader, edge: Edge, one: IdentifierShown, other: IdentifierShown) -> Step:
    source, by, weight, why, at = "", "", None, edge.why, edge.occurred_at
    if edge.why == DECIDED and not edge.seq:
        by = next((v.actor for v in reader.verdicts([edge.a]) if (v.a, v.b) == (edge.a, edge.b)), "")
    elif edge.why == LIKELY and not edge.seq:
        found = next((x for x in reader.likenesses([edge.a]) if (x.a, x.b) == (edge.a, edge.b)), None)
        weight, source = (round(found.weight, 2), found.model) if found else (None, "")
    elif logged := reader.log_after(edge.seq - 1, 1):
        source = logged[0].source if logged[0].seq == edge.seq else ""
    return Step(one=one, other=other, why=why, at=instant(at), source=source, by=by, weight=weight)


def turns(
    places: Places, who: str | None, cursor: int | None, limit: int, *, sees: Sees
) -> tuple[str, tuple[TurnShown, ...]]:
    """Whose turns these are (empty for everybody's), and merges and splits, latest first."""
    if not 1 <= limit <= 500:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 500")
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who) if who else None
        rows = reader.turns([] if customer is None else [customer], cursor, limit)
        shown = _shown(places, reader, {n for row in rows for n in (row.a, row.b) if n}, sees)
    return "" if customer is None else f"c{customer}", tuple(
        TurnShown(
            number=row.id,
            at=instant(row.at),
            kind=row.kind,
            customer=f"c{row.customer}",
            other=f"c{row.other}",
            why=row.why,
            about=tuple(shown[n] for n in (row.a, row.b) if n in shown),
            by=row.actor,
        )
        for row in rows
    )


def review(places: Places, cursor: int | None, limit: int, *, sees: Sees) -> ReviewPage:
    """What needs a look: on the first page customers with very many identifiers and those whom a model takes for one
    person, then identifiers of many.
    """
    if not 1 <= limit <= 200:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 200")
    with places.ledger.read() as reader:
        rows: list[Suspicion] = []
        if not cursor:
            rows += _crowds(places, reader, sees)
            rows += _busy(places, reader, sees)
            rows += _alike(places, reader, sees)
        shared = reader.shared(cursor or 0, limit + 1)
        rows += _junctions(places, reader, shared[:limit], sees)
    return ReviewPage(rows=tuple(rows), next=shared[limit - 1].node if len(shared) > limit else None)


def _crowds(places: Places, reader: LedgerReader, sees: Sees) -> list[Suspicion]:
    """Customers with very many identifiers, numbers of orders not counted, at whom nobody looked."""
    speaks: dict[int, tuple[int, int]] = {}
    for customer, _ in reader.crowded(CROWDED, _LOOKED_THROUGH):
        marks = reader.marks([m.node for m in reader.nodes_of([customer])])
        counted = {n: kind for n, (kind, _) in marks.items() if not IDENTIFIER_KINDS[kind].reference}
        if len(counted) > CROWDED:
            node = min(counted, key=lambda n: (IDENTIFIER_KINDS[counted[n]].rank, n))
            speaks[customer] = (node, len(counted))
    settled = reader.looked([node for node, _ in speaks.values()])
    known = _shown(places, reader, {node for node, _ in speaks.values()}, sees)
    return [
        Suspicion(
            kind="crowded",
            sentence=f"One customer with {count:,} identifiers: a till's own card, a device of the shop, or a robot?",
            customer=f"c{customer}",
            identifier=known.get(node),
            reference=f"node:{node}",
            count=count,
        )
        for customer, (node, count) in speaks.items()
        if node not in settled
    ]


def _busy(places: Places, reader: LedgerReader, sees: Sees) -> list[Suspicion]:
    """Identifiers with which more is bought on a day than one person does."""
    found = reader.busy(_ALIKE)
    known = _shown(places, reader, [one.node for one in found], sees)
    whose = {m.node: m.customer for m in reader.members([one.node for one in found])}
    return [
        Suspicion(
            kind="busy",
            sentence=f"One {known[one.node].kind.replace('_', ' ')} with {one.orders:,} orders on one day and "
            f"{one.places:,} stores on one day: a card that staff swipe for others?",
            customer=f"c{whose[one.node]}",
            identifier=known[one.node],
            reference=f"node:{one.node}",
            of_kind="order",
            count=one.orders,
        )
        for one in found
        if one.node in known
    ]


def _alike(places: Places, reader: LedgerReader, sees: Sees) -> list[Suspicion]:
    """Customers whom a model takes for one person and a guard keeps apart."""
    pairs = reader.unjoined(_ALIKE)
    whose = {m.node: m.customer for m in reader.members(sorted({n for p in pairs for n in (p.a, p.b)}))}
    known = _shown(places, reader, whose, sees)
    customers = sorted(set(whose.values()))
    called = names(places, reader, customers, sees=sees)
    orders = {row.customer: unpack(row.body).orders for row in reader.records(customers)}
    rows = []
    for pair in pairs:
        if pair.a not in known or pair.b not in known or _parted(reader, whose[pair.a], whose[pair.b]):
            continue
        beside = tuple(
            Beside(
                id=f"c{whose[node]}",
                name=called.get(whose[node], ""),
                by=known[node],
                orders=orders.get(whose[node], 0),
            )
            for node in (pair.a, pair.b)
        )
        rows.append(
            Suspicion(
                kind="alike",
                sentence="Two customers whose names, addresses and dates say that they are one person",
                customer=beside[0].id,
                reference=f"node:{pair.a}",
                other=f"node:{pair.b}",
                weight=round(pair.weight, 1),
                beside=beside,
            )
        )
    return rows


def _parted(reader: LedgerReader, one: int, other: int) -> bool:
    """Whether somebody decided on two customers, by whichever identifiers."""
    nodes = {m.node: m.customer for m in reader.nodes_of([one, other])}
    return any({nodes.get(v.a), nodes.get(v.b)} == {one, other} for v in reader.verdicts(sorted(nodes)))


def _junctions(places: Places, reader: LedgerReader, shared: Sequence[Member], sees: Sees) -> list[Suspicion]:
    first = {member.node: reader.beside(member.node, 4 * _BESIDE) for member in shared}
    whose = {m.node: m for m in reader.members(sorted({n for ends in first.values() for n in ends}))}
    known = _shown(places, reader, {*whose, *first}, sees)
    customers = sorted({m.customer for m in whose.values()})
    called = names(places, reader, customers, sees=sees)
    orders = {row.customer: unpack(row.body).orders for row in reader.records(customers)}
    rows = []
    for member in shared:
        if member.node not in known or IDENTIFIER_KINDS[known[member.node].kind].reference:
            continue
        of_kind, count = explaining.of_what(reader, member.node)
        beside: dict[int, Beside] = {}
        for node in sorted(
            first[member.node], key=lambda n: IDENTIFIER_KINDS[known[n].kind].rank if n in known else 99
        ):
            if node in whose and node in known and not IDENTIFIER_KINDS[known[node].kind].reference:
                customer = whose[node].customer
                beside.setdefault(
                    customer,
                    Beside(
                        id=f"c{customer}",
                        name=called.get(customer, ""),
                        by=known[node],
                        orders=orders.get(customer, 0),
                    ),
                )
        rows.append(
            Suspicion(
                kind="shared",
                sentence=sentence(known[member.node].kind, of_kind, count),
                customer=f"c{member.customer}",
                identifier=known[member.node],
                reference=f"node:{member.node}",
                of_kind=of_kind,
                count=count,
                beside=tuple(beside.values())[:_BESIDE],
            )
        )
    return rows


def sentence(kind: str, of_kind: str, count: int) -> str:
    """What is odd about a shared identifier, and what it may be.

    >>> sentence("email", "user_id", 2)
    'One email with 2 accounts: a family, or one person with several accounts?'
    >>> sentence("loyalty_card", "payment_token", 40)
    'One loyalty card with 40 payment tokens: a card that staff swipe for others?'
    """
    thing = kind.replace("_", " ")
    if not of_kind:
        return f"One {thing} that counts as shared, and nobody uses it any more"
    what = "accounts" if IDENTIFIER_KINDS[of_kind].exclusive else f"{of_kind.replace('_', ' ')}s"
    if IDENTIFIER_KINDS[kind].session:
        guess = "a tablet in the store, or a computer that many use?"
    elif IDENTIFIER_KINDS[of_kind].exclusive:
        guess = "a family, or one person with several accounts?"
    elif kind in ("loyalty_card", "gift_card"):
        guess = "a card that staff swipe for others?"
    else:
        guess = "a value that many type, or a number of the shop's own?"
    return f"One {thing} with {count:,} {what}: {guess}"


def _shown(
    places: Places, reader: LedgerReader, nodes: Iterable[int], sees: Sees
) -> dict[int, IdentifierShown]:
    return {
        row.node: IdentifierShown(
            row.kind,
            seen(row.kind, str(places.vault.unseal(row.salt, row.sealed)), sees),
            instant(row.first_seen),
        )
        for row in reader.identifiers(sorted(set(nodes)))
    }
