"""Fits a model of orders with time-invariant covariates: acquisition channel, first category, region.

Works over the likelihoods of the models as they are: customers with equal levels share shifted parameters, so the
likelihood is a sum over groups and its gradient follows by the chain rule. A weak normal prior (`ridge`) keeps levels
that few customers have near no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.bgnbd import BGNBD
from shopkeeper.predict.value.cnbd import BGCNBD, MBGCNBD
from shopkeeper.predict.value.cnbd_likelihood import CNBDLikelihood
from shopkeeper.predict.value.covariate_fit import RARE, AnyFit, CovariateFit, Effect, columns
from shopkeeper.predict.value.dropout import DropoutEnds
from shopkeeper.predict.value.history import Distinct, Floats, History, checked, collapse, dot
from shopkeeper.predict.value.mbgnbd import MBGNBD
from shopkeeper.predict.value.optimum import Curved, Optimum, newton, standard_errors
from shopkeeper.predict.value.pareto import ParetoNBD
from shopkeeper.predict.value.pareto_ends import ParetoEnds
from shopkeeper.predict.value.twoends import Likelihood

AnyModel = BGNBD | MBGNBD | ParetoNBD | BGCNBD | MBGCNBD
MOST_LEVELS = 12
_BOUND = 9.0
_LARGEST = 6.0
_NO_EFFECT = 0.05


@dataclass(frozen=True, slots=True)
class _Group:
    likelihood: Curved
    weight: float
    z: Floats


class _Penalised:
    """Mean negative penalised log-likelihood over four log parameters, then effects on purchases, then on leaving."""

    def __init__(self, groups: list[_Group], used: Floats, ridge: float) -> None:
        self.groups = groups
        self.used = used
        self.size = int(used.sum())
        self.total = sum(group.weight for group in groups)
        self.ridge = ridge / self.total

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        """Evaluate; ``at`` has 4 + 2 x (effects used) entries."""
        effects = at[4:].reshape(2, self.size)
        value = 0.5 * self.ridge * float((effects**2).sum())
        gradient = np.concatenate([np.zeros(4), self.ridge * at[4:]])
        for group in self.groups:
            z = group.z[self.used > 0]
            logs = at[:4].copy()
            logs[1] -= effects[0] @ z
            logs[3] -= effects[1] @ z
            one, slope = group.likelihood(logs)
            share = group.weight / self.total
            value += share * one
            gradient[:4] += share * slope
            gradient[4 : 4 + self.size] -= share * slope[1] * z
            gradient[4 + self.size :] -= share * slope[3] * z
        return value, gradient

    def curvature(self, at: Floats) -> Floats:
        """Give the second derivatives at ``at``: those of each group, by the chain rule."""
        effects = at[4:].reshape(2, self.size)
        whole = np.diag(np.concatenate([np.zeros(4), np.full(2 * self.size, self.ridge)]))
        for group in self.groups:
            z = group.z[self.used > 0]
            turn = np.zeros((4, at.size))
            turn[:, :4] = np.eye(4)
            turn[1, 4 : 4 + self.size], turn[3, 4 + self.size :] = -z, -z
            logs = at[:4].copy()
            logs[1] -= effects[0] @ z
            logs[3] -= effects[1] @ z
            whole += group.weight / self.total * (turn.T @ group.likelihood.curvature(logs) @ turn)
        return whole

    def log_likelihood(self, found: Optimum) -> float:
        """Give the log-likelihood (without prior, in scaled time) at an optimum."""
        prior = 0.5 * self.ridge * float((found.at[4:] ** 2).sum())
        return -(found.value - prior) * self.total


class WithCovariates:
    """A model of orders with covariates.

    Args:
        model: BGNBD(), MBGNBD(), ParetoNBD(), BGCNBD() or MBGCNBD().
        ridge: precision of the normal prior on each effect: with 1 an effect beyond a factor of e^2 is improbable.

    >>> n = 200
    >>> rng = np.random.default_rng(1)
    >>> x = rng.poisson(1.0, n)
    >>> data = {"frequency": x, "recency": np.where(x > 0, 20.0, 0.0), "T": np.full(n, 40.0)}
    >>> fit = WithCovariates(MBGNBD()).fit(**data, covariates={"channel": ["shop", "web"] * (n // 2)})
    >>> fit.name, [effect.level for effect in fit.effects], fit.notes[-1][:33]
    ('MBG/NBD by channel', ['web'], 'the data show no effect of channe')
    """

    def __init__(self, model: AnyModel, *, ridge: float = 1.0) -> None:
        if not isinstance(model, AnyModel):
            raise InvalidInput(
                f"a model of type {type(model).__name__} takes no covariates",
                hint="give BGNBD(), MBGNBD(), ParetoNBD(), BGCNBD() or MBGCNBD()",
            )
        if not 0.0 < ridge < np.inf:
            raise InvalidInput(f"ridge is {ridge}", hint="give a positive number; 1 is a weak prior")
        self.model = model
        self.ridge = ridge

    def fit(
        self,
        *,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        covariates: Mapping[str, ArrayLike],
        log_gaps: ArrayLike | None = None,
    ) -> CovariateFit:
        """Fit by penalised maximum likelihood; ``covariates`` hold one level per customer, by name.

        Beyond the twelve most common levels of a covariate the rest counts as one; missing levels count as the
        baseline.

        Raises:
            InvalidInput: histories that contradict themselves, no covariate, or not one level per customer.
        """
        history = checked(frequency, recency, T)
        told = columns(covariates, len(history))
        if not told:
            raise InvalidInput("no covariate was given", hint="give covariates={'channel': [...]}")
        known: dict[str, Any] = {"frequency": history.frequency, "recency": history.recency, "T": history.T}
        if isinstance(self.model, BGCNBD | MBGCNBD):
            known["log_gaps"] = log_gaps
        plain: AnyFit = self.model.fit(**known)
        return _fit(plain, history, told, self.ridge).remembering(history, told)


def _fit(plain: AnyFit, history: History, told: Mapping[str, Any], ridge: float) -> CovariateFit:
    baseline, names, design, rare = _design(told)
    total = float(len(history))
    scale = dot(history.T, np.ones(len(history))) / total if total else 1.0
    repeats = float(history.frequency.sum())
    notes = list(plain.notes)
    if repeats == 0.0 or scale == 0.0 or not names:
        reason = "only one level of each covariate" if repeats and scale else "no repeat purchases"
        return CovariateFit(
            fit=plain, baseline=baseline, effects=(), p_value=dict.fromkeys(baseline, 1.0),
            log_likelihood=plain.log_likelihood, log_likelihood_without=plain.log_likelihood, ridge=ridge,
            n=plain.n, gradient_norm=plain.gradient_norm, converged=plain.converged,
            notes=(*notes, f"{reason}: there are no effects to see"),
        )  # fmt: skip
    groups = _groups(plain, history, design, scale)
    start = np.log(list(plain.params.values()))
    start -= np.log([scale if name in ("alpha", "beta") else 1.0 for name in plain.params])
    used = np.ones(len(names))
    whole, found = _search(groups, used, start, ridge)
    best = whole.log_likelihood(found)
    p_value = {}
    for covariate in baseline:
        here = np.array([0.0 if name == covariate else 1.0 for name, _ in names])
        if here.all():
            p_value[covariate] = 1.0
            continue
        fewer = _groups(plain, history, design * here, scale)
        less, without = _search(fewer, here, found.at[:4], ridge)
        p_value[covariate] = _chance(best - less.log_likelihood(without), 2 * int((1.0 - here).sum()))
        if p_value[covariate] > _NO_EFFECT:
            notes.append(f"the data show no effect of {covariate} (p = {p_value[covariate]:.2f})")
    if not found.converged:
        notes.append(f"the search for effects stopped at a gradient norm of {found.gradient_norm:.1e}")
    none, at_none = _search(_groups(plain, history, design * 0.0, scale), np.zeros(len(names)), start, ridge)
    logs = found.at[:4]
    values = np.exp(logs) * [scale if name in ("alpha", "beta") else 1.0 for name in plain.params]
    keys = [*plain.params, *(f"{part} {i}" for part in ("purchases", "leaving") for i in range(len(names)))]
    units = np.concatenate([values / np.exp(logs), np.exp(-found.at[4:])])
    errors = standard_errors(whole, found, total, keys, units.tolist())
    effects = tuple(
        Effect(
            covariate=covariate, level=level, customers=int(design[:, i].sum()),
            purchases=float(found.at[4 + i]), purchases_error=errors[f"purchases {i}"],
            leaving=float(found.at[4 + len(names) + i]), leaving_error=errors[f"leaving {i}"],
        )
        for i, (covariate, level) in enumerate(names)
    )  # fmt: skip
    fit = msgspec.structs.replace(
        plain,
        **dict(zip(plain.params, values.tolist(), strict=True)),
        standard_errors={name: errors[name] for name in plain.params},
    )
    gained = best - none.log_likelihood(at_none)
    return CovariateFit(
        fit=fit, baseline=baseline, effects=effects, p_value=p_value, ridge=ridge, n=plain.n,
        log_likelihood=plain.log_likelihood + gained, log_likelihood_without=plain.log_likelihood,
        gradient_norm=found.gradient_norm, converged=found.converged, rare=rare, notes=tuple(notes),
    )  # fmt: skip


def _design(
    told: Mapping[str, Any],
) -> tuple[dict[str, str], list[tuple[str, str]], Floats, dict[str, tuple[str, ...]]]:
    """Give the baseline of each covariate, the other levels, 0/1 per customer and such level, and the rare ones."""
    baseline, names, marks, few = {}, [], [], {}
    for covariate, values in told.items():
        levels, counts = np.unique(values[values != ""], return_counts=True)
        common = levels[np.argsort(-counts, kind="stable")].tolist()
        baseline[covariate] = common[0] if common else ""
        rest = set(common[MOST_LEVELS:])
        if rest:
            few[covariate] = tuple(sorted(rest))
        shown = np.array([RARE if one in rest else one for one in values.tolist()])
        for level in dict.fromkeys([*common[1:MOST_LEVELS], *([RARE] if rest else [])]):
            if level != baseline[covariate]:
                names.append((covariate, level))
                marks.append((shown == level).astype(np.float64))
    size = next(iter(told.values())).size
    return baseline, names, np.stack(marks, axis=1) if marks else np.zeros((size, 0)), few


def _groups(plain: AnyFit, history: History, design: Floats, scale: float) -> list[_Group]:
    rows, where = np.unique(design, axis=0, return_inverse=True)
    groups = []
    for number, z in enumerate(rows):
        inside = np.flatnonzero(where.reshape(-1) == number)
        some = History(history.frequency[inside], history.recency[inside], history.T[inside])
        groups.append(_Group(_likelihood(plain, collapse(some), scale), float(inside.size), z))
    return groups


def _likelihood(plain: AnyFit, distinct: Distinct, scale: float) -> Curved:
    k = getattr(plain, "k", None)
    at_first = bool(getattr(plain, "at_first", False))
    if k is not None:
        return CNBDLikelihood(distinct, k=k, at_first=at_first, scale=scale)
    ends = ParetoEnds() if "beta" in plain.params else DropoutEnds(at_first=at_first)
    return Likelihood(ends, distinct, scale=scale)


def _search(groups: list[_Group], used: Floats, start: Floats, ridge: float) -> tuple[_Penalised, Optimum]:
    objective = _Penalised(groups, used, ridge)
    high = np.concatenate([np.full(4, _BOUND), np.full(2 * objective.size, _LARGEST)])
    begin = np.concatenate([start, np.zeros(2 * objective.size)])
    return objective, newton(objective, [begin], -high, high)


def _chance(gain: float, degrees: int) -> float:
    from scipy.special import gammaincc

    return float(gammaincc(degrees / 2.0, max(gain, 0.0)))
