"""What every customer is expected to order and to be worth within a horizon, with a range and the evidence.

`forecast` takes a log of orders, holds the tournament inside the past (`choose`), fits the winner and the amounts to
everybody, and projects. `project` does the last step with models at hand. How the figures come about:

* ``expected_orders`` is the mean of the winner; its range are quantiles of the predictive distribution of the number of
  orders (not of the parameters, which are taken as known), at the levels that held at the origins (`interval`).
* ``clv`` is what is still to come within the horizon, net of what ``margin`` was net of, discounted continuously at the
  moment it is expected: expected discounted orders times the expected margin per order, in the form of amounts
  that `spend` chose; it also says how that did on the past's money, beside the rules.
* Its range is that of number and amounts (`worth`), at the levels that held at the origins.
* ``p_alive`` is from the winner, or from the simplest model in the tournament that knows dropout, does not take every
  one-time buyer as alive, as BG/NBD does, and is not clearly worse than the best of these: who is alive must not turn
  with every tournament because two models are equally good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value import stray
from shopkeeper.predict.value.calibration import Learned
from shopkeeper.predict.value.candidates import LIVING, TELLING, Fitted
from shopkeeper.predict.value.choose import Choice, choose
from shopkeeper.predict.value.discount import Discount, per_year
from shopkeeper.predict.value.field import fit_entry, untested
from shopkeeper.predict.value.follow import following
from shopkeeper.predict.value.gammagamma import GammaGammaFit
from shopkeeper.predict.value.history import Floats, Ints, checked, collapse, column
from shopkeeper.predict.value.interval import Group, bounds, centre, group_of, shaped
from shopkeeper.predict.value.model import Future, OrderFit, OrderModel
from shopkeeper.predict.value.orders import from_table
from shopkeeper.predict.value.origin import Features, Known, Shared, believable
from shopkeeper.predict.value.seasonal import SeasonalFit
from shopkeeper.predict.value.spend import FORMS, MODEL, amounts_note, fit_amounts
from shopkeeper.predict.value.summary import day_in, last_day, purchase_days_of, time_until
from shopkeeper.predict.value.worth import UnsureWorth, Worth, worth

if TYPE_CHECKING:
    import pyarrow as pa

WEEKS_PER_YEAR = 365.25 / 7
UNTAUGHT = Learned()


@dataclass(frozen=True, slots=True)
class Projection:
    """Per customer, within the horizon. ``low`` and ``high`` bound a predictive range of the stated level."""

    expected_orders: Floats
    orders_low: Floats
    orders_high: Floats
    p_alive: Floats
    margin_per_order: Floats
    clv: Floats
    clv_low: Floats
    clv_high: Floats


@dataclass(frozen=True, slots=True, repr=False)
class Forecast:
    """A projection with its customers, the models used and how they were chosen."""

    customer: NDArray[Any]
    projection: Projection
    horizon: float
    discount: float
    level: float
    end: np.datetime64
    choice: Choice
    orders: Any
    alive: OrderFit | SeasonalFit
    amounts: GammaGammaFit
    future: Future
    """Of the customers, at the level foretold: how far all of them may be off together is ``choice.learned.level``."""
    orders_seen: Floats
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Say of how many customers it is, how far ahead, and by which model."""
        return (
            f"<Forecast: {self.customer.size:,} customers, {self.horizon:g} weeks from {self.end} "
            f"by {self.choice.pick}>"
        )

    def table(self) -> pa.Table:
        """Give the projection as an Arrow table, a row per customer: ``foreseen.table().to_pandas()``."""
        import pyarrow as pa

        columns = {field.name: getattr(self.projection, field.name) for field in fields(self.projection)}
        told = {
            "end": str(self.end), "horizon_weeks": f"{self.horizon:g}", "discount": f"{self.discount:g}",
            "level": f"{self.level:g}", "model": self.choice.pick,
        }  # fmt: skip
        return pa.table({"customer": self.customer, **columns}).replace_schema_metadata(told)


