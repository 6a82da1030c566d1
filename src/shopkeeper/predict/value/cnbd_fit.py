"""The search for r, alpha, a, b and k of BG/CNBD-k and MBG/CNBD-k."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.cnbd_likelihood import NAMES, CNBDLikelihood, constant
from shopkeeper.predict.value.history import Distinct, Floats, History, collapse, column, dot, refuse_rows
from shopkeeper.predict.value.optimum import Optimum, minimise, standard_errors

Regularity = int | Literal["auto"]

MOST_REGULAR = 12
# With time in units of the mean T. exp(9) stands for "all alike"; the rate of phases is k times that of purchases.
_LOW = np.full(4, -9.0)
_HIGH = np.full(4, 9.0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a search found; ``values`` are r, alpha, a, b with alpha in the caller's time unit."""

    k: int
    values: tuple[float, float, float, float]
    standard_errors: dict[str, float | None]
    log_likelihood: float
    n: int
    gradient_norm: float
    converged: bool
    boundary: tuple[str, ...]
    by_k: dict[int, float]
    notes: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Give what a fitted model stores, by field name."""
        rest = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "values"}
        return dict(zip(NAMES, self.values, strict=True)) | rest


def checked_k(k: Any) -> Regularity:
    """Check the regularity asked for."""
    if k == "auto":
        return "auto"
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MOST_REGULAR:
        raise InvalidInput(
            f"k is {k!r}", hint=f"give a whole number from 1 (random) to {MOST_REGULAR}, or 'auto'"
        )
    return int(k)


def checked_log_gaps(history: History, log_gaps: Any) -> float:
    """Check the sums of log gaps against the histories; return their total over all customers."""
    gaps = column("log_gaps", log_gaps)
    if gaps.size != len(history):
        raise InvalidInput(
            f"arrays differ in length: frequency {len(history)}, log_gaps {gaps.size}",
            hint="give one entry per customer in each",
        )
    x = history.frequency
    refuse_rows((x == 0) & (gaps != 0), "log_gaps must be 0 where frequency is 0")
    # x gaps that sum to t_x have the largest sum of logarithms when they are all alike.
    most = x * np.log(np.where(x > 0, history.recency / np.maximum(x, 1.0), 1.0))
    refuse_rows(
        gaps > most + 1e-6 * (1.0 + np.abs(most)), "log_gaps is more than gaps within recency can have"
    )
    weights = np.ones(gaps.size) if history.weights is None else history.weights
    return dot(weights, gaps)


def fit_cnbd(history: History, *, k: Regularity, at_first: bool, log_gaps: float | None) -> Fitted:
    """Fit to checked histories; with k "auto" regularity grows by one while the log-likelihood does."""
    distinct = _used(collapse(history))
    total = float(distinct.weights.sum())
    repeats = dot(distinct.weights, distinct.history.frequency)
    exposure = dot(distinct.weights, distinct.history.T)
    if repeats == 0.0:
        return _without_repeats(1 if k == "auto" else k, total, exposure)
    scale = exposure / total
    asked = range(1, MOST_REGULAR + 1) if k == "auto" else [k]
    best: tuple[int, Optimum, CNBDLikelihood] | None = None
    by_k: dict[int, float] = {}
    start: Floats | None = None
    for one in asked:
        likelihood = CNBDLikelihood(distinct, k=one, at_first=at_first, scale=scale)
        found = minimise(likelihood, _starts(one, repeats / total, start), _LOW, _HIGH)
        # In other units: the density of x purchases within T gains scale^-x.
        scaled_gaps = 0.0 if log_gaps is None else log_gaps - repeats * math.log(scale)
        by_k[one] = -found.value * total - repeats * math.log(scale) + constant(one, scaled_gaps, repeats)
        if best is not None and by_k[one] <= by_k[best[0]]:
            break
        best = one, found, likelihood
        start = found.at + np.array([0.0, np.log((one + 1) / one), 0.0, 0.0])
    if best is None:
        raise AssertionError("no k was tried")
    return _described(*best, scale, by_k, gaps_known=log_gaps is not None)


def _used(distinct: Distinct) -> Distinct:
    """Leave out rows that stand for nobody."""
    used = distinct.weights > 0
    if used.all():
        return distinct
    old = distinct.history
    kept = History(old.frequency[used], old.recency[used], old.T[used])
    return Distinct(kept, distinct.weights[used], distinct.inverse)


def _starts(k: int, rate: float, near: Floats | None) -> list[Floats]:
    wide = [
        np.log([r, k * r / rate, a, b])
        for r, a, b in ((1.0, 1.0, 2.0), (0.3, 0.5, 3.0), (3.0, 0.2, 5.0))
    ]  # fmt: skip
    return wide if near is None else [near, *wide]


def _described(
    k: int,
    found: Optimum,
    likelihood: CNBDLikelihood,
    scale: float,
    by_k: dict[int, float],
    *,
    gaps_known: bool,
) -> Fitted:
    r, alpha, a, b = np.exp(found.at).tolist()
    boundary = tuple(name for name, on in zip(NAMES, found.on_bound, strict=True) if on)
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
    if likelihood.total < 50:
        notes.append(f"only {round(likelihood.total)} customers: the parameters are rough")
    if not gaps_known and k > 1:
        notes.append(
            "log_gaps was not given: the log-likelihood lacks their term and does not compare with another k"
        )
    return Fitted(
        k=k, values=(r, alpha * scale, a, b), log_likelihood=by_k[k], by_k=by_k,
        standard_errors=standard_errors(likelihood, found, likelihood.total, NAMES, (1.0, scale, 1.0, 1.0)),
        n=round(likelihood.total), gradient_norm=found.gradient_norm, converged=found.converged, boundary=boundary,
        notes=tuple(notes),
    )  # fmt: skip


def _without_repeats(k: int, total: float, exposure: float) -> Fitted:
    """Answer when nobody ever came back: the likelihood only says that the rate is near nothing."""
    if exposure > 0:
        # Half a purchase in all the time seen: the mean of the rate under the Jeffreys prior of a Poisson process.
        values = (0.5, k * exposure, 1.0, 1.0)
        note = "nobody bought twice: the purchase rate is set to half a repeat in all the time observed"
    else:
        values = (0.5, 1e9, 1.0, 1.0)
        note = "no customer was observed for any time: nothing is known and almost nothing is expected"
    return Fitted(
        k=k, values=values, standard_errors=dict.fromkeys(NAMES), log_likelihood=0.0, n=round(total),
        gradient_norm=0.0, converged=False, boundary=NAMES, by_k={}, notes=(note,),
    )  # fmt: skip
