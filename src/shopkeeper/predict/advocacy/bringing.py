"""What goes before bringing others: a logistic regression of who brought somebody after a day on deeds before it.

Each count enters as ``log2(1 + n)``: its odds ratio is that of doubling it, all other columns being equal. Firth's
penalty (1993) keeps the estimates finite where few brought anybody; intervals are Wald's. Whether the deeds foretell
anything *at all* is one test of all of them together against none (likelihood ratio), asked first: on data without an
effect it says so at the rate of its level. An association: whoever is asked to share more need not bring more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FEWEST: Final = 20
"""Customers who brought somebody, from which on anything is said."""
_STEPS: Final = 50


class Odds(Struct, frozen=True, kw_only=True):
    """By how much doubling a deed goes with higher odds of bringing somebody."""

    name: str
    ratio: float
    low: float
    high: float


class Bringing(Struct, frozen=True, kw_only=True):
    """What was found. ``verdict``: something, nothing or not enough."""

    customers: int
    bringers: int
    verdict: str = "not enough"
    p: float | None = None
    """Of all deeds together against none of them."""
    odds: tuple[Odds, ...] = ()
    """Largest certain ratio first."""


def bringing(deeds: Mapping[str, ArrayLike], brought: ArrayLike, *, level: float = 0.95) -> Bringing:
    """Regress who brought somebody (yes or no) on counts of deeds before, by name."""
    from scipy.special import chdtrc, ndtri

    yes = np.asarray(brought, np.bool_)
    columns = {name: np.log2(1.0 + np.maximum(np.asarray(n, float), 0.0)) for name, n in deeds.items()}
    columns = {name: column for name, column in columns.items() if column.std() > 0}
    bringers = int(yes.sum())
    if min(bringers, yes.size - bringers) < FEWEST or not columns:
        return Bringing(customers=yes.size, bringers=bringers)
    design = np.stack([np.ones(yes.size), *columns.values()], axis=1)
    beta, cover, likelihood = _firth(design, yes.astype(float))
    alone = _firth(design, yes.astype(float), free=1)[2]
    p = float(chdtrc(len(columns), max(2.0 * (likelihood - alone), 0.0)))
    z = float(-ndtri((1 - level) / 2))
    wide = z * np.sqrt(np.diag(cover))
    odds = [
        Odds(name=name, ratio=float(np.exp(b)), low=float(np.exp(b - w)), high=float(np.exp(b + w)))
        for name, b, w in zip(columns, beta[1:].tolist(), wide[1:].tolist(), strict=True)
    ]
    odds.sort(key=lambda one: (-one.low, one.name))
    return Bringing(
        customers=yes.size,
        bringers=bringers,
        verdict="something" if p < 1 - level else "nothing",
        p=p,
        odds=tuple(odds),
    )


def _firth(design: Floats, yes: Floats, free: int | None = None) -> tuple[Floats, Floats, float]:
    """Estimates, covariance and penalised log-likelihood, by Newton's steps that are halved until they climb.

    With ``free`` only so many of the first columns are estimated and the others stay at zero, under the same penalty:
    what all of them together add is told by the difference of the two (Heinze and Schemper 2002).
    """
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(yes.mean() / (1 - yes.mean()))
    height, info = _height(design, yes, beta)
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30, 30)))
        weight = chance * (1 - chance)
        cover = np.linalg.pinv(info)
        lever = weight * np.einsum("ij,jk,ik->i", design, cover, design)
        slope = design.T @ (yes - chance + lever * (0.5 - chance))
        step = np.zeros(beta.size)
        step[:free] = np.linalg.pinv(info[:free, :free]) @ slope[:free]
        for _half in range(20):
            higher, following = _height(design, yes, beta + step)
            if higher >= height - 1e-12:
                break
            step = step / 2
        else:
            break
        beta, height, info = beta + step, higher, following
        if np.abs(step).max() < 1e-8:
            break
    return beta, np.asarray(np.linalg.pinv(info), float), height


def _height(design: Floats, yes: Floats, beta: Floats) -> tuple[float, Floats]:
    at = np.clip(design @ beta, -30, 30)
    chance = 1.0 / (1.0 + np.exp(-at))
    info = (design * (chance * (1 - chance))[:, None]).T @ design
    sign, size = np.linalg.slogdet(info)
    penalty = 0.5 * size if sign > 0 else -np.inf
    return float(yes @ at - np.logaddexp(0, at).sum() + penalty), info
