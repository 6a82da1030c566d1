"""Products, stock, stores, staff, spend and rates: rows about what a shop has, as records of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from shopkeeper.collect.files.amounts import decimal_of
from shopkeeper.collect.files.convert import Typed
from shopkeeper.collect.files.zone import to_local, zone_of
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.catalogue import Product, Rate, Spend, Staff, StockLevel, Store
from shopkeeper.domain.errors import InvalidInput

RECORDS: Final = {
    "products": "product",
    "stock": "stock",
    "stores": "store",
    "staff": "staff",
    "spend": "spend",
    "rates": "rate",
}
"""Kind of file -> kind of record."""

Row = dict[str, Any]
Refuse = Callable[[int, str, str], Refused]


def _money(micros: int | None) -> Decimal | None:
    return None if micros is None else decimal_of(micros)


def _product(row: Row, _zone: str, _currency: str) -> Struct:
    return Product(
        product_id=row["product_id"],
        name=row.get("name") or "",
        category=row.get("category") or "",
        brand=row.get("brand") or "",
        unit_cost=_money(row.get("unit_cost")),
        list_price=_money(row.get("list_price")),
        kind=(row.get("kind") or "product").casefold(),
        launched=row.get("launched") or "",
        core=bool(row.get("core")),
    )


def _stock(row: Row, zone: str, _currency: str) -> Struct:
    at = row.get("as_of")
    return StockLevel(
        product_id=row["product_id"],
        store=row.get("store") or "web",
        quantity=row["quantity"] / 1_000_000,
        as_of="" if at is None else to_local(at, zone).isoformat(timespec="seconds"),
    )


def _store(row: Row, _zone: str, _currency: str) -> Struct | str:
    latitude, longitude = row.get("latitude"), row.get("longitude")
    if (latitude is not None and abs(latitude) > 90) or (longitude is not None and abs(longitude) > 180):
        return "latitude or longitude is beyond the globe"
    own_zone = row.get("time_zone") or ""
    if own_zone:
        try:
            zone_of(own_zone)
        except InvalidInput:
            return "the time zone is not known; expected one such as Europe/London"
    return Store(
        store_id=row["store_id"],
        name=row.get("name") or "",
        city=row.get("city") or "",
        postcode=row.get("postcode") or "",
        latitude=latitude,
        longitude=longitude,
        time_zone=own_zone,
        hours=row.get("hours") or "",
    )


def _staff(row: Row, _zone: str, _currency: str) -> Struct:
    return Staff(
        staff_id=row["staff_id"],
        name=row.get("name") or "",
        store=row.get("store") or "",
        role=row.get("role") or "",
    )


def _spend(row: Row, _zone: str, currency: str) -> Struct:
    return Spend(
        month=row["month"],
        channel=row["channel"],
        spend=decimal_of(row["spend"]),
        currency=row.get("currency") or currency,
    )


def _rate(row: Row, _zone: str, _currency: str) -> Struct | str:
    if row["rate"] <= 0:
        return "a rate must be above 0"
    return Rate(date=row["date"], currency=row["currency"], rate=row["rate"])


_MAKERS: Final[dict[str, Callable[[Row, str, str], Struct | str]]] = {
    "products": _product,
    "stock": _stock,
    "stores": _store,
    "staff": _staff,
    "spend": _spend,
    "rates": _rate,
}


def record_batch(kind: str, typed: Typed, refuse: Refuse, *, zone: str, currency: str) -> Batch:
    """The records of one chunk's rows; ``refuse`` makes a refused row of a row's place in the chunk."""
    batch = Batch(read=len(typed.lines) + len(typed.refused), refused=list(typed.refused), currency=currency)
    names = list(typed.values)
    for i, row in enumerate(typed.rows(*names)):
        made = _MAKERS[kind](dict(zip(names, row, strict=True)), zone, currency)
        if isinstance(made, str):
            batch.refused.append(refuse(i, "bad_value", made))
        else:
            batch.records.append((RECORDS[kind], made))
    return batch
