"""Derived facts: what was bought first and since, where, on which days, through which channels; read once, compared
often.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shopkeeper.know.insight.derived_sql import SQL
from shopkeeper.know.insight.people import Lists, coded
from shopkeeper.know.overview import spans

if TYPE_CHECKING:
    from shopkeeper.know.insight.people import People

DEEDS: Final = {
    "Page Viewed", "Product List Viewed", "Product List Filtered", "Product Viewed", "Product Clicked", "Product Added",
    "Product Removed", "Product Added to Wishlist", "Product Removed from Wishlist", "Product Shared",
    "Products Searched", "Cart Viewed", "Cart Shared", "Checkout Started", "Promotion Clicked", "Coupon Entered",
    "Wishlist Product Added to Cart", "Email Opened", "Email Link Clicked", "Store Visited", "Beacon Detected",
    "Answer Given", "Contact Opened", "Social Account Linked", "Social Account Followed", "Social Post Liked",
    "Social Post Commented", "Social Post Shared", "Social Post Pinned", "Offer Accepted", "Review Submitted",
    "Customer Referred",
}  # fmt: skip
"""Events in which the customer acts. What the shop sends or shows is no sign of the customer's."""

LABELS: Final = {
    "bought": ("Bought from", "buyers"),
    "bought_first": ("Bought first", "buyers"),
    "bought_at": ("Bought at", "buyers"),
    "weekday": ("Buys mostly on", "buyers"),
    "daypart": ("Buys mostly in the", "buyers whose hours are known"),
    "channel": ("Was heard of through", "those heard of through any channel"),
    "looked_at": ("Looked at", "those who looked at products"),
    "clicked": ("Clicked in campaign", "those who clicked in any e-mail"),
}
"""Label of each derived fact, and of whom its shares are."""

_PARAMETER = re.compile(r"\$([a-z]+)")


def derived(people: People, *, currency: str = "", time_zone: str = "UTC") -> Iterator[tuple[str, Lists]]:
    """Every derived fact of everybody, as (key, who has which level)."""
    asked: dict[str, Any] = {
        "rates": spans(currency, ()), "currency": currency, "zone": time_zone, "deeds": sorted(DEEDS),
    }  # fmt: skip
    for key, sql in SQL.items():
        table = people.query(sql, {name: asked[name] for name in set(_PARAMETER.findall(sql))} or None)
        levels = coded(table["level"])
        rows = people.rows(np.asarray(table["customer"].to_numpy(), np.int64))
        kept = (rows >= 0) & (levels.codes >= 0)
        yield key, Lists(rows[kept], levels.codes[kept], levels.levels)
