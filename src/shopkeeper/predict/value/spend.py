"""Money in the window: orders foretold x the amount expected of an order, beside rules on the origins of the orders.

Amounts are what the caller gave: contribution margin where cost is known, net of returns. A day on which more came
back than was bought counts as a loss, not as 0, in what is foretold and in what it is compared with.

Entries, from the simplest: the last period comes again; repeat rate x own mean; orders foretold x Gamma-Gamma (fitted
behind a fence, so that a few wholesalers do not decide it); the same with Gamma-Gamma by each order, in which amounts
may go with how often a customer orders (`eachorder`); the mean of rate and model, which is there because each errs
where the other does not: the rule is blind to dropout, the model to customers who buy more and more. Of those who
bought once the rule knows nothing, so their mean is the model's figure.

What is used is orders x an expected amount: the value of a customer has to agree with the orders and the P(alive)
beside it and to grow with the horizon, which no rule's does. Of the two forms of amounts the one by order is used
unless the one of means did clearly better on the past's money: every amount speaks there, and where amounts and
frequency are unrelated it has as few parameters. Where a rule or the mean did better on the past, ``best`` names it,
and the forecast says so. Who is clearly wrong about a group of frequency cannot be it (`bias`): the rule gives all
one-time buyers 0. The loss is ln MAE, less ln of the share of value captured in the top tenth by forecast, plus a
quarter of the error of the totals of the groups, relative to all: MAE alone rewards forecasts of 0, and a table whose
total is a third short misleads the business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from shopkeeper.predict.value.bias import allowed, bias_by_group, clearly_biased
from shopkeeper.predict.value.calibration import Case, Learned, windows_of
from shopkeeper.predict.value.follow import following, learn_power
from shopkeeper.predict.value.gammagamma import GammaGamma, GammaGammaFit
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.interval import Coverage, Group, centre, group_of, groups
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import WEEK, Held, Known
from shopkeeper.predict.value.score import Bootstrap, Range, in_top, ranks, simplest
from shopkeeper.predict.value.worth import UnsureWorth, Worth, learn_worth, worth, worth_coverage

LAST_PERIOD = "last period = next period"
OWN_RATE = "repeat rate x own mean"
MODEL = "orders x Gamma-Gamma"
BY_ORDER = "orders x Gamma-Gamma by order"
MEAN = "mean of rate and model"
_TOTAL = 0.25
_TINY = 1e-9
_TAIL = 0.05
FORMS = (BY_ORDER, MODEL)
"""Of amounts: the first is used unless the other did clearly better."""


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
    """What money is foretold from: what is known, orders per customer within ``window`` weeks, the form of amounts."""

    known: Known
    orders: Floats
    window: float
    form: str = MODEL

    @property
    def amounts(self) -> GammaGammaFit:
        """The amounts in that form."""
        return fit_amounts(self.known, self.form)

    @property
    def per_order(self) -> Floats:
        """Expected amount of an order of each customer."""
        past = self.known.past
        return self.amounts.expected_average(frequency=past.frequency + 1.0, monetary=past.mean_amount)

    def by(self, form: str) -> Spend:
        """Give the same with amounts in another form."""
        return replace(self, form=form)


def fit_amounts(known: Known, form: str = MODEL) -> GammaGammaFit:
    """Fit the amounts to all purchases, the first too: it is all that is known of a one-time buyer's size.

    By order only amounts above 0 can be told, so what losses took of all of them is taken off the scale. Where there
    are none, or the form is another version's, it is the fit of means.
    """
    past = known.past
    seen = {"frequency": past.frequency + 1.0, "monetary": past.mean_amount}
    if form == BY_ORDER:
        fit: GammaGammaFit = known.fitted(
            BY_ORDER,
            lambda: GammaGamma().fit(**seen, log_amounts=past.log_amounts).less(_left(known.days.amount)),
        )
        if fit.n:
            return fit
    means: GammaGammaFit = known.fitted(MODEL, lambda: GammaGamma().fit(**seen))
    return means


def _left(amount: Floats) -> float:
    """Give the share of all gains that losses left."""
    gains = float(amount[amount > 0].sum())
    return float(np.clip(amount.sum() / gains, 0.0, 1.0)) if gains > 0 else 1.0


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
    return spend.orders * spend.by(MODEL).per_order


def _by_order(spend: Spend) -> Floats:
    return spend.orders * spend.by(BY_ORDER).per_order


def _mean(spend: Spend) -> Floats:
    again, model = spend.known.past.frequency > 0, _model(spend)
    return np.where(again, (_own_rate(spend) + model) / 2.0, model)


SPENDS: dict[str, Callable[[Spend], Floats]] = {
    LAST_PERIOD: _last_period,
    OWN_RATE: _own_rate,
    MODEL: _model,
    BY_ORDER: _by_order,
    MEAN: _mean,
}
"""Ways to foretell money, from the simplest."""


def choose_spend(
    held: Sequence[Held], cases: Sequence[Case], learned: Learned, bootstrap: Bootstrap, used: str = ""
) -> SpendChoice:
    """Choose by what came at the origins (the latest first), given the forecasts of orders there.

    The form of amounts ``used`` before stays within a band around the noise.
    """
    spends = [
        Spend(one.known, case.future.mean(one.window), one.window)
        for one, case in zip(held, cases, strict=True)
    ]
    foretold = {name: [way(spend) for spend in spends] for name, way in SPENDS.items()}
    figures = {
        name: [spend_figures(mean, one, bootstrap) for mean, one in zip(means, held, strict=True)]
        for name, means in foretold.items()
    }
    losses = {name: np.mean([at["loss"] for at in own], axis=0) for name, own in figures.items()}
    came = [one.money for one in held]
    biased = {name: clearly_biased(means, came, held, bootstrap) for name, means in foretold.items()}

    def contest(names: Sequence[str], before: str = "") -> tuple[str, dict[str, float]]:
        place, worse = simplest(
            [losses[name] for name in names],
            allowed([biased[name] for name in names]),
            names.index(before) if before in names else None,
        )
        return names[place], dict(zip(names, worse.tolist(), strict=True))

    pick, _ = contest(FORMS, used)
    _, worse = contest(list(SPENDS))
    best, _ = contest([name for name in SPENDS if name == pick or name not in FORMS])
    cards = tuple(
        msgspec.structs.replace(
            spend_card(name, own, clearly_worse=worse[name], picked=name == pick), wrong_about=biased[name]
        )
        for name, own in figures.items()
    )
    spends = [spend.by(pick) for spend in spends]
    firsts = tuple(group.first for group in learned.groups)
    worths = [
        worth_of(spend, case.shaped(learned.groups), case.at_level(firsts))
        for spend, case in zip(spends, cases, strict=True)
    ]
    power = _power(spends, cases, came)

    def groups_since(since: int) -> tuple[Group, ...]:
        """Learn from the origins since one of them, which has groups of its own: customers move up with time."""
        frequency = [case.frequency for case in cases[since:]]
        own = [case.own_levels(groups(frequency[0])) for case in cases[since:]]
        return learn_worth(worths[since:], came[since:], frequency, power, np.mean(own, axis=0))

    coverage: tuple[Coverage, ...] = ()
    if len(held) > 1:
        before = groups_since(1)
        latest = unsure_worth(spends[0], cases[0].shaped(learned.groups), learned, before)
        coverage = worth_coverage(latest, came[0])
    return SpendChoice(pick=pick, best=best, cards=cards, groups=groups_since(0), coverage=coverage)


def _power(spends: Sequence[Spend], cases: Sequence[Case], came: Sequence[Floats]) -> float:
    """Learn by which power amounts followed the level of orders; what is usual where none or losses came."""
    due = [float(case.orders @ spend.per_order) for spend, case in zip(spends, cases, strict=True)]
    got = [float(money.sum()) for money in came]
    if min(*due, *got) <= 0:
        return learn_power([0.0], [0.0], 1.0)
    amounts = [float(np.log(one / other)) for one, other in zip(got, due, strict=True)]
    return learn_power([float(np.log(case.level)) for case in cases], amounts, windows_of(cases))


def amounts_note(pick: str, amounts: GammaGammaFit) -> str:
    """Say in one sentence how the amount of an order is foretold, and why so."""
    if not amounts.by_order:
        why = (
            ", which did clearly better on the past's money than each order by itself"
            if pick == MODEL
            else ""
        )
        return f"the amount of an order is from customers' means{why}"
    if not amounts.beta:
        return "the amount of an order is from each order; it is unrelated to how often customers order"
    more = abs(10.0**amounts.beta - 1.0)
    sign = "more" if amounts.beta > 0 else "less"
    return (
        "the amount of an order is from each order and from how often customers order: "
        f"ten times as often goes with {more:.0%} {sign} an order"
    )


def worth_of(spend: Spend, future: Future, t: float | Floats, factor: Floats | float = 1.0) -> Worth:
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


def unsure_worth(spend: Spend, future: Future, orders: Learned, learned: Sequence[Group]) -> UnsureWorth:
    """Give the distribution of undiscounted worth in the window, at the levels to come that were learned of orders.

    ``future`` is not corrected; ``learned`` is of worth.
    """
    frequency = spend.known.past.frequency
    group = group_of(frequency, [one.first for one in learned])
    at_level = [worth_of(spend, future, t) for t in orders.times(spend.window, frequency)]
    at_level = following(at_level, orders.shared(spend.window, frequency), group, learned)
    return UnsureWorth(at_level, group, learned)


def spend_figures(predicted: Floats, held: Held, bootstrap: Bootstrap) -> dict[str, Floats]:
    """Score money foretold: an entry per bootstrap sample, the data as they are last."""
    actual, rows = held.money, held.known.rows
    error = predicted - actual
    wanted = (
        np.ones(actual.size), actual, np.abs(actual), np.abs(error), error, error**2,
        actual * in_top(predicted),
    )  # fmt: skip
    n, *sums = bootstrap.sums(wanted, rows)
    n = np.maximum(n, 1.0)
    came, size, mae, bias, mse, top = (one / n for one in sums)
    by_group = bias_by_group(predicted, actual, held, bootstrap) / n
    captured = np.clip(top / np.where(came > 0, came, np.inf), 0.0, 1.0)
    left, right = ranks(predicted), ranks(actual)
    varied = left.std() * right.std()
    rank = float(((left - left.mean()) * (right - right.mean())).mean() / varied) if varied > 0 else 0.0
    return {
        "mae": mae,
        "rmse": np.sqrt(mse),
        "bias": bias,
        "spearman": np.full(n.shape, rank),
        "value_captured": captured,
        "loss": np.log(mae + _TINY) - np.log(captured + 0.01) + _TOTAL * by_group / np.maximum(size, _TINY),
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
