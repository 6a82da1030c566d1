"""Maximum likelihood over positive parameters: L-BFGS on their logarithms, inside bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Floats

Objective = Callable[[Floats], tuple[float, Floats]]

_NEAR_BOUND = 1e-2
_SMALL_GRADIENT = 1e-5


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
