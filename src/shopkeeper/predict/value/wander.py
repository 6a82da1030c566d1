"""How far customers' own rates wander: learned where windows of the past were longer than those tested.

Distributions are learned on windows as long as a third of the history, and asked for a year. Within a customer's
distribution at a window is what is not known of the rate; but rates move, people marry and change shops, and the longer
the time, the farther. On Online Retail II the squared variation of regular customers' orders, beyond chance, is 0.05
over 9 weeks, 0.08 over 13, 0.17 over 26 and 0.23 over 39: it grows with the logarithm of time.

The earlier origins have more time behind them than the window tested. There the same forecasts, with the distributions
learned on the windows, are read at all the time there is, at the levels that came; of the growths that may be, each
speaks by the likelihood of what customers did, weighed by what is usual. The mean of that is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.interval import transforms
from shopkeeper.predict.value.level import Level, Wander, at_levels, mixed
from shopkeeper.predict.value.model import Future

LONGER = 1.15
"""How much longer than the window tested a time must be to tell anything."""
LONGEST = 2
"""Origins that are looked at: those with the longest time behind them tell most."""
_USUAL = 0.1
"""About the mean of growths that may be, exponential: 0.03 to 0.22 on three logs, 0 where rates stay."""
_GROWTHS = np.array([0.0, 0.04, 0.08, 0.14, 0.25, 0.5])
_LOOKED_AT = 250
_LEAST = 1e-12
_AS_FORETOLD = Level()


@dataclass(frozen=True, slots=True)
class Longer:
    """Customers at an origin and what they did in ``weeks`` after it, more than the window tested.

    Attributes:
        future: their forecast with the distribution that was learned.
        orders: what came.
        at: each one's time, as if it had run at the level that came.
        weeks: how long it was.
    """

    future: Future
    orders: Floats
    at: Floats
    weeks: float


def learn_wander(seen: Sequence[Longer], tested: float) -> Wander:
    """Learn how far customers wander beyond ``tested`` weeks; what is usual where nothing longer was seen."""
    likely = -_GROWTHS / _USUAL
    for one in seen:
        # Windows that overlap tell the same of the same customers: together they count as one.
        likely += [_likelihood(one, Wander(growth=each, tested=tested)) / len(seen) for each in _GROWTHS]
    weight = np.gradient(_GROWTHS) * np.exp(likely - likely.max())
    return Wander(growth=float(weight @ _GROWTHS / weight.sum()), tested=tested)


def looked_at(group: Ints) -> Ints:
    """Give rows that are enough to learn from: some of each group, evenly spread.

    >>> looked_at(np.array([0, 1, 0])).tolist()
    [0, 1, 2]
    """
    rows = [np.flatnonzero(group == one) for one in np.unique(group)]
    some = [here[np.linspace(0, here.size - 1, min(here.size, _LOOKED_AT)).astype(np.int64)] for here in rows]
    return np.sort(np.concatenate(some)) if some else np.empty(0, dtype=np.int64)


def _likelihood(one: Longer, wander: Wander) -> float:
    factors = at_levels(one.weeks, _AS_FORETOLD, wander=wander) if wander.growth else [one.weeks]
    pairs = [transforms(one.future, one.orders, one.at * (time / one.weeks)) for time in factors]
    below, up_to = pairs[0] if len(pairs) == 1 else (mixed([pair[side] for pair in pairs]) for side in (0, 1))
    return float(np.log(np.maximum(up_to - below, _LEAST)).sum())
