"""Whether a score known on an earlier day went with orders after it, beyond what past orders say.

Ranks go together by Spearman's coefficient; the interval is Fisher's with the variance of Bonett and Wright (2000),
``(1 + r^2 / 2) / (n - 3)``. *Beyond past orders* is the same of what is left of both ranks once the ranks of past
orders and of the time since the last are taken off by least squares (partial rank correlation). An association, no
effect.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FEWEST: Final = 50
"""Customers from which on anything is said."""


class Foretold(Struct, frozen=True, kw_only=True):
    """A rank correlation with its interval. ``verdict``: foretells, foretells less, nothing or not enough."""

    name: str
    customers: int
    plain: float | None = None
    """Correlation with orders afterwards, past orders not regarded."""
    beyond: float | None = None
    """The same beyond past orders and recency."""
    low: float | None = None
    high: float | None = None
    verdict: str = "not enough"


def foretells(
    name: str, score: ArrayLike, later: ArrayLike, known: list[ArrayLike], *, level: float = 0.95
) -> Foretold:
    """How a score goes with what came later, beyond columns that were known as well. NaN scores are left out.

    >>> x = np.arange(100.0)
    >>> foretells("x", x, x[::-1], [np.ones(100)]).verdict
    'foretells less'
    >>> foretells("x", x[:9], x[:9], []).verdict
    'not enough'
    """
    from scipy.special import ndtri

    ahead, after = np.asarray(score, float), np.asarray(later, float)
    there = ~np.isnan(ahead)
    n = int(there.sum())
    if n < FEWEST:
        return Foretold(name=name, customers=n)
    one, two = _ranks(ahead[there]), _ranks(after[there])
    plain = _together(one, two)
    columns = [np.ones(n), *(_ranks(np.asarray(column, float)[there]) for column in known)]
    design = np.stack(columns, axis=1)
    left = [side - design @ np.linalg.lstsq(design, side, rcond=None)[0] for side in (one, two)]
    beyond = (
        _together(*left)
        if min(left[0].std() / (one.std() or 1), left[1].std() / (two.std() or 1)) > 1e-9
        else 0.0
    )
    free = max(n - 3 - len(known), 1)
    spread = float(-ndtri((1 - level) / 2)) * np.sqrt((1 + beyond**2 / 2) / free)
    middle = np.arctanh(np.clip(beyond, -0.999999, 0.999999))
    low, high = float(np.tanh(middle - spread)), float(np.tanh(middle + spread))
    verdict = "foretells" if low > 0 else "foretells less" if high < 0 else "nothing"
    return Foretold(name=name, customers=n, plain=plain, beyond=beyond, low=low, high=high, verdict=verdict)


def _ranks(values: Floats) -> Floats:
    _, at, times = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(times) - times / 2)[at])


def _together(one: Floats, two: Floats) -> float:
    a, b = one - one.mean(), two - two.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0
