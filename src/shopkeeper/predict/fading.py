"""When a customer's silence becomes unusual by that customer's own rhythm.

Gaps between purchase days of customer i are Gamma with shape k_i and mean mu_i, and 1/mu_i ~ Gamma(q, p v)
between customers (p, q, v: the Gamma-Gamma model fitted to everybody's mean gaps). After n gaps of mean g
the chance that the next gap is longer than s is::

    P(gap > s) = 1 - I_y(k_i, q + k_i n),   y = k_i s / (k_i s + V),   V = p v + k_i n g

with I the regularised incomplete beta function. Regularity is shrunk to everybody's: 1/k_i is the mean of
1/p (counted as five gaps) and the squared coefficient of variation of the customer's own gaps (counted
as n - 1).

The silence is unusual once P(gap > s) falls below ``alarms_per_year * E(mu_i) / 365.25``, at most 10 %:
somebody who buys every week has 52 gaps a year, so each may only raise a false alarm 52 times more rarely.
In this way a customer who is still one is called fading about ``alarms_per_year`` times a year, whatever the
frequency. With fewer than two gaps there is no own rhythm: the population stands in (n = 0 in the formula)
and ``basis`` says so.

The calendar is not known here: who buys in several days of every December looks silent in June.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.gammagamma import GammaGamma
from shopkeeper.predict.value.history import Floats, column, refuse_rows
from shopkeeper.predict.value.summary import purchase_days

STATES = ("new", "active", "fading", "lapsed")
OWN, POPULATION = "own rhythm", "population"
_YEAR = 365.25
_PRIOR_GAPS = 5.0
_RARE, _COMMON = 1e-6, 0.1
_LAPSED_TIMES = 2.0
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Gaps:
    """Per customer: number of gaps between purchase days, their mean in days, and how much they vary.

    ``cv2`` is the squared coefficient of variation, 0 with fewer than two gaps.
    """

    customer: NDArray[Any]
    count: Floats
    mean: Floats
    cv2: Floats
    last: NDArray[np.datetime64]


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """The rhythm of all customers together: p, q, v as above (v in days), from ``n`` customers with gaps."""

    p: float
    q: float
    v: float
    n: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fading:
    """Per customer, what the present silence means.

    Attributes:
        state: new (one purchase, silence not unusual), active, fading, or lapsed (silent at least twice as
        long as it
            took to become unusual).
        basis: 'own rhythm' or 'population'.
        tail: chance of a silence at least this long for a customer who is still one.
        fading_after: days of silence from which it is unusual.
        unusual_from: first day on which the silence is or will be unusual; NaT without dates.
        fading_since: the same day where it has come, NaT elsewhere.
    """

    state: NDArray[np.str_]
    basis: NDArray[np.str_]
    tail: Floats
    fading_after: Floats
    unusual_from: NDArray[np.datetime64]
    fading_since: NDArray[np.datetime64]


def gaps(*, customer: ArrayLike, occurred_at: ArrayLike, end: Any = None) -> Gaps:
    """Summarise the gaps between each customer's purchase days up to ``end``.

    >>> gaps(customer=[1, 1, 1], occurred_at=["2024-01-01", "2024-01-11", "2024-01-21"]).mean.tolist()
    [10.0]
    """
    days = purchase_days(customer=customer, occurred_at=occurred_at)
    keep = slice(None) if end is None else days.day <= int(np.datetime64(end, "D").astype(np.int64))
    code, day = days.code[keep], days.day[keep]
    if not code.size:
        none = np.empty(0)
        return Gaps(days.customers[:0], none, none, none, np.empty(0, "datetime64[D]"))
    starts = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    size = np.diff(starts, append=code.size)
    gap = np.zeros(code.size)
    gap[1:] = np.diff(day)
    gap[starts] = 0.0
    count = size - 1.0
    safe = np.maximum(count, 1.0)
    mean = np.add.reduceat(gap, starts) / safe
    off = gap - np.repeat(mean, size)
    off[starts] = 0.0
    variance = np.add.reduceat(off**2, starts) / np.maximum(count - 1.0, 1.0)
    cv2 = np.divide(variance, mean**2, out=np.zeros_like(mean), where=count > 1)
    return Gaps(
        days.customers[code[starts]], count, mean, cv2, day[starts + size - 1].astype("datetime64[D]")
    )


def fit_population(*, count: ArrayLike, mean_gap: ArrayLike) -> Population:
    """Fit the population's rhythm to ``count`` gaps of mean ``mean_gap`` days per customer."""
    n, mean = column("count", count), column("mean_gap", mean_gap)
    fit = GammaGamma().fit(frequency=n, monetary=mean)
    if fit.n >= _ENOUGH:
        return Population(p=fit.p, q=fit.q, v=fit.v, n=fit.n, notes=fit.notes)
    seen = (n > 0) & (mean > 0)
    typical = float(np.average(mean[seen], weights=n[seen])) if seen.any() else 90.0
    source = f"the mean of {fit.n} customers" if seen.any() else "an assumption"
    note = f"too few customers with two purchases to fit a rhythm: gaps of {typical:.0f} days are {source}"
    # Irregular gaps (p = 1) whose means differ by a third or so between customers (q = 10), with that mean.
    return Population(p=1.0, q=10.0, v=typical * 9.0, n=fit.n, notes=(note,))


