"""Money in the window: orders foretold x Gamma-Gamma, beside the rules on the same origins as the orders.

Amounts are what the caller gave: contribution margin where cost is known, net of returns. A day on which more came
back than was bought counts as a loss, not as 0, in what is foretold and in what it is compared with.

Entries, from the simplest: the last period comes again; repeat rate x own mean; orders foretold x Gamma-Gamma (fitted
behind a fence, so that a few wholesalers do not decide it); the mean of the last two, which is there because each
errs where the other does not: the rule is blind to dropout, the model to customers who buy more and more. Of those who
bought once the rule knows nothing, so their mean is the model's figure.

What is used is orders x Gamma-Gamma: the value of a customer has to agree with the orders and the P(alive) beside it
and to grow with the horizon, which no rule's does. Where another did better on the past, ``best`` names it, and the
forecast says so. Who is clearly wrong about a group of frequency cannot be it (`bias`): the rule gives all one-time
buyers 0. The loss is ln MAE, less ln of the share of value captured in the top tenth by forecast, plus a quarter of
the error of the totals of the groups, relative to all: MAE alone rewards forecasts of 0, and a table whose total is a
third short misleads the business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from shopkeeper.predict.value.bias import allowed, bias_by_group, clearly_biased
from shopkeeper.predict.value.calibration import Case, Learned
from shopkeeper.predict.value.gammagamma import GammaGamma, GammaGammaFit
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.interval import Coverage, Group, centre, group_of
from shopkeeper.predict.value.level import Level
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import WEEK, Held, Known
from shopkeeper.predict.value.score import Bootstrap, Range, in_top, ranks, simplest
from shopkeeper.predict.value.worth import UnsureWorth, Worth, learn_worth, worth, worth_coverage

LAST_PERIOD = "last period = next period"
OWN_RATE = "repeat rate x own mean"
MODEL = "orders x Gamma-Gamma"
MEAN = "mean of rate and model"
_TOTAL = 0.25
_TINY = 1e-9
_TAIL = 0.05


class SpendCard(msgspec.Struct, frozen=True, kw_only=True):
    """How one way to foretell money did, averaged over the origins; amounts per customer in the currency given.

    Attributes:
        name: of the entry.
        mae: mean absolute error.
        rmse: root of the mean squared error.
        bias: mean of predicted minus actual.
        spearman: rank correlation of predicted and actual.
        value_captured: share of the actual money that came from the tenth of customers ranked highest.
        loss: what the choice goes by (see the module).
        clearly_worse: share of bootstrap samples in which the best entry had the lower loss.
        picked: whether it is what is used.
        intervals: of mae, rmse, bias and value_captured.
        wrong_about: groups of frequency to which it gave less than half or more than twice (see `bias`).
    """

    name: str
    mae: float
    rmse: float
    bias: float
    spearman: float
    value_captured: float
    loss: float
    clearly_worse: float = 0.0
    picked: bool = False
    intervals: dict[str, Range] = {}
    wrong_about: tuple[str, ...] = ()


class SpendChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What is used, what did best, the cards from the simplest entry, what was learned of worth by frequency.

    ``coverage`` is that of ranges of 80 % at the latest origin, by what was learned at the earlier ones.
    """

    pick: str
    cards: tuple[SpendCard, ...]
    best: str = MODEL
    groups: tuple[Group, ...] = ()
    coverage: tuple[Coverage, ...] = ()


@dataclass(frozen=True, slots=True)
class Spend:
    """What money is foretold from: what is known, orders per customer within ``window`` weeks, amounts."""

    known: Known
    orders: Floats
    window: float
    amounts: GammaGammaFit

    @property
    def per_order(self) -> Floats:
        """Expected amount of an order of each customer."""
        past = self.known.past
        return self.amounts.expected_average(frequency=past.frequency + 1.0, monetary=past.mean_amount)


def fit_amounts(known: Known) -> GammaGammaFit:
    """Fit the amounts to all purchases, the first too: it is all that is known of a one-time buyer's size."""
    past = known.past
    fit: GammaGammaFit = known.fitted(
        MODEL, lambda: GammaGamma().fit(frequency=past.frequency + 1.0, monetary=past.mean_amount)
    )
    return fit


def _last_period(spend: Spend) -> Floats:
    known = spend.known
    period = min(spend.window, known.span + 1.0 / WEEK)
    money = known.money(after=known.end_day - round(period * WEEK), until=known.end_day)
    return money * (spend.window / max(period, 1.0 / WEEK))


def _own_rate(spend: Spend) -> Floats:
    past = spend.known.past
    share = spend.window / spend.known.span if spend.known.span > 0 else 0.0
    return past.frequency * share * past.mean_amount


def _model(spend: Spend) -> Floats:
    return spend.orders * spend.per_order


def _mean(spend: Spend) -> Floats:
    again = spend.known.past.frequency > 0
    return np.where(again, (_own_rate(spend) + _model(spend)) / 2.0, _model(spend))


