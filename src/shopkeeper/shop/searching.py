"""Finds customers by what is typed: an identifier, or words that somebody may see of them."""

from __future__ import annotations

from collections import defaultdict

from shopkeeper.domain.personal import EVERY_CLASS, Personal
from shopkeeper.shop.masking import Sees, class_of
from shopkeeper.shop.naming import told
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader

_MOST = 500
_INDEXED = EVERY_CLASS - {Personal.TEXT, Personal.UNDECLARED}


def by_words(places: Places, reader: LedgerReader, search: str, sees: Sees) -> list[int]:
    """Customers with all words of a search, by what the searcher sees in clear.

    A word that is found in masked values only would tell, letter by letter, what is masked.
    """
    wanted = places.vault.wanted(search)
    found = reader.search(wanted, _MOST)
    if not found or all(one in sees for one in _INDEXED):
        return found
    owner = {m.node: m.customer for m in reader.nodes_of(found)}
    nodes = list(owner)
    clear: dict[int, list[str]] = defaultdict(list)
    masked: dict[int, list[str]] = defaultdict(list)
    for node, values in told(places, reader, nodes).items():
        for name, value in values.items():
            (clear if class_of(name) in sees else masked)[owner[node]].append(value)
    for row in reader.identifiers(nodes):
        value = str(places.vault.unseal(row.salt, row.sealed))
        (clear if class_of(row.kind) in sees else masked)[owner[row.node]].append(value)
    return [
        one
        for one in found
        if not (set(wanted) & places.vault.tokens(masked[one])) - places.vault.tokens(clear[one])
    ]
