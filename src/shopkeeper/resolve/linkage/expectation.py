"""Expectation maximisation over counted comparison vectors, with what strangers look like held fixed.

Dempster, Laird and Rubin (1977), for the mixture of Fellegi and Sunter (1969): a pair is of one person with
probability lambda, and then its levels follow m, otherwise u; levels are independent given which. Splink has the same
over rows in SQL; over counts it takes milliseconds, and half a pair of prior count per comparison keeps every
probability above zero (Splink 5.0 stops with an error where one falls below 1e-300).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_PRIOR_COUNT = 0.5
_TURNS = 500
_STILL = 1e-6


def maximise(
    vectors: npt.NDArray[np.int64],
    counts: Floats,
    start: Sequence[Sequence[float]],
    u: Sequence[Sequence[float]],
) -> tuple[float, list[tuple[float, ...]]]:
    """The share of matches among pairs, and m per comparison.

    Args:
        vectors: distinct comparison vectors, one a row: the level of each comparison, -1 where it says nothing.
        counts: how many pairs have each vector.
        start: m to begin with, per comparison and level.
        u: the same between strangers; it stays.

    >>> vectors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> share, m = maximise(vectors, np.array([80.0, 20.0, 20.0, 880.0]), [(.9, .1)] * 2, [(.01, .99)] * 2)
    >>> round(share, 2), [round(level, 1) for level in m[0]]
    (0.1, [0.9, 0.1])
    """
    m = [np.asarray(levels, dtype=np.float64) for levels in start]
    log_u = [np.log(np.asarray(levels, dtype=np.float64)) for levels in u]
    share = 0.3
    known = [vectors[:, c] >= 0 for c in range(len(m))]
    whole = counts.sum()
    for _ in range(_TURNS):
        bits = np.full(len(counts), np.log(share / (1.0 - share)))
        for c, levels in enumerate(m):
            told = known[c]
            at = vectors[told, c]
            bits[told] += np.log(levels[at]) - log_u[c][at]
        matches = counts / (1.0 + np.exp(-np.clip(bits, -700.0, 700.0)))
        moved = 0.0
        for c, levels in enumerate(m):
            n = len(levels)
            seen = (
                np.bincount(vectors[known[c], c], weights=matches[known[c]], minlength=n) + _PRIOR_COUNT / n
            )
            after = seen / seen.sum()
            moved = max(moved, float(np.abs(after - levels).max()))
            m[c] = after
        now = float(min(max(matches.sum() / whole, 1e-9), 1.0 - 1e-9))
        moved, share = max(moved, abs(now - share)), now
        if moved < _STILL:
            break
    return share, [tuple(levels.tolist()) for levels in m]