SPENDS: dict[str, Callable[[Spend], Floats]] = {
    LAST_PERIOD: _last_period,
    OWN_RATE: _own_rate,
    MODEL: _model,
    MEAN: _mean,
}
"""Ways to foretell money, from the simplest."""


def choose_spend(
    held: Sequence[Held], cases: Sequence[Case], learned: Learned, bootstrap: Bootstrap
) -> SpendChoice:
    """Choose by what came at the origins (the latest first), given the forecasts of orders there."""
    spends = [
        Spend(one.known, case.future.mean(one.window), one.window, fit_amounts(one.known))
        for one, case in zip(held, cases, strict=True)
    ]
    foretold = {name: [way(spend) for spend in spends] for name, way in SPENDS.items()}
    figures = {
        name: [spend_figures(mean, one, bootstrap) for mean, one in zip(means, held, strict=True)]
        for name, means in foretold.items()
    }
    losses = [np.mean([at["loss"] for at in own], axis=0) for own in figures.values()]
    biased = [
        clearly_biased(means, [one.money for one in held], held, bootstrap) for means in foretold.values()
    ]
    place, worse = simplest(losses, allowed(biased))
    cards = tuple(
        msgspec.structs.replace(
            spend_card(name, own, clearly_worse=float(worse[at]), picked=name == MODEL),
            wrong_about=biased[at],
        )
        for at, (name, own) in enumerate(figures.items())
    )
    worths = [
        worth_of(spend, case.shaped(learned.groups), spend.window * case.level)
        for spend, case in zip(spends, cases, strict=True)
    ]
    came, frequency = [one.money for one in held], [one.known.past.frequency for one in held]
    coverage: tuple[Coverage, ...] = ()
    if len(held) > 1:
        before = learn_worth(worths[1:], came[1:], frequency[1:])
        latest = unsure_worth(spends[0], cases[0].shaped(learned.groups), learned.level, before)
        coverage = worth_coverage(latest, came[0])
    groups = learn_worth(worths, came, frequency)
    return SpendChoice(pick=MODEL, best=cards[place].name, cards=cards, groups=groups, coverage=coverage)


def worth_of(spend: Spend, future: Future, t: float, factor: Floats | float = 1.0) -> Worth:
    """Give the distribution of worth within ``t``; ``factor`` is the mean discount."""
    return worth(
        some=future.at_least(1.0, t),
        number=centre(future, t),
        square=future.square(t),
        per_order=spend.per_order,
        orders_seen=spend.known.past.frequency + 1.0,
        amounts=spend.amounts,
        factor=factor,
    )


def unsure_worth(spend: Spend, future: Future, level: Level, learned: Sequence[Group]) -> UnsureWorth:
    """Give the distribution of undiscounted worth in the window, at a level to come; ``future`` is not corrected."""
    group = group_of(spend.known.past.frequency, [one.first for one in learned])
    at_level = [worth_of(spend, future, spend.window * factor) for factor in level.factors]
    return UnsureWorth(at_level, group, learned)


def spend_figures(predicted: Floats, held: Held, bootstrap: Bootstrap) -> dict[str, Floats]:
    """Score money foretold: an entry per bootstrap sample, the data as they are last."""
    actual, rows = held.money, held.known.rows
    error = predicted - actual

    def mean(values: Floats) -> Floats:
        return bootstrap.sums(values, rows) / n

    n = np.maximum(bootstrap.sums(np.ones(actual.size), rows), 1.0)
    came, mae, bias = mean(actual), mean(np.abs(error)), mean(error)
    size = np.maximum(mean(np.abs(actual)), _TINY)
    by_group = bias_by_group(predicted, actual, held, bootstrap) / n
    captured = np.clip(mean(actual * in_top(predicted)) / np.where(came > 0, came, np.inf), 0.0, 1.0)
    left, right = ranks(predicted), ranks(actual)
    varied = left.std() * right.std()
    rank = float(((left - left.mean()) * (right - right.mean())).mean() / varied) if varied > 0 else 0.0
    return {
        "mae": mae,
        "rmse": np.sqrt(mean(error**2)),
        "bias": bias,
        "spearman": np.full(n.shape, rank),
        "value_captured": captured,
        "loss": np.log(mae + _TINY) - np.log(captured + 0.01) + _TOTAL * by_group / size,
    }


def spend_card(
    name: str, at: Sequence[dict[str, Floats]], *, clearly_worse: float = 0.0, picked: bool = False
) -> SpendCard:
    """Average one entry's figures over origins."""
    mean = {figure: np.mean([one[figure] for one in at], axis=0) for figure in at[0]}
    intervals = {
        figure: Range(*np.quantile(mean[figure][:-1], (_TAIL, 1.0 - _TAIL)).tolist())
        for figure in ("mae", "rmse", "bias", "value_captured")
    }
    figures = {figure: float(values[-1]) for figure, values in mean.items()}
    return SpendCard(
        name=name, mae=figures["mae"], rmse=figures["rmse"], bias=figures["bias"], spearman=figures["spearman"],
        value_captured=figures["value_captured"], loss=figures["loss"], clearly_worse=clearly_worse,
        picked=picked, intervals=intervals,
    )  # fmt: skip
