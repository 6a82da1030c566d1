"""What customers are called, unsealed only for those who may see it and masked for others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.personal import Personal
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Node


def names(places: Places, reader: LedgerReader, customers: Sequence[int], *, sees: Sees) -> dict[int, str]:
    """What some customers are called: their name, else an e-mail or number, else an honest stand-in."""
    owner: dict[int, int] = {m.node: m.customer for m in reader.nodes_of(customers)}
    kept = reader.identifiers(list(owner))
    by_node = told(places, reader, list(owner), kept)
    by_customer: dict[int, dict[str, str]] = defaultdict(dict)
    for node, values in by_node.items():
        by_customer[owner[node]].update(values)
    kinds: dict[int, set[str]] = defaultdict(set)
    for row in kept:
        customer = owner[row.node]
        kinds[customer].add(row.kind)
        if row.kind == "email" and "last_name" not in by_customer[customer]:
            by_customer[customer].setdefault("email", str(places.vault.unseal(row.salt, row.sealed)))
    return {c: called(by_customer.get(c, {}), kinds.get(c, set()), sees=sees) for c in customers}


def called(values: dict[str, str], kinds: set[str], *, sees: Sees) -> str:
    """A display name.

    >>> called({"first_name": "Anna", "last_name": "Berg"}, set(), sees={Personal.NAME})
    'Anna Berg'
    >>> called({"first_name": "Anna", "last_name": "Berg"}, set(), sees=())
    'A. B.'
    >>> called({}, {"anonymous_id"}, sees=())
    'Visitor'
    """
    words = [values[f].strip() for f in ("first_name", "last_name") if values.get(f)] or (
        [values["company"].strip()] if values.get("company") else []
    )
    if words:
        return " ".join(words) if Personal.NAME in sees else " ".join(f"{w[0]}." for w in words if w)
    if values.get("email") and Personal.CONTACT in sees:
        return values["email"]
    if kinds and all(IDENTIFIER_KINDS[k].session for k in kinds):
        return "Visitor"
    return "Customer without a name"


def told(
    places: Places, reader: LedgerReader, nodes: Sequence[int], kept: Sequence[Node] | None = None
) -> dict[int, dict[str, str]]:
    """Per node, the latest of every personal trait that was told. ``kept`` are the nodes' identifiers, where known."""
    salts = {row.node: row.salt for row in (reader.identifiers(nodes) if kept is None else kept)}
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in reader.sealed(nodes):
        if row.name == "Identified" and row.node in salts:
            values = places.vault.unseal(salts[row.node], row.sealed)
            found[row.node].update({k: str(v) for k, v in values.items() if isinstance(v, str | int | float)})
    return found
