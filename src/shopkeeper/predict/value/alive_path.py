"""P(alive) of one customer, day by day: it rises with a purchase and falls with silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.answers import answering
from shopkeeper.predict.value.covariate_fit import CovariateFit
from shopkeeper.predict.value.drawing import Chart, Series
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.orders import from_table
from shopkeeper.predict.value.seasonal import SeasonalFit
from shopkeeper.predict.value.split import day_by_day
from shopkeeper.predict.value.summary import day_in, purchase_days
from shopkeeper.predict.value.times import days_of, plain


@dataclass(frozen=True, slots=True)
class AlivePath(Figure):
    """P(alive) of one customer at the end of each day from the first purchase on, by what was known then.

    Attributes:
        day: the days.
        p_alive: the probability on that day.
        purchases: days with a purchase.
        name: the model's.
    """

    day: NDArray[np.datetime64]
    p_alive: Floats
    purchases: NDArray[np.datetime64]
    name: str

    def columns(self) -> dict[str, Any]:
        """Give each day, P(alive), and whether something was bought."""
        return {"day": self.day, "p_alive": self.p_alive, "purchase": np.isin(self.day, self.purchases)}

    def chart(self) -> Chart:
        """Give the path, with a mark at each purchase."""
        return Chart(
            title="P(alive) of one customer",
            x_label="day",
            y_label="P(alive)",
            series=(Series(f"P(alive) by {self.name}", _numbers(self.day), self.p_alive),),
            marks=tuple(_numbers(self.purchases).tolist()),
            marked="a purchase",
            dates=True,
            top=1.0,
        )


def alive_path(
    fit: Any,
    orders: Any = None,
    *,
    who: Any = None,
    end: Any = None,
    unit: str = "W",
    levels: Mapping[str, str] | None = None,
    customer: Any = None,
    occurred_at: Any = None,
    amount: Any = None,
    time_zone: str | None = None,
    returns: str = "refuse",
) -> AlivePath:
    """Give P(alive) of one customer for each day up to ``end``, as it would have been told on that day.

    ``end`` may lie ahead: then it is what would be told if nothing were bought meanwhile.

    Args:
        fit: a fitted model of orders.
        orders: a data frame, or None with arrays; see `summarise`.
        who: the customer, as in the column ``customer``; None where all orders are of one.
        end: last day (default: the day of the latest order).
        unit: of the histories that ``fit`` was fitted to: D, W, M or Y; a seasonal fit knows its own.
        levels: the customer's covariates, for a fit that has any; what is not told counts as the baseline.
        customer: see `summarise`; only needed with ``who``.
        occurred_at: see `summarise`.
        amount: see `summarise`; only used to find returns.
        time_zone: see `summarise`.
        returns: see `summarise`: with ``net`` and ``drop`` a return is no purchase.

    Raises:
        InvalidInput: as `summarise`, where there is no order of that customer up to ``end``, and where orders are of
            more than one and ``who`` is not given.

    >>> from shopkeeper.predict.value import MBGNBD
    >>> fit = MBGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    >>> log = {"customer": ["a", "b", "a"], "date": ["2024-01-01", "2024-01-02", "2024-02-05"]}
    >>> path = alive_path(fit, log, who="a", end="2024-12-31")
    >>> path.day.size, bool(path.p_alive[35] > path.p_alive[34] > path.p_alive[-1])
    (366, True)
    """
    answering(fit, "p_alive", "name")
    given = {"customer": customer, "occurred_at": occurred_at, "amount": amount}
    end = day_in(time_zone, end)
    when, money = _of_one(orders, who, given, time_zone)
    days = purchase_days(
        customer=np.zeros(when.size, np.int64), occurred_at=when, amount=money, end=end, returns=returns
    )
    bought = days.day.astype("datetime64[D]")
    if not bought.size or (end is not None and bought[0] > end):
        upto = "" if end is None else f" up to {end}"
        raise InvalidInput(
            f"there is no order of that customer{upto}", hint="look at who= and at the column customer="
        )
    if isinstance(fit, CovariateFit):
        fit = fit.of_levels(levels or {})
    if isinstance(fit, SeasonalFit):
        unit = fit.unit
    path = day_by_day(bought, end=end, unit=unit)
    known = path.history
    name = fit.name
    if isinstance(fit, SeasonalFit):
        known, fit = fit.told(**known, end=_numbers(path.day)), fit.fit
    return AlivePath(path.day, fit.p_alive(**known), bought[bought <= path.day[-1]], name)


def _of_one(
    orders: Any, who: Any, given: dict[str, Any], time_zone: str | None
) -> tuple[NDArray[np.datetime64], Any]:
    """Give the days and amounts of one customer's orders."""
    if orders is not None:
        customer = _customers(orders, given["customer"], needed=who is not None)
        rest = {role: name for role, name in given.items() if role != "customer"}
        given = from_table(orders, rest) | {"customer": customer}
    elif given["occurred_at"] is None or (who is not None and given["customer"] is None):
        raise InvalidInput("no orders were given", hint="give a data frame, or occurred_at= as an array")
    when = days_of("occurred_at", given["occurred_at"], time_zone).astype("datetime64[D]")
    money = given["amount"]
    ids = np.empty(0) if given["customer"] is None else np.asarray(plain(given["customer"]))
    if who is None:
        if len(set(ids.tolist())) > 1:
            raise InvalidInput("orders are of more than one customer", hint="say of which: who=")
        return when, money
    here = np.flatnonzero(ids == who)
    return when[here], None if money is None else np.asarray(plain(money))[here]


def _customers(orders: Any, name: str | None, *, needed: bool) -> Any:
    """Give the column of customers; a table of one customer's orders needs none."""
    try:
        return from_table(orders, {"customer": name})["customer"]
    except InvalidInput:
        if needed or name is not None:
            raise
        return None


def _numbers(days: NDArray[np.datetime64]) -> Floats:
    return days.astype("datetime64[D]").astype(np.int64).astype(np.float64)
