"""How well forecasts did: errors, rank, value captured, each with its uncertainty, and who is clearly better.

Uncertainty is by customer: customers are put into blocks at random, blocks are drawn with replacement, and a customer
is in the same block at every origin and for every candidate, so that comparisons are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats, Ints

BLOCKS = 1000
SAMPLES = 400
CLEARLY = 0.84
"""Share of samples from which on one is clearly worse than another (about one standard error)."""
LEAVES = 0.93
RETURNS = 0.70
"""The same of who was picked before, and of who is simpler than that (see `simplest`)."""
NEAR = 0.005
"""Loss by which who was picked before may be behind however sure that is: half a per cent of error."""
_CAP = 0.995
_TINY = 1e-300
_TAIL = 0.05


class Range(msgspec.Struct, frozen=True):
    """A figure's bootstrap interval of 90 %."""

    low: float
    high: float


class ScoreCard(msgspec.Struct, frozen=True, kw_only=True):
    """How one candidate did on purchases set aside, averaged over the origins.

    Attributes:
        name: of the candidate.
        mae: mean absolute error, purchases per customer.
        rmse: root of the mean squared error, purchases per customer.
        bias: mean of predicted minus actual.
        spearman: rank correlation of predicted and actual.
        top_decile: share of the actual purchases made by the tenth of customers ranked highest (equals share).
        loss: what the choice goes by; see `losses`.
        clearly_worse: share of bootstrap samples in which the best candidate that may be picked had the lower loss.
        picked: whether it is the choice.
        beaten: share of bootstrap samples in which the choice had the lower rmse; None of the choice itself.
        intervals: of mae, rmse, bias, spearman and top_decile.
    """

    name: str
    mae: float
    rmse: float
    bias: float
    spearman: float
    top_decile: float
    loss: float = 0.0
    clearly_worse: float = 0.0
    picked: bool = False
    beaten: float | None = None
    intervals: dict[str, Range] = {}


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Blocks of customers and how often each block is in each sample."""

    block: Ints
    draws: Floats

    @classmethod
    def of(cls, customers: int, seed: int) -> Bootstrap:
        """Draw for so many customers; few customers are blocks of their own."""
        rng = np.random.default_rng(seed)
        count = max(1, min(BLOCKS, customers))
        block = rng.permutation(customers) % count
        draws = rng.multinomial(count, np.full(count, 1.0 / count), size=SAMPLES)
        return cls(block.astype(np.int64), draws.astype(np.float64))

    def sums(self, values: Sequence[Floats], rows: Ints) -> Floats:
        """Sum each of ``values`` (one per customer in ``rows``) in each sample; the last column is everybody once."""
        block, size = self.block[rows], self.draws.shape[1]
        return self.drawn(np.array([np.bincount(block, weights=one, minlength=size) for one in values]))

    def by_group(self, values: Floats, group: Ints, count: int, rows: Ints) -> Floats:
        """Sum ``values`` by block for each of ``count`` groups."""
        size = self.draws.shape[1]
        sums = np.bincount(group * size + self.block[rows], weights=values, minlength=count * size)
        return sums.astype(np.float64, copy=False).reshape(count, size)

    def drawn(self, by_block: Floats) -> Floats:
        """Sum rows of sums by block in each sample: a column per sample, the last one is everybody once."""
        return np.concatenate((by_block @ self.draws.T, by_block.sum(axis=1)[:, None]), axis=1)


@dataclass(frozen=True, slots=True)
class Scored:
    """Figures of one candidate at one origin: an entry per bootstrap sample, the last one is the data as they are."""

    figures: dict[str, Floats]


def scored(predicted: Floats, actual: Floats, rows: Ints, bootstrap: Bootstrap) -> Scored:
    """Score ``predicted`` for customers in ``rows``."""
    error = predicted - actual
    cap = max(1.0, float(np.quantile(actual, _CAP))) if actual.size else 1.0
    capped = np.minimum(predicted, cap) - np.minimum(actual, cap)
    x, y = ranks(predicted) / max(actual.size, 1), ranks(actual) / max(actual.size, 1)
    wanted = (
        np.ones(actual.size), np.abs(error), error, error**2, capped**2, actual, actual * in_top(predicted),
        x, y, x**2, y**2, x * y,
    )  # fmt: skip
    n, *sums = bootstrap.sums(wanted, rows)
    mae, bias, mse, capped_mse, bought, top, *by_rank = (one / np.maximum(n, 1.0) for one in sums)
    return Scored({
        "mae": mae,
        "rmse": np.sqrt(mse),
        "bias": bias,
        "spearman": _rank_correlation(*by_rank),
        "top_decile": np.minimum(top / np.maximum(bought, _TINY), 1.0),
        "loss": 0.25 * np.log(mse + _TINY) + 0.25 * np.log(capped_mse + _TINY),
    })  # fmt: skip


def card(
    name: str,
    at: Sequence[Scored],
    *,
    clearly_worse: float = 0.0,
    picked: bool = False,
    beaten: float | None = None,
) -> ScoreCard:
    """Average one candidate's figures over origins."""
    mean = {figure: np.mean([one.figures[figure] for one in at], axis=0) for figure in at[0].figures}
    low, high = (
        {k: float(np.quantile(v[:-1], q)) for k, v in mean.items() if k != "loss"}
        for q in (_TAIL, 1.0 - _TAIL)
    )
    figures = {figure: float(values[-1]) for figure, values in mean.items()}
    return ScoreCard(
        name=name,
        mae=figures["mae"], rmse=figures["rmse"], bias=figures["bias"], spearman=figures["spearman"],
        top_decile=figures["top_decile"], loss=figures["loss"], clearly_worse=clearly_worse, picked=picked,
        beaten=beaten, intervals={k: Range(low[k], high[k]) for k in low},
    )  # fmt: skip


