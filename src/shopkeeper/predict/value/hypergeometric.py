"""ln 2F1(a, 1; c; z) and its slopes for many rows at once, 0 < a < c, c > 1, 0 <= z < 1.

Gauss's continued fraction, evaluated from its tail upwards::

    F = 1/(1 - d1 z/(1 - d2 z/(1 - ...)))    d(2m+1) = (a+m)(c+m-1)/((c+2m-1)(c+2m))
                                             d(2m)   = m(c-a+m-1)/((c+2m-2)(c+2m-1))

All its terms are positive, nothing cancels, and no logarithm is taken inside. Its error shrinks by
((1 - sqrt(1-z))/(1 + sqrt(1-z))) per term, so that the number of terms follows from the largest z of a
block. The tail starts at its limit, (1 + sqrt(1-z))/2. Slopes are those of the fraction itself.

Where z is near 1 the fraction is slow. There Euler's integral takes over, with v = 1 - exp(-w)::

    F = (c-1) * integral over v in (0, 1) of (1-v)^(c-2) (1 - z v)^-a

by Gauss-Legendre nodes before, around and after w = -ln(1-z), where the second factor levels off.
Source: NIST Digital Library of Mathematical Functions, 15.6 and 15.7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.conditional import legendre
from shopkeeper.predict.value.history import Floats

_BLOCK = 2048
_DIGITS = 36.0
_FEW = 4
_NEAR_ONE = 0.95
_NODES = 48
# exp(-40) is less than the last digit.
_FAR = 40.0


@dataclass(frozen=True, slots=True)
class LogF:
    """ln F and its slopes in a, c and z, one entry per row (slopes empty where not asked for)."""

    value: Floats
    by_a: Floats
    by_c: Floats
    by_z: Floats


def log_f(a: Floats, c: Floats, z: Floats, *, slopes: bool = True) -> LogF:
    """Give ln 2F1(a, 1; c; z) and its slopes in a, c and z.

    >>> found = log_f(np.array([1.0]), np.array([2.0]), np.array([0.5]))  # -ln(1-z)/z
    >>> bool(abs(found.value[0] - np.log(2 * np.log(2))) < 1e-14)
    True
    """
    # The slope in z divides by z; below this nothing depends on z any more.
    z = np.maximum(z, 1e-200)
    parts = np.empty((4 if slopes else 1, z.size))
    near = z > _NEAR_ONE
    for start in range(0, z.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = np.flatnonzero(near[block]) + start
        if rows.size:
            parts[:, rows] = _by_integral(a[rows], c[rows], z[rows])[: len(parts)]
            rows = np.flatnonzero(~near[block]) + start
            if rows.size:
                parts[:, rows] = _by_fraction(a[rows], c[rows], z[rows], slopes=slopes)
        else:
            parts[:, block] = _by_fraction(a[block], c[block], z[block], slopes=slopes)
    return LogF(*parts) if slopes else LogF(parts[0], *np.empty((3, 0)))


def _by_fraction(a: Floats, c: Floats, z: Floats, *, slopes: bool) -> Floats | tuple[Floats, ...]:
    terms = _terms(float(z.max()))
    return _with_slopes(a, c, z, terms) if slopes else _value(a, c, z, terms)


def _by_integral(a: Floats, c: Floats, z: Floats) -> tuple[Floats, ...]:
    n, rest = c - 1.0, 1.0 - z
    level = np.minimum(-np.log(rest), _FAR / np.maximum(n - a, 1e-300))
    at, share = legendre(_NODES)
    total, by_a, by_c, by_z = np.zeros((4, z.size))
    far = _FAR / n
    near = np.minimum(far, _FAR / 2.0)
    for low, step in ((np.zeros(z.size), level), (level, near), (level + near, far - near)):
        w = low[:, None] + step[:, None] * at
        gone = -np.expm1(-w)
        left = np.log1p(-z[:, None] * gone)
        mass = (step[:, None] * share) * np.exp(-n[:, None] * w - a[:, None] * left)
        total += mass.sum(axis=1)
        by_a -= (mass * left).sum(axis=1)
        by_c -= (mass * w).sum(axis=1)
        by_z += a * (mass * gone * np.exp(-left)).sum(axis=1)
    return np.log(n * total), by_a / total, 1.0 / n + by_c / total, by_z / total


def _terms(z: float) -> int:
    root = np.sqrt(1.0 - max(z, 1e-12))
    return int(max(np.ceil(_DIGITS / -np.log((1.0 - root) / (1.0 + root))), _FEW))


def _value(a: Floats, c: Floats, z: Floats, terms: int) -> Floats:
    f = 0.5 + 0.5 * np.sqrt(1.0 - z)
    for m in range((terms + 1) // 2, 0, -1):
        even, odd = c + (2 * m - 2), c + (2 * m - 1)
        f = 1.0 - m * (c - a + (m - 1)) * z / (even * odd * f)
        # the odd term below d(2m) is d(2m-1)
        f = (
            1.0 - (a + (m - 1)) * (c + (m - 2)) * z / ((c + (2 * m - 3)) * even * f)
            if m > 1
            else 1.0 - a * z / (c * f)
        )
    return -np.log(f)


def _with_slopes(a: Floats, c: Floats, z: Floats, terms: int) -> tuple[Floats, Floats, Floats, Floats]:
    root = np.sqrt(1.0 - z)
    f, by_z = 0.5 + 0.5 * root, -0.25 / root
    by_a, by_c = np.zeros(z.size), np.zeros(z.size)
    gap = c - a
    for m in range((terms + 1) // 2, 0, -1):
        before, even, odd = c + (2 * m - 3), c + (2 * m - 2), c + (2 * m - 1)
        over = 1.0 / f
        lead = m * z / (even * odd) * over
        q = lead * (gap + (m - 1))
        back = q * over
        by_z = back * by_z - q / z
        by_a = back * by_a + lead
        by_c = back * by_c - lead + q * (1.0 / even + 1.0 / odd)
        f = 1.0 - q
        over = 1.0 / f
        if m > 1:
            lead = z * over / (before * even)
            q = lead * (a + (m - 1)) * (c + (m - 2))
            back = q * over
            by_c = back * by_c - lead * (a + (m - 1)) + q * (1.0 / before + 1.0 / even)
            by_a = back * by_a - lead * (c + (m - 2))
        else:
            lead = z * over / c
            q = lead * a
            back = q * over
            by_c = back * by_c + q / c
            by_a = back * by_a - lead
        by_z = back * by_z - q / z
        f = 1.0 - q
    return -np.log(f), -by_a / f, -by_c / f, -by_z / f
