"""What customers did besides ordering, counted in windows of weeks up to an instant, and how long ago each was last.

Rows are counted by node, kind of deed and window, and joined to customers when there are few. What machines do with
e-mails counts as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.domain.clock import DAY, instant
from shopkeeper.know.features.asked import Asked, Ints
from shopkeeper.know.overview import Query

_SOCIAL: Final = (
    "Social Account Linked", "Social Account Followed", "Social Post Liked", "Social Post Commented",
    "Social Post Shared", "Social Post Pinned",
)  # fmt: skip
KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "views": ("products looked at", ("Product Viewed",)),
        "carts": ("products put into the cart", ("Product Added",)),
        "wishes": ("products put on the wish list", ("Product Added to Wishlist",)),
        "pages": ("pages and lists looked at", ("Page Viewed", "Product List Viewed")),
        "searches": ("searches", ("Products Searched",)),
        "checkouts": ("checkouts begun", ("Checkout Started",)),
        "emails": ("e-mails delivered", ("Email Delivered",)),
        "email_opens": ("e-mails opened by the person", ("Email Opened",)),
        "email_clicks": ("links clicked in e-mails", ("Email Link Clicked",)),
        "visits": ("visits to stores", ("Store Visited", "Beacon Detected")),
        "contacts": ("contacts with the service", ("Contact Opened",)),
        "social": ("deeds on social networks", _SOCIAL),
        "reviews": ("reviews written", ("Review Submitted",)),
        "referrals": ("people brought", ("Customer Referred",)),
        "offers": ("offers shown", ("Offer Shown",)),
        "offers_taken": ("offers taken", ("Offer Accepted",)),
        "coupons": ("coupons used", ("Coupon Applied",)),
        "rewards": ("rewards granted", ("Reward Granted",)),
    }
)
"""Kinds of deeds: words, and the events they are counted by."""
_MORE: Final = {"others": "other events, orders among them", "complaints": "complaints to the service"}
"""What is counted in other ways."""
WINDOWS: Final = (4, 13, 52)
_WEEK: Final = 7 * DAY
_BANDS: Final = len(WINDOWS) + 1

_WORDS: Final = {name: words for name, (words, _) in KINDS.items()} | _MORE


def words() -> dict[str, str]:
    """Each column in words."""
    found = {"categories_seen": "categories looked at in the last 13 weeks"}
    for name, what in _WORDS.items():
        found |= {f"{name}_{weeks}w": f"{what} in the last {weeks} weeks" for weeks in WINDOWS}
        found[f"{name}_ever"] = f"{what} ever"
        found[f"{name}_since"] = f"weeks since the last of: {what}"
    return found


class Deeds(Struct, frozen=True):
    """Counts as they were asked: by customer, kind of deed and window; and categories looked at by customer."""

    end: int
    customer: Ints
    code: Ints
    n: Ints
    last: Ints
    seen_by: Ints
    seen: Ints

    def columns(self, customers: Ints) -> dict[str, NDArray[np.float64]]:
        """Columns for these customers (ascending, none left out), by name; how long ago is NaN where never."""
        names = list(_WORDS)
        row = np.searchsorted(customers, self.customer)
        shape = (customers.size, len(names), _BANDS)
        size = customers.size * len(names)
        # Flat, since that is many times as quick.
        each = np.bincount(row * (len(names) * _BANDS) + self.code, weights=self.n, minlength=size * _BANDS)
        counts = np.cumsum(each.astype(np.float64).reshape(shape), axis=2)
        last = np.full(size, -1, dtype=np.int64)
        np.maximum.at(last, row * len(names) + self.code // _BANDS, self.last)
        last = last.reshape(shape[:2])
        since = np.where(last >= 0, (self.end - last) / _WEEK, np.nan)
        columns: dict[str, NDArray[np.float64]] = {}
        for place, name in enumerate(names):
            for number, weeks in enumerate(WINDOWS):
                columns[f"{name}_{weeks}w"] = counts[:, place, number]
            columns[f"{name}_ever"] = counts[:, place, -1]
            columns[f"{name}_since"] = since[:, place]
        categories = np.zeros(customers.size)
        categories[np.searchsorted(customers, self.seen_by)] = self.seen
        return columns | {"categories_seen": categories}


def deeds(query: Query, asked: Asked) -> Deeds:
    """Ask the lake what was done before the instant."""
    sets = {f"w{weeks}": instant(asked.end - weeks * _WEEK) for weeks in WINDOWS}
    found = asked.ask(query, _sql(asked), **sets)
    seen = asked.ask(query, _seen(asked), w13=sets["w13"])
    customer, code, n, last = (found[name].astype(np.int64) for name in ("customer", "code", "n", "last"))
    seen_by, categories = seen["customer"].astype(np.int64), seen["n"].astype(np.int64)
    return Deeds(asked.end, customer, code, n, last, seen_by, categories)


def _sql(asked: Asked) -> str:
    codes = " ".join(
        f"WHEN '{event}' THEN {place * _BANDS}"
        for place, (_, events) in enumerate(KINDS.values())
        for event in events
    )
    code = f"CASE e.name {codes} ELSE {len(KINDS) * _BANDS} END"
    band = " ".join(f"WHEN e.occurred_at >= $w{weeks} THEN {band}" for band, weeks in enumerate(WINDOWS))
    complaints = f"""
    UNION ALL
    SELECT e.node, {(len(KINDS) + 1) * _BANDS} + CASE {band} ELSE {_BANDS - 1} END, count(*), max(e.occurred_at)
    FROM events AS e
    WHERE e.name = 'Contact Opened' AND e.reason = 'complaint' AND {asked.seen("e")}
    GROUP BY 1, 2"""
    return f"""
WITH {asked.who},
by_node AS (
    SELECT e.node, {code} + CASE {band} ELSE {_BANDS - 1} END AS code, count(*) AS n, max(e.occurred_at) AS last
    FROM events AS e
    WHERE NOT coalesce(e.machine, FALSE) AND {asked.seen("e")}
    GROUP BY 1, 2{complaints}
)
SELECT w.customer, CAST(b.code AS INTEGER) AS code, b.n, epoch_us(b.last) AS last
FROM by_node AS b JOIN who AS w ON w.node = b.node
"""


def _seen(asked: Asked) -> str:
    return f"""
WITH {asked.who},
seen AS (
    SELECT DISTINCT e.node, coalesce(nullif(e.category, ''), p.category) AS category
    FROM events AS e
    LEFT JOIN products AS p ON p.product_id = CASE WHEN coalesce(e.category, '') = '' THEN e.product_id END
    WHERE e.name = 'Product Viewed' AND e.occurred_at >= $w13 AND {asked.seen("e")}
)
SELECT w.customer, count(DISTINCT s.category) AS n
FROM seen AS s JOIN who AS w ON w.node = s.node GROUP BY w.customer
"""
