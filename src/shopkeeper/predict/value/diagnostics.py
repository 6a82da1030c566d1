"""Figures that show whether a fit describes its customers: repeats, conditional expectations, histories, cohorts.

The plots of the literature (Fader, Hardie and Lee, 2005) and of the packages in its wake, from exact probabilities
where others simulate. `track` is the one over time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.answers import answering, whole
from shopkeeper.predict.value.drawing import Chart, Heat, Series
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.seasonal import SeasonalFit
from shopkeeper.predict.value.split import Split
from shopkeeper.predict.value.summary import Summary
from shopkeeper.predict.value.track import refuse_other_table

_BARS = 8
_GROUPS = 10
_BY = ("frequency", "recency", "T", "silence")
_GRID = 40


@dataclass(frozen=True, slots=True)
class RepeatCounts(Figure):
    """Customers by number of repeat purchases within the calibration: how many there are, and are expected.

    Attributes:
        purchases: number of repeat purchases; the last entry is so many and more.
        actual: customers.
        expected: customers that the model expects, of those who began when these did.
        name: the model's.
        within: the time in which they were bought.
    """

    purchases: Ints
    actual: Floats
    expected: Floats
    name: str
    within: str = "the calibration"

    def columns(self) -> dict[str, Any]:
        """Give the purchases with actual and expected customers."""
        return {"purchases": self.purchases, "actual": self.actual, "expected": self.expected}

    def chart(self) -> Chart:
        """Give bars of both."""
        return Chart(
            title="Customers by repeat purchases",
            x_label=f"repeat purchases within {self.within}",
            y_label="customers",
            series=_both(self.purchases.astype(np.float64), self.actual, self.expected, self.name),
            labels=(*(str(one) for one in self.purchases[:-1]), f"{self.purchases[-1]}+"),
        )


def repeat_counts(fit: Any, log: Summary, *, most: int = _BARS - 1) -> RepeatCounts:
    """Give how many customers bought again so often within the calibration, and how many the model expects.

    Expected is the sum over customers of the probability that somebody who first bought on that day has bought so often
    by the end, whatever this customer did.

    Args:
        fit: a fitted model of orders; of one with covariates ``fit.of_levels({...})`` with the customers of that level.
        log: the customers it was fitted to.
        most: the last bar is so many repeat purchases and more.

    Raises:
        InvalidInput: a fit that foretells nothing of new customers in general or knows these ones in another unit, or
            ``most`` below 1.

    >>> from shopkeeper.predict.value import MBGNBD, summarise
    >>> log = summarise(customer=[1, 1, 2, 3], occurred_at=["2024-01-01", "2024-01-20", "2024-01-08", "2024-01-03"])
    >>> found = repeat_counts(MBGNBD().fit(**log.history), log, most=2)
    >>> found.actual.tolist(), round(float(found.expected.sum()), 6)
    ([2.0, 1.0, 0.0], 3.0)
    """
    if not whole(most) or most < 1:
        raise InvalidInput(f"most is {most!r}", hint="give a whole number from 1")
    if not isinstance(log, Summary):
        raise InvalidInput(
            f"log is a {type(log).__name__}", hint="give a table of customers: summarise(orders)"
        )
    answering(fit, "purchase_probability", "name")
    if hasattr(fit, "of_levels"):
        raise InvalidInput(
            "a model with covariates says nothing of new customers in general",
            hint="give fit.of_levels({...}) with the customers of that level",
        )
    refuse_other_table(fit, log)
    model, T = fit, log.T
    if isinstance(fit, SeasonalFit):
        model, T = fit.fit, fit.told(**log.history)["T"]
    ages, customers = np.unique(T, return_counts=True)
    new = dict.fromkeys(("frequency", "recency", "T"), np.zeros(ages.size))
    chance = [
        model.purchase_probability(k, ages, at_least=k == most, **new) @ customers for k in range(most + 1)
    ]
    return RepeatCounts(
        purchases=np.arange(most + 1),
        actual=np.bincount(np.minimum(log.frequency, most).astype(np.int64), minlength=most + 1).astype(
            float
        ),
        expected=np.asarray(chance),
        name=fit.name,
    )


@dataclass(frozen=True, slots=True)
class Expectations(Figure):
    """Purchases within the holdout, by what was known of customers before it: mean per customer.

    Attributes:
        by: what customers are grouped by.
        low: of the group: its least value.
        high: its largest value.
        customers: how many are in it.
        actual: purchases each within the holdout.
        expected: purchases each that the model expects.
        name: the model's.
    """

    by: str
    low: Floats
    high: Floats
    customers: Ints
    actual: Floats
    expected: Floats
    name: str

    def columns(self) -> dict[str, Any]:
        """Give the groups, their customers, actual and expected purchases."""
        names = ("low", "high", "customers", "actual", "expected")
        return {name: getattr(self, name) for name in names}

    def chart(self) -> Chart:
        """Give bars of both."""
        exact = self.by == "frequency"
        labels = [f"{high:.3g}" if high < 1000 else f"{high:,.0f}" for high in self.high]
        if exact and self.low.size and self.low[-1] >= _BARS - 1:
            labels[-1] = f"{_BARS - 1}+"
        return Chart(
            title="Purchases within the holdout",
            x_label=f"{self.by} in the calibration" if exact else f"{self.by} in the calibration, up to",
            y_label="purchases per customer",
            series=_both(self.low, self.actual, self.expected, self.name),
            labels=tuple(labels),
        )


def expectations(fit: Any, cut: Split, *, by: str = "frequency", **known: Any) -> Expectations:
    """Give purchases within the holdout beside those expected, by what was known of customers before it.

    Args:
        fit: a model of orders fitted to ``cut.known``, or a rule.
        cut: the log cut in two (`split`).
        by: ``frequency`` (with 7 and more as one group), ``recency``, ``T`` or ``silence`` (T less recency); the last
            three in ten groups of like size.
        known: what else the model knows customers by, such as ``covariates=``.

    Raises:
        UnknownName: another ``by``.
        InvalidInput: no fit, no log cut in two, or a fit that knows these customers in another unit.

    >>> from shopkeeper.predict.value import MBGNBD, split
    >>> when = ["2024-01-01", "2024-01-08", "2024-03-01", "2024-02-01"]
    >>> cut = split({"customer": [1, 1, 1, 2], "date": when}, end="2024-02-05", until="2024-03-04")
    >>> found = expectations(MBGNBD().fit(**cut.known.history), cut)
    >>> found.customers.tolist(), found.actual.tolist()
    ([1, 1], [0.0, 1.0])
    """
    if by not in _BY:
        raise UnknownName("by", by, _BY)
    answering(fit, "future", "name")
    if not isinstance(cut, Split):
        raise InvalidInput(
            f"cut is a {type(cut).__name__}", hint="give a log cut in two: split(orders, end=..., until=...)"
        )
    log = cut.known
    refuse_other_table(fit, log)
    expected = fit.future(**log.history, **known).mean(cut.t)
    value = log.T - log.recency if by == "silence" else getattr(log, by)
    if by == "frequency":
        group = np.minimum(value, _BARS - 1.0).astype(np.int64)
    else:
        shares = np.linspace(0.0, 1.0, _GROUPS + 1)[1:-1]
        edges = np.unique(np.quantile(value, shares)) if value.size else np.empty(0)
        group = np.searchsorted(edges, value, side="left")
    seen, where = np.unique(group, return_inverse=True)
    count = np.bincount(where, minlength=seen.size)
    ends = [[float(side(value[where == place])) for place in range(seen.size)] for side in (np.min, np.max)]
    return Expectations(
        by=by, low=np.asarray(ends[0]), high=np.asarray(ends[1]), customers=count,
        actual=np.bincount(where, cut.orders, seen.size) / np.maximum(count, 1),
        expected=np.bincount(where, expected, seen.size) / np.maximum(count, 1), name=fit.name,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class HistoryMatrix(Figure):
    """What a fit says of every frequency and recency that a customer first seen ``T`` ago may have.

    Attributes:
        of: what is said: P(alive) or expected purchases.
        frequency: repeat purchases, a column each.
        recency: time from first to last purchase, a row each.
        grid: a row per recency; NaN where a history cannot be.
        name: the model's.
    """

    of: str
    frequency: Floats
    recency: Floats
    grid: Floats
    name: str

    def columns(self) -> dict[str, Any]:
        """Give a row per history that can be."""
        recency, frequency = np.meshgrid(self.recency, self.frequency, indexing="ij")
        here = np.isfinite(self.grid)
        return {"frequency": frequency[here], "recency": recency[here], "value": self.grid[here]}

    def chart(self) -> Heat:
        """Give a heat map."""
        return Heat(
            title=f"{self.of} by {self.name}",
            x_label="repeat purchases",
            y_label="time from first to last purchase",
            x=self.frequency, y=self.recency, values=self.grid,
        )  # fmt: skip


def history_matrix(
    fit: Any, *, T: float, t: float | None = None, most: int = 20, rows: int = _GRID
) -> HistoryMatrix:
    """Give P(alive) for every frequency and recency of a customer first seen ``T`` ago; with ``t`` purchases expected.

    Args:
        fit: a fitted model of orders.
        T: time from the first purchase to now, in the fit's unit.
        t: time ahead; None: P(alive).
        most: repeat purchases of the last column.
        rows: how many recencies, evenly from 0 to ``T``.

    Raises:
        InvalidInput: a ``T`` that is not above 0, or no whole number of columns and at least two rows.

    >>> from shopkeeper.predict.value import MBGNBD
    >>> fit = MBGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    >>> alive = history_matrix(fit, T=40.0, most=10)
    >>> alive.grid.shape, bool(alive.grid[-1, 10] > alive.grid[1, 10])
    ((40, 11), True)
    """
    answering(fit, "p_alive", "expected_purchases", "name")
    if not 0.0 < T < np.inf:
        raise InvalidInput(f"T is {T}", hint="give a time above 0 in the fit's unit")
    if not whole(most) or not whole(rows) or most < 1 or rows < 2:
        raise InvalidInput(f"most is {most!r}, rows is {rows!r}", hint="give whole numbers, rows from 2")
    frequency, recency = np.arange(most + 1.0), np.linspace(0.0, T, rows)
    row, column = np.meshgrid(np.arange(rows), np.arange(most + 1), indexing="ij")
    able = (row == 0) == (column == 0)
    who = {"frequency": frequency[column[able]], "recency": recency[row[able]], "T": np.full(able.sum(), T)}
    grid = np.full(able.shape, np.nan)
    grid[able] = fit.p_alive(**who) if t is None else fit.expected_purchases(t, **who)
    of = "P(alive)" if t is None else f"Purchases expected within {t:g}"
    return HistoryMatrix(of=of, frequency=frequency, recency=recency, grid=grid, name=fit.name)


def _both(x: Floats, actual: Floats, expected: Floats, name: str) -> tuple[Series, Series]:
    return Series("came", x, actual), Series(f"expected by {name}", x, expected)
