"""Who comes back regularly, by the evenness of the customer's own gaps between purchase days.

Somebody who comes by chance alone has exponential gaps, whose squared coefficient of variation is 1; gaps that are
twice as even (an Erlang distribution of order 2, the customer of the CNBD-2 model: Chatfield and Goodhardt 1973) have
1/2. A *regular* has

1. at least ``LEAST`` gaps of their own, which is one more purchase day,
2. gaps that vary at most half as much as chance makes them: after ``PRIOR`` gaps of pure chance are counted in,
   ``(PRIOR + (n - 1) cv2) / (PRIOR + n - 1) <= 1/2``, so that few gaps must be the more even, and
3. not fallen silent: the present silence is not unusual by the same rhythm.

How long the gaps are does not matter: once a year at Christmas is regular, every other day on and off is not.
Of customers who come by chance, some 2 to 4 % are taken for regulars (``tests/predict/advocacy``).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST: Final = 4
"""Own gaps from which on a rhythm can be told."""
PRIOR: Final = 2.0
"""Gaps of pure chance that are counted in."""
EVEN: Final = 0.5
"""Squared coefficient of variation, chance counted in, up to which gaps are even."""


def own_gaps(starts: ArrayLike, day: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Per customer the number of gaps between purchase days, their mean in days and their squared coefficient of
    variation (0 with fewer than two). ``day`` holds the days of all customers, each one's ascending; ``starts`` says
    where each begins.

    >>> [column.tolist() for column in own_gaps([0, 1], [5, 0, 10, 30])]
    [[0.0, 2.0], [0.0, 15.0], [0.0, 0.2222222222222222]]
    """
    begin, days = np.asarray(starts, np.int64), np.asarray(day, float)
    if not begin.size:
        return np.empty(0), np.empty(0), np.empty(0)
    size = np.diff(begin, append=days.size)
    gap = np.diff(days, prepend=0.0)
    gap[begin] = 0.0
    count = size - 1.0
    mean = np.add.reduceat(gap, begin) / np.maximum(count, 1.0)
    off = gap - np.repeat(mean, size)
    off[begin] = 0.0
    variance = np.add.reduceat(off**2, begin) / np.maximum(count - 1.0, 1.0)
    varied = np.divide(variance, mean**2, out=np.zeros_like(mean), where=(count > 1) & (mean > 0))
    return count, mean, varied


def evenness(count: ArrayLike, cv2: ArrayLike) -> Floats:
    """Squared coefficient of variation of the gaps with chance counted in: 1 is chance, 0 is clockwork; NaN where
    there are fewer than two gaps.

    >>> evenness([1, 4, 40], [0.0, 0.1, 0.1]).round(2).tolist()
    [nan, 0.46, 0.14]
    """
    n, varied = np.asarray(count, float), np.asarray(cv2, float)
    own = np.maximum(n - 1.0, 0.0)
    return np.where(n > 1, (PRIOR + own * varied) / (PRIOR + own), np.nan)


def regulars(*, count: ArrayLike, cv2: ArrayLike, active: ArrayLike) -> NDArray[np.bool_]:
    """Whether each customer is a regular, from the number of own gaps, their squared coefficient of variation and
    whether the present silence is still usual.

    >>> regulars(count=[3, 8, 8, 8], cv2=[0, 0.1, 0.1, 0.9], active=[True, True, False, True]).tolist()
    [False, True, False, False]
    """
    enough = np.asarray(count, float) >= LEAST
    even = np.nan_to_num(evenness(count, cv2), nan=np.inf) <= EVEN
    return np.asarray(enough & even & np.asarray(active, np.bool_))
