"""Maximum likelihood over positive parameters: on their logarithms, inside bounds.

`newton` for objectives that know their second derivatives, `minimise` (L-BFGS) for those that do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.value.history import Floats

Objective = Callable[[Floats], tuple[float, Floats]]


class Curved(Protocol):
    """An objective with second derivatives."""

    def __call__(self, at: Floats, /) -> tuple[float, Floats]:
        """Give value and gradient."""

    def curvature(self, at: Floats, /) -> Floats:
        """Give the matrix of second derivatives."""


_NEAR_BOUND = 1e-2
_SMALL_GRADIENT = 1e-5
_STEP = 1e-4
_SINGULAR = 1e-9
_TAKES_PART = 0.01
_SMALLEST_GRADIENT = 1e-9
_ON_A_RIDGE = 1e-6
_SLOW = 0.25
_LONGEST_STEP = 2.0
_NEWTON_STEPS = 60


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended: log parameters, value, projected gradient norm, parameters on a bound.

    ``curvature`` holds the second derivatives there, where the search knows them.
    """

    at: Floats
    value: float
    gradient_norm: float
    converged: bool
    on_bound: tuple[bool, ...]
    evaluations: int
    curvature: Floats | None = None


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
        ended = _ended(at, float(found.fun), slope, low, high, evaluations)
        if best is None or ended.value < best.value or not np.isfinite(best.value):
            best = ended
        if best.converged:
            break
    if best is None:
        raise AssertionError("minimise needs at least one start")
    return best


def newton(objective: Curved, starts: Sequence[Floats], low: Floats, high: Floats) -> Optimum:
    """Minimise ``objective`` from each start until one converges, by Newton's method with a bounded step.

    Directions of negative or no curvature are walked downhill, a parameter that would leave its bounds stays
    there. Where the steps do not arrive, L-BFGS goes on from the best place found.
    """
    best: Optimum | None = None
    evaluations = 0
    for start in starts:
        ended = _newton_from(objective, np.clip(start, low, high), low, high)
        evaluations += ended.evaluations
        if best is None or ended.value < best.value or not np.isfinite(best.value):
            best = ended
        if best.converged:
            return best
    if best is None:
        raise AssertionError("newton needs at least one start")
    more = minimise(objective, [best.at, *starts], low, high)
    if np.isfinite(more.value) and (more.value <= best.value or not np.isfinite(best.value)):
        best = more
    return replace(best, curvature=objective.curvature(best.at), evaluations=evaluations + more.evaluations)


def _newton_from(objective: Curved, at: Floats, low: Floats, high: Floats) -> Optimum:
    value, slope = objective(at)
    evaluations, promised_before = 1, np.inf
    curvature = objective.curvature(at)
    for _ in range(_NEWTON_STEPS):
        if not (np.isfinite(value) and np.isfinite(curvature).all()):
            break
        # A parameter on its bound that wants to go on stays.
        free = ~(((at <= low) & (slope > 0)) | ((at >= high) & (slope < 0)))
        norm = float(np.sqrt(slope[free] @ slope[free]))
        if norm <= _SMALLEST_GRADIENT:
            break
        step = _step(
            curvature, slope, free, np.maximum(low - at, -_LONGEST_STEP), np.minimum(high - at, _LONGEST_STEP)
        )
        # Near an optimum each step promises far less than the one before; on a ridge without end nearly as much.
        promises = -float(slope @ step)
        if norm <= _ON_A_RIDGE and promises > _SLOW * promised_before:
            break
        promised_before = promises
        share, moved = 1.0, False
        while share > 1e-4:
            there = np.clip(at + share * step, low, high)
            new_value, new_slope = objective(there)
            evaluations += 1
            promised = float(slope @ (there - at))
            # Below the last digits of the value the slope tells.
            if new_value <= value + 1e-4 * promised or (
                new_value <= value + 1e-12 * (1.0 + abs(value)) and new_slope @ new_slope < slope @ slope
            ):
                moved = True
                break
            share /= 4.0
        if not moved:
            break
        at, value, slope = there, new_value, new_slope
        curvature = objective.curvature(at)
    return _ended(at, value, slope, low, high, evaluations, curvature)


def _step(curvature: Floats, slope: Floats, free: NDArray[np.bool_], least: Floats, most: Floats) -> Floats:
    """Newton's step within a box, with every eigenvalue taken as positive and none as nothing.

    What would leave the box goes to its side, and the others are solved again for that: on a ridge between two
    parameters one must follow the other.
    """
    bends, turn = np.linalg.eigh(curvature)
    floor = max(1e-10, 1e-7 * float(np.abs(bends).max()))
    bowl = (turn * np.maximum(np.abs(bends), floor)) @ turn.T
    step = np.zeros(slope.size)
    open_ = free.copy()
    while open_.any():
        pull = slope[open_] + bowl[np.ix_(open_, ~open_)] @ step[~open_]
        step[open_] = -np.linalg.solve(bowl[np.ix_(open_, open_)], pull)
        outside = open_ & ((step < least) | (step > most))
        if not outside.any():
            break
        step = np.where(outside, np.clip(step, least, most), step)
        open_ &= ~outside
    return step


def _ended(
    at: Floats, value: float, slope: Floats, low: Floats, high: Floats, evaluations: int,
    curvature: Floats | None = None,
) -> Optimum:  # fmt: skip
    free = at - np.clip(at - slope, low, high)
    norm = float(np.sqrt(free @ free))
    return Optimum(
        at=at,
        value=value,
        gradient_norm=norm,
        converged=bool(np.isfinite(value)) and norm <= _SMALL_GRADIENT,
        on_bound=tuple(((at - low < _NEAR_BOUND) | (high - at < _NEAR_BOUND)).tolist()),
        evaluations=evaluations,
        curvature=curvature,
    )


def standard_errors(
    objective: Objective,
    found: Optimum,
    total: float,
    names: Sequence[str],
    scales: Sequence[float] | None = None,
) -> dict[str, float | None]:
    """Standard errors by parameter from the observed information, parameters on a bound held fixed.

    The information is the curvature of ``objective`` (the mean over ``total`` customers): the one the search
    knows, or the slope of the analytic gradient by central differences. Errors of logarithms become errors of
    the parameters, times ``scales`` (units).
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
    curvature = _curvature(objective, found.at) if found.curvature is None else found.curvature
    information = curvature[np.ix_(free, free)] * total
    size = np.sqrt(np.abs(np.diag(information)))
    if not np.isfinite(information).all() or (size == 0).any():
        return errors
    spread, turn = np.linalg.eigh(information / np.outer(size, size))
    weak = spread <= _SINGULAR
    # A direction that the data say nothing about spoils the parameters that take part in it.
    known = (turn[:, weak] ** 2).sum(axis=1) < _TAKES_PART
    variance = ((turn[:, ~weak] / spread[~weak]) * turn[:, ~weak]).sum(axis=1) / size**2
    for place, i in enumerate(free):
        if not known[place]:
            continue
        unit = 1.0 if scales is None else scales[i]
        errors[names[i]] = float(round_off(np.sqrt(variance[place])) * np.exp(found.at[i]) * unit)
    return errors


def _curvature(objective: Objective, at: Floats) -> Floats:
    rows = []
    for i in range(at.size):
        away = np.zeros(at.size)
        away[i] = _STEP
        rows.append((objective(at + away)[1] - objective(at - away)[1]) / (2 * _STEP))
    return np.asarray(np.array(rows) + np.array(rows).T) / 2


def round_off(value: float) -> float:
    """Round to ten digits: what differences of a gradient can carry."""
    return float(f"{value:.10g}")