def beaten(choice: Sequence[Scored], other: Sequence[Scored]) -> float:
    """Give the share of bootstrap samples in which the choice had the lower rmse; equals share."""
    own, against = (np.mean([one.figures["rmse"][:-1] for one in at], axis=0) for at in (choice, other))
    return float((own < against).mean() + (own == against).mean() / 2)


def score(name: str, predicted: Floats, actual: Floats) -> ScoreCard:
    """Score predictions against what happened, once.

    >>> score("rule", np.array([1.0, 0.0]), np.array([2.0, 0.0])).mae
    0.5
    """
    bootstrap = Bootstrap.of(actual.size, seed=0)
    return card(name, [scored(predicted, actual, np.arange(actual.size), bootstrap)])


def in_top(predicted: Floats, share: float = 0.1) -> Floats:
    """Give each customer's chance to be among the top tenth by prediction: 1 or 0, equals at the edge share.

    >>> in_top(np.array([3.0, 1.0, 1.0, 0.0]), share=0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    places = max(1.0, np.floor(predicted.size * share))
    if predicted.size <= places:
        return np.ones(predicted.size)
    edge = np.partition(predicted, predicted.size - int(places))[predicted.size - int(places)]
    above, at = predicted > edge, predicted == edge
    return np.where(above, 1.0, np.where(at, (places - above.sum()) / at.sum(), 0.0))


def ranks(values: Floats) -> Floats:
    """Give ranks from 1; ties share their mean rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[where])


def simplest(
    losses: Sequence[Floats], among: Ints | None = None, before: int | None = None
) -> tuple[int, Floats]:
    """Give the place of the simplest candidate that is not clearly worse than the best, and how often each is worse.

    ``losses`` are in order of simplicity, an entry per bootstrap sample and the data as they are last. Clearly is: in
    84 % of samples (about one standard error; Breiman, Friedman, Olshen and Stone, 1984). ``among`` holds the places
    that may be chosen (default: all). Who was picked ``before`` stays within a band around that line: until worse than
    the best in 93 % of samples and by half a per cent, or until a simpler one is worse in less than 70 %. Samples are
    of customers, while the days on which entries are tested move from week to week: what is sure of these customers by
    a hair may turn with the days.
    """
    places = range(len(losses)) if among is None else among.tolist()
    best = min(places, key=lambda place: float(losses[place][-1]))
    worse = np.array([float((losses[best][:-1] < one[:-1]).mean()) for one in losses])
    stays = (
        before is not None
        and before in places
        and (worse[before] < LEAVES or losses[before][-1] - losses[best][-1] < NEAR)
    )
    for place in places:
        if stays and place == before:
            return place, worse
        if place == best or worse[place] < (RETURNS if stays else CLEARLY):
            return place, worse
    return best, worse


def _rank_correlation(x: Floats, y: Floats, x2: Floats, y2: Floats, xy: Floats) -> Floats:
    """Spearman's correlation in each sample, of the means of ranks among all customers, their squares and products."""
    spread = np.sqrt(np.maximum((x2 - x**2) * (y2 - y**2), 0.0))
    return np.where(spread > 1e-12, (xy - x * y) / np.maximum(spread, 1e-12), 0.0)