def forecast(
    orders: Any = None,
    *,
    customer: Any = None,
    occurred_at: Any = None,
    margin: Any = None,
    order: Any = None,
    time_zone: str | None = None,
    duplicates: str = "refuse",
    end: Any = None,
    horizon: float = 52.0,
    until: Any = None,
    discount: float | Discount = 0.10,
    level: float = 0.9,
    returns: str = "keep",
    features: Features | None = None,
    choice: Choice | None = None,
    incumbent: Choice | None = None,
) -> Forecast:
    """Forecast every customer from the log of orders.

    Args:
        orders: a data frame, whose columns the next four name (see `summarise`); without it they are arrays.
        customer: who ordered, one entry per order.
        occurred_at: when, in local time of the shop.
        margin: contribution margin of the order (net of returns, discounts and product cost); revenue only where cost
            is not known.
        order: order ids; only used to find repeated ones.
        time_zone: of the shop, needed where times come in more than one zone.
        duplicates: what a repeated order id is (see `summarise`).
        end: last day observed (default: day of the latest order that is not years after all others).
        horizon: weeks ahead.
        until: last day of the horizon, instead of ``horizon``.
        discount: per year, as a share; or a `Discount` with its period.
        level: of the predictive ranges.
        returns: what a negative margin is: ``keep`` an order at a loss, ``net`` a return (see `summarise`).
        features: gives what else is known of customers at the end of a day, for the learner (default: what the orders
            say).
        choice: of an earlier call, to be used instead of a new tournament.
        incumbent: of an earlier call, for a new tournament: what was used then stays unless others are clearly better.

    Raises:
        InvalidInput: an order that cannot be used (says which), or a horizon, discount or level out of range.
    """
    yearly = per_year(discount)
    _check_terms(horizon, level)
    given = {"customer": customer, "occurred_at": occurred_at, "amount": margin, "order": order}
    given = given if orders is None else from_table(orders, given)
    if given["amount"] is None:
        raise InvalidInput(
            "no margin was given", hint="give the margin of each order: margin='...' with a data frame"
        )
    how = {"time_zone": time_zone, "returns": returns, "duplicates": duplicates}
    end = day_in(time_zone, end)
    days = purchase_days_of(None, given, end=end, **how)
    last = _last_day(days.day, end)
    if until is not None:
        horizon = time_until(last, "W", day_in(time_zone, until, "until"))
        _check_terms(horizon, level)
    days, strange = believable(days, last)
    known = Known(days, last, features)
    made = choice or choose(
        days, end_day=known.end_day, horizon=horizon, features=features, incumbent=incumbent
    )
    fitted = fit_entry(made.pick, known, horizon)
    living = fitted if fitted.name in TELLING else _living(made, known, horizon)
    past, amounts = known.past, fit_amounts(known, MODEL if made.spend is None else made.spend.pick)
    own = fitted.future if fitted.exact else shaped(fitted.future, past.frequency, made.learned.groups)
    terms = Terms(horizon, yearly, level, made.learned, () if made.spend is None else made.spend.groups)
    projection = _outlook(
        own, frequency=past.frequency, p_alive=_alive(living.orders, known), margin=past.mean_amount,
        margin_count=past.frequency + 1.0, amounts=amounts, terms=terms,
    )  # fmt: skip
    return Forecast(
        customer=past.customer,
        projection=projection,
        horizon=horizon,
        discount=yearly,
        level=level,
        end=past.end,
        choice=made,
        orders=fitted.orders,
        alive=living.orders,
        amounts=amounts,
        future=own,
        orders_seen=past.frequency + 1.0,
        notes=(
            *_notes(made, fitted, living, amounts, days.day.size - known.days.day.size, past.end),
            *strange,
        ),
    )


