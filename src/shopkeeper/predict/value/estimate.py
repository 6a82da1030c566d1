"""Fits a model of two ends to histories: collapse, search, standard errors, and what a reader should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shopkeeper.predict.value.history import Distinct, History, collapse, dot
from shopkeeper.predict.value.optimum import Optimum, newton, standard_errors
from shopkeeper.predict.value.twoends import Ends, Likelihood

# With time in units of the mean T. exp(9) stands for "all alike": shape 8,000 is a spread of 1 %.
_BOUND = 9.0
_VAGUE = 10.0


@dataclass(frozen=True, slots=True)
class Family:
    """A model to fit: its ends, its parameters, which of them are times, and how it speaks of them.

    Attributes:
        ends: the likelihood.
        names: of the parameters, rates of purchase first.
        times: the parameters in the unit of the histories.
        leaving_note: said when the data do not identify those.
        guesses: starting values of the parameters of leaving, in units of the mean T.
    """

    ends: Ends
    names: tuple[str, str, str, str]
    times: tuple[str, ...]
    leaving_note: str
    guesses: tuple[tuple[float, float], ...]

    @property
    def leaving(self) -> tuple[str, str]:
        """The parameters that say how customers leave."""
        return self.names[2:]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit found; ``params`` are in the caller's time unit."""

    params: dict[str, float]
    log_likelihood: float
    n: int
    gradient_norm: float
    converged: bool
    standard_errors: dict[str, float | None]
    boundary: tuple[str, ...]
    notes: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Give what a fitted model stores, by field name."""
        rest = {
            name: getattr(self, name)
            for name in (
                "log_likelihood", "n", "gradient_norm", "converged", "standard_errors", "boundary", "notes"
            )
        }  # fmt: skip
        return self.params | rest


def estimate(history: History, family: Family, near: Mapping[str, float] | None = None) -> Fitted:
    """Fit ``family`` to checked histories; poor data give a usable answer and notes, no exception.

    The search begins at the parameters ``near``, if given.
    """
    distinct = _used(collapse(history))
    total = float(distinct.weights.sum())
    repeats = dot(distinct.weights, distinct.history.frequency)
    exposure = dot(distinct.weights, distinct.history.T)
    if repeats == 0.0:
        return _without_repeats(family, total, exposure)

    scale = exposure / total
    likelihood = Likelihood(family.ends, distinct, scale=scale)
    rate = repeats / total
    starts = [
        np.log([r, r / rate, *guess])
        for r, guess in zip((1.0, 0.3, 3.0), family.guesses, strict=True)
    ]  # fmt: skip
    units = [scale if name in family.times else 1.0 for name in family.names]
    if near is not None:
        starts.insert(0, np.log([near[name] / unit for name, unit in zip(family.names, units, strict=True)]))
    found = newton(likelihood, starts, np.full(4, -_BOUND), np.full(4, _BOUND))
    values = (np.exp(found.at) * units).tolist()
    params = dict(zip(family.names, values, strict=True))
    errors = standard_errors(likelihood, found, total, family.names, units)
    boundary = tuple(
        name
        for name, on in zip(family.names, found.on_bound, strict=True)
        if on or (error := errors[name]) is None or error > _VAGUE * params[name]
    )
    # (alpha + T) in other units: the density of x counts within T gains scale^-x.
    log_likelihood = -found.value * total - repeats * np.log(scale)
    return Fitted(
        params=params,
        log_likelihood=float(log_likelihood),
        n=round(total),
        gradient_norm=found.gradient_norm,
        converged=found.converged,
        standard_errors=errors | dict.fromkeys(boundary),
        boundary=boundary,
        notes=_notes(family, found, boundary, total),
    )


def _used(distinct: Distinct) -> Distinct:
    """Leave rows without weight out."""
    used = distinct.weights > 0
    if used.all():
        return distinct
    old = distinct.history
    return Distinct(
        History(old.frequency[used], old.recency[used], old.T[used]), distinct.weights[used], distinct.inverse
    )


def _without_repeats(family: Family, total: float, exposure: float) -> Fitted:
    """Answer when nobody ever came back: the likelihood only says that the rate is near nothing."""
    if exposure > 0:
        # Half a purchase in all the time seen: the mean of the rate under the Jeffreys prior of a Poisson
        # process.
        alpha, mean_age = exposure, exposure / total
        note = "nobody bought twice: the purchase rate is set to half a repeat in all the time observed"
    else:
        alpha, mean_age = 1e9, 1.0
        note = "no customer was observed for any time: nothing is known and almost nothing is expected"
    leaving = {name: mean_age if name in family.times else 1.0 for name in family.leaving}
    unknown: dict[str, float | None] = dict.fromkeys(family.names)
    params = dict(zip(family.names, (0.5, alpha, *leaving.values()), strict=True))
    return Fitted(params, 0.0, round(total), 0.0, False, unknown, family.names, (note,))


def _notes(family: Family, found: Optimum, boundary: Sequence[str], total: float) -> tuple[str, ...]:
    rates, leaving = family.names[:2], family.leaving
    notes = []
    if any(name in boundary for name in rates):
        notes.append(
            "the data do not show how purchase rates differ between customers: "
            f"{' or '.join(rates)} sits on its bound, or might as well"
        )
    if any(name in boundary for name in leaving):
        notes.append(f"{family.leaving_note}: {' or '.join(leaving)} sits on its bound, or might as well")
    if not found.converged:
        notes.append(
            f"the search stopped at a gradient norm of {found.gradient_norm:.1e}; read the result with care"
        )
    if total < 50:
        notes.append(f"only {round(total)} customers: the parameters are rough")
    return tuple(notes)
