"""One question to the lake from one condition or many: traits, events and orders put together late, by customer.

Parameters: ``$now``; ``$currency``, ``$minor`` and ``$rates`` as in ``know.overview_sql``; ``$zone``; and ``$p0`` and
so on for the values of the conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from shopkeeper.domain.clock import instant
from shopkeeper.domain.condition import Condition, check
from shopkeeper.domain.condition.tree import AllOf, Behaviour, Is, Not, Segment, walk
from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.domain.money import exponent
from shopkeeper.domain.traits import Trait
from shopkeeper.know.overview import spans
from shopkeeper.know.segments.binding import Binding
from shopkeeper.know.segments.doings import Doings
from shopkeeper.know.segments.facts import GOODS
from shopkeeper.know.segments.moments import Moments
from shopkeeper.know.segments.trading import Trading
from shopkeeper.know.segments.values import Values, column, prepared

_TRADE = frozenset({"orders", "spend"})
_SUMMED = {
    "count": "1e0", "total": "{value}", "squares": "{value} * {value}", "roots": "sqrt({value})",
    "logs": "sqrt({value}) * ln({value})", "logs2": "sqrt({value}) * ln({value}) * ln({value})",
}  # fmt: skip
_RATES = """rates AS (
    SELECT span.currency AS currency, span.since AS since, span.until AS until, span.factor AS factor
    FROM (SELECT unnest($rates) AS span) AS spans
)"""


class Setting(Struct, frozen=True, kw_only=True):
    """What a condition is asked in: the traits there are, the instant (microseconds), zone, money, and segments."""

    traits: Mapping[str, Trait]
    now: int
    zone: str = "UTC"
    currency: str = "EUR"
    rates: tuple[tuple[str, int, float], ...] = ()
    """Currency, day number, reporting units for one unit, as for ``domain.money.Rates``."""
    segments: Mapping[str, Condition] = {}


class Question(Struct, frozen=True):
    """One SELECT in DuckDB's dialect, and its parameters."""

    sql: str
    parameters: dict[str, Any]


