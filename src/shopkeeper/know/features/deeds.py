"""What customers did besides ordering, counted in windows of weeks up to an instant, and how long ago each was last.

Rows are counted by node and kind of deed, all windows at once, and joined to customers when there are few. What
machines do with e-mails counts as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.domain.clock import DAY, instant
from shopkeeper.know.features.asked import Asked, Ints, places
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
    """Counts as they were asked: a row for each node and kind of deed; and categories looked at by customer.

    Attributes:
        end: the instant, microseconds.
        customer: whose node it is.
        kind: place of the kind among the words.
        counts: within each window, and ever.
        last: when it was last done, microseconds.
        seen_by: customers who looked at products lately.
        seen: at how many categories.
    """

    end: int
    customer: Ints
    kind: NDArray[np.int8]
    counts: tuple[NDArray[np.int32], ...]
    last: Ints
    seen_by: Ints
    seen: Ints

    def columns(self, customers: Ints) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Columns for these customers (ascending, none left out), by name and one after the other, since together they
        are large; how long ago is NaN where never.
        """
        size = customers.size
        row = places(customers, self.customer)
        order = np.argsort(self.kind, kind="stable")
        ends = np.cumsum(np.bincount(self.kind, minlength=len(_WORDS)))
        for place, name in enumerate(_WORDS):
            rows = order[(ends[place - 1] if place else 0) : ends[place]]
            who = row[rows]
            named = [*(f"{name}_{weeks}w" for weeks in WINDOWS), f"{name}_ever"]
            for title, count in zip(named, self.counts, strict=True):
                yield title, np.bincount(who, weights=count[rows], minlength=size).astype(np.float64)
            last = np.full(size, -1, dtype=np.int64)
            np.maximum.at(last, who, self.last[rows])
            yield f"{name}_since", np.where(last >= 0, (self.end - last) / _WEEK, np.nan)
        categories = np.zeros(size)
        categories[np.searchsorted(customers, self.seen_by)] = self.seen
        yield "categories_seen", categories


def deeds(query: Query, asked: Asked) -> Deeds:
    """Ask the lake what was done before the instant."""
    sets = {f"w{weeks}": instant(asked.end - weeks * _WEEK) for weeks in WINDOWS}
    found = asked.ask(query, _sql(asked), **sets)
    seen = asked.ask(query, _seen(asked), w13=sets["w13"])
    return Deeds(
        end=asked.end,
        customer=found["customer"].astype(np.int64, copy=False),
        kind=found["kind"].astype(np.int8, copy=False),
        counts=tuple(found[name].astype(np.int32, copy=False) for name in _COUNTS),
        last=found["last"].astype(np.int64, copy=False),
        seen_by=seen["customer"].astype(np.int64, copy=False),
        seen=seen["n"].astype(np.int64, copy=False),
    )


_COUNTS: Final = (*(f"w{weeks}" for weeks in WINDOWS), "ever")


def _sql(asked: Asked) -> str:
    kinds = " ".join(
        f"WHEN '{event}' THEN {place}" for place, (_, events) in enumerate(KINDS.values()) for event in events
    )
    counts = ", ".join(
        f"count(CASE WHEN e.occurred_at >= $w{weeks} THEN 1 END) AS w{weeks}" for weeks in WINDOWS
    )
    counts += ", count(*) AS ever, max(e.occurred_at) AS last"
    whole = ", ".join(f"CAST(b.{name} AS INTEGER) AS {name}" for name in _COUNTS)
    return f"""
WITH {asked.who},
by_node AS (
    SELECT e.node, CASE e.name {kinds} ELSE {len(KINDS)} END AS kind, {counts}
    FROM events AS e
    WHERE NOT coalesce(e.machine, FALSE) AND {asked.seen("e")}
    GROUP BY 1, 2
    UNION ALL
    SELECT e.node, {len(KINDS) + 1}, {counts}
    FROM events AS e
    WHERE e.name = 'Contact Opened' AND e.reason = 'complaint' AND {asked.seen("e")}
    GROUP BY 1, 2
)
SELECT w.customer, CAST(b.kind AS TINYINT) AS kind, {whole}, epoch_us(b.last) AS last
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
