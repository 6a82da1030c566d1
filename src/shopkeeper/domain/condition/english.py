"""A condition in plain English, with the labels and units of its traits, for people to check what they asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from shopkeeper.domain.clock import instant
from shopkeeper.domain.condition import functions, tree
from shopkeeper.domain.traits import Trait

_TESTS: Final = {
    "=": "is",
    "<>": "is known and not",
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
}
_TIMES: Final = {
    "=": "is",
    "<>": "is known and not",
    "<": "before",
    "<=": "no later than",
    ">": "after",
    ">=": "no earlier than",
}
_PERIODS: Final = {
    "day": "today",
    "week": "the start of this week",
    "month": "the start of this month",
    "quarter": "the start of this quarter",
    "year": "the start of this year",
}
_OPPOSITE: Final[dict[tree.Comparison, tree.Comparison]] = {
    "=": "<>",
    "<>": "=",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
}
_ONCE: Final = {1: "once", 2: "twice"}
_LOGIC: Final = (tree.AllOf, tree.AnyOf, tree.Not, tree.Compare, tree.Between, tree.In, tree.Like, tree.Is)


def english(node: tree.Value, traits: Mapping[str, Trait], currency: str = "") -> str:
    """The condition as a sentence without a full stop.

    >>> english(tree.Compare(">", tree.TraitRef("orders"), tree.Number(3)), {})
    'orders above 3'
    """
    said = _Words(traits, currency).condition(node)
    return said[:1].upper() + said[1:] if traits else said


class _Words:
    def __init__(self, traits: Mapping[str, Trait], currency: str) -> None:
        self.traits = traits
        self.currency = currency

    def condition(self, node: tree.Value) -> str:
        match node:
            case tree.AllOf(parts):
                return ", and ".join(self._part(part) for part in parts)
            case tree.AnyOf(parts):
                return "either " + ", or ".join(self._part(part) for part in parts)
            case tree.Not(inner):
                return self._not(inner)
            case tree.Compare():
                return self._compare(node)
            case tree.Between(operand, low, high):
                return f"{self.value(operand)} from {self._beside(operand, low)} to {self._beside(operand, high)}"
            case tree.In(operand, values):
                unsure = ", else it is not known" if tree.Null() in values else ""
                return f"{self.value(operand)} is one of {self._list(values)}{unsure}"
            case tree.Like(operand, pattern, any_case):
                how = " in any case" if any_case else ""
                return f"{self.value(operand)} is like {_quoted(pattern)}{how}"
            case tree.Is(operand, what):
                if what == "null":
                    return f"{self.value(operand)} is not known"
                return f"{self._inner(operand)} is {'so' if what == 'true' else 'known not to be so'}"
        return self._simple(node)

    def _simple(self, node: tree.Value) -> str:
        match node:
            case tree.Segment(name):
                return f"in the segment {_quoted(name)}"
            case tree.TraitRef(name):
                return f"{self._label(name)}: yes"
            case tree.Behaviour():
                return f"{self._deed(node)} at least once{self._when(node.window)}"
            case tree.Truth(value):
                return "everybody" if value else "nobody"
            case tree.Call(function, (first, *rest)) if function in _SEARCHES:
                words = self._list(tuple(rest))
                return f"{self.value(first)} {_SEARCHES[function]} {words}"
        return self.value(node)

    def _part(self, node: tree.Value) -> str:
        said = self.condition(node)
        return f"({said})" if isinstance(node, tree.AllOf | tree.AnyOf) else said

    def _inner(self, node: tree.Value) -> str:
        said = self.condition(node)
        return f"({said})" if isinstance(node, _LOGIC) else said

    def _not(self, node: tree.Value) -> str:
        match node:
            case tree.Behaviour():
                return f"never {self._deed(node)}{self._when(node.window)}"
            case tree.Segment(name):
                return f"not in the segment {_quoted(name)}"
            case tree.TraitRef(name):
                return f"{self._label(name)}: no"
            case tree.Is(operand, "null"):
                return f"{self.value(operand)} is known"
            case tree.In(operand, values):
                if tree.Null() in values:
                    return f"not ({self.condition(node)})"
                return f"{self.value(operand)} is known and none of {self._list(values)}"
            case tree.Between(operand, low, high):
                ends = f"{self._beside(operand, low)} to {self._beside(operand, high)}"
                return f"{self.value(operand)} is known and not from {ends}"
            case tree.Compare(test, left, right):
                # What is not above is at most: of what is not known neither is true.
                return self._compare(tree.Compare(_OPPOSITE[test], left, right))
            case tree.Like(operand, pattern, any_case):
                how = " in any case" if any_case else ""
                return f"{self.value(operand)} is known and not like {_quoted(pattern)}{how}"
        return f"not ({self.condition(node)})"

    def _compare(self, node: tree.Compare) -> str:
        left, right = node.left, node.right
        if (
            isinstance(left, tree.Behaviour)
            and left.deed in ("events", "orders")
            and isinstance(right, tree.Number)
        ):
            return f"{self._deed(left)} {_often(node.test, right)}{self._when(left.window)}"
        timed = self._timed(left) or self._timed(right)
        words = _TIMES[node.test] if timed else _TESTS[node.test]
        return f"{self._side(left)} {words} {self._beside(left, right)}"

    def _timed(self, node: tree.Value) -> bool:
        match node:
            case tree.Day() | tree.Time() | tree.Now() | tree.Today():
                return True
            case tree.TraitRef(name):
                return name in self.traits and self.traits[name].kind == "time"
            case tree.Behaviour(deed):
                return deed in ("first", "last")
            case tree.Arithmetic(_, left, right):
                return self._timed(left) and isinstance(right, tree.Span)
        return False

    def _beside(self, left: tree.Value, right: tree.Value) -> str:
        """A value as it is said beside what it is compared with: shares in percent, money with its currency."""
        trait = self.traits.get(left.name) if isinstance(left, tree.TraitRef) else None
        money = bool(isinstance(left, tree.Behaviour) and left.deed == "spend")
        if isinstance(right, tree.Number):
            if trait is not None and trait.bounds is not None and max(trait.bounds) == 1:
                return f"{_exactly(Decimal(repr(right.value)) * 100)} %"
            if money or (trait is not None and trait.kind == "money"):
                return f"{_exactly(right.value)} {self.currency}".rstrip()
            unit = trait.unit if trait is not None and trait.unit.lower() != trait.label.lower() else ""
            return f"{_exactly(right.value)} {unit}".rstrip()
        return self._side(right)

    def _side(self, node: tree.Value) -> str:
        return f"({self.condition(node)})" if isinstance(node, _LOGIC) else self.value(node)

    def value(self, node: tree.Value) -> str:
        match node:
            case tree.TraitRef(name):
                return self._label(name)
            case tree.Arithmetic():
                return self._arithmetic(node)
            case tree.Negative(operand):
                inner = self._side(operand)
                return f"minus ({inner})" if isinstance(operand, tree.Arithmetic) else f"minus {inner}"
            case tree.Call(function, arguments):
                return f"{function.replace('_', ' ')} of {', '.join(self._side(one) for one in arguments)}"
            case tree.Behaviour():
                return self._amount(node)
            case tree.Segment():
                return self.condition(node)
            case tree.Truth(value):
                return "yes" if value else "no"
        return self._side(node) if isinstance(node, _LOGIC) else _literal(node)

    def _arithmetic(self, node: tree.Arithmetic) -> str:
        left, right = node.left, node.right
        if isinstance(right, tree.Span):
            way = "before" if node.sign == "-" else "after"
            if isinstance(left, tree.Now) or left == tree.Today():
                return f"{_literal(right)} {'ago' if way == 'before' else 'from now'}"
            return f"{_literal(right)} {way} {self._side(left)}"
        sign = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[node.sign]
        parts = [
            f"({self.value(one)})" if isinstance(one, tree.Arithmetic) else self._side(one)
            for one in (left, right)
        ]
        return f"{parts[0]} {sign} {parts[1]}"

    def _label(self, name: str) -> str:
        trait = self.traits.get(name)
        return name if trait is None else trait.label[:1].lower() + trait.label[1:]

    def _deed(self, node: tree.Behaviour) -> str:
        """What was done, in the past."""
        if node.deed == "orders":
            return f"ordered{self._filters(node.filters)}"
        return f"did {self._named(node)}{self._following(node.then)}"

    def _named(self, node: tree.Behaviour) -> str:
        return " or ".join(_quoted(name) for name in node.names) + self._filters(node.filters)

    def _amount(self, node: tree.Behaviour) -> str:
        window = self._when(node.window)
        if node.deed in ("first", "last"):
            return f"the {node.deed} {self._named(node)}{window}"
        if node.deed == "spend":
            return f"spent{self._filters(node.filters)}{window}"
        if node.deed == "orders":
            return f"number of orders{self._filters(node.filters)}{window}"
        return f"number of {self._named(node)}{self._following(node.then)}{window}"

    def _following(self, then: tree.Then | None) -> str:
        if then is None:
            return ""
        time = f"{then.days} days" if then.days is not None else f"{then.hours} hours"
        what = f"{_quoted(then.name)}{self._filters(then.filters)}"
        return f" and then {'no ' if then.never else ''}{what} within {time}"

    def _filters(self, filters: tuple[tree.Filter, ...]) -> str:
        if not filters:
            return ""
        return " with " + " and ".join(_filter(one) for one in filters)

    def _when(self, window: tree.Window) -> str:
        if window.days is not None:
            return f" in the last {window.days} days" if window.days > 1 else " in the last 24 hours"
        if window.hours is not None:
            return f" in the last {window.hours} hours" if window.hours > 1 else " in the last hour"
        since = f" since {self.value(window.since)}" if window.since is not None else ""
        return since + (f" before {self.value(window.before)}" if window.before is not None else "")

    def _list(self, values: tuple[tree.Value, ...]) -> str:
        return ", ".join(self._side(value) for value in values if value != tree.Null())


_SEARCHES: Final = {
    "contains": "contains",
    "starts_with": "begins with",
    "ends_with": "ends with",
    "has": "holds",
    "has_any": "holds one of",
    "has_all": "holds all of",
}


def _often(test: str, right: tree.Number) -> str:
    often = (
        _ONCE.get(int(right.value), f"{right.value} times")
        if right.value == int(right.value)
        else f"{right.value} times"
    )
    words = {
        "=": "exactly",
        "<>": "not exactly",
        "<": "fewer than",
        "<=": "at most",
        ">": "more than",
        ">=": "at least",
    }
    return f"{words[test]} {often}"


def _filter(one: tree.Filter) -> str:
    label = functions.FACTS[one.fact].label
    values = " or ".join(
        _quoted(value) if isinstance(value, str) else f"{value}".lower() for value in one.values
    )
    if one.test in ("=", "in"):
        return f"{label} {values}"
    words = {
        "<>": "other than",
        "not in": "other than",
        "<": "below",
        "<=": "at most",
        ">": "above",
        ">=": "at least",
    }
    return f"{label} {words[one.test]} {values}"


def _exactly(value: float | Decimal) -> str:
    """A number with every digit that it has."""
    said = f"{Decimal(repr(value)) if isinstance(value, float) else value:,f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def _quoted(text: str) -> str:
    return f"‘{text}’"


def _literal(node: tree.Value) -> str:
    match node:
        case tree.Number(value):
            return _exactly(value)
        case tree.Text(value):
            return _quoted(value)
        case tree.Day(value):
            day = date.fromisoformat(value)
            return f"{day.day} {day:%B} {day.year}"
        case tree.Time(value):
            return f"{instant(value):%Y-%m-%d %H:%M:%S} UTC"
        case tree.Span(amount, unit):
            return f"{amount} {unit}{'s' if amount != 1 else ''}"
        case tree.Today(of):
            return _PERIODS[of]
    return "now" if isinstance(node, tree.Now) else "nothing known"
