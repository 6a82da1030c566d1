"""Facts that tell nothing new about a group because the group was made of them, or of their next of kin.

Whoever asks what people with a high expected value have in common must not be told that their expected value is high.
Kinship is declared where two facts are reckoned from the same thing, and measured where their ranks go together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

FAMILIES: Final = (
    ("expected value", {"clv_12m", "clv_low", "clv_high", "expected_orders_12m"}),
    (
        "silence",
        {
            "p_alive", "state", "state_since", "fading_since", "unusual_from", "next_order", "rhythm_basis",
            "days_since_order", "last_order", "last_seen",
        },
    ),
    ("how much was bought", {"orders", "order_days", "revenue", "margin", "units", "assumed_margin_on", "regular"}),
    (
        "where it was bought",
        {
            "store_orders", "web_orders", "omnichannel", "main_place", "bought_at", "channels_bought", "stores_bought",
            "first_place",
        },
    ),
    ("what was bought", {"favourite_category", "bought", "bought_first", "categories"}),
    ("what came back", {"returns", "returned", "return_rate"}),
    ("coupons", {"coupons", "coupon_share", "discount_share", "first_coupon", "first_discounted", "full_price_share"}),
    ("what was looked at", {"products_viewed", "looked_not_bought", "looked_at", "sessions"}),
    ("e-mail", {"emails_delivered", "emails_clicked", "email_click_rate", "clicked"}),
    ("stars", {"reviews", "mean_rating"}),
    ("service", {"contacts", "complaints", "open_cases"}),
    ("advocacy", {"advocacy_score", "brought_customers", "brought_value", "brought_reach", "referrals"}),
    ("brand fit", {"brand_fit", "core_share", "full_price_share"}),
    ("first day", {"first_order", "first_seen"}),
)  # fmt: skip
"""Facts reckoned from the same thing, by what that is."""

PLUMBING: Final = frozenset({
    "assumed_margin_on", "unconverted", "rhythm_basis", "unusual_from", "next_order", "state_since",
    "clv_low", "clv_high", "events",
})  # fmt: skip
"""What tells of our knowledge rather than of the customer; left out of comparisons unless asked for."""

CLOSE: Final = 0.7
"""From this rank correlation on, in either direction, a fact is called kin of the definition."""
_ENOUGH = 50


def declared(about: str, definition: Iterable[str]) -> str:
    """Why a fact is no insight, by declaration; empty where it is one.

    >>> declared("clv_low", {"clv_12m"})
    "kin of the group's definition: expected value"
    >>> declared("country", {"clv_12m"})
    ''
    """
    used = set(definition)
    if about in used:
        return "part of the group's definition"
    for name, family in FAMILIES:
        if about in family and family & used:
            return f"kin of the group's definition: {name}"
    return ""


def measured(column: NDArray[np.float64], defining: Mapping[str, NDArray[np.float64]]) -> str:
    """Why a column is no insight, by its rank correlation with a defining one (both of the same customers, NaN
    allowed).

    >>> x = np.arange(100.0)
    >>> measured(x**3, {"clv_12m": x})
    "kin of the group's definition: goes with clv_12m (rank correlation 1.00)"
    """
    for name, other in defining.items():
        both = ~(np.isnan(column) | np.isnan(other))
        if both.sum() < _ENOUGH:
            continue
        one, two = ranks(column[both]), ranks(other[both])
        spread = one.std() * two.std()
        together = float(((one - one.mean()) * (two - two.mean())).mean() / spread) if spread else 0.0
        if abs(together) >= CLOSE:
            return f"kin of the group's definition: goes with {name} (rank correlation {together:.2f})"
    return ""


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 0.5 on, equals sharing the mean of theirs.

    >>> ranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.0, 0.5, 2.0]
    """
    _, at, times = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(times) - times / 2)[at])
