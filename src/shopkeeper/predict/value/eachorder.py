"""Gamma-Gamma by each order: the likelihood of every amount, where customers who order often may be another sort.

The likelihood of Fader and Hardie (2013) knows a customer by the mean of the amounts. How much the orders of one
customer differ it can tell only from how the spread of those means falls with their number, so that heavy tails and
customers who differ pass for one another. Here each amount counts: n of them with sum s and sum of logarithms l are
all that is needed::

    (p - 1) l - n ln G(p) + ln G(q + p n) - ln G(q) + q ln v - (q + p n) ln(v + s)

(the joint density of amounts that are Gamma(p, nu), with nu ~ Gamma(q, v) integrated out). And since amounts are
seldom unrelated to how often a customer orders, the scale may go with it: v n^beta. Beta is 0 unless the likelihood
ratio is beyond chance (1 %): where amounts are unrelated, nothing is estimated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shopkeeper.predict.value.history import Floats, dot, table
from shopkeeper.predict.value.optimum import Optimum, minimise, standard_errors

# As in gammagamma; beta of 1 would be ten times the amount at ten times the orders.
_LOW = np.array([-5.0, np.log(1.05), -9.0, -1.0])
_HIGH = np.array([9.0, 9.0, 9.0, 1.0])
_BEYOND_CHANCE = 6.635
"""Of twice the logarithm of the likelihood ratio: exceeded in 1 of 100 where beta is 0 (chi-square, one degree)."""
_NAMES = ("p", "q", "v", "beta")


class Sizes(NamedTuple):
    """What was found: p, q, v, beta; the log-likelihood; how the search ended; standard errors."""

    p: float
    q: float
    v: float
    beta: float
    log_likelihood: float
    found: Optimum
    errors: dict[str, float | None]


class Amounts:
    """The mean log-likelihood of amounts, negative, over ln p, ln q, ln v and beta, with its gradient.

    Args:
        n: amounts of each customer, above 0.
        mean: their mean.
        logs: the sum of their natural logarithms.
        w: how many such customers there are.
    """

    def __init__(self, n: Floats, mean: Floats, logs: Floats, w: Floats) -> None:
        self.total = float(w.sum())
        self.w, self.n = w, n
        self.sums = n * mean
        self.scale = dot(w, self.sums) / dot(w, n)
        self.sums = self.sums / self.scale
        self.often = np.log(n)
        self.distinct, where = table(n)
        self.w_n = np.bincount(where, weights=w, minlength=self.distinct.size)
        self.number = dot(w, n)
        self.log_sum = dot(w, logs) - self.number * float(np.log(self.scale))
        self.w_often = dot(w, self.often)
        self.where = where

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        """Give value and gradient; without beta where ``at`` has three entries."""
        from scipy.special import gammaln, psi

        p, q = np.exp(at[:2])
        beta = float(at[3]) if at.size > 3 else 0.0
        v = np.exp(at[2] + beta * np.log(self.distinct))
        shape = q + p * self.distinct
        whole = v[self.where] + self.sums
        over = np.bincount(self.where, weights=self.w * np.log(whole), minlength=self.distinct.size)
        share = np.bincount(self.where, weights=self.w / whole, minlength=self.distinct.size) * v
        log_v = self.total * at[2] + beta * self.w_often
        value = (
            (p - 1.0) * self.log_sum
            - self.number * gammaln(p)
            + self.w_n @ gammaln(shape)
            - self.total * gammaln(q)
            + q * log_v
            - shape @ over
        )
        slope = psi(shape)
        d_p = self.log_sum - self.number * psi(p) + self.distinct @ (self.w_n * slope - over)
        d_q = self.w_n @ slope - self.total * psi(q) + log_v - over.sum()
        by_n = q * self.w_n - shape * share
        gradient = [d_p * p, d_q * q, by_n.sum(), by_n @ np.log(self.distinct)]
        return -float(value) / self.total, -np.array(gradient[: at.size]) / self.total


def fit_sizes(n: Floats, mean: Floats, logs: Floats, w: Floats) -> Sizes:
    """Find p, q, v and, where it is beyond chance, beta; arrays as in `Amounts`, at least one customer."""
    amounts = Amounts(n, mean, logs, w)
    starts = [np.log([p, q, (q - 1.0) / p]) for p, q in ((3.0, 4.0), (10.0, 2.0), (1.0, 20.0))]
    found = minimise(amounts, starts, _LOW[:3], _HIGH[:3])
    beta = 0.0
    if amounts.distinct.size > 1:
        freed = minimise(amounts, [np.append(found.at, 0.0)], _LOW, _HIGH)
        if 2.0 * amounts.total * (found.value - freed.value) > _BEYOND_CHANCE:
            found, beta = freed, float(freed.at[3])
    # Errors of logarithms become those of parameters; that of beta is one already.
    units = (1.0, 1.0, amounts.scale, float(np.exp(-beta)))[: found.at.size]
    errors = standard_errors(amounts, found, amounts.total, _NAMES[: found.at.size], units)
    p, q, v = np.exp(found.at[:3]).tolist()
    likelihood = -found.value * amounts.total - amounts.number * float(np.log(amounts.scale))
    return Sizes(p, q, v * amounts.scale, beta, likelihood, found, errors)
