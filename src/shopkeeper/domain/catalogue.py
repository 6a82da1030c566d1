"""What a shop has rather than who comes: products, stores, staff, stock, spend, rates, kept as dated records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from shopkeeper.domain.clock import MICROSECOND, SECOND, instant
from shopkeeper.domain.money import Rates


class Product(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something sold. ``kind`` tells goods from postage, vouchers and bookkeeping lines, which are no taste."""

    product_id: str
    name: str = ""
    category: str = ""
    brand: str = ""
    unit_cost: Decimal | None = None
    list_price: Decimal | None = None
    kind: str = "product"
    launched: str = ""
    core: bool = False
    """Whether it belongs to the core range; where no product does, that is found in what is bought."""


class Store(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place with a door. ``hours`` as in 'Mo-Fr 09:00-18:00; Sa 09:00-17:00; Su closed', in the store's zone."""

    store_id: str
    name: str = ""
    city: str = ""
    postcode: str = ""
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = ""
    hours: str = ""


class Staff(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who serves."""

    staff_id: str
    name: str = ""
    store: str = ""
    role: str = ""


class StockLevel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of a product a place has."""

    product_id: str
    store: str
    quantity: float
    as_of: str = ""


class Spend(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a channel cost in a month (``month`` as 2011-03)."""

    month: str
    channel: str
    spend: Decimal
    currency: str = ""


class Rate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One unit of ``currency`` in the reporting currency on ``date``."""

    date: str
    currency: str
    rate: Annotated[float, Meta(gt=0)]


RECORDS: dict[str, type[Struct]] = {
    "product": Product,
    "store": Store,
    "staff": Staff,
    "stock": StockLevel,
    "spend": Spend,
    "rate": Rate,
}
"""Kinds of kept records."""

KEYS: dict[str, tuple[str, ...]] = {
    "product": ("product_id",),
    "store": ("store_id",),
    "staff": ("staff_id",),
    "stock": ("product_id", "store"),
    "spend": ("month", "channel"),
    "rate": ("date", "currency"),
}
"""Which fields name one record of each kind."""


def record_key(kind: str, record: Struct) -> str:
    """The key under which a record is kept.

    >>> record_key("stock", StockLevel(product_id="85048", store="S1", quantity=3))
    '85048|S1'
    """
    return "|".join(str(getattr(record, field)) for field in KEYS[kind])


class Goods(Struct, frozen=True, gc=False):
    """What folding an order line needs to know of its product."""

    category: str
    brand: str
    cost: float | None
    """Minor units of the reporting currency for one unit; None when the cost is not known."""
    tangible: bool
    """False for postage, vouchers and bookkeeping lines."""


PLACES = {"web": "web", "app": "web", "store": "store"}
"""Where an order without a named store was placed, by the channel it came through."""

UNKNOWN_PLACE = "unknown"

UNKNOWN_GOODS = Goods("", "", None, tangible=True)


_QUARTER = 15 * 60 * SECOND
"""Clocks are put forward and back on a quarter of an hour."""


@lru_cache(maxsize=100_000)
def _offset(zone: str, quarter: int) -> int:
    try:
        ahead = instant(quarter * _QUARTER).astimezone(ZoneInfo(zone)).utcoffset()
    except OverflowError:  # beyond the calendar's first or last year
        return 0
    return (ahead or timedelta()) // MICROSECOND


class Catalogue(Struct, frozen=True):
    """The reference data that a fold is given: it makes the fold a pure function of events and catalogue.

    ``version`` changes whenever a product's category, kind or cost, a rate, the assumed margin or the zone changes, so
    that stale records are folded anew.
    """

    goods: Mapping[str, Goods] = msgspec.field(default_factory=dict)
    rates: Rates = msgspec.field(default_factory=lambda: Rates("GBP"))
    assumed_margin: float = 0.4
    """Share of a line's amount taken as margin when the product's cost is not known."""
    version: int = 0
    zone: str = "UTC"
    """The shop's time zone, in which its days begin."""

    def offset(self, at: int) -> int:
        """Microseconds by which the shop's clocks are ahead of UTC at an instant.

        >>> Catalogue(zone="Europe/Berlin").offset(0) // 3_600_000_000
        1
        """
        return 0 if self.zone == "UTC" else _offset(self.zone, at // _QUARTER)

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.rates.reporting

    def of(self, product_id: str) -> Goods:
        """The product, or one of which nothing is known."""
        return self.goods.get(product_id, UNKNOWN_GOODS)
