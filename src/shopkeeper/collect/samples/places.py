"""Stores with their hours and staff, and the place where each order was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.names import CITIES, LAST, MEN, STORE_CITIES, WOMEN
from shopkeeper.collect.samples.source import ADJUSTMENTS, DAY, SERVICES, Flags, Ints, Purchases
from shopkeeper.collect.samples.world import WORLD, generator

if TYPE_CHECKING:
    from shopkeeper.collect.samples.persons import Persons

HOURS: tuple[tuple[tuple[int, int] | None, ...], ...] = (
    # per store Monday to Sunday (opens, closes) in minutes after midnight, None = closed
    (*[(540, 1140)] * 5, (540, 1140), (690, 1050)),
    (*[(540, 1080)] * 5, (540, 1080), (660, 1020)),
    (*[(540, 1050)] * 5, (540, 1020), None),
    (*[(570, 1050)] * 5, (540, 1020), (660, 960)),
    (*[(540, 1080)] * 5, (540, 1020), None),
)
WHERE = ((51.5155, -0.1420), (53.4820, -2.2450), (51.4560, -2.5930), (53.7970, -1.5420), (55.9520, -3.1950))
POSTCODES = ("W1X 0AA", "M1 0AA", "BS1 0AA", "LS1 0AA", "EH2 0AA")
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")

WEB = len(STORE_CITIES)
"""The place code of the web shop; codes below are stores, -1 is head office (book-keeping, not a sale)."""
NOWHERE = -1
PLACE_IDS = (*[f"ST{i + 1:02d}" for i in range(len(STORE_CITIES))], "web")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def hours_text(store: int) -> str:
    """Opening hours as a retailer writes them.

    >>> hours_text(2)
    'Mo-Fr 09:00-17:30; Sa 09:00-17:00; Su closed'
    """
    parts = []
    for label, span in zip(("Mo-Fr", "Sa", "Su"), (HOURS[store][0], *HOURS[store][5:]), strict=True):
        parts.append(f"{label} {_clock(span[0])}-{_clock(span[1])}" if span else f"{label} closed")
    return "; ".join(parts)


def is_open(store: Ints, minute: Ints) -> Flags:
    """Whether each store is open at each local minute (codes outside the stores are never open)."""
    opens = np.array([[s[0] if s else DAY for s in week] for week in HOURS] + [[DAY] * 7])
    closes = np.array([[s[1] if s else 0 for s in week] for week in HOURS] + [[0] * 7])
    weekday = (minute // DAY + 3) % 7  # 1970-01-01 was a Thursday
    row = np.where((store >= 0) & (store < WEB), store, WEB)
    of_day = minute % DAY
    return np.asarray((of_day >= opens[row, weekday]) & (of_day < closes[row, weekday]))


@dataclass(frozen=True, slots=True)
class Places:
    """Where each order was made and who served it (indices; -1: nobody)."""

    place: Ints
    staff: Ints
    bookkeeping: Flags
    roll_up: Flags
    staff_ids: tuple[str, ...]
    staff_rows: tuple[tuple[str, str, str, str], ...]

    @property
    def in_store(self) -> Flags:
        """Orders made in one of the stores."""
        return np.asarray((self.place >= 0) & (self.place < WEB))


def stores_table() -> pa.Table:
    """The columns of stores.csv."""
    count = len(STORE_CITIES)
    return pa.table(
        {
            "store_id": list(PLACE_IDS[:count]),
            "name": [f"The Sample Shop {city}" for city in STORE_CITIES],
            "city": list(STORE_CITIES),
            "postcode": list(POSTCODES),
            "latitude": [w[0] for w in WHERE],
            "longitude": [w[1] for w in WHERE],
            "time_zone": ["Europe/London"] * count,
            "hours": [hours_text(i) for i in range(count)],
        }
    )


def _hire(seed: int) -> tuple[tuple[str, str, str, str], ...]:
    draw = generator(seed, "staff")
    rows = []
    for store in range(len(STORE_CITIES)):
        for place, role in enumerate(("manager", "associate", "associate", "associate", "cashier")):
            first = (WOMEN + MEN)[draw.integers(len(WOMEN) + len(MEN))]
            name = f"{first} {LAST[draw.integers(len(LAST))]}"
            rows.append((f"E{store + 1}{place + 1:02d}", name, PLACE_IDS[store], role))
    return tuple(rows)


def home_store(city: Ints) -> Ints:
    """The store nearest to each city code (the web for -1, abroad)."""
    nearest = [PLACE_IDS.index(store) for _, _, store in CITIES.values()]
    return np.array([*nearest, WEB], np.int64)[city]


def place_orders(bought: Purchases, persons: Persons, seed: int) -> Places:
    """Draw the place of each order: a store only when it was open, in the UK, and no postage was charged."""
    draw = generator(seed, "places")
    n = len(bought.order_ids)
    no_name = bought.customer < 0
    worthless = np.bincount(bought.order, weights=np.abs(bought.price_milli), minlength=n) == 0
    letters = pc.starts_with(bought.order_ids, "A").to_numpy(zero_copy_only=False)
    bookkeeping = no_name & (worthless | letters | bought.orders_with(ADJUSTMENTS, all_lines=True))
    roll_up = no_name & ~bookkeeping & (bought.lines_per_order >= WORLD.roll_up_lines)
    posted = bought.orders_with(SERVICES)
    at_home = pc.equal(bought.countries, "United Kingdom").to_numpy(zero_copy_only=False)[bought.country]

    person = np.where(no_name, 0, persons.of_customer[bought.customer])
    store = home_store(persons.city[person])
    guest_store = draw.choice(WEB, size=n, p=[0.4, 0.2, 0.15, 0.15, 0.1])
    store = np.where(no_name | (draw.random(n) < WORLD.other_store), guest_store, store)
    chance = np.where(no_name, WORLD.guest_in_store, 1 - persons.web_share[person])
    in_store = at_home & ~posted & ~roll_up & (draw.random(n) < chance) & is_open(store, bought.order_minute)
    place = np.where(bookkeeping, NOWHERE, np.where(in_store, store, WEB))
    staff_rows = _hire(seed)
    per_store = len(staff_rows) // len(STORE_CITIES)
    served = np.where(in_store & ~bookkeeping, store * per_store + draw.integers(0, per_store, n), -1)
    return Places(
        place=place.astype(np.int64),
        staff=served.astype(np.int64),
        bookkeeping=bookkeeping,
        roll_up=roll_up,
        staff_ids=tuple(row[0] for row in staff_rows),
        staff_rows=staff_rows,
    )
