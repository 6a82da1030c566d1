"""Derived facts: what was bought first and since, where, on which days, through which channels; read once, compared
often.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shopkeeper.know.insight.derived_sql import SQL
from shopkeeper.know.insight.people import Lists, Texts, coded
from shopkeeper.know.overview import spans

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

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


def derived(
    people: People, *, currency: str = "", time_zone: str = "UTC", only: Collection[str] | None = None
) -> Iterator[tuple[str, Lists]]:
    """Every derived fact of everybody, or ``only`` some, as (key, who has which level)."""
    asked: dict[str, Any] = {
        "rates": spans(currency, ()), "currency": currency, "zone": time_zone, "deeds": sorted(DEEDS),
    }  # fmt: skip

    def wanted(*keys: str) -> bool:
        return only is None or any(key in only for key in keys)

    def ask(name: str) -> tuple[pa.Table, NDArray[np.int64]]:
        sql = SQL[name]
        table = people.query(sql, {name: asked[name] for name in set(_PARAMETER.findall(sql))} or None)
        return table, people.rows(np.asarray(table["customer"].to_numpy(), np.int64))

    if wanted("bought"):
        table, rows = ask("goods")
        yield "bought", _lists(rows, coded(table["level"]))
        if wanted("bought_first"):
            first = np.asarray(table["first"].to_numpy(), np.bool_)
            yield "bought_first", _lists(np.where(first, rows, -1), coded(table["level"]))
    elif wanted("bought_first"):
        table, rows = ask("bought_first")
        yield "bought_first", _lists(rows, coded(table["level"]))
    if wanted("bought_at", "weekday", "daypart"):
        table, rows = ask("orders")
        if wanted("bought_at"):
            places = _lists(rows, coded(table["place"]))
            size = max(len(places.levels), 1)
            pairs = np.unique(places.rows * size + places.codes)
            yield "bought_at", Lists(pairs // size, pairs % size, places.levels)
        times = np.asarray(table["times"].to_numpy(), np.int64)
        for key in filter(wanted, ("weekday", "daypart")):
            yield key, mostly(rows, coded(table[key]), times)
    for key in filter(wanted, ("channel", "looked_at", "clicked")):
        table, rows = ask(key)
        yield key, _lists(rows, coded(table["level"]))


def _lists(rows: NDArray[np.int64], levels: Texts) -> Lists:
    kept = (rows >= 0) & (levels.codes >= 0)
    return Lists(rows[kept], levels.codes[kept], levels.levels)


def mostly(rows: NDArray[np.int64], levels: Texts, times: NDArray[np.int64]) -> Lists:
    """The level that each row has most often; of equals the first by name.

    >>> seen = mostly(np.array([0, 0, 1, 1]), Texts(np.array([0, 1, 0, 1]), ["b", "a"]), np.array([2, 1, 3, 3]))
    >>> seen.rows.tolist(), [seen.levels[code] for code in seen.codes]
    ([0, 1], ['b', 'a'])
    """
    listed = _lists(rows, levels)
    kept = (rows >= 0) & (levels.codes >= 0)
    size = max(len(levels.levels), 1)
    pairs, at = np.unique(listed.rows * size + listed.codes, return_inverse=True)
    counts = np.bincount(at, times[kept], minlength=pairs.size)
    name = np.argsort(np.argsort(np.array(levels.levels))) if levels.levels else np.zeros(1, np.int64)
    own, code = pairs // size, pairs % size
    order = np.lexsort((name[code], -counts, own))
    first = np.concatenate(([True], np.diff(own[order]) > 0)) if order.size else np.empty(0, np.bool_)
    return Lists(own[order][first], code[order][first], levels.levels)
