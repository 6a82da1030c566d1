"""Gaps between a customer's purchase days, and the rhythm of all customers together.

Gaps of customer i are Gamma with shape k_i and mean mu_i, and 1/mu_i ~ Gamma(q, p v) between customers: the Gamma-Gamma
model of mean gaps, its p by how much the gaps of one customer vary. Regularity is shrunk to everybody's: 1/k_i is the
mean of 1/p (counted as five gaps) and the squared coefficient of variation of the customer's own gaps (counted as
n - 1). With fewer than two gaps there is no own rhythm, and the population stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.predict.value.gammagamma import GammaGamma
from shopkeeper.predict.value.history import Floats, column
from shopkeeper.predict.value.summary import purchase_days

YEAR: Final = 365.25
OWN_FROM: Final = 2
"""Gaps from which a customer has a rhythm of their own."""
_PRIOR_GAPS: Final = 5.0
_ENOUGH: Final = 20
_MOST_GAPS: Final = 9.0
_SHAPES: Final = (0.1, 100.0)
_SPREADS: Final = (-1.0, 7.0)
"""Bounds of ln q."""
_WORTH_A_GRID: Final = 5_000
_STEP: Final = 0.05
_SURELY: Final = 1.0 - 1e-6
"""Leaves room for rounding on the safe side."""


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
class Next:
    """What is known of the next gap of each customer.

    P(gap > s) = 1 - I_y(shape, past), with I the regularised incomplete beta function, y = shape s / (shape s + scale).
    """

    shape: Floats
    past: Floats
    scale: Floats

    @property
    def typical(self) -> Floats:
        """Its mean in days."""
        return self.scale / np.maximum(self.past - 1.0, 0.05)

    def tail(self, silence: Floats) -> Floats:
        """The chance of a silence longer than so many days."""
        from scipy.special import betaincc

        longer = self.shape * silence
        return np.asarray(betaincc(self.shape, self.past, longer / (longer + self.scale)))

    def rare(self, silence: Floats, below: float) -> tuple[NDArray[np.int64], Floats]:
        """The rows whose silence has a chance below a limit, and their chances.

        Most silences are nothing unusual, and the exact chance is dear: where it is no less than that of a more regular
        or quicker customer on a grid, and that one's is above the limit, it is not worked out.
        """
        from scipy.special import betaincc, betainccinv

        rows = np.arange(self.shape.size)
        if rows.size > _WORTH_A_GRID:
            # The chance that a Beta(a, b) variable is above y rises with a and falls with b and y.
            least, steps = self.shape.min(), (np.log(self.shape), np.log(self.past))
            a, b = (np.floor((step - step.min()) / _STEP).astype(np.int64) for step in steps)
            cells, cell = np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)
            lower = least * np.exp(_STEP * (cells // (int(b.max()) + 1)))
            upper = self.past.min() * np.exp(_STEP * (cells % (int(b.max()) + 1) + 1))
            usual = betainccinv(lower * _SURELY, upper / _SURELY, min(below / _SURELY, 1.0))[cell]
            longer = self.shape * silence
            rows = np.flatnonzero(~(longer < usual * (longer + self.scale) * _SURELY))
        part = self.take(rows)
        longer = part.shape * silence[rows]
        chance = betaincc(part.shape, part.past, longer / (longer + part.scale))
        found = chance < below
        return rows[found], np.asarray(chance[found])

    def quantile(self, tail: Floats) -> Floats:
        """The silence in days whose tail is this."""
        from scipy.special import betaincinv

        low = np.maximum(betaincinv(self.past, self.shape, tail), 1e-12)
        return np.asarray(self.scale * (1.0 - low) / (self.shape * low))

    def take(self, rows: Any) -> Next:
        """Those of some customers."""
        return Next(self.shape[rows], self.past[rows], self.scale[rows])


def next_gap(count: Floats, total: Floats, cv2: Floats | None, everyone: Population) -> Next:
    """What ``count`` gaps of ``total`` days and their squared coefficient of variation tell of the next one."""
    own = count >= OWN_FROM
    seen = np.where(own, count, 0.0)
    irregular = np.full(seen.size, 1.0 / everyone.p)
    if cv2 is not None:
        weight = np.maximum(seen - 1.0, 0.0)
        irregular = (_PRIOR_GAPS / everyone.p + weight * cv2) / (_PRIOR_GAPS + weight)
    shape = 1.0 / irregular
    return Next(shape, everyone.q + shape * seen, everyone.p * everyone.v + shape * np.where(own, total, 0.0))


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
    mean = np.add.reduceat(gap, starts) / np.maximum(count, 1.0)
    off = gap - np.repeat(mean, size)
    off[starts] = 0.0
    variance = np.add.reduceat(off**2, starts) / np.maximum(count - 1.0, 1.0)
    cv2 = np.divide(variance, mean**2, out=np.zeros_like(mean), where=count > 1)
    return Gaps(
        days.customers[code[starts]], count, mean, cv2, day[starts + size - 1].astype("datetime64[D]")
    )


def fit_population(*, count: ArrayLike, mean_gap: ArrayLike, cv2: ArrayLike | None = None) -> Population:
    """Fit the population's rhythm to ``count`` gaps of mean ``mean_gap`` days per customer.

    With ``cv2`` the gaps themselves tell how regular they are; without, only how the means of few and of many differ.
    """
    n, mean = column("count", count), column("mean_gap", mean_gap)
    seen = (n > 0) & (mean > 0)
    if seen.sum() < _ENOUGH:
        typical = float(np.average(mean[seen], weights=n[seen])) if seen.any() else 90.0
        source = f"the mean of {seen.sum()} customers" if seen.any() else "an assumption"
        note = (
            f"too few customers with two purchases to fit a rhythm: gaps of {typical:.0f} days are {source}"
        )
        # Irregular gaps (p = 1) whose means differ by a third or so between customers (q = 10), with that mean.
        return Population(p=1.0, q=10.0, v=typical * 9.0, n=int(seen.sum()), notes=(note,))
    shape = None if cv2 is None else _shape(n, column("cv2", cv2))
    if shape is None:
        fit = GammaGamma().fit(frequency=n, monetary=mean)
        return Population(p=fit.p, q=fit.q, v=fit.v, n=fit.n, notes=fit.notes)
    q, scale, notes = _spread(n[seen], n[seen] * mean[seen], shape)
    return Population(p=shape, q=q, v=scale / shape, n=int(seen.sum()), notes=notes)


def _shape(count: Floats, cv2: Floats) -> float | None:
    """Everybody's shape, by moments: n gaps of shape k have a squared coefficient of variation of n / (k n + 1).

    A customer with many gaps counts as one with ten. None where too few have two gaps.
    """
    some = count >= OWN_FROM
    if some.sum() < _ENOUGH:
        return None
    n, weight = count[some], np.minimum(count[some] - 1.0, _MOST_GAPS)
    seen = float(np.average(cv2[some], weights=weight))
    low, high = np.log(_SHAPES)
    for _ in range(60):
        middle = (low + high) / 2
        if np.average(n / (np.exp(middle) * n + 1.0), weights=weight) > seen:
            low = middle
        else:
            high = middle
    return float(np.exp(high))


def _spread(count: Floats, total: Floats, shape: float) -> tuple[float, float, tuple[str, ...]]:
    """Q and p v: how means differ between customers, by maximum likelihood given the shape of gaps."""
    from scipy.optimize import minimize
    from scipy.special import digamma, gammaln

    a = shape * count
    unit = float(np.average(total / count))
    spent = shape * total / unit

    def loss(logs: Floats) -> tuple[float, Floats]:
        q, scale = np.exp(logs)
        whole = scale + spent
        value = gammaln(a + q) - gammaln(q) + q * logs[1] - (a + q) * np.log(whole)
        by_q = digamma(a + q) - digamma(q) + logs[1] - np.log(whole)
        by_scale = q / scale - (a + q) / whole
        return -float(value.mean()), -np.array([q * by_q.mean(), scale * by_scale.mean()])

    found = minimize(loss, np.log([3.0, 2.0]), jac=True, method="L-BFGS-B", bounds=[_SPREADS, (-7.0, 14.0)])
    q, scale = np.exp(found.x)
    at_bound = np.isclose(found.x[0], _SPREADS).any()
    notes = ("customers differ so little, or so much, that q is at its bound",) if at_bound else ()
    return float(q), float(scale * unit), notes
