"""Lists identities that a person should look at: crowds, refused unions, likenesses, identifiers that many share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.identity import REFUSED, Beside, ReviewPage, Suspicion
from shopkeeper.know.fold import unpack
from shopkeeper.resolve import explaining
from shopkeeper.shop import refusals
from shopkeeper.shop.identifying import shown_of_nodes
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Member

CROWDED: Final = 60
"""Identifiers above which a customer needs a look: cookies count here, since they are what piles up."""
_BESIDE: Final = 6
_ALIKE: Final = 25
_LOOKED_THROUGH: Final = 200
"""Customers with many identifiers that are looked at: numbers of orders are among them."""


def review(places: Places, cursor: int | None, limit: int, *, sees: Sees) -> ReviewPage:
    """What needs a look: on the first page customers with very many identifiers, those whom a guard keeps apart from
    others, by what was seen or by what a model believes; then identifiers of many.
    """
    if not 1 <= limit <= 200:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 200")
    with places.ledger.read() as reader:
        rows: list[Suspicion] = []
        if not cursor:
            rows += _crowds(places, reader, sees)
            rows += _busy(places, reader, sees)
            rows += _refused(places, reader, sees)
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
    known = shown_of_nodes(places, reader, {node for node, _ in speaks.values()}, sees)
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
    known = shown_of_nodes(places, reader, [one.node for one in found], sees)
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


def _refused(places: Places, reader: LedgerReader, sees: Sees) -> list[Suspicion]:
    """Customers whom something seen ties together and a guard keeps apart."""
    found = refusals.refused(places, reader, _ALIKE)
    rows = _pairs(places, reader, [(r.a, r.b) for r in found], sees)
    ties = shown_of_nodes(places, reader, {n for r in found for n in r.tie}, sees)
    return [
        Suspicion(
            kind="refused",
            sentence=REFUSED[row.guard],
            customer=f"c{row.one}",
            reference=f"node:{row.a}",
            other=f"node:{row.b}",
            of_kind="user_id" if row.guard == "accounts" else "",
            tie=tuple(ties[n] for n in row.tie if n in ties),
            beside=rows[row.a, row.b],
        )
        for row in found
        if (row.a, row.b) in rows
    ]


def _alike(places: Places, reader: LedgerReader, sees: Sees) -> list[Suspicion]:
    """Customers whom a model takes for one person and a guard keeps apart."""
    pairs = reader.unjoined(_LOOKED_THROUGH)
    looked = reader.looked(sorted({n for p in pairs for n in (p.a, p.b)}))
    pairs = [p for p in pairs if not {p.a, p.b} <= looked]
    beside = _pairs(places, reader, [(p.a, p.b) for p in pairs[:_ALIKE]], sees)
    return [
        Suspicion(
            kind="alike",
            sentence="Two customers whose names, addresses and dates say that they are one person",
            customer=beside[pair.a, pair.b][0].id,
            reference=f"node:{pair.a}",
            other=f"node:{pair.b}",
            weight=round(pair.weight, 1),
            beside=beside[pair.a, pair.b],
        )
        for pair in pairs
        if (pair.a, pair.b) in beside
        and not refusals.parted(reader, *(int(one.id[1:]) for one in beside[pair.a, pair.b]))
    ]


def _pairs(
    places: Places, reader: LedgerReader, pairs: Sequence[tuple[int, int]], sees: Sees
) -> dict[tuple[int, int], tuple[Beside, Beside]]:
    """The customers of some pairs of identifiers, as people read them."""
    whose = {m.node: m.customer for m in reader.members(sorted({n for pair in pairs for n in pair}))}
    known = shown_of_nodes(places, reader, whose, sees)
    customers = sorted(set(whose.values()))
    called = names(places, reader, customers, sees=sees)
    orders = {row.customer: unpack(row.body).orders for row in reader.records(customers)}

    def beside(node: int) -> Beside:
        customer = whose[node]
        name, had = called.get(customer, ""), orders.get(customer, 0)
        return Beside(id=f"c{customer}", name=name, by=known[node], orders=had)

    return {(a, b): (beside(a), beside(b)) for a, b in pairs if a in known and b in known}


def _junctions(places: Places, reader: LedgerReader, shared: Sequence[Member], sees: Sees) -> list[Suspicion]:
    first = {member.node: reader.beside(member.node, 4 * _BESIDE) for member in shared}
    whose = {m.node: m for m in reader.members(sorted({n for ends in first.values() for n in ends}))}
    known = shown_of_nodes(places, reader, {*whose, *first}, sees)
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
