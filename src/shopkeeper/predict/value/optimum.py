"""Maximum likelihood over positive parameters: L-BFGS on their logarithms, inside bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Floats

Objective = Callable[[Floats], tuple[float, Floats]]

_NEAR_BOUND = 1e-2
_SMALL_GRADIENT = 1e-5
_STEP = 1e-4
_SINGULAR = 1e-9


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended: log parameters, value, projected gradient norm, parameters on a bound."""

    at: Floats
    value: float
    gradient_norm: float
    converged: bool
    on_bound: tuple[bool, ...]
    evaluations: int


def minimise(objective: Objective, starts: Sequence[Floats], low: Floats, high: Floats) -> Optimum:
    """Minimise ``objective`` (value and gradient over log parameters) from each start until one converges.

    The objective should be per customer, so that tolerances mean the same at every size.
    """
    from scipy.optimize import minimize

    best: Optimum | None = None
    evaluations = 0
    bounds = list(zip(low.tolist(), high.tolist(), strict=True))
    for start in starts:
        found = minimize(
            objective,
            np.clip(start, low, high),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "maxfun": 1000, "ftol": 1e-14, "gtol": 1e-7, "maxcor": 10},
        )
        evaluations += int(found.nfev)
        at = np.asarray(found.x, dtype=np.float64)
        slope = np.asarray(found.jac, dtype=np.float64)
        free = at - np.clip(at - slope, low, high)
        norm = float(np.sqrt(free @ free))
        ended = Optimum(
            at=at,
            value=float(found.fun),
            gradient_norm=norm,
            converged=bool(np.isfinite(found.fun)) and norm <= _SMALL_GRADIENT,
            on_bound=tuple(((at - low < _NEAR_BOUND) | (high - at < _NEAR_BOUND)).tolist()),
            evaluations=evaluations,
        )
        if best is None or ended.value < best.value or not np.isfinite(best.value):
            best = ended
        if best.converged:
            break
    if best is None:
        raise AssertionError("minimise needs at least one start")
    return best


def standard_errors(
    objective: Objective,
    found: Optimum,
    total: float,
    names: Sequence[str],
    scales: Sequence[float] | None = None,
) -> dict[str, float | None]:
    """Standard errors by parameter from the observed information, parameters on a bound held fixed.

    The information is the slope of the analytic gradient of ``objective`` (the mean over ``total`` customers)
    by central differences; errors of logarithms become errors of the parameters, times ``scales`` (units).
    None where a parameter is on a bound or the information is not positive there.

    >>> def square(at):
    ...     return float(at @ at) / 2, at
    >>> found = minimise(square, [np.array([1.0])], np.array([-9.0]), np.array([9.0]))
    >>> standard_errors(square, found, 100.0, ["r"])
    {'r': 0.1}
    """
    free = [i for i, on in enumerate(found.on_bound) if not on]
    errors: dict[str, float | None] = dict.fromkeys(names)
    if not free or total <= 0:
        return errors
    rows = []
    for i in free:
        away = np.zeros(found.at.size)
        away[i] = _STEP
        slope = (objective(found.at + away)[1] - objective(found.at - away)[1]) / (2 * _STEP)
        rows.append(slope[free])
    information = np.array(rows) * total
    information = (information + information.T) / 2
    size = np.sqrt(np.abs(np.diag(information)))
    if not np.isfinite(information).all() or (size == 0).any():
        return errors
    spread, turn = np.linalg.eigh(information / np.outer(size, size))
    if spread[0] <= _SINGULAR:
        return errors
    variance = ((turn / spread) * turn).sum(axis=1) / size**2
    for place, i in enumerate(free):
        unit = 1.0 if scales is None else scales[i]
        errors[names[i]] = float(round_off(np.sqrt(variance[place])) * np.exp(found.at[i]) * unit)
    return errors


def round_off(value: float) -> float:
    """Round to ten digits: what differences of a gradient can carry."""
    return float(f"{value:.10g}")
