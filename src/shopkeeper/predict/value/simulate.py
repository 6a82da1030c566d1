"""Draws orders from a fit: a log such as the model takes shops to have, to try a method on or to teach with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.cnbd import CNBDFit
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.model import DropoutFit
from shopkeeper.predict.value.pareto import ParetoNBDFit
from shopkeeper.predict.value.seasonal import SeasonalFit
from shopkeeper.predict.value.summary import DAYS_PER_UNIT, last_day
from shopkeeper.predict.value.times import days_of


def simulate(
    fit: Any, *, first: ArrayLike, end: Any, unit: str = "W", seed: int = 0
) -> dict[str, NDArray[Any]]:
    """Draw the orders of new customers who first bought on the days ``first``, up to ``end``.

    Each gets a purchase rate and a way to leave of the fit's own distributions. Purchases have a moment, of which the
    log keeps the day; two of a customer on one day count as one to `summarise`.

    Args:
        fit: a fitted model of orders; of one with covariates ``fit.of_levels({...})``.
        first: day of each customer's first purchase.
        end: last day.
        unit: of the histories that ``fit`` was fitted to: D, W, M or Y; a seasonal fit knows its own.
        seed: the same seed gives the same orders.

    Returns:
        ``customer`` (its place in ``first``) and ``occurred_at``, by customer, then day: what `summarise` takes.

    Raises:
        InvalidInput: it is no fitted model of orders, or somebody began after ``end``.

    >>> from shopkeeper.predict.value import MBGNBD, summarise
    >>> fit = MBGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    >>> log = simulate(fit, first=["2024-01-01"] * 500, end="2024-12-31")
    >>> summarise(log, end="2024-12-31").T.size
    500
    """
    plain = fit.fit if isinstance(fit, SeasonalFit) else fit
    unit = fit.unit if isinstance(fit, SeasonalFit) else unit
    if not isinstance(plain, ParetoNBDFit | DropoutFit | CNBDFit):
        raise InvalidInput(
            f"orders cannot be drawn from a {type(fit).__name__}",
            hint="give a fitted model of orders; of one with covariates fit.of_levels({...})",
        )
    if unit not in DAYS_PER_UNIT:
        raise UnknownName("unit", unit, DAYS_PER_UNIT)
    began, last = days_of("first", first), last_day(end)
    if began.size and int(began.max()) > last:
        raise InvalidInput(f"a first purchase is after {np.datetime64(last, 'D')}", hint="give a later end")
    now = np.arange(int(began.min(initial=last)), last + 2)
    told = fit.season.told(now) if isinstance(fit, SeasonalFit) else now.astype(np.float64)
    start = np.interp(began, now, told)
    customer, moment = _repeats(
        plain, start, float(told[-1]), DAYS_PER_UNIT[unit], np.random.default_rng(seed)
    )
    day = np.minimum(np.floor(np.interp(moment, told, now) + 1e-9).astype(np.int64), last)
    customer = np.concatenate([np.arange(began.size), customer])
    day = np.concatenate([began, day])
    order = np.lexsort((day, customer))
    return {"customer": customer[order], "occurred_at": day[order].astype("datetime64[D]")}


def _repeats(
    fit: ParetoNBDFit | DropoutFit | CNBDFit, start: Floats, end: float, per: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats]:
    """Draw repeat purchases as (customer, moment), moments in days."""
    k = fit.k if isinstance(fit, CNBDFit) else 1
    rate = rng.gamma(fit.r, 1.0 / fit.alpha, start.size) / per
    here = np.arange(start.size)
    if isinstance(fit, ParetoNBDFit):
        leaves = rng.gamma(fit.s, 1.0 / fit.beta, start.size) / per
        with np.errstate(divide="ignore", over="ignore"):
            until = np.minimum(start + rng.exponential(size=start.size) / leaves, end)
        drop = np.zeros(start.size)
    else:
        until, drop = np.full(start.size, end), rng.beta(fit.a, fit.b, start.size)
        if fit.at_first:
            here = here[rng.random(here.size) >= drop]
    at, customers, moments = start.copy(), [], []
    while here.size:
        with np.errstate(divide="ignore", over="ignore"):
            at[here] += rng.gamma(k, size=here.size) / rate[here]
        here = here[at[here] < until[here]]
        customers.append(here)
        moments.append(at[here])
        here = here[rng.random(here.size) >= drop[here]]
    if not customers:
        return np.empty(0, np.int64), np.empty(0)
    return np.concatenate(customers), np.concatenate(moments)
