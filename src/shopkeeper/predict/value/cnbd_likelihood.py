"""Likelihood and fit of BG/CNBD-k and MBG/CNBD-k: purchases more regular than at random.

While alive a customer passes phases at random with rate lambda ~ Gamma(r, alpha); every k-th phase is a purchase, so
gaps are Erlang-k and the rate of purchases is lambda/k. After a purchase the customer is lost with probability
p ~ Beta(a, b). With m = 0 where that happens after each repeat purchase (BG) and m = 1 where also after the first
(MBG), n = r + k x and q = (T - t_x)/(alpha + T), the log-likelihood of a history is::

    ln G(n)/G(r) + r ln alpha - n ln(alpha+T) + ln B(a, b+x+m)/B(a, b) + ln(S + e^u) + (k-1) g - x ln G(k)
    S = sum over j < k of (n)_j q^j / j!             phases passed since the last purchase, customer alive
    u = ln a/(b+x+m-1) + n ln((alpha+T)/(alpha+t_x))  customer lost (-infinity for x = 0 and m = 0)

where g is the sum of the logarithms of the gaps. The last two terms do not depend on the parameters; they make the
log-likelihood comparable between k. For k = 1 this is BG/NBD and MBG/NBD.

Sources: Platzer and Reutterer (2016), Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer
Activity; Reutterer, Platzer and Schroeder (2021), Leveraging purchase regularity for predicting customer behavior the
easy way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Distinct, Floats, dot, table

NAMES = ("r", "alpha", "a", "b")
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Phases:
    """S, the sum over the phases a silent customer may have passed, and its derivatives."""

    total: Floats
    by_shape: Floats
    by_alpha: Floats


def phases(k: int, n: Floats, q: Floats, inverse_age: Floats) -> Phases:
    """Sum (n)_j q^j / j! over j < k, with derivatives by n and by alpha (q falls with alpha as q/(alpha+T)).

    >>> float(phases(3, np.array([2.0]), np.array([0.5]), np.array([1.0])).total[0])
    2.75
    """
    term, harmonic = np.ones(n.shape), np.zeros(n.shape)
    total, by_shape, by_alpha = np.ones(n.shape), np.zeros(n.shape), np.zeros(n.shape)
    for j in range(1, k):
        shape = n + (j - 1.0)
        term = term * (shape * q / j)
        harmonic = harmonic + 1.0 / shape
        total += term
        by_shape += term * harmonic
        by_alpha -= j * term
    return Phases(total, by_shape, by_alpha * inverse_age)


class CNBDLikelihood:
    """Mean negative log-likelihood and gradient over ln r, ln alpha, ln a, ln b for one k.

    Times are divided by ``scale``; the terms without parameters are left out (see `constant`).
    """

    def __init__(self, distinct: Distinct, *, k: int, at_first: bool, scale: float = 1.0) -> None:
        history, weights = distinct.history, distinct.weights
        self.k, self.m = k, 1.0 if at_first else 0.0
        self.total = float(weights.sum())
        self.weights = weights
        self.x, self.by_x = table(history.frequency)
        self.age, self.by_age = table(history.T)
        self.last, self.by_last = table(history.recency)
        self.w_x = np.bincount(self.by_x, weights=weights, minlength=self.x.size)
        self.w_age = np.bincount(self.by_age, weights=weights, minlength=self.age.size)
        self.wx_age = np.bincount(self.by_age, weights=weights * history.frequency, minlength=self.age.size)
        self.age, self.last = self.age / scale, self.last / scale
        self.row_x = history.frequency
        self.silence = (history.T - history.recency) / scale
        self.can_be_lost = None if at_first else history.frequency > 0

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Evaluate at log parameters."""
        from scipy.special import betaln, expit, gammaln, psi

        r, alpha, a, b = np.exp(logs)
        m, k, x, w_x = self.m, float(self.k), self.x, self.w_x
        log_age, log_last = np.log(alpha + self.age), np.log(alpha + self.last)
        inverse_age, inverse_last = 1.0 / (alpha + self.age), 1.0 / (alpha + self.last)
        lost_x = np.maximum(b + x + m - 1.0, 1e-300)

        n = r + k * self.row_x
        spread = log_age[self.by_age] - log_last[self.by_last]
        over_age = inverse_age[self.by_age]
        alive = phases(self.k, n, self.silence * over_age, over_age)
        log_alive = np.log(alive.total)
        u = (np.log(a) - np.log(lost_x))[self.by_x] + n * spread
        if self.can_be_lost is not None:
            u = np.where(self.can_be_lost, u, -np.inf)
        value = (
            w_x @ (gammaln(r + k * x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x + m) - betaln(a, b))
            - (r * self.w_age + k * self.wx_age) @ log_age
            + dot(self.weights, np.logaddexp(log_alive, u))
        )
        lost = self.weights * expit(u - log_alive)
        kept = (self.weights - lost) / alive.total
        lost_sum, lost_by_x = float(lost.sum()), np.bincount(self.by_x, weights=lost, minlength=x.size)
        psi_all = psi(a + b) - psi(a + b + x + m)
        d_r = (
            w_x @ (psi(r + k * x) - psi(r) + np.log(alpha))
            - self.w_age @ log_age
            + dot(lost, spread)
            + dot(kept, alive.by_shape)
        )
        d_alpha = (
            self.total * r / alpha
            - (r * self.w_age + k * self.wx_age) @ inverse_age
            + dot(lost * n, over_age - inverse_last[self.by_last])
            + dot(kept, alive.by_alpha)
        )
        d_a = w_x @ psi_all + lost_sum / a
        d_b = w_x @ (psi_all + psi(b + x + m) - psi(b)) - lost_by_x @ (1.0 / lost_x)
        gradient = np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])
        return -float(value) / self.total, -gradient / self.total

    def curvature(self, logs: Floats) -> Floats:
        """Give the second derivatives at log parameters: central differences of the gradient."""
        rows = []
        for i in range(4):
            away = np.zeros(4)
            away[i] = _STEP
            rows.append((self(logs + away)[1] - self(logs - away)[1]) / (2.0 * _STEP))
        return (np.array(rows) + np.array(rows).T) / 2.0


def constant(k: int, log_gaps: float, repeats: float) -> float:
    """Give what the gaps add to the log-likelihood whatever the parameters; ``log_gaps`` is their sum over all.

    >>> constant(1, 12.0, 9.0)
    0.0
    """
    return (k - 1) * log_gaps - repeats * math.lgamma(k)
