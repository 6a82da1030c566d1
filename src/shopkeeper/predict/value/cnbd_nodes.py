"""Trapezoids for averages over a Beta or a Gamma distribution: exponentially accurate on the logit and log scale.

On those scales the densities and what is averaged are smooth in a strip of the complex plane whose width does not
depend on the data, so that equal steps of at most a half give eight digits (Trefethen and Weideman, 2014, The
Exponentially Convergent Trapezoidal Rule). Each row gets its own range, where the integrand is above 2e-9 of its top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Floats

_DROP = 20.0
_STRAIGHT = 11.0  # e^-22, the square of what is left out, is no more than e^-_DROP
_STEP = 0.5
_STEP_PER_SPREAD = 0.8
_HALVINGS = 45


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes and weights, one row per distribution."""

    at: Floats
    weight: Floats


def dropout_nodes(a: float, c: Floats, reach: Floats, least: Floats) -> Nodes:
    """Give nodes p and weights for averages over Beta(a, c) of functions that fall with p, at most as 1/(p R).

    R may differ between functions, from ``least`` to ``reach``. The first node is 0 and the last 1: they stand, with
    their neighbours, for the ends of the line, where functions are straight on the scale of 1/(1 + reach).

    >>> reach = np.array([10.0])
    >>> nodes = dropout_nodes(0.8, np.array([2.5]), reach, reach)
    >>> round(float((nodes.weight / (1 + 10 * nodes.at)).sum()), 7)
    0.4182349
    """
    from scipy.special import betaln, polygamma

    ends = []
    for way, turn in ((-1.0, -np.log1p(reach)), (1.0, -np.log1p(least))):

        def envelope(v: Floats, turn: Floats = turn) -> Floats:
            falls = -a * np.logaddexp(0.0, -v) - c * np.logaddexp(0.0, v)
            return np.asarray(falls - np.maximum(0.0, v - turn))

        mode = np.clip(turn, np.log(max(a - 1.0, 1e-300) / c), np.log(a / c))
        far = np.maximum(mode, max(0.0, np.log(a))) + _STRAIGHT
        if way < 0:
            far = np.minimum(np.minimum(turn, mode), np.minimum(0.0, -np.log(c))) - _STRAIGHT
        ends.append(_where_it_drops(envelope, mode, far))
    low, high = ends
    spread = np.sqrt(polygamma(1, a) + polygamma(1, c))
    v, step = _steps(low, high, spread)
    # Both logarithms without cancellation: p and 1 - p may each be tiny.
    log_p, log_z = -np.logaddexp(0.0, -v), -np.logaddexp(0.0, v)
    weight = np.exp(a * log_p + c[:, None] * log_z - betaln(a, c)[:, None]) * step
    whole = np.concatenate([np.zeros_like(step), weight, np.zeros_like(step)], axis=1)
    # Beyond the outer nodes weights fall geometrically, but for a first-order term; a straight line shares them between
    # the node and the end.
    for outer, inner, power, edge in ((0, 1, np.full(c.size, a), v[:, 0]), (-1, -2, c, -v[:, -1])):
        bend = np.minimum((a + c) * np.exp(edge), 1.0)
        sums = [np.exp(-(power + i) * step[:, 0]) / -np.expm1(-(power + i) * step[:, 0]) for i in range(3)]
        rest, near = (sums[i] * (1.0 + bend) - sums[i + 1] * bend for i in (0, 1))
        whole[:, outer] = whole[:, inner] * (rest - near)
        whole[:, inner] *= 1.0 + near
    none = np.zeros_like(step)
    at = np.concatenate([none, np.exp(log_p), none + 1.0], axis=1)
    return Nodes(at, whole)


def rate_nodes(n: Floats, least: Floats, *, extra: float) -> Nodes:
    """Give nodes g and weights for averages over Gamma(n, 1) of functions that fall to 0 with g below ``least``.

    The weights also serve when the average is of g^extra times such a function.

    >>> nodes = rate_nodes(np.array([0.3]), np.array([0.1]), extra=0.0)
    >>> round(float((nodes.weight * nodes.at).sum()), 7)
    0.3
    """
    from scipy.special import gammaln

    turn = np.log(least)

    def envelope(v: Floats) -> Floats:
        return np.asarray(n * v - np.exp(v) + np.minimum(0.0, v - turn))

    def upper(v: Floats) -> Floats:
        return np.asarray((n + extra) * v - np.exp(v))

    mode = np.clip(turn, np.log(n), np.log(n + 1.0))
    low = _where_it_drops(envelope, mode, np.minimum(turn, mode) - _DROP - 2.0)
    top = np.log(n + extra + 1e-300)
    high = _where_it_drops(upper, top, np.log(n + extra + 30.0 + 8.0 * np.sqrt(n + extra)))
    v, step = _steps(low, high, 1.0 / np.sqrt(n + extra + 1e-300))
    return Nodes(np.exp(v), np.exp(n[:, None] * v - np.exp(v) - gammaln(n)[:, None]) * step)


def _where_it_drops(envelope: Callable[[Floats], Floats], mode: Floats, far: Floats) -> Floats:
    """Halve the way from ``mode`` to ``far`` until the log-concave envelope is below its top by the drop."""
    near, least = mode, envelope(mode) - _DROP
    for _ in range(_HALVINGS):
        middle = (near + far) / 2.0
        below = envelope(middle) < least
        near, far = np.where(below, near, middle), np.where(below, middle, far)
    return far


def _steps(low: Floats, high: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Give equal steps from low to high, as many for all rows as the neediest one takes."""
    if not low.size:
        return np.empty((0, 1)), np.empty((0, 1))
    wanted = np.minimum(_STEP, _STEP_PER_SPREAD * spread)
    count = int(np.ceil(((high - low) / wanted).max())) + 1
    step = ((high - low) / (count - 1))[:, None]
    return low[:, None] + step * np.arange(count), step
