"""Years ahead of heavy buyers who are known for weeks: where few nodes of p would miss where the terms fall."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import beta

from shopkeeper.predict.value.conditional import Conditional

HEAVY = tuple(np.array(values, dtype=np.float64) for values in ([0, 3, 12, 40], [0, 4, 5, 9], [2, 5, 6, 9]))
PARAMETERS = [(0.2426, 4.4136, 0.7929, 2.4259, 0.0), (0.7, 8.0, 0.3, 1.5, 1.0), (3.0, 2.0, 4.0, 0.6, 0.0)]


def averaged(of: Callable[[float], float], a: float, kept: float) -> float:
    """Average over p ~ Beta(a, kept), the part near 0 apart."""
    edge, total = 1e-3, 0.0
    total += quad(
        lambda p: of(p) * (1 - p) ** (kept - 1),
        0,
        edge,
        weight="alg",
        wvar=(a - 1, 0),
        limit=400,
        epsabs=0,
        epsrel=1e-9,
    )[0]
    total += quad(
        lambda p: of(p) * p ** (a - 1),
        edge,
        1,
        weight="alg",
        wvar=(0, kept - 1),
        limit=400,
        epsabs=0,
        epsrel=1e-9,
    )[0]
    return total / beta(a, kept)


def _pairs(p: float, q: float, s: float) -> float:
    """Half of E(Y (Y - 1)) at one p."""
    y = p * s
    if (q + 2.0) * y < 1e-3:  # where the terms cancel
        return (
            (1.0 - p)
            * s**2
            * q
            * (q + 1.0)
            * (0.5 - (q + 2.0) * y / 3.0 + (q + 2.0) * (q + 3.0) * y**2 / 8.0)
        )
    return (1.0 - p) * (-np.expm1(-q * np.log1p(y)) - q * y * (1.0 + y) ** (-q - 1.0)) / p**2


@pytest.mark.parametrize(("r", "alpha", "a", "b", "m"), PARAMETERS)
@pytest.mark.parametrize("t", [30.0, 260.0, 1040.0])
def test_what_comes_far_ahead_is_as_exact_as_near(
    r: float, alpha: float, a: float, b: float, m: float, t: float
) -> None:
    future = Conditional(r, alpha, a, b, m, *HEAVY)
    rate = np.log(1.1) / 52.0
    for found, of in (
        (future.mean(t), lambda p, q, s: -np.expm1(-q * np.log1p(p * s)) / p),
        (future.alive_after(t), lambda p, q, s: (1.0 + p * s) ** -q),
        ((future.square(t) - future.mean(t)) / 2.0, _pairs),
    ):
        expected = [
            averaged(lambda p, q=r + x, s=t / (alpha + age), of=of: of(max(p, 1e-12 / s), q, s), a, b + x + m)
            for x, age in zip(HEAVY[0], HEAVY[2], strict=True)
        ]
        np.testing.assert_allclose(
            found, future.alive() * expected, rtol=2e-6 if t < 1000.0 else 3e-4, atol=1e-7
        )
    assert (future.discounted(t, rate) < future.mean(t)).all()
    assert (future.discounted(t, rate) > np.exp(-rate * t) * future.mean(t)).all()


@pytest.mark.parametrize(("r", "alpha", "a", "b", "m"), PARAMETERS)
def test_the_residual_value_is_the_sum_over_time(
    r: float, alpha: float, a: float, b: float, m: float
) -> None:
    future = Conditional(r, alpha, a, b, m, *HEAVY)
    rate = np.log(1.1) / 52.0
    when = np.concatenate([np.linspace(0.0, 50.0, 501), np.geomspace(50.0, 20_000.0, 1001)[1:]])
    each = Conditional(r, alpha, a, b, m, *(np.tile(one, when.size) for one in HEAVY))
    bought = each.mean(np.repeat(when, HEAVY[0].size)).reshape(when.size, -1)
    expected = (np.diff(bought, axis=0) * np.exp(-rate * (when[1:] + when[:-1]) / 2.0)[:, None]).sum(axis=0)
    np.testing.assert_allclose(future.discounted(np.inf, rate), expected, rtol=1e-4)
