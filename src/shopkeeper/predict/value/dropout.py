"""Likelihood and fit shared by the models in which a customer may drop out after each purchase.

While alive, a customer buys at random with rate lambda ~ Gamma(r, alpha); after a purchase the customer is
lost with probability p ~ Beta(a, b). BG/NBD lets that happen after each repeat purchase; MBG/NBD also after
the first one. With m = 0 for BG/NBD and m = 1 for MBG/NBD the log-likelihood of (x, t_x, T) is::

    ln G(r+x)/G(r) + r ln alpha - (r+x) ln(alpha+T) + ln B(a, b+x+m)/B(a, b) + ln(1 + e^u)
    u = ln a/(b+x+m-1) + (r+x) ln((alpha+T)/(alpha+t_x))        (-infinity for x = 0 and m = 0)

where e^u are the odds that the customer is lost. Sources: Fader, Hardie and Lee (2005), "Counting Your
Customers" the Easy Way; Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of
models for customer base analysis. Special functions are taken once per distinct x, logarithms once per
distinct time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from shopkeeper.predict.value.history import Distinct, Floats, History, Ints, collapse, dot, table
from shopkeeper.predict.value.optimum import Optimum, minimise, standard_errors

NAMES = ("r", "alpha", "a", "b")
# With time in units of the mean T. exp(9) stands for "all alike": shape 8,000 is a spread of 1 %.
_LOW = np.full(4, -9.0)
_HIGH = np.full(4, 9.0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit found; ``values`` are r, alpha, a, b with alpha in the caller's time unit."""

    values: tuple[float, float, float, float]
    log_likelihood: float
    n: int
    gradient_norm: float
    converged: bool
    standard_errors: dict[str, float | None]
    boundary: tuple[str, ...]
    notes: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Give what a fitted model stores, by field name."""
        rest = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "values"}
        return dict(zip(NAMES, self.values, strict=True)) | rest


class Likelihood:
    """Mean negative log-likelihood and gradient over ln r, ln alpha, ln a, ln b, with everything fixed done
    once.

    Times are divided by ``scale``.
    """

    def __init__(self, distinct: Distinct, *, at_first: bool, scale: float = 1.0) -> None:
        history, weights = distinct.history, distinct.weights
        self.m = 1.0 if at_first else 0.0
        self.total = float(weights.sum())
        self.x, by_x = table(history.frequency)
        self.age, by_age = table(history.T)
        self.w_x = np.bincount(by_x, weights=weights, minlength=self.x.size)
        self.w_age = np.bincount(by_age, weights=weights, minlength=self.age.size)
        self.wx_age = np.bincount(by_age, weights=weights * history.frequency, minlength=self.age.size)
        # In BG/NBD who never came back cannot have dropped out: such rows only enter through the sums above.
        rows = slice(None) if at_first else history.frequency > 0
        self.row_x: Floats = history.frequency[rows]
        self.row_w: Floats = weights[rows]
        self.by_x: Ints = by_x[rows]
        self.by_age: Ints = by_age[rows]
        self.last, self.by_last = table(history.recency[rows])
        self.age, self.last = self.age / scale, self.last / scale

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        """Evaluate at log parameters."""
        from scipy.special import betaln, gammaln, psi

        r, alpha, a, b = np.exp(logs)
        m, x, w_x = self.m, self.x, self.w_x
        log_age, log_last = np.log(alpha + self.age), np.log(alpha + self.last)
        inverse_age, inverse_last = 1.0 / (alpha + self.age), 1.0 / (alpha + self.last)
        lost_x = np.maximum(b + x + m - 1.0, 1e-300)

        shape = r + self.row_x
        spread = log_age[self.by_age] - log_last[self.by_last]
        u = (np.log(a) - np.log(lost_x))[self.by_x] + shape * spread
        small = np.exp(-np.abs(u))
        weighted_lost = self.row_w * np.where(u > 0, 1.0, small) / (1.0 + small)
        value = (
            w_x @ (gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x + m) - betaln(a, b))
            - (r * self.w_age + self.wx_age) @ log_age
            + dot(self.row_w, np.maximum(u, 0.0) + np.log1p(small))
        )

        lost_sum = float(weighted_lost.sum())
        lost_by_x = np.bincount(self.by_x, weights=weighted_lost, minlength=x.size)
        psi_all = psi(a + b) - psi(a + b + x + m)
        d_r = w_x @ (psi(r + x) - psi(r) + np.log(alpha)) - self.w_age @ log_age + dot(weighted_lost, spread)
        d_alpha = (
            self.total * r / alpha
            - (r * self.w_age + self.wx_age) @ inverse_age
            + dot(weighted_lost * shape, inverse_age[self.by_age] - inverse_last[self.by_last])
        )
        d_a = w_x @ psi_all + lost_sum / a
        d_b = w_x @ (psi_all + psi(b + x + m) - psi(b)) - lost_by_x @ (1.0 / lost_x)
        gradient = np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])
        return -float(value) / self.total, -gradient / self.total


def fit_dropout(history: History, *, at_first: bool) -> Fitted:
    """Fit r, alpha, a, b to checked histories; poor data give a usable answer and notes, no exception."""
    distinct = collapse(history)
    used = distinct.weights > 0
    if not used.all():
        old = distinct.history
        distinct = Distinct(
            History(old.frequency[used], old.recency[used], old.T[used]),
            distinct.weights[used],
            distinct.inverse,
        )
    total = float(distinct.weights.sum())
    repeats = dot(distinct.weights, distinct.history.frequency)
    exposure = dot(distinct.weights, distinct.history.T)
    if repeats == 0.0:
        return _without_repeats(total, exposure)

    scale = exposure / total
    likelihood = Likelihood(distinct, at_first=at_first, scale=scale)
    rate = repeats / total
    starts = [
        np.log([1.0, 1.0 / rate, 1.0, 2.0]),
        np.log([0.3, 0.3 / rate, 0.5, 3.0]),
        np.log([3.0, 3.0 / rate, 0.2, 5.0]),
    ]
    found = minimise(likelihood, starts, _LOW, _HIGH)
    r, alpha, a, b = np.exp(found.at).tolist()
    # (alpha + T) in other units: the density of x counts within T gains scale^-x.
    log_likelihood = -found.value * total - repeats * np.log(scale)
    boundary = tuple(name for name, on in zip(NAMES, found.on_bound, strict=True) if on)
    return Fitted(
        values=(r, alpha * scale, a, b),
        log_likelihood=float(log_likelihood),
        n=round(total),
        gradient_norm=found.gradient_norm,
        converged=found.converged,
        standard_errors=standard_errors(likelihood, found, total, NAMES, (1.0, scale, 1.0, 1.0)),
        boundary=boundary,
        notes=_notes(found, boundary, total),
    )


def _without_repeats(total: float, exposure: float) -> Fitted:
    """Answer when nobody ever came back: the likelihood only says that the rate is near nothing."""
    if exposure > 0:
        # Half a purchase in all the time seen: the mean of the rate under the Jeffreys prior of a Poisson
        # process.
        values = (0.5, exposure, 1.0, 1.0)
        note = "nobody bought twice: the purchase rate is set to half a repeat in all the time observed"
    else:
        values = (0.5, 1e9, 1.0, 1.0)
        note = "no customer was observed for any time: nothing is known and almost nothing is expected"
    unknown: dict[str, float | None] = dict.fromkeys(NAMES)
    return Fitted(values, 0.0, round(total), 0.0, False, unknown, NAMES, (note,))


def _notes(found: Optimum, boundary: tuple[str, ...], total: float) -> tuple[str, ...]:
    notes = []
    if "r" in boundary or "alpha" in boundary:
        notes.append(
            "the data do not show how purchase rates differ between customers: r or alpha sits on its bound"
        )
    if "a" in boundary or "b" in boundary:
        notes.append("the data do not identify dropout: a or b sits on its bound")
    if not found.converged:
        notes.append(
            f"the search stopped at a gradient norm of {found.gradient_norm:.1e}; read the result with care"
        )
    if total < 50:
        notes.append(f"only {round(total)} customers: the parameters are rough")
    return tuple(notes)
