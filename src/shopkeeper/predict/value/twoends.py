"""Likelihoods in which a history ends in one of two ways, and fits of them to a million customers.

After the last purchase seen a customer either was lost before the next one, or bought again after T. In the
models of this package the first way depends on the data through (x, t_x) only, the second through (x, T)
only, and a common factor through x, so that a customer's log-likelihood is::

    common(x) + ln( exp lost(x, t_x) + exp later(x, T) )

Special functions are therefore taken once per distinct pair. There are some ten thousand of those for any
number of customers; what is left per distinct (x, t_x, T) is one exponential and one logarithm. First and
second derivatives are exact in the second part, and so is Newton's method.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from shopkeeper.predict.value.history import Distinct, Floats, Ints, dot, pairs, table

_BLOCK = 8192
_STEP = 1e-4
_FEW = 4096
"""Pairs of which slopes are taken at several points at once: of more, the arrays leave the cache."""


class Term(NamedTuple):
    """Logarithms per entry, and their slopes by log parameter: one row per parameter."""

    value: Floats
    slopes: Floats


class Ends(Protocol):
    """A model as a function of the logarithms of its parameters."""

    @property
    def always(self) -> bool:
        """Whether a customer may be lost before the first repeat; if not, rows with x = 0 have no lost end."""

    @property
    def at_many(self) -> bool:
        """Whether ``logs`` may hold a column of points for each parameter: answers have a row for each then."""

    def common(self, logs: Floats, x: Floats) -> Term:
        """What both ends share."""

    def lost(self, logs: Floats, x: Floats, t: Floats) -> Term:
        """Lost before the next purchase, the last one being at ``t``."""

    def later(self, logs: Floats, x: Floats, age: Floats) -> Term:
        """The next purchase comes after ``age``."""


def counted(where: Ints, weights: Floats, size: int) -> Floats:
    """Sum weights by index."""
    return np.bincount(where, weights=weights, minlength=size).astype(np.float64, copy=False)


class Likelihood:
    """Mean negative log-likelihood of distinct rows with weights, over log parameters.

    Times are divided by ``scale``. Call it for value and gradient; `curvature` gives second derivatives.
    """

    def __init__(self, ends: Ends, distinct: Distinct, *, scale: float = 1.0) -> None:
        history, weights = distinct.history, distinct.weights
        self.ends = ends
        self.total = float(weights.sum())
        self.x, by_x = table(history.frequency)
        self.w_x = counted(by_x, weights, self.x.size)
        self.later_x, age, by_later = pairs(history.frequency, history.T)
        self.age = age / scale
        self.w_later: Floats = counted(by_later, weights, age.size)
        rows = slice(None) if ends.always else history.frequency > 0
        self.weights: Floats = weights[rows]
        self.by_later: Ints = by_later[rows]
        self.lost_x, last, self.by_lost = pairs(history.frequency[rows], history.recency[rows])
        self.last = last / scale
        self._at = np.empty(0)
        self._share = np.empty(0)

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Evaluate at log parameters."""
        common = self.ends.common(logs, self.x)
        lost = self.ends.lost(logs, self.lost_x, self.last)
        later = self.ends.later(logs, self.later_x, self.age)
        either = self._rows(logs, lost.value, later.value)
        w_lost, w_later = self._weights()
        value = float(self.w_x @ common.value) + dot(self.w_later, later.value) + either
        gradient = common.slopes @ self.w_x + lost.slopes @ w_lost + later.slopes @ w_later
        return -value / self.total, -gradient / self.total

    def curvature(self, logs: Floats) -> Floats:
        """Give the second derivatives of the mean at log parameters.

        The mixing of the two ends is exact; the second derivatives of each end are central differences of its
        slopes, taken over pairs.
        """
        if not np.array_equal(self._at, logs):
            self(logs)
        lost, later = self._ends(logs)
        w_lost, w_later = self._weights()
        size = logs.size
        away = _STEP * np.eye(size)
        points = logs[:, None] + np.concatenate((away, -away), axis=1)
        if self.ends.at_many and max(self.age.size, self.last.size) <= _FEW:
            slopes = self._slope(points[:, :, None], w_lost, w_later)
        else:
            slopes = np.stack([self._slope(one, w_lost, w_later) for one in points.T], axis=1)
        inner = (slopes[:, :size] - slopes[:, size:]).T / (2.0 * _STEP)
        mixed = self._share * (1.0 - self._share) * self.weights
        at_lost = counted(self.by_lost, mixed, self.last.size)
        at_later = counted(self.by_later, mixed, self.age.size)
        across = np.empty((size, size))
        for i in range(size):
            reached = counted(self.by_lost, mixed * later.slopes[i][self.by_later], self.last.size)
            across[:, i] = lost.slopes @ reached
        outer = (lost.slopes * at_lost) @ lost.slopes.T + (later.slopes * at_later) @ later.slopes.T
        whole = (inner + inner.T) / 2.0 + outer - across - across.T
        return np.asarray(-whole / self.total)

    def _ends(self, logs: Floats) -> tuple[Term, Term]:
        return (
            self.ends.lost(logs, self.lost_x, self.last), self.ends.later(logs, self.later_x, self.age)
        )  # fmt: skip

    def _slope(self, logs: Floats, w_lost: Floats, w_later: Floats) -> Floats:
        lost, later = self._ends(logs)
        common = self.ends.common(logs, self.x)
        return np.asarray(common.slopes @ self.w_x + lost.slopes @ w_lost + later.slopes @ w_later)

    def _rows(self, logs: Floats, lost: Floats, later: Floats) -> float:
        """Sum of ln(1 + exp(lost - later)); keeps the share of the lost end in each row."""
        share = np.empty(self.weights.size)
        total = 0.0
        for start in range(0, share.size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            odds = lost[self.by_lost[rows]] - later[self.by_later[rows]]
            small = np.exp(-np.abs(odds))
            over = 1.0 / (1.0 + small)
            share[rows] = np.where(odds > 0, over, small * over)
            total += dot(self.weights[rows], np.maximum(odds, 0.0) + np.log1p(small))
        self._at, self._share = logs.copy(), share
        return total

    def _weights(self) -> tuple[Floats, Floats]:
        """Weights of the pairs: how many customers are in each end."""
        gone = self._share * self.weights
        w_lost = counted(self.by_lost, gone, self.last.size)
        w_later = self.w_later - counted(self.by_later, gone, self.age.size)
        return w_lost, w_later
