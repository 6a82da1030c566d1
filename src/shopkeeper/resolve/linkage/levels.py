"""How two records are compared: comparisons of graded levels, each written once as SQL and as Python.

Splink evaluates the SQL over millions of pairs, the live scorer the Python over a few candidates, and both mean the
same. Text is compared as bytes by both, as DuckDB does. The order of levels is from most to least alike: the first
that holds counts.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from shopkeeper.resolve.linkage.prepare import FIELDS

Row = tuple[str | None, ...]
"""A prepared record in the order of ``FIELDS``."""
Holds = Callable[[Row, Row], bool]
_AT = {name: place for place, name in enumerate(FIELDS)}


class Level(Struct, frozen=True):
    """One grade of likeness.

    Attributes:
        label: what a person reads.
        sql: the condition, over ``<column>_l`` and ``<column>_r``.
        holds: the same of two rows.
        frequency: a column whose values are weighed by how rare they are, where the level means equal in it.
        measure: how alike is measured, where the label does not say it.
    """

    label: str
    sql: str
    holds: Holds
    frequency: str | None = None
    measure: str = ""


class Comparison(Struct, frozen=True):
    """What one kind of information says: levels, best first, then one for "all other".

    It says nothing where ``unknown`` holds.
    """

    name: str
    columns: tuple[str, ...]
    unknown: Level
    levels: tuple[Level, ...]

    def level(self, a: Row, b: Row) -> int | None:
        """The number of the first level that holds, ``len(levels)`` for all other, None where it says nothing."""
        if self.unknown.holds(a, b):
            return None
        for number, level in enumerate(self.levels):
            if level.holds(a, b):
                return number
        return len(self.levels)

    def label(self, number: int | None) -> str:
        """What a person reads of the level with that number."""
        if number is None:
            return "not known of both"
        if number == len(self.levels):
            return "different"
        level = self.levels[number]
        return f"{level.label} ({level.measure})" if level.measure else level.label


def equal(*columns: str, label: str = "equal", frequency: str | None = None) -> Level:
    """All of the columns are known of both and equal."""
    at = [_AT[c] for c in columns]
    sql = " AND ".join(f'"{c}_l" = "{c}_r"' for c in columns)
    if len(at) == 1:
        (only,) = at
        return Level(label, sql, lambda a, b: a[only] is not None and a[only] == b[only], frequency)
    return Level(label, sql, lambda a, b: all(a[i] is not None and a[i] == b[i] for i in at), frequency)


def similar(column: str, least: float, *, label: str = "similar") -> Level:
    """Jaro-Winkler similarity (Winkler 1990) of at least ``least``."""
    at = _AT[column]

    def holds(a: Row, b: Row) -> bool:
        x, y = a[at], b[at]
        if x is None or y is None:
            return False
        if not (x.isascii() and y.isascii()):
            return JaroWinkler.similarity(x.encode(), y.encode()) >= least
        return JaroWinkler.similarity(x, y, score_cutoff=least - 0.001) >= least

    sql = f'jaro_winkler_similarity("{column}_l", "{column}_r") >= {least}'
    return Level(label, sql, holds, measure=f"Jaro-Winkler at least {least:g}".replace("0.", "."))


def edits(column: str, most: int, *, label: str) -> Level:
    """At most so many letters added, dropped, changed or swapped with their neighbour (Damerau 1964)."""
    at = _AT[column]

    def holds(a: Row, b: Row) -> bool:
        x, y = a[at], b[at]
        if x is None or y is None:
            return False
        if not (x.isascii() and y.isascii()):
            return DamerauLevenshtein.distance(x.encode(), y.encode(), score_cutoff=most) <= most
        return DamerauLevenshtein.distance(x, y, score_cutoff=most) <= most

    return Level(label, f'damerau_levenshtein("{column}_l", "{column}_r") <= {most}', holds)


def either(a: Level, b: Level, *, label: str) -> Level:
    """One of two levels holds."""
    return Level(label, f"({a.sql}) OR ({b.sql})", lambda x, y: a.holds(x, y) or b.holds(x, y))


def both(a: Level, b: Level, *, label: str, frequency: str | None = None) -> Level:
    """Two levels hold."""
    return Level(label, f"({a.sql}) AND ({b.sql})", lambda x, y: a.holds(x, y) and b.holds(x, y), frequency)


def holds_the_other(column: str, *, label: str) -> Level:
    """One text is a whole word of the other (double names)."""
    at = _AT[column]

    def holds(a: Row, b: Row) -> bool:
        x, y = a[at], b[at]
        if x is None or y is None:
            return False
        return f" {x} " in f" {y} " or f" {y} " in f" {x} "

    left, right = f"(' ' || \"{column}_l\" || ' ')", f"(' ' || \"{column}_r\" || ' ')"
    return Level(label, f"contains({left}, {right}) OR contains({right}, {left})", holds)


def initial(column: str, *, label: str) -> Level:
    """One of them is a single letter, the first of the other."""
    at = _AT[column]

    def holds(a: Row, b: Row) -> bool:
        x, y = a[at], b[at]
        if x is None or y is None:
            return False
        return (len(x) == 1 or len(y) == 1) and x[:1] == y[:1]

    left, right = f'"{column}_l"', f'"{column}_r"'
    sql = f"(length({left}) = 1 OR length({right}) = 1) AND {left}[1] = {right}[1]"
    return Level(label, sql, holds)


def _unknown(*columns: str) -> Level:
    """None of the columns is known of both."""
    at = [_AT[c] for c in columns]
    sql = " AND ".join(f'("{c}_l" IS NULL OR "{c}_r" IS NULL)' for c in columns)
    if len(at) == 1:
        (only,) = at
        return Level("unknown", sql, lambda a, b: a[only] is None or b[only] is None)
    return Level("unknown", sql, lambda a, b: all(a[i] is None or b[i] is None for i in at))


def _comparison(
    name: str, columns: tuple[str, ...], *levels: Level, unknown: tuple[str, ...] = ()
) -> Comparison:
    return Comparison(name, columns, _unknown(*(unknown or columns)), levels)


COMPARISONS: tuple[Comparison, ...] = (
    _comparison(
        "first name", ("first_name", "given"),
        equal("first_name", frequency="first_name"),
        equal("given", label="a form of the same name", frequency="given"),
        initial("first_name", label="an initial"),
        similar("first_name", 0.9, label="much alike"),
        similar("first_name", 0.8, label="alike"),
    ),
    _comparison(
        "last name", ("last_name",),
        equal("last_name", frequency="last_name"),
        similar("last_name", 0.92, label="much alike"),
        holds_the_other("last_name", label="part of a double name"),
        similar("last_name", 0.82, label="alike"),
    ),
    _comparison(
        "birthday", ("birthday",),
        equal("birthday", frequency="birthday"),
        edits("birthday", 1, label="one digit off, or two swapped"),
        edits("birthday", 2, label="two digits off"),
    ),
    _comparison(
        "e-mail", ("email", "mailbox"),
        equal("email", frequency="email"),
        equal("mailbox", label="equal before the @", frequency="mailbox"),
        similar("email", 0.9, label="alike"),
    ),
    _comparison(
        "telephone", ("phone",),
        equal("phone", frequency="phone"),
        edits("phone", 1, label="one digit off"),
    ),
    _comparison(
        "street", ("street", "house", "address"),
        equal("address", label="street and house", frequency="address"),
        both(similar("street", 0.88), equal("house"), label="house, and a street alike"),
        equal("street", label="street", frequency="street"),
        similar("street", 0.88, label="a street alike"),
        unknown=("street",),
    ),
    _comparison(
        "place", ("postcode", "city"),
        equal("postcode", "city", label="post code and city", frequency="postcode"),
        equal("postcode", label="post code", frequency="postcode"),
        equal("city", label="city", frequency="city"),
        either(edits("postcode", 1, label=""), similar("city", 0.88), label="alike"),
    ),
    _comparison("state", ("state",), equal("state", frequency="state")),
    _comparison("gender", ("gender",), equal("gender")),
    _comparison(
        "reference", ("reference",),
        equal("reference", frequency="reference"),
        edits("reference", 1, label="one digit off, or two swapped"),
        edits("reference", 2, label="two digits off"),
    ),
)  # fmt: skip
"""All comparisons, in the order of a waterfall. A model holds those for which its records say enough."""

BY_NAME = {comparison.name: comparison for comparison in COMPARISONS}
