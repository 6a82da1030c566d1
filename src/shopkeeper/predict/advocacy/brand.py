"""How well somebody fits the brand: buys its core range, at full price, and is engaged.

*The core range* is what the catalogue says it is. Where it says nothing, it is the fewest products that make up
``SHARE`` of what regulars spent at full price: what those buy who need no persuading. With fewer than ``FEWEST``
regulars it is taken of all buyers, and ``Core.basis`` says so.

*Full price* is a mean unit price of at least ``NEARLY`` of the list price, or, without one, of the price that the
middle buyer of the product paid; the share of it is reduced by the share of orders with a coupon or a discount on the
whole, of which is not known on which goods it was given.

*Engaged* is a number of deeds a year with ``HALF`` earning half.

Shares of few orders are mostly luck: in the score, ``PRIOR`` orders of the shop's own mean are counted into each. The
points of the three parts are **assumptions**. What the fit has foretold is measured (``foretelling``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARE: Final = 0.8
FEWEST: Final = 30
"""Regulars from which on they say what the core is."""
NEARLY: Final = 0.98
HALF: Final = 12.0
PRIOR: Final = 2.0
POINTS: Final = {"core": 40.0, "full_price": 30.0, "engaged": 30.0}
"""Points of each part at most: assumptions."""


class Core(Struct, frozen=True):
    """The core range: which product codes are in it, and what said so."""

    products: tuple[int, ...]
    basis: str
    """catalogue, regulars or buyers."""
    of: int
    """Regulars or buyers of whose spending it was made; 0 where the catalogue says it."""


@dataclass(frozen=True, slots=True)
class BrandFit:
    """Per customer; NaN where nothing was bought.

    Attributes:
        core: share of spending on the core range, 0 to 1.
        full_price: share of spending at full price, 0 to 1.
        points: points of each part, which sum to ``score``.
    """

    core: Floats
    full_price: Floats
    points: dict[str, Floats]

    @property
    def score(self) -> Floats:
        """0 to 100."""
        return np.asarray(np.round(np.sum(list(self.points.values()), axis=0), 1))


def at_full_price(
    product: ArrayLike, amount: ArrayLike, units: ArrayLike, list_price: ArrayLike
) -> NDArray[np.bool_]:
    """Whether each row (one customer's purchases of one product) was at full price; ``list_price`` by product code, NaN
    where it is not known.

    >>> at_full_price([0, 0, 1, 1, 1], [10, 8, 3, 3, 2], [1, 1, 1, 1, 1], [10.0, np.nan]).tolist()
    [True, False, True, True, False]
    """
    code, paid, n = np.asarray(product, np.int64), np.asarray(amount, float), np.asarray(units, float)
    full = np.array(list_price, float)
    price = np.divide(paid, n, out=np.full(paid.shape, np.nan), where=n > 0)
    known = ~np.isnan(price)
    order = np.lexsort((price[known], code[known]))
    codes, prices = code[known][order], price[known][order]
    starts = (
        np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
        if codes.size
        else np.empty(0, np.int64)
    )
    size = np.diff(starts, append=codes.size)
    middle = np.full(full.shape, np.nan)
    middle[codes[starts]] = prices[starts + size // 2]
    full = np.where(np.isnan(full), middle, full)
    return np.asarray(np.nan_to_num(price, nan=-1.0) >= NEARLY * np.nan_to_num(full[code], nan=np.inf))


def core_range(
    *,
    product: ArrayLike,
    amount: ArrayLike,
    full: ArrayLike,
    regular: ArrayLike,
    regulars: int,
    buyers: int,
    flagged: ArrayLike | None = None,
) -> Core:
    """The core range from rows of one customer's purchases of one product: the product's code, the net amount, whether
    at full price, and whether the customer is a regular. ``flagged`` are codes that the catalogue calls core.

    >>> none = dict(regular=[0, 0, 0], regulars=0, buyers=3)
    >>> core_range(product=[0, 1, 2], amount=[80, 15, 5], full=[1, 1, 1], **none).products
    (0,)
    """
    if flagged is not None and (named := np.unique(np.asarray(flagged, np.int64))).size:
        return Core(tuple(named.tolist()), "catalogue", 0)
    code, spent = np.asarray(product, np.int64), np.maximum(np.asarray(amount, float), 0.0)
    counts = np.asarray(full, np.bool_)
    told = regulars >= FEWEST
    if told:
        counts = counts & np.asarray(regular, np.bool_)
    if not counts.any():
        return Core((), "buyers", buyers)
    total = np.bincount(code[counts], spent[counts])
    ranked = np.lexsort((np.arange(total.size), -total))
    reached = np.cumsum(total[ranked]) / total.sum() if total.sum() > 0 else np.ones(total.size)
    inside = ranked[: int(np.searchsorted(reached, SHARE) + 1)]
    inside = inside[total[inside] > 0]
    return Core(
        tuple(sorted(inside.tolist())), "regulars" if told else "buyers", regulars if told else buyers
    )


def brand_fit(
    *,
    row: ArrayLike,
    product: ArrayLike,
    amount: ArrayLike,
    full: ArrayLike,
    core: Core,
    orders: ArrayLike,
    reduced: ArrayLike,
    deeds_a_year: ArrayLike,
) -> BrandFit:
    """The fit of each customer. ``row``, ``product``, ``amount`` and ``full`` are rows of one customer's purchases of
    one product, ``row`` being the customer's place in the other columns: orders, orders with a coupon or discount,
    deeds a year.
    """
    who, code = np.asarray(row, np.int64), np.asarray(product, np.int64)
    spent = np.maximum(np.asarray(amount, float), 0.0)
    n, off = np.asarray(orders, float), np.asarray(reduced, float)
    size = n.size
    everything = np.bincount(who, spent, size)
    inside = np.zeros(max(int(code.max(initial=-1)) + 1, max(core.products, default=-1) + 1), np.bool_)
    inside[list(core.products)] = True
    bought = everything > 0
    shares = []
    for counts in (inside[code], np.asarray(full, np.bool_)):
        part = np.bincount(who[counts], spent[counts], size)
        shares.append(np.divide(part, everything, out=np.full(size, np.nan), where=bought))
    at_price = shares[1] * (1.0 - np.clip(np.divide(off, n, out=np.zeros(size), where=n > 0), 0.0, 1.0))
    engaged = 1.0 - 2.0 ** -(np.maximum(np.asarray(deeds_a_year, float), 0.0) / HALF)
    parts = {"core": _shrunk(shares[0], n), "full_price": _shrunk(at_price, n), "engaged": engaged}
    points = {
        name: np.where(bought, np.round(POINTS[name] * part, 1), np.nan) for name, part in parts.items()
    }
    return BrandFit(shares[0], at_price, points)


def _shrunk(share: Floats, n: Floats) -> Floats:
    known = ~np.isnan(share)
    mean = float(share[known].mean()) if known.any() else 0.0
    return np.asarray((np.nan_to_num(share) * n + PRIOR * mean) / (n + PRIOR))
