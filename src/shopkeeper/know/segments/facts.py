"""Filters of events, orders and lines as SQL: which column a fact is, and what a test of it means.

A test of what is not known is not met, so that a row's filters stand where NULL means no: in ``CASE WHEN`` or
``WHERE``, never below ``NOT``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shopkeeper.domain.clock import DAY, SECOND
from shopkeeper.domain.condition import functions
from shopkeeper.domain.condition.tree import Filter, Then, Window
from shopkeeper.know.segments.binding import Binding
from shopkeeper.know.segments.moments import Moments, at

LINE_FACTS: Final = frozenset(fact.name for fact in functions.FACTS.values() if fact.line)
_HOUR: Final = 3600 * SECOND

GOODS: Final = """goods AS (
    SELECT product_id, max(nullif(category, '')) AS category FROM products GROUP BY product_id
)"""
"""Categories by the catalogue."""


def met(bound: Binding, one: Filter, columns: Mapping[str, str]) -> str:
    """A filter over the given columns, by fact."""
    column = columns[one.fact]
    kind = functions.FACTS[one.fact].kind
    if kind == "bool":
        return column if one.values[0] else f"NOT {column}"
    values = [float(value) if kind == "money" else value for value in one.values]
    if one.test in ("in", "not in"):
        tested = f"{column} {one.test.upper()} {bound.listed(values)}"
    else:
        tested = f"{column} {one.test} {bound.to(values[0])}"
    if kind == "text" and one.test in ("<>", "not in"):
        return f"{tested} AND {column} <> ''"
    return tested


def all_met(bound: Binding, filters: Iterable[Filter], columns: Mapping[str, str]) -> list[str]:
    """Every filter, as conditions to be joined by AND."""
    return [met(bound, one, columns) for one in filters]


def half_even(amount: str) -> str:
    """A figure rounded to whole ones, halves to the even one. ``amount`` is a column: it stands several times."""
    return f"CASE WHEN {amount} - floor({amount}) = 0.5 THEN 2 * round({amount} / 2) ELSE round({amount}) END"


def lower_end(moments: Moments, window: Window) -> tuple[int, bool] | None:
    """Where a window begins, and whether that instant is in it; None where it has no beginning."""
    if window.days is not None:
        return moments.now - window.days * DAY, False
    if window.hours is not None:
        return moments.now - window.hours * _HOUR, False
    if window.since is not None:
        begin = moments.begins(window.since)
        return (_NEVER, True) if begin is None else (begin, True)
    return None


_NEVER: Final = 1 << 62
"""Later than every instant: a window whose end is no day holds nothing."""


def within(
    bound: Binding, moments: Moments, window: Window, column: str, common: tuple[int, bool] | None = None
) -> list[str]:
    """A window as conditions on a column, beside the one that nothing is later than now and that of ``earliest``."""
    found = []
    begin = lower_end(moments, window)
    if begin is not None and begin != common:
        found += since(bound, column, begin)
    if window.before is not None:
        end = moments.begins(window.before)
        found.append(f"{column} < {bound.to(at(-_NEVER if end is None else end))}")
    return found


def earliest(moments: Moments, windows: Iterable[Window]) -> tuple[int, bool] | None:
    """Where the first of the windows begins, as in ``lower_end``; None where one has no beginning."""
    ends = [lower_end(moments, window) for window in windows]
    known = [end for end in ends if end is not None]
    if not known or len(known) < len(ends):
        return None
    return min(known, key=lambda end: (end[0], not end[1]))


def since(bound: Binding, column: str, begin: tuple[int, bool] | None) -> list[str]:
    """The end that ``earliest`` found, as a condition on a column."""
    return [] if begin is None else [f"{column} {'>=' if begin[1] else '>'} {bound.to(at(begin[0]))}"]


def one_of(bound: Binding, column: str, values: Sequence[str]) -> str:
    """Whether a column is one of the values."""
    return f"{column} = {bound.to(values[0])}" if len(values) == 1 else f"{column} IN {bound.listed(values)}"


def length(then: Then) -> int:
    """Within how many microseconds something must follow."""
    return then.days * DAY if then.days is not None else (then.hours or 0) * _HOUR
