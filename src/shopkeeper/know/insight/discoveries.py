"""Many questions asked at once: which answers may be called discoveries, and how wide their intervals must be.

The false discovery rate is held by Benjamini and Hochberg (1995); under any dependence whatever by Benjamini and
Yekutieli (2001), which costs a factor of about log(m). Intervals shown only for what was selected are widened so that
the share of them that miss is held as well: the false coverage rate of Benjamini and Yekutieli (2005), "False discovery
rate-adjusted multiple confidence intervals for selected parameters".
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Dependence = Literal["positive", "any"]


def q_values(p: ArrayLike, dependence: Dependence = "positive") -> NDArray[np.float64]:
    """Adjusted p-values: the smallest false discovery rate at which each would be a discovery.

    >>> q_values([0.01, 0.02, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.04, 0.04, 0.5]
    >>> q_values([0.01, 0.5], "any").round(4).tolist()
    [0.03, 0.75]
    """
    p = np.asarray(p, float)
    m = p.size
    if not m:
        return p
    order = np.argsort(p, kind="stable")
    factor = m * (float((1 / np.arange(1, m + 1)).sum()) if dependence == "any" else 1.0)
    raw = p[order] * factor / np.arange(1, m + 1)
    q = np.empty(m)
    q[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return q


def coverage_alpha(selected: int, tested: int, rate: float, dependence: Dependence = "positive") -> float:
    """1 - level of the intervals of what was selected, so that at most ``rate`` of them miss, in the mean.

    >>> coverage_alpha(10, 100, 0.05)
    0.005
    """
    if not tested:
        return rate
    harmonic = float((1 / np.arange(1, tested + 1)).sum()) if dependence == "any" else 1.0
    return rate * max(selected, 1) / tested / harmonic