class _Asking:
    """A question in the making."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.bound = Binding()
        self.moments = Moments(setting.now, setting.zone)
        self.traits: set[str] = set()
        self._terms: dict[Behaviour, int] = {}
        self._inside: list[str] = []
        self._asked = ""
        self._shown: set[str] = set()
        self._values = Values(self.bound, self.moments, setting.traits, self._behaviour, self._segment)

    def condition(self, condition: Condition) -> str:
        """A condition as SQL over ``who`` and what is joined to it; NULL is unknown."""
        self.traits |= condition.traits
        return self._values.condition(condition.meaning)

    def only(self, condition: Condition | None) -> None:
        """Let events of others go unread than of those who meet what a condition asks of traits alone."""
        if condition is None:
            return
        meaning = condition.meaning
        parts = meaning.conditions if isinstance(meaning, AllOf) else (meaning,)
        plain = [part for part in parts if not any(isinstance(n, Behaviour | Segment) for n in walk(part))]
        if plain and self._terms:
            self._asked = " AND ".join(map(self._values.condition, plain))

    def shown(self, trait: Trait) -> str:
        """A trait as a column of the answer."""
        if not trait.formula:
            self._shown.add(trait.name)
            return f'who."shown_{trait.name}"'
        meaning = check(f"({trait.formula}) is not null", self.setting.traits)
        self.traits |= meaning.traits
        match meaning.meaning:
            case Not(Is(inner, "null")):
                written = self._values.value(inner)
                return f"CAST({written} AS BIGINT)" if trait.kind == "int" else written
        raise TypeError(trait.name)  # pragma: no cover - that is what was checked

    def _behaviour(self, term: Behaviour) -> str:
        number = self._terms.setdefault(term, len(self._terms))
        table = "traded" if term.deed in _TRADE else "did" if term.then is None else "followed"
        name = f"{table}.t{number}"
        return name if term.deed in ("first", "last") else f"CAST(coalesce({name}, 0) AS DOUBLE)"

    def _segment(self, name: str) -> str:
        found = self.setting.segments.get(name)
        if found is None:
            raise UnknownName("segment", name, self.setting.segments)
        if name in self._inside:
            raise InvalidInput(
                f"the segment {name!r} asks for itself",
                hint="take it out of one of the segments it is made of",
            )
        self._inside.append(name)
        try:
            return self.condition(found)
        finally:
            self._inside.pop()

    def question(self, select: str, columns: Iterable[str]) -> Question:
        """The whole question; ``columns`` are traits that the SELECT itself names, or None for the id alone."""
        wanted = sorted(self.traits | set(columns))
        listed = "".join(f', {prepared(self.setting.traits[name])} AS "{name}"' for name in wanted)
        listed += "".join(f', "{name}" AS "shown_{name}"' for name in sorted(self._shown))
        tables = [f"who AS (\n    SELECT id{listed} FROM customers\n)"]
        joins = ""
        if self._asked:
            # Not ``who`` itself: read twice, it would be kept aside, and nobody could tell early how few these are.
            people = f"identities AS i JOIN (SELECT id{listed} FROM customers) AS who ON who.id = i.customer"
            tables.append(f"asked AS (\n    SELECT i.node, i.customer FROM {people} WHERE {self._asked}\n)")
        doings = {term: number for term, number in self._terms.items() if term.deed not in _TRADE}
        trades = {term: number for term, number in self._terms.items() if term.deed in _TRADE}
        if doings:
            tables += Doings(self.bound, self.moments, doings, asked=bool(self._asked)).tables()
        if trades:
            trading = Trading(self.bound, self.moments, trades, asked=bool(self._asked))
            if trading.lined and GOODS not in tables:
                tables.append(GOODS)
            tables += trading.tables()
        for name in ("did", "followed", "traded"):
            if any(table.startswith(f"{name} AS") for table in tables):
                joins += f"\nLEFT JOIN {name} ON {name}.customer = who.id"
        body = ",\n".join(tables)
        if "rates AS r" in body:
            tables.insert(0, _RATES)
            self.bound.named("rates", spans(self.setting.currency, self.setting.rates))
        sql = f"WITH {', '.join(tables[:1])}" + "".join(f",\n{table}" for table in tables[1:])
        sql += f"\nSELECT {select.replace('{joins}', joins)}"
        return Question(sql, self._named(sql))

    def _named(self, sql: str) -> dict[str, Any]:
        """Every parameter that the question has."""
        for name, value in (
            ("now", instant(self.setting.now)),
            ("currency", self.setting.currency),
            ("minor", float(10 ** exponent(self.setting.currency))),
        ):
            if f"${name}" in sql:
                self.bound.named(name, value)
        return self.bound.values


def answers(conditions: Sequence[Condition], setting: Setting) -> Question:
    """Of every customer the answer to each condition: ``id`` and ``k0``, ``k1`` ..., NULL where it is unknown."""
    asking = _Asking(setting)
    columns = "".join(f",\n    {asking.condition(one)} AS k{number}" for number, one in enumerate(conditions))
    return asking.question(f"who.id{columns}\nFROM who{{joins}}\nORDER BY who.id", ())


def matches(
    condition: Condition | None,
    setting: Setting,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    without: Sequence[int] = (),
    after: int | None = None,
) -> Question:
    """The customers of whom a condition is true, by id, but for some: ids, and some of their traits or all. ``after``
    is the id after which to begin.

    Traits are as the lake keeps them; those that time changes are worked out as of now.
    """
    asking = _Asking(setting)
    where = [asking.condition(condition)] if condition is not None else []
    asking.only(condition)
    where += _others(asking, without)
    if after is not None:
        where.append(f"who.id > {asking.bound.named('after', after)}")
    names = setting.traits if columns is None else columns
    for name in names:
        if name not in setting.traits:
            raise UnknownName("trait", name, setting.traits)
    listed = "".join(f', {asking.shown(setting.traits[name])} AS "{name}"' for name in dict.fromkeys(names))
    select = f"who.id AS id{listed}\nFROM who{{joins}}"
    select += f"\nWHERE {' AND '.join(where)}" if where else ""
    select += "\nORDER BY id" + (f"\nLIMIT {int(limit)}" if limit is not None else "")
    return asking.question(select, ())


def totals(
    condition: Condition | None, setting: Setting, without: Sequence[int] = (), *, amounts: bool = False
) -> Question:
    """How many customers a condition is true of, what they are expected to bring, and the same of everybody; but for
    some.

    One row: ``customers``, ``expected``, ``margin``, and ``all_customers``, ``all_expected``, ``all_margin``. With
    ``amounts``, from which the error of a sample is told: ``more_count`` and the other fields of
    ``domain.size.Amounts`` of what is expected, ``less_count`` and so on of what is expected to be lost, and
    ``all_more_count`` and so on.
    """
    asking = _Asking(setting)
    kept = asking.condition(condition) if condition is not None else "TRUE"
    asking.only(condition)
    others = "".join(f" WHERE {test}" for test in _others(asking, without))
    money = {name: column(trait) for name, trait in (("expected", "clv_12m"), ("margin", "margin"))}
    listed = ", ".join(f"{trait} AS {name}" for name, trait in money.items())
    sums = "".join(
        f",\n    coalesce(sum(CASE WHEN kept THEN {name} END), 0) AS {name}"
        f", coalesce(sum({name}), 0) AS all_{name}"
        for name in money
    )
    if amounts:
        sums += _amounts()
    counts = "count(CASE WHEN kept THEN 1 END) AS customers, count(*) AS all_customers"
    inner = f"SELECT {kept} AS kept, {listed} FROM who{{joins}}{others}"
    return asking.question(f"{counts}{sums}\nFROM (\n{inner}\n) AS everybody", ("clv_12m", "margin"))


def _amounts() -> str:
    """What ``domain.size.Amounts`` keep, of those who are kept and of everybody."""
    found = ""
    for whose, of in (("", "kept AND "), ("all_", "")):
        for way, test, value in (
            ("more", "expected > 0", "expected"),
            ("less", "expected < 0", "(- expected)"),
        ):
            for name, summed in _SUMMED.items():
                added = summed.format(value=value)
                found += (
                    f",\n    coalesce(sum(CASE WHEN {of}{test} THEN {added} END), 0) AS {whose}{way}_{name}"
                )
    return found


def _others(asking: _Asking, without: Sequence[int]) -> list[str]:
    if not without:
        return []
    return [f"who.id NOT IN (SELECT unnest({asking.bound.named('without', list(without))}))"]
