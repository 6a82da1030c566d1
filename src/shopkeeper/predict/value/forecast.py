"""What every customer is expected to order and to be worth within a horizon, with a range and the evidence.

`forecast` takes a log of orders, tests the candidates inside the past (`choose`), fits the winner and the
amounts, and projects. `project` does the last step with models at hand. How the figures come about:

* ``expected_orders`` and its range are exact under the model: the range are quantiles of the predictive
  distribution of the number of orders given the customer's history (not of the parameters, which are taken
  as known).
* ``clv`` is expected discounted orders times the expected margin per order; orders are discounted
  continuously at the moment they are expected. It is what is still to come within the horizon, net of what
  ``margin`` was net of.
* The range of ``clv`` has the exact probability of no order; given at least one, the worth is taken as
  log-normal with the exact mean and variance of number and amounts under the models (an approximation of
  shape only), all of it discounted by the mean discount.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.choose import Choice, choose, model
from shopkeeper.predict.value.gammagamma import GammaGamma, GammaGammaFit
from shopkeeper.predict.value.history import Floats, History, Ints, checked, collapse, column
from shopkeeper.predict.value.mbgnbd import MBGNBD
from shopkeeper.predict.value.model import DropoutFit, Future, OrderModel
from shopkeeper.predict.value.summary import purchase_days, summarise_days

WEEKS_PER_YEAR = 365.25 / 7
_VARIANCE_SHAPE = 2.5


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


@dataclass(frozen=True, slots=True)
class Forecast:
    """A projection with its customers, the models used and how they were chosen."""

    customer: NDArray[Any]
    projection: Projection
    horizon: float
    discount: float
    level: float
    end: np.datetime64
    choice: Choice
    orders: OrderModel
    alive: DropoutFit
    amounts: GammaGammaFit
    notes: tuple[str, ...]


def forecast(
    *,
    customer: ArrayLike,
    occurred_at: ArrayLike,
    margin: ArrayLike,
    end: Any = None,
    horizon: float = 52.0,
    discount: float = 0.10,
    level: float = 0.9,
) -> Forecast:
    """Forecast every customer from the log of orders.

    Args:
        customer: who ordered, one entry per order.
        occurred_at: when, in local time of the shop.
        margin: contribution margin of the order (net of returns, discounts and product cost); revenue only
        where cost
            is not known.
        end: last day observed (default: day of the latest order).
        horizon: weeks ahead.
        discount: per year, as a share.
        level: of the predictive ranges.

    Raises:
        InvalidInput: an order that cannot be used (says which), or a horizon, discount or level out of range.
    """
    _check_terms(horizon, discount, level)
    days = purchase_days(customer=customer, occurred_at=occurred_at, amount=margin)
    past = summarise_days(days, end=end, unit="W")
    choice = choose(days, end_day=int(past.end.astype(np.int64)))
    orders = model(choice.pick, past)
    alive = (
        orders
        if isinstance(orders, DropoutFit)
        else MBGNBD().fit(frequency=past.frequency, recency=past.recency, T=past.T)
    )
    # All purchases, the first one too: it is all that is known of a one-time buyer's size.
    count, mean = past.frequency + 1.0, past.mean_amount
    amounts = GammaGamma().fit(frequency=count, monetary=mean)
    projection = project(
        frequency=past.frequency, recency=past.recency, T=past.T, margin=mean, margin_count=count,
        orders=orders, alive=alive, amounts=amounts, horizon=horizon, discount=discount, level=level,
    )  # fmt: skip
    notes = [*choice.notes, *alive.notes, *amounts.notes]
    if alive is not orders:
        notes.append(
            "no model was clearly better than the rule, which knows no dropout: "
            f"P(alive) is from {alive.name}"
        )
    elif not alive.at_first:
        notes.append("BG/NBD takes every one-time buyer as alive")
    if past.after_end:
        notes.append(f"{past.after_end} purchase days after {past.end} were left out")
    return Forecast(
        past.customer,
        projection,
        horizon,
        discount,
        level,
        past.end,
        choice,
        orders,
        alive,
        amounts,
        tuple(notes),
    )


def project(
    *,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    margin: ArrayLike,
    margin_count: ArrayLike,
    orders: OrderModel,
    alive: DropoutFit,
    amounts: GammaGammaFit,
    horizon: float = 52.0,
    discount: float = 0.10,
    level: float = 0.9,
) -> Projection:
    """Project customers with these histories (in weeks) with models already fitted.

    ``margin`` is the mean margin of ``margin_count`` orders of the customer. The work is done per distinct
    history.
    """
    _check_terms(horizon, discount, level)
    history = checked(frequency, recency, T)
    mean, count = column("margin", margin), column("margin_count", margin_count)
    if not len(history) == mean.size == count.size:
        raise InvalidInput(
            f"arrays differ in length: frequency {len(history)}, margin {mean.size}, "
            f"margin_count {count.size}"
        )
    distinct = collapse(history, inverse=True)
    rows: History = distinct.history
    where = distinct.inverse
    known = {"frequency": rows.frequency, "recency": rows.recency, "T": rows.T}
    future = orders.future(**known)
    tail = (1.0 - level) / 2.0
    number, square = future.mean(horizon), future.square(horizon)
    some = future.at_least(1.0, horizon)
    low, high = quantile(future, tail, horizon, some), quantile(future, 1.0 - tail, horizon, some)
    worth = future.discounted(horizon, np.log1p(discount) / WEEKS_PER_YEAR)
    factor = np.divide(worth, number, out=np.ones_like(number), where=number > 0)

    each = amounts.expected_average(frequency=count, monetary=mean)
    clv = worth[where] * each
    clv_low, clv_high = _worth_range(
        some[where], number[where], square[where], factor[where], each, count, amounts, tail
    )
    return Projection(
        expected_orders=number[where], orders_low=low[where], orders_high=high[where],
        p_alive=alive.p_alive(**known)[where], margin_per_order=each, clv=clv, clv_low=clv_low,
        clv_high=clv_high,
    )  # fmt: skip


def quantile(future: Future, level: float, t: float, some: Floats | None = None) -> Floats:
    """Give the smallest number k of orders with P(Y <= k) >= level, by doubling and halving."""
    first = future.at_least(1.0, t) if some is None else some
    answer = np.zeros(first.shape)
    rest = 1.0 - level
    open_rows: Ints = np.flatnonzero(first > rest)
    below = np.ones(open_rows.size)  # P(Y >= below) > rest
    above = np.full(open_rows.size, np.inf)  # P(Y >= above) <= rest
    while open_rows.size:
        k = np.where(np.isinf(above), 2.0 * below, np.floor((below + above) / 2.0))
        more = future.take(open_rows).at_least(k, t) > rest
        below, above = np.where(more, k, below), np.where(more, above, k)
        done = above - below <= 1.0
        answer[open_rows[done]] = below[done]
        open_rows, below, above = open_rows[~done], below[~done], above[~done]
    return answer


def _worth_range(
    some: Floats,
    number: Floats,
    square: Floats,
    factor: Floats,
    each: Floats,
    count: Floats,
    amounts: GammaGammaFit,
    tail: float,
) -> tuple[Floats, Floats]:
    """Quantiles of the discounted worth: 0 with probability 1 - some, else log-normal, moments matched."""
    from scipy.special import ndtri

    # E(amount of a customer's mean squared) / its square; the shape is held where the variance exists.
    shape = np.maximum(amounts.p * count + amounts.q, _VARIANCE_SHAPE)
    between = (shape - 1.0) / (shape - 2.0)
    live = (some > 0) & (number > 0)
    safe_some, safe_number = np.where(live, some, 1.0), np.where(live, number, 1.0)
    mean = safe_number / safe_some
    second = np.where(live, (number / amounts.p + square) * between, 1.0) / safe_some
    log_variance = np.log(np.maximum(second / mean**2, 1.0))
    middle = np.log(mean) - log_variance / 2.0
    scale = factor * each

    def at(level: float) -> Floats:
        inside = (level - (1.0 - safe_some)) / safe_some
        reached = live & (inside > 0)
        z = ndtri(np.where(reached, np.minimum(inside, 1.0 - 1e-12), 0.5))
        return np.where(reached, np.exp(middle + np.sqrt(log_variance) * z), 0.0)

    one, other = scale * at(tail), scale * at(1.0 - tail)
    return np.minimum(one, other), np.maximum(one, other)


def _check_terms(horizon: float, discount: float, level: float) -> None:
    if not 0 < horizon < np.inf:
        raise InvalidInput(f"horizon is {horizon}", hint="give a positive number of weeks")
    if not 0 <= discount < np.inf:
        raise InvalidInput(f"discount is {discount}", hint="give the yearly rate as a share, such as 0.10")
    if not 0 < level < 1:
        raise InvalidInput(f"level is {level}", hint="give a share between 0 and 1, such as 0.9")
