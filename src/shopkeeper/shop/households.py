"""Shows a customer's household: one family name at one address, or an e-mail address or telephone that a few share."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from shopkeeper.domain.identity import Household, HouseholdMember
from shopkeeper.know.fold import unpack
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names, told
from shopkeeper.shop.places import Places
from shopkeeper.shop.showing import resolve
from shopkeeper.stores.contract.ledger import LedgerReader

_MOST: Final = 12
"""People that a household has at most; what more share is an office, or a value that everybody types."""
_LOOKED_AT: Final = 500
_HOME: Final = ("email", "phone")
"""Identifiers that families share; a card or a cookie that many use says nothing of where they live."""


def household(places: Places, who: str | int, *, sees: Sees) -> Household:
    """The other customers of somebody's household."""
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who)
        found = _found(places, reader, customer)
        called = names(places, reader, sorted(found), sees=sees)
        records = {row.customer: unpack(row.body) for row in reader.records(sorted(found))}
    members = [
        HouseholdMember(
            id=f"c{other}",
            name=called.get(other, ""),
            by=tuple(sorted(by)),
            orders=records[other].orders if other in records else 0,
            margin=places.money(records[other].margin) if other in records else 0.0,
        )
        for other, by in found.items()
    ]
    return Household(customer=f"c{customer}", members=tuple(sorted(members, key=lambda m: (-m.margin, m.id))))


def _found(places: Places, reader: LedgerReader, customer: int) -> dict[int, set[str]]:
    nodes = [m.node for m in reader.nodes_of([customer])]
    found: dict[int, set[str]] = defaultdict(set)
    tokens = {
        t for said in told(places, reader, nodes).values() for t in places.intake.household_tokens(said)
    }
    for token in sorted(tokens):
        here = reader.search([token], _MOST + 1)
        if len(here) <= _MOST:
            for other in here:
                found[other].add("address")
    ends = {n for edge in reader.edges(nodes) for n in (edge.a, edge.b)} - set(nodes)
    shared = [m.node for m in reader.members(sorted(ends)) if m.shared]
    kinds = {node: kind for node, (kind, _) in reader.marks(shared).items() if kind in _HOME}
    for node, kind in kinds.items():
        beside = reader.beside(node, _LOOKED_AT)
        others = {m.customer for m in reader.members(beside) if not m.shared}
        if len(others) <= _MOST:
            for other in others:
                found[other].add(kind)
    found.pop(customer, None)
    return found
