"""A condition's expressions over one customer as SQL, typed as ``domain.condition`` says.

Numbers are DOUBLE, days DATE, instants TIMESTAMPTZ, lengths of time BIGINT (microseconds). What SQL leaves to its
engines is spelled out: a figure that is not finite is NULL, and so is a division by zero. An expression stands once in
the text however deep it is nested, which is why such tests are made within a list of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.kinds import KIND_OF, Kind
from shopkeeper.domain.condition.tree import Behaviour, Value
from shopkeeper.domain.traits import Trait
from shopkeeper.know.segments.binding import Binding
from shopkeeper.know.segments.moments import MICROSECONDS, MONTHS, Moments, at

_NULLS: Final[dict[Kind, str]] = {"day": "CAST(NULL AS DATE)", "time": "CAST(NULL AS TIMESTAMPTZ)"}
_LITERALS: Final[dict[type, Kind]] = {
    tree.Number: "number", tree.Negative: "number", tree.Text: "text", tree.Null: "null", tree.Day: "day",
    tree.Today: "day", tree.Time: "time", tree.Now: "time",
}  # fmt: skip
_CALLS: Final[dict[str, Kind]] = {
    "abs": "number",
    "round": "number",
    "size": "number",
    "lower": "text",
    "day": "day",
}
_MOST_DAYS: Final = 4_000_000
"""Days, and months, beyond which no day of the calendar is moved to another."""


class Values:
    """Writes expressions. ``behaviour`` gives the column of a behaviour, ``segment`` the condition of a segment."""

    def __init__(
        self,
        bound: Binding,
        moments: Moments,
        traits: Mapping[str, Trait],
        behaviour: Callable[[Behaviour], str],
        segment: Callable[[str], str],
    ) -> None:
        self._bound = bound
        self._moments = moments
        self._traits = traits
        self._behaviour = behaviour
        self._segment = segment

    def condition(self, node: Value) -> str:
        """A yes or no as SQL; NULL is unknown."""
        match node:
            case tree.AllOf(parts):
                return f"({' AND '.join(map(self.condition, parts))})"
            case tree.AnyOf(parts):
                return f"({' OR '.join(map(self.condition, parts))})"
            case tree.Not(inner):
                return f"(NOT {self.condition(inner)})"
            case tree.Truth(value):
                return "TRUE" if value else "FALSE"
            case tree.Compare(test, left, right):
                return f"({self.value(left)} {test} {self.value(right)})"
            case tree.Between(operand, low, high):
                return f"({self.value(operand)} BETWEEN {self.value(low)} AND {self.value(high)})"
            case tree.In(operand, values):
                return f"({self.value(operand)} IN ({', '.join(map(self.value, values))}))"
            case tree.Like(operand, pattern, any_case):
                like = "ILIKE" if any_case else "LIKE"
                return f"({self.value(operand)} {like} {self._bound.to(pattern)})"
            case tree.Is(operand, what):
                return f"({self.value(operand)} IS {what.upper()})"
            case tree.Segment(name):
                return f"coalesce({self._segment(name)}, FALSE)"
            case tree.Null():
                return "CAST(NULL AS BOOLEAN)"
        return self.value(node)

    def value(self, node: Value) -> str:
        """Any expression as SQL; a number is finite or NULL."""
        kind = self.kind(node)
        if kind in ("day", "time", "span"):
            return self._moment(node, kind)
        if kind == "number":
            written = self._number(node)
            return (
                f"list_filter([{written}], lambda v: v - v = 0)[1]" if self._may_overflow(node) else written
            )
        match node:
            case tree.Text(value):
                return self._bound.to(value)
            case tree.Null():
                return "NULL"
            case tree.TraitRef(name):
                return column(name)
            case tree.Call():
                return self._call(node)
        return self.condition(node)

    def kind(self, node: Value) -> Kind:
        """The kind of value an expression has."""
        literal = _LITERALS.get(type(node))
        if literal is not None:
            return literal
        match node:
            case tree.Span(_, unit):
                return "span" if unit in MICROSECONDS else "months"
            case tree.TraitRef(name):
                trait = self._traits[name]
                return "day" if trait.day else KIND_OF[trait.kind]
            case Behaviour(deed):
                return "time" if deed in ("first", "last") else "number"
            case tree.Arithmetic(_, left, right):
                kinds = self.kind(left), self.kind(right)
                return {("day", "day"): "number", ("time", "time"): "span"}.get(kinds, kinds[0])  # type: ignore[return-value]
            case tree.Call("coalesce" | "least" | "greatest", arguments):
                return self.kind(arguments[0])
            case tree.Call(name):
                return _CALLS.get(name, "bool")
        return "bool"

    def _may_overflow(self, node: Value) -> bool:
        match node:
            case tree.Arithmetic(_, left):
                return self.kind(left) == "number"
            case tree.Negative(inner) | tree.Call("abs" | "round", (inner, *_)):
                return self._may_overflow(inner)
        return False

    def _number(self, node: Value) -> str:
        """A number that may be infinite or no number where ``_may_overflow``: sums and products of those stay so."""
        match node:
            case tree.Number(value):
                return self._bound.to(float(value))
            case tree.TraitRef(name):
                return column(name)
            case Behaviour():
                return self._behaviour(node)
            case tree.Negative(inner):
                return f"(- {self._number(inner)})"
            case tree.Arithmetic("-", left, right) if self.kind(left) == "day":
                days = f"date_diff('day', {self.value(right)}, {self.value(left)})"
                return f"CAST({days} AS DOUBLE)"
            case tree.Arithmetic("/", left, right):
                divisor = self._number(right)
                return f"({self._number(left)} / list_filter([{divisor}], lambda v: v - v = 0 AND v <> 0)[1])"
            case tree.Arithmetic(sign, left, right):
                return f"({self._number(left)} {sign} {self._number(right)})"
            case tree.Call("abs", (inner,)):
                return f"abs({self._number(inner)})"
            case tree.Call("round", (inner, *digits)):
                places = int(digits[0].value) if digits and isinstance(digits[0], tree.Number) else 0
                return f"round({self._number(inner)}, {places})"
            case tree.Call("size", (inner,)):
                return f"CAST(array_length({self.value(inner)}) AS DOUBLE)"
            case tree.Call(name, arguments):
                return f"{name}({', '.join(map(self.value, arguments))})"
        raise TypeError(type(node).__name__)

    def _moment(self, node: Value, kind: Kind) -> str:
        """A day, an instant or a length of time: bound where it depends on nobody."""
        try:
            found = self._moments.constant(node)
        except TypeError:
            return self._moving(node, kind)
        if found is None:
            return _NULLS.get(kind, "CAST(NULL AS BIGINT)")
        if isinstance(found, date):
            return f"CAST({self._bound.to(found)} AS DATE)"
        return self._bound.to(at(found)) if kind == "time" else f"CAST({found} AS BIGINT)"

    def _moving(self, node: Value, kind: Kind) -> str:
        match node:
            case tree.TraitRef(name):
                return column(name)
            case Behaviour():
                return self._behaviour(node)
            case tree.Arithmetic("-", left, right) if kind == "span":
                return f"date_diff('microsecond', {self.value(right)}, {self.value(left)})"
            case tree.Arithmetic(sign, left, right) if kind == "time":
                begin = f"date_diff('microsecond', TIMESTAMPTZ '1970-01-01 00:00:00+00', {self.value(left)})"
                return f"CAST(make_timestamp({begin} {sign} {self.value(right)}) AS TIMESTAMPTZ)"
            case tree.Arithmetic(sign, left, tree.Span(amount, unit)):
                length = amount * {"week": 7, "year": 12}.get(unit, 1)
                if length > _MOST_DAYS:
                    return _NULLS["day"]
                word = "MONTH" if unit in MONTHS else "DAY"
                there = f"CAST({self.value(left)} {sign} INTERVAL '{length}' {word} AS DATE)"
                return (
                    f"list_filter([{there}], lambda v: v BETWEEN DATE '0001-01-01' AND DATE '9999-12-31')[1]"
                )
            case tree.Call("day", (inner,)):
                zone = self._bound.named("zone", self._moments.zone.key)
                return f"CAST(({self.value(inner)}) AT TIME ZONE {zone} AS DATE)"
            case tree.Call(name, arguments):
                return f"{name}({', '.join(map(self.value, arguments))})"
        raise TypeError(type(node).__name__)

    def _call(self, node: tree.Call) -> str:
        """Functions of texts and lists."""
        written = [self.value(argument) for argument in node.arguments]
        match node.function:
            case "has" | "has_any" | "has_all":
                joined = " AND " if node.function == "has_all" else " OR "
                return f"({joined.join(f'list_contains({written[0]}, {text})' for text in written[1:])})"
        return f"{node.function}({', '.join(written)})"


def column(name: str) -> str:
    """A trait's column of ``who``. Names are declared ones, never a condition's own words."""
    return f'who."{name}"'


def prepared(trait: Trait) -> str:
    """A trait of the lake's ``customers`` as conditions take it: nothing told, and no number, are NULL."""
    name = f'"{trait.name}"'
    kind = KIND_OF[trait.kind]
    if kind == "number":
        number = f"CAST({name} AS DOUBLE)"
        return number if trait.kind == "int" else f"CASE WHEN {number} - {number} = 0 THEN {number} END"
    if kind == "text":
        return f"nullif({name}, '')"
    return f"CAST({name} AS DATE)" if trait.day else name
