"""How customers buy, as a cloud of points: a handful of habits on comparable scales, without the lumps of small
numbers.

Somebody with one order and one coupon has a share of 1, somebody with thirty has 0.4; clusters of such shares are
clusters of small numbers. In place of a share stands a draw from what is plausible of the customer's own rate: the beta
distribution of everybody's rates, moved by the customer's counts (a plausible value; Mislevy 1991). Counts are spread
over the whole number above them. Draws depend on the customer's id and nothing else: the same in every run.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.insight.people import Mask, People
from shopkeeper.know.insight.ready import prior

Floats = NDArray[np.float64]

_EDGE = 4.0
"""Robust standard deviations beyond which a habit is as extreme as any."""
_FEW = 0.02


class Habit(Struct, frozen=True):
    """One column of the cloud: what it is made of, and what much and little of it are called."""

    name: str
    much: str
    little: str
    of: str = ""
    """The trait of which it is a rate; '' for numbers."""


HABITS: Final = (
    Habit("order_days", "buys often", "bought seldom"),
    Habit("days_since_order", "long silent", "bought lately"),
    Habit("average_order", "large orders", "small orders"),
    Habit("categories", "buys across the range", "keeps to few categories"),
    Habit("web_orders", "buys online", "buys in stores", "orders"),
    Habit("coupons", "buys with coupons", "pays full price", "orders"),
    Habit("returns", "sends much back", "keeps what was bought", "orders"),
    Habit("emails_clicked", "clicks in e-mails", "passes over e-mails", "emails_delivered"),
    Habit("sessions", "often on the web shop", "seldom on the web shop"),
    Habit("store_visits", "often in the stores", "seldom in the stores"),
    Habit("social_deeds", "active socially", "silent socially"),
)


class Features(Struct, frozen=True):
    """The cloud: one row for each of ``rows`` (places in ``People``), one column for each habit."""

    rows: NDArray[np.int64]
    habits: tuple[Habit, ...]
    points: Floats


def features(people: People, who: Mask | None = None) -> Features:
    """The habits of everybody with an order, or of those of ``who`` with one.

    What hardly varies, or what the lake does not know, is left out.
    """
    there = {trait.name for trait in people.traits}
    if "orders" not in there:
        return Features(np.empty(0, np.int64), (), np.empty((0, 0)))
    buyers = _column(people, "orders") > 0
    rows = np.flatnonzero(buyers if who is None else buyers & who)
    kept, columns = [], []
    for number, habit in enumerate(HABITS):
        if {habit.name, habit.of or habit.name} <= there:
            values = _column(people, habit.name)[rows]
            of = _column(people, habit.of)[rows] if habit.of else None
            column = _scaled(_smooth(values, of, people.ids[rows], number))
            if column is not None:
                kept.append(habit)
                columns.append(column)
    return Features(rows, tuple(kept), np.stack(columns, axis=1) if columns else np.empty((rows.size, 0)))


def _column(people: People, name: str) -> Floats:
    column = people.column(name)
    if not isinstance(column, np.ndarray):
        raise TypeError(f"{name} is no column of numbers")
    return column


def _smooth(values: Floats, of: Floats | None, ids: NDArray[np.int64], number: int) -> Floats:
    chance = uniform(ids, number)
    if of is not None:
        return np.arcsin(np.sqrt(plausible(np.minimum(values, of), of, chance)))
    values = np.maximum(values, 0)
    whole = values == np.floor(values)
    return np.log1p(np.where(whole, values + chance, values))


def plausible(hits: Floats, trials: Floats, chance: Floats) -> Floats:
    """A rate that is plausible after ``hits`` of ``trials``, at place ``chance`` (0 to 1) of what is.

    >>> low, high = plausible(np.array([0.0, 50.0]), np.array([1.0, 50.0]), np.array([0.5, 0.5]))
    >>> bool(low < 0.7 and high > 0.95)
    True
    """
    from scipy.special import betaincinv

    tried = trials > 0
    if not tried.any():
        return np.zeros(hits.size)
    alpha, beta = prior(hits[tried], trials[tried])
    hits, misses = np.nan_to_num(hits), np.nan_to_num(trials - hits)
    return np.asarray(np.clip(betaincinv(hits + alpha, misses + beta, chance), 0, 1))


def uniform(ids: NDArray[np.int64], number: int) -> Floats:
    """A number between 0 and 1 for each id, always the same (the mixing function of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        mixed = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(number + 1)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return np.asarray(((mixed >> np.uint64(11)).astype(float) + 0.5) / 2**53)


def _scaled(column: Floats) -> Floats | None:
    """Robust standard scores; None for a column that hardly varies."""
    known = ~np.isnan(column)
    if known.sum() < _FEW * column.size or not known.any():
        return None
    middle = float(np.median(column[known]))
    low, high = np.quantile(column[known], [0.25, 0.75])
    spread = float(high - low) / 1.349
    if spread <= 0:
        spread = float(column[known].std())
    if spread <= 0:
        return None
    return np.asarray(np.clip(np.where(known, (column - middle) / spread, 0.0), -_EDGE, _EDGE))
