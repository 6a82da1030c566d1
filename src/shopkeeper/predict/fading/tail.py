"""When a silence becomes unusual, for customers given by the number, mean and variation of their gaps.

The silence is unusual once its tail (``rhythm.Next``) falls below ``alarms_per_year * E(mu_i) / 365.25``, at most 10 %:
somebody who buys every week has 52 gaps a year, so each may only raise a false alarm 52 times more rarely. In this way
a customer who is still one is called fading about ``alarms_per_year`` times a year, whatever the frequency.

The calendar and a customer's earlier states need the purchase days themselves: ``states.stand`` knows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.fading.rhythm import OWN_FROM, YEAR, Next, Population, fit_population, next_gap
from shopkeeper.predict.value.history import Floats, column, refuse_rows

NEW, ACTIVE, FADING, LAPSED, WON_BACK = STATES = ("new", "active", "fading", "lapsed", "won back")
OWN, POPULATION, CALENDAR = BASES = ("own rhythm", "population", "calendar")
ALARMS_PER_YEAR: Final = 0.25
LAPSED_TIMES: Final = 2.0
_RARE, COMMON = 1e-6, 0.1
SHORTEST: Final = 7.0
"""Days: no silence is unusual within a week, whatever the rhythm; a shop may be shut for a few days."""


@dataclass(frozen=True, slots=True)
class Fading:
    """Per customer, what the present silence means.

    Attributes:
        state: new (one purchase, silence not unusual), active, fading, or lapsed (silent at least twice as
            long as it took to become unusual).
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


def share(following: Next, alarms: Floats | float, most: float = COMMON) -> Floats:
    """The tail below which a silence is unusual, so that there are so many false alarms per customer-year."""
    return np.clip(alarms * following.typical / YEAR, _RARE, most)


def unusual_after(following: Next, alarms: Floats | float, most: float = COMMON) -> Floats:
    """Days of silence after which it is unusual."""
    return np.maximum(following.quantile(share(following, alarms, most)), SHORTEST)


def fading(
    *,
    count: ArrayLike,
    mean_gap: ArrayLike,
    silence: ArrayLike,
    cv2: ArrayLike | None = None,
    last: NDArray[np.datetime64] | None = None,
    population: Population | None = None,
    alarms_per_year: float = ALARMS_PER_YEAR,
) -> Fading:
    """Say for each customer whether the present silence is unusual.

    Args:
        count: gaps between purchase days.
        mean_gap: their mean in days (any value where count is 0).
        silence: days since the last purchase.
        cv2: squared coefficient of variation of the gaps; without it everybody is as regular as the population.
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
    accepted(alarms_per_year)

    following = next_gap(n, n * mean, own, population or fit_population(count=n, mean_gap=mean, cv2=own))
    after = unusual_after(following, alarms_per_year)
    state = np.where(n > 0, ACTIVE, NEW)
    state = np.where(quiet > after, FADING, state)
    state = np.where(quiet > LAPSED_TIMES * after, LAPSED, state)
    never = np.full(n.size, np.datetime64("NaT"), dtype="datetime64[D]")
    unusual_from = never
    if last is not None:
        ahead = np.minimum(np.floor(after) + 1.0, 100 * YEAR).astype("timedelta64[D]")
        unusual_from = last.astype("datetime64[D]") + ahead
    since = np.where(quiet > after, unusual_from, never)
    basis = np.where(n >= OWN_FROM, OWN, POPULATION)
    return Fading(state, basis, following.tail(quiet), after, unusual_from, since)


def accepted(alarms_per_year: float) -> None:
    """Refuse a number of alarms that cannot be aimed at. Raises InvalidInput."""
    if not 0 < alarms_per_year < np.inf:
        raise InvalidInput(
            f"alarms_per_year is {alarms_per_year}", hint="give a positive number such as 0.25"
        )