def fading(
    *,
    count: ArrayLike,
    mean_gap: ArrayLike,
    silence: ArrayLike,
    cv2: ArrayLike | None = None,
    last: NDArray[np.datetime64] | None = None,
    population: Population | None = None,
    alarms_per_year: float = 0.25,
) -> Fading:
    """Say for each customer whether the present silence is unusual.

    Args:
        count: gaps between purchase days.
        mean_gap: their mean in days (any value where count is 0).
        silence: days since the last purchase.
        cv2: squared coefficient of variation of the gaps; without it everybody is as regular as the
        population.
        last: last purchase day, for dates in the answer.
        population: from `fit_population`; fitted to these customers if not given.
        alarms_per_year: false alarms to accept per customer and year.

    Raises:
        InvalidInput: arrays of different length, or values that are negative or not finite.

    >>> one = fading(count=[25, 25], mean_gap=[14, 30], silence=[43, 43], cv2=[0.02, 0.02],
    ...              population=Population(p=1.5, q=2.0, v=40.0, n=500))
    >>> one.state.tolist()
    ['fading', 'active']
    """
    from scipy.special import betaincc, betaincinv

    n, mean, quiet = column("count", count), column("mean_gap", mean_gap), column("silence", silence)
    own = None if cv2 is None else column("cv2", cv2)
    sizes = {n.size, mean.size, quiet.size} | ({own.size} if own is not None else set())
    sizes |= {last.size} if last is not None else set()
    if len(sizes) > 1:
        raise InvalidInput(
            f"arrays differ in length: {sorted(sizes)}", hint="give one entry per customer in each"
        )
    for name, values in (("count", n), ("mean_gap", mean), ("silence", quiet)) + (
        () if own is None else (("cv2", own),)
    ):
        refuse_rows(values < 0, f"{name} is negative")
    refuse_rows((n > 0) & (mean <= 0), "mean_gap must be above 0 where count is above 0")
    if not 0 < alarms_per_year < np.inf:
        raise InvalidInput(
            f"alarms_per_year is {alarms_per_year}", hint="give a positive number such as 0.25"
        )

    everyone = population or fit_population(count=n, mean_gap=mean)
    with_own = n >= 2
    seen = np.where(with_own, n, 0.0)
    weight = np.maximum(seen - 1.0, 0.0)
    irregular = np.full(n.size, 1.0 / everyone.p)
    if own is not None:
        irregular = (_PRIOR_GAPS / everyone.p + weight * own) / (_PRIOR_GAPS + weight)
    shape = 1.0 / irregular
    past = everyone.q + shape * seen
    scale = everyone.p * everyone.v + shape * np.where(with_own, n * mean, 0.0)

    typical = scale / np.maximum(past - 1.0, 0.05)
    rare = np.clip(alarms_per_year * typical / _YEAR, _RARE, _COMMON)
    low = np.maximum(betaincinv(past, shape, rare), 1e-12)
    after = scale * (1.0 - low) / (shape * low)
    tail = betaincc(shape, past, shape * quiet / (shape * quiet + scale))

    state = np.where(n > 0, STATES[1], STATES[0])
    state = np.where(quiet > after, STATES[2], state)
    state = np.where(quiet > _LAPSED_TIMES * after, STATES[3], state)
    never = np.full(n.size, np.datetime64("NaT"), dtype="datetime64[D]")
    unusual_from = never
    if last is not None:
        ahead = np.minimum(np.floor(after) + 1.0, 100 * _YEAR).astype("timedelta64[D]")
        unusual_from = last.astype("datetime64[D]") + ahead
    since = np.where(quiet > after, unusual_from, never)
    return Fading(state, np.where(with_own, OWN, POPULATION), np.asarray(tail), after, unusual_from, since)
