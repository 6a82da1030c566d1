"""Takes a person who is forgotten out of what others told: whom a customer brought, whom they shared goods with.

Such values lie sealed on the node of the one who told them, under that one's key, so that deleting the person's own key
does not reach them. The event stays without them: somebody was brought, and nobody knows who. What a refresh wrote of
them beside others' scores goes, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Sealed

NAMING: Final[Mapping[str, Mapping[str, str]]] = {
    "Customer Referred": {"referred_user_id": "user_id", "referred_email": "email"},
    "Product Shared": {"recipient": "email"},
    "Cart Shared": {"recipient": "email"},
}
"""Events that name somebody else: the property, and the kind of identifier it holds."""
_AT_ONCE: Final = 2_000
_read: Final = msgspec.json.Decoder(dict[str, Any]).decode
_write: Final = msgspec.json.Encoder().encode


def unname(places: Places, tx: LedgerWriter, pseudonyms: Collection[bytes]) -> int:
    """Take whoever has one of these pseudonyms out of what others told; returns out of how many events."""
    wanted = frozenset(pseudonyms)
    changed: list[Sealed] = []
    for name, fields in NAMING.items():
        rows = tx.sealed_as(name)
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            salts = {row.node: row.salt for row in tx.identifiers(sorted({row.node for row in some}))}
            for row in some:
                values: Any = places.vault.unseal(salts[row.node], row.sealed)
                if any(_is(places, kind, values.get(field), wanted) for field, kind in fields.items()):
                    rest = {key: value for key, value in values.items() if key not in fields}
                    sealed = places.vault.seal(salts[row.node], rest)
                    changed.append(row._replace(sealed=sealed))
    tx.reseal(changed)
    return len(changed)


def unbring(tx: LedgerWriter, customers: Collection[int]) -> int:
    """Take customers out of what predictions say of others: whom these brought, and by whom they were brought.

    Also out of predictions that a refresh writes aside. Returns how many said something of them.
    """
    gone = frozenset(customers)
    changed: list[tuple[bytes, int, int]] = []
    for rows in tx.all_foretold():
        for run, customer, body in rows:
            if b'"brought":' not in body and b'"brought_by":' not in body:
                continue
            said: dict[str, Any] = _read(body)
            rest = dict(said)
            if not gone.isdisjoint(said.get("brought", ())):
                rest["brought"] = [one for one in said["brought"] if one not in gone]
                rest.pop("brought_sums", None)  # of an only friend it is what was expected of that one
            if said.get("brought_by") in gone:
                del rest["brought_by"]
            if rest != said:
                changed.append((_write(rest), run, customer))
    tx.retell(changed)
    return len(changed)


def _is(places: Places, kind: str, value: Any, wanted: frozenset[bytes]) -> bool:
    canonical = places.keys(kind, str(value)) if value else None
    if canonical is None:
        return False
    reached = places.keys.reaches(kind, canonical)
    marks = (places.vault.pseudonym(kind, one) for one in (canonical, reached) if one is not None)
    return not wanted.isdisjoint(marks)