def project(
    *,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    margin: ArrayLike,
    margin_count: ArrayLike,
    orders: OrderModel,
    alive: OrderFit,
    amounts: GammaGammaFit,
    horizon: float = 52.0,
    discount: float | Discount = 0.10,
    level: float = 0.9,
) -> Projection:
    """Project customers with these histories (in weeks) with models already fitted.

    ``margin`` is the mean margin of ``margin_count`` orders of the customer. The work is done per distinct
    history. ``discount`` is per year, as a share, or a `Discount` with its period. Ranges are the models' own.
    """
    yearly = per_year(discount)
    _check_terms(horizon, level)
    history = checked(frequency, recency, T)
    mean, count = column("margin", margin), column("margin_count", margin_count)
    if not len(history) == mean.size == count.size:
        raise InvalidInput(
            f"arrays differ in length: frequency {len(history)}, margin {mean.size}, "
            f"margin_count {count.size}"
        )
    distinct = collapse(history, inverse=True)
    rows = distinct.history
    known = {"frequency": rows.frequency, "recency": rows.recency, "T": rows.T}
    return _outlook(
        Shared(orders.future(**known), distinct.inverse), frequency=history.frequency,
        p_alive=alive.p_alive(**known)[distinct.inverse], margin=mean, margin_count=count,
        amounts=amounts, terms=Terms(horizon, yearly, level),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, and what was learned of the distributions of orders and of worth."""

    horizon: float
    discount: float
    level: float
    orders: Learned = UNTAUGHT
    worth: Sequence[Group] = ()


def _outlook(
    future: Future,
    *,
    frequency: Floats,
    p_alive: Floats,
    margin: Floats,
    margin_count: Floats,
    amounts: GammaGammaFit,
    terms: Terms,
) -> Projection:
    """Put the figures together."""
    horizon, tail = terms.horizon, (1.0 - terms.level) / 2.0
    rate = float(np.log1p(terms.discount) / WEEKS_PER_YEAR)
    number = future.mean(horizon)
    later = future.discounted(horizon, rate)
    steady = -np.expm1(-rate * horizon) / (rate * horizon) if rate > 0 else 1.0
    factor = np.divide(later, number, out=np.full_like(number, steady), where=number > 0)
    each = amounts.expected_average(frequency=margin_count, monetary=margin)
    clv = later * each
    corrected = terms.orders.applied(future, frequency)
    orders_low, orders_high = (bounds(corrected, at, horizon) for at in (tail, 1.0 - tail))
    at_level = [
        worth(
            some=future.at_least(1.0, t), number=centre(future, t), square=future.square(t), per_order=each,
            orders_seen=margin_count, amounts=amounts, factor=factor,
        )
        for t in terms.orders.times(horizon, frequency)
    ]  # fmt: skip
    group = group_of(frequency, [one.first for one in terms.worth])
    distribution: UnsureWorth | Worth = at_level[0]
    if terms.worth:
        at_level = following(at_level, terms.orders.shared(horizon, frequency), group, terms.worth)
        distribution = UnsureWorth(at_level, group, terms.worth)
    one, other = (distribution.at(at) for at in (tail, 1.0 - tail))
    low, high = np.minimum(one, other), np.maximum(one, other)
    return Projection(
        expected_orders=number, orders_low=orders_low, orders_high=orders_high, p_alive=p_alive,
        margin_per_order=each, clv=clv, clv_low=low, clv_high=high,
    )  # fmt: skip


def _alive(model: OrderFit | SeasonalFit, known: Known) -> Floats:
    rows = known.distinct.history
    alive = model.p_alive(frequency=rows.frequency, recency=rows.recency, T=rows.T)
    return np.asarray(alive[known.distinct.inverse])


def _living(choice: Choice, known: Known, horizon: float) -> Fitted:
    """Fit the model of the tournament that is to tell who left; without a tournament the one used untested."""
    if choice.alive:
        return fit_entry(choice.alive, known, horizon)
    for card in sorted(choice.cards, key=lambda one: one.loss):
        if card.name in TELLING:
            return fit_entry(card.name, known, horizon)
    return untested(known, horizon)


def _notes(
    choice: Choice, fitted: Fitted, living: Fitted, amounts: GammaGammaFit, left_out: int, end: np.datetime64
) -> tuple[str, ...]:
    notes = list(choice.notes)
    if choice.spend is not None:
        notes.append(amounts_note(choice.spend.pick, amounts))
    notes += fitted.notes
    if living is not fitted:
        notes += living.notes
        blind = "takes every one-time buyer as alive" if fitted.name in LIVING else "knows no dropout"
        notes.append(f"{fitted.name} {blind}: P(alive) is from {living.name}")
    if fitted.name != choice.pick:
        notes.append(f"{choice.pick} could not be fitted to all customers: {fitted.name} is used")
    if choice.spend is not None and choice.spend.best not in FORMS:
        notes.append(
            f"value is {choice.spend.pick}, as the orders beside it; "
            f"{choice.spend.best} did better on the past's money"
        )
    notes += amounts.notes
    if left_out:
        notes.append(f"{stray.counted(left_out)} after {end} {'was' if left_out == 1 else 'were'} left out")
    return tuple(dict.fromkeys(notes))


def _last_day(day: Ints, end: Any) -> int:
    if end is not None:
        return last_day(end)
    return stray.believed(day)[1] if day.size else 0


def _check_terms(horizon: Any, level: Any) -> None:
    if not _is_number(horizon) or not 0 < horizon < np.inf:
        raise InvalidInput(f"horizon is {horizon!r}", hint="give a positive number of weeks, or until= a day")
    if not _is_number(level) or not 0 < level < 1:
        raise InvalidInput(f"level is {level!r}", hint="give a share between 0 and 1, such as 0.9")


def _is_number(value: Any) -> bool:
    one = np.asarray(value)
    return one.ndim == 0 and one.dtype.kind in "iuf"
