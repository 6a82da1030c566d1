"""Which model to trust: one test inside the past, and the simpler wins unless it is clearly worse.

The last quarter of a year (or a quarter of the history where that is shorter) is set aside. Each candidate
is fitted to what lies before and predicts each customer's purchases within it. Candidates are ordered by
simplicity: the rule, MBG/NBD, BG/NBD. (The two models have as many parameters; MBG/NBD goes first since its
P(alive) also holds for one-time buyers.) A later one replaces the choice so far only if its loss, ln RMSE +
ln MAE, is lower by 1 % and more in at least 84 % of bootstrap samples of customers (about one standard
error, as in Breiman et al., 1984). Both errors count, for a few wholesalers decide RMSE and MAE alone
rewards predicting 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.bgnbd import BGNBD
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.mbgnbd import MBGNBD
from shopkeeper.predict.value.model import OrderModel
from shopkeeper.predict.value.repeat_rate import RepeatRate
from shopkeeper.predict.value.summary import DAYS_PER_UNIT, PurchaseDays, Summary, summarise_days

CANDIDATES = (RepeatRate.name, "MBG/NBD", "BG/NBD")
_QUARTER_DAYS = 91
_SHARE = 0.25
_BLOCKS = 1000
_SAMPLES = 400
_CLEARLY = 0.84
_WORTH_IT = 0.01
_MIN_CUSTOMERS = 30


class ScoreCard(msgspec.Struct, frozen=True, kw_only=True):
    """How one candidate did on the purchases set aside.

    Attributes:
        name: of the candidate.
        mae: mean absolute error, purchases per customer.
        rmse: root of the mean squared error, purchases per customer.
        bias: mean of predicted minus actual.
        spearman: rank correlation of predicted and actual.
        top_decile: share of the actual purchases made by the tenth of customers ranked highest.
        beats_simpler: share of bootstrap samples in which its loss was 1 % lower or better than that of the
        choice
            among the simpler ones (1 for the first).
        picked: whether it is the choice.
    """

    name: str
    mae: float
    rmse: float
    bias: float
    spearman: float
    top_decile: float
    beats_simpler: float
    picked: bool


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The pick and the score cards behind it; ``window_days`` is 0 where no test was possible."""

    pick: str
    cards: tuple[ScoreCard, ...]
    window_days: int
    n: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holdout:
    """Histories up to a day and the purchases of the same customers in the days after it."""

    before: Summary
    actual: Floats
    window: float


def model(name: str, history: Summary) -> OrderModel:
    """Give the candidate of that name, fitted to ``history``."""
    data = {"frequency": history.frequency, "recency": history.recency, "T": history.T}
    if name == RepeatRate.name:
        return RepeatRate(observed=float(history.T.max()) if len(history.T) else 0.0)
    if name == "MBG/NBD":
        return MBGNBD().fit(**data)
    if name == "BG/NBD":
        return BGNBD().fit(**data)
    raise InvalidInput(f"unknown model {name!r}", hint=f"Known: {', '.join(CANDIDATES)}")


def hold_out(days: PurchaseDays, *, end_day: int, window_days: int, unit: str = "W") -> Holdout:
    """Set the ``window_days`` up to ``end_day`` (days since 1970-01-01) aside."""
    cut = end_day - window_days
    before = summarise_days(days, end=np.datetime64(cut, "D"), unit=unit)
    later = days.code[(days.day > cut) & (days.day <= end_day)]
    counts = np.bincount(later, minlength=len(days.customers))
    known = np.unique(days.code[days.day <= cut])
    return Holdout(before, counts[known].astype(np.float64), window_days / DAYS_PER_UNIT[unit])


def choose(days: PurchaseDays, *, end_day: int, unit: str = "W", seed: int = 20_240_101) -> Choice:
    """Compare the candidates inside the past and pick one; the same data and seed give the same pick."""
    span = end_day - int(days.day.min()) if days.day.size else 0
    window = min(_QUARTER_DAYS, int(span * _SHARE))
    if window >= 1:
        held = hold_out(days, end_day=end_day, window_days=window, unit=unit)
    if window < 1 or len(held.actual) < _MIN_CUSTOMERS or held.actual.sum() == 0:
        note = "too little history for a test inside the past: MBG/NBD is used untested"
        return Choice(pick="MBG/NBD", cards=(), window_days=0, n=0, notes=(note,))
    past = held.before
    predicted = {
        name: model(name, past)
        .future(frequency=past.frequency, recency=past.recency, T=past.T)
        .mean(held.window)
        for name in CANDIDATES
    }
    blocks = np.random.default_rng(seed).integers(0, _BLOCKS, size=len(held.actual))
    draws = np.random.default_rng(seed + 1).multinomial(_BLOCKS, np.full(_BLOCKS, 1 / _BLOCKS), size=_SAMPLES)
    losses = {name: _sampled_losses(predicted[name] - held.actual, blocks, draws) for name in CANDIDATES}
    pick, better = CANDIDATES[0], {CANDIDATES[0]: 1.0}
    for name in CANDIDATES[1:]:
        better[name] = float((losses[name] < losses[pick] - _WORTH_IT).mean())
        if better[name] >= _CLEARLY:
            pick = name
    cards = tuple(
        score(name, predicted[name], held.actual, beats_simpler=better[name], picked=name == pick)
        for name in CANDIDATES
    )
    return Choice(pick=pick, cards=cards, window_days=window, n=len(held.actual))


def score(
    name: str, predicted: Floats, actual: Floats, *, beats_simpler: float = 1.0, picked: bool = False
) -> ScoreCard:
    """Score predictions against what happened.

    >>> score("rule", np.array([1.0, 0.0]), np.array([2.0, 0.0])).mae
    0.5
    """
    error = predicted - actual
    top = np.argsort(-predicted, kind="stable")[: max(1, predicted.size // 10)]
    bought = float(actual.sum())
    return ScoreCard(
        name=name,
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        bias=float(error.mean()),
        spearman=_correlation(_ranks(predicted), _ranks(actual)),
        top_decile=float(actual[top].sum()) / bought if bought else 0.0,
        beats_simpler=beats_simpler,
        picked=picked,
    )


def _sampled_losses(error: Floats, blocks: Ints, draws: Ints) -> Floats:
    """Loss in each bootstrap sample; customers are drawn in random blocks, so that samples cost nothing."""
    size = np.bincount(blocks, minlength=_BLOCKS)
    squared = np.bincount(blocks, weights=error**2, minlength=_BLOCKS)
    absolute = np.bincount(blocks, weights=np.abs(error), minlength=_BLOCKS)
    n = np.maximum(draws @ size, 1)
    tiny = 1e-300
    return np.asarray(0.5 * np.log(draws @ squared / n + tiny) + np.log(draws @ absolute / n + tiny))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, ties share their mean rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[where])


def _correlation(left: Floats, right: Floats) -> float:
    left, right = left - left.mean(), right - right.mean()
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size > 0 else 0.0
