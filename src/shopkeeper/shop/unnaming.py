"""Takes a person who is forgotten out of what others told: whom a customer brought, whom they shared goods with.

Such values lie sealed on the node of the one who told them, under that one's key, so that deleting the person's own key
does not reach them. The event stays without them: somebody was brought, and nobody knows who. What a refresh wrote of
them beside others' scores goes, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from shopkeeper.domain.customer import objects
from shopkeeper.know.fold import unpack
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


def unbring(tx: LedgerWriter, customers: Collection[int], scale: float) -> int:
    """Take customers out of what predictions say of others: whom these brought, and by whom they were brought.

    What those brought are worth is added up again without them, by what is known now (``scale`` minor units are one of
    money): of an only friend it was what that one bought, and of several it told the same by subtraction. Also out of
    predictions that a refresh writes aside. Returns how many said something of them.
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
                rest |= _brought(tx, rest, scale)
            if said.get("brought_by") in gone:
                del rest["brought_by"]
            if rest != said:
                changed.append((_write(rest), run, customer))
    tx.retell(changed)
    return len(changed)


def _brought(tx: LedgerWriter, said: dict[str, Any], scale: float) -> dict[str, Any]:
    """What is said of those whom somebody brought, of those who are left."""
    from shopkeeper.predict.advocacy import points

    # Who was merged meanwhile is known by another number.
    today = sorted({tx.alias(one) or one for one in said["brought"]})
    left = {row.customer: unpack(row.body) for row in tx.records(today)}
    buyers = {one: record for one, record in left.items() if record.orders and not objects(record)}
    foretold = [_read(row.body) for row in tx.predictions(sorted(buyers)).values()]
    expected = sum(one.get("clv_12m") or 0.0 for one in foretold)
    made: dict[str, Any] = {
        "brought_customers": len(buyers),
        "brought_value": round(sum(one.margin for one in buyers.values()) / scale + expected, 2),
        "brought_reach": _reach(tx, said["brought"]),
        "brought_sums": {
            "expected": round(expected, 2),
            "variance": round(sum((one.get("clv_sd") or 0.0) ** 2 for one in foretold), 2),
        },
    }
    if "advocacy_parts" in said:
        made["advocacy_parts"] = said["advocacy_parts"] | {
            "brought": float(points({"brought": len(buyers)})["brought"])
        }
        made["advocacy_score"] = round(sum(made["advocacy_parts"].values()), 1)
    return made


def _reach(tx: LedgerWriter, brought: list[int]) -> int:
    """How many customers somebody brought, directly or over those they brought."""
    seen: set[int] = set()
    waiting = set(brought)
    while waiting:
        seen |= waiting
        rows = tx.predictions(sorted(waiting)).values()
        waiting = {one for row in rows for one in _read(row.body).get("brought", ())} - seen
    return len(seen)


def _is(places: Places, kind: str, value: Any, wanted: frozenset[bytes]) -> bool:
    canonical = places.keys(kind, str(value)) if value else None
    if canonical is None:
        return False
    reached = places.keys.reaches(kind, canonical)
    marks = (places.vault.pseudonym(kind, one) for one in (canonical, reached) if one is not None)
    return not wanted.isdisjoint(marks)
