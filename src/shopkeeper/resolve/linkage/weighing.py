"""The weights of a model, ready to be added up for two records, and the waterfall that shows how they add up.

A level of a comparison weighs log2(m / u) bits, its match weight. Where it says that a value is equal, a
term-frequency adjustment of log2(u / share) follows: a rare value says more than a common one (Fellegi and Sunter 1969;
the names are Splink's).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pyarrow as pa
from msgspec import Struct

from shopkeeper.resolve.linkage.levels import BY_NAME, Comparison, Row
from shopkeeper.resolve.linkage.model import Model
from shopkeeper.resolve.linkage.prepare import FIELDS, Prepared
from shopkeeper.resolve.linkage.union import Facts

AT = {name: place for place, name in enumerate(FIELDS)}
"""Where a column stands in a row."""
Share = Callable[[str, str], float | None]
"""Column and value to the value's share among the known ones; None where nothing is known of it."""
PRIOR = "prior"


class Bar(Struct, frozen=True):
    """One step of a waterfall: what was compared, how alike it was, and the bits that adds.

    Attributes:
        name: of the comparison, or ``prior``.
        label: the level reached, as people read it.
        weight: match weight of the level: log2 of its Bayes factor.
        adjustment: bits that a rarer value than usual adds, or a more common one takes away.
    """

    name: str
    label: str
    weight: float
    adjustment: float = 0.0


def whole(bars: tuple[Bar, ...]) -> float:
    """What the bars add up to, correctly rounded, in whatever order.

    >>> whole((Bar("prior", "", -10.0), Bar("first name", "equal", 7.5, 2.25)))
    -0.25
    """
    return math.fsum(bits for bar in bars for bits in (bar.weight, bar.adjustment))


class Scale:
    """One comparison with its weights, ready to be added up."""

    __slots__ = ("columns", "comparison", "m", "u", "weights")

    def __init__(self, comparison: Comparison, m: tuple[float, ...], u: tuple[float, ...]) -> None:
        self.comparison = comparison
        self.m = m
        self.u = u
        self.weights = [math.log2(x / y) for x, y in zip(m, u, strict=True)]
        self.columns = [level.frequency for level in comparison.levels] + [None]
        """By level the column whose values are weighed by how rare they are."""


class Weights:
    """All weights of a model; ``share`` says how frequent a value is."""

    def __init__(self, model: Model, share: Share) -> None:
        self.prior = model.prior_weight
        self.scales = [Scale(BY_NAME[t.name], t.m, t.u) for t in model.comparisons]
        self.share = share

    def weight(self, a: Row, b: Row) -> float:
        """The bits of evidence that two rows are one person's, prior included."""
        found = self.prior
        for scale in self.scales:
            level = scale.comparison.level(a, b)
            if level is not None:
                column = scale.columns[level]
                share = self.share(column, a[AT[column]] or "") if column is not None else None
                # The level says that both are equal in this column: u is how frequent the value is.
                found += scale.weights[level] if share is None else math.log2(scale.m[level] / share)
        return found

    def bars(self, a: Row, b: Row) -> tuple[Bar, ...]:
        """The same as a waterfall: the prior, then one bar per comparison."""
        bars = [Bar(PRIOR, "two records at random", self.prior)]
        for scale in self.scales:
            level = scale.comparison.level(a, b)
            label = scale.comparison.label(level)
            if level is None:
                bars.append(Bar(scale.comparison.name, label, 0.0))
                continue
            column = scale.columns[level]
            share = self.share(column, a[AT[column]] or "") if column is not None else None
            adjustment = 0.0 if share is None else math.log2(scale.u[level] / share)
            bars.append(Bar(scale.comparison.name, label, scale.weights[level], adjustment))
        return tuple(bars)


def row_at(rows: pa.Table, place: int) -> Row:
    """One record of a prepared table."""
    return tuple(rows[field][place].as_py() for field in FIELDS)


def rows_of(ready: Prepared) -> list[Row]:
    """All records."""
    return list(zip(*(ready.rows[field].to_pylist() for field in FIELDS), strict=True))


def facts_of(row: Row, strong: dict[str, str]) -> Facts:
    """What of a record can contradict another one."""
    first, last, birthday, reference = (
        row[AT[field]] for field in ("first_name", "last_name", "birthday", "reference")
    )
    return Facts(first, last, birthday, reference, strong)
