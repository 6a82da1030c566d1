"""From tree to text: the one way in which a condition is written. ``parse`` of it is the same tree again."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from shopkeeper.domain.clock import instant
from shopkeeper.domain.condition import functions, tree

_MOMENTS: Final[dict[str, str]] = {
    "day": "today()",
    "week": "this_week()",
    "month": "this_month()",
    "quarter": "this_quarter()",
    "year": "this_year()",
}
_INFIX: Final = (tree.In, tree.Like, tree.Between, tree.Is)
_LENGTH_OF_TIME: Final = re.compile(r"interval '[^']*'$")
_WRITTEN: Final = frozenset("'0123456789")
"""With what a text or a number begins."""
_TIGHT: Final = {"*": 2, "/": 2, "+": 1, "-": 1}


def sql(node: tree.Value) -> str:
    """The text of a tree.

    >>> sql(tree.Not(tree.In(tree.TraitRef("state"), (tree.Text("new"),))))
    "state not in ('new')"
    """
    match node:
        case tree.AllOf(conditions):
            return " and ".join(_part(one) for one in conditions)
        case tree.AnyOf(conditions):
            return " or ".join(_part(one) for one in conditions)
        case tree.Not(condition):
            return _not(condition)
        case tree.Compare(test, left, right):
            return f"{_operand(left)} {test} {_operand(right)}"
        case tree.Between(operand, low, high):
            return f"{_operand(operand)} between {_operand(low)} and {_operand(high)}"
        case tree.In(operand, values):
            return f"{_operand(operand)} in ({', '.join(sql(value) for value in values)})"
        case tree.Like(operand, pattern, any_case):
            return f"{_operand(operand)} {'ilike' if any_case else 'like'} {_quoted(pattern)}"
        case tree.Is(operand, what):
            return f"{_operand(operand)} is {what}"
        case _:
            return _value(node)


def _value(node: tree.Value) -> str:
    match node:
        case tree.Arithmetic(sign, left, right):
            before, after = _side(left, sign, left=True), _side(right, sign, left=False)
            if sign == "+" and after[0] in _WRITTEN and _LENGTH_OF_TIME.search(before):
                before = f"({before})"  # or sqlglot takes what follows for more of the interval
            return f"{before} {sign} {after}"
        case tree.Negative(operand):
            plain = isinstance(operand, tree.TraitRef | tree.Call | tree.Behaviour)
            return f"-{sql(operand)}" if plain else f"-({sql(operand)})"
        case tree.Call(function, arguments):
            return f"{function}({', '.join(sql(one) for one in arguments)})"
        case tree.Segment(name):
            return f"segment({_quoted(name)})"
        case tree.Behaviour():
            return _behaviour(node)
    return _literal(node)


def _literal(node: tree.Value) -> str:
    match node:
        case tree.Number() | tree.Text() | tree.Truth():
            return scalar(node.value)
        case tree.Day(value):
            return f"date '{value}'"
        case tree.Time(value):
            return f"timestamp '{instant(value).isoformat(sep=' ')}'"
        case tree.Span(amount, unit):
            return f"interval '{amount} {unit}{'s' if amount != 1 else ''}'"
        case tree.Today(of):
            return _MOMENTS[of]
        case tree.TraitRef(name):
            return name
    return "now()" if isinstance(node, tree.Now) else "null"


def scalar(value: tree.Scalar) -> str:
    """A literal.

    >>> scalar(0.00001), scalar("it's"), scalar(True)
    ('0.00001', "'it''s'", 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _part(node: tree.Value) -> str:
    """A condition within 'and' and 'or': a chain within a chain stands in parentheses."""
    return f"({sql(node)})" if isinstance(node, tree.AllOf | tree.AnyOf) else sql(node)


def _not(node: tree.Value) -> str:
    match node:
        case tree.In(operand, values):
            return f"{_operand(operand)} not in ({', '.join(sql(value) for value in values)})"
        case tree.Like(operand, pattern, any_case):
            return f"{_operand(operand)} not {'ilike' if any_case else 'like'} {_quoted(pattern)}"
        case tree.Between(operand, low, high):
            return f"{_operand(operand)} not between {_operand(low)} and {_operand(high)}"
        case tree.Is(operand, what):
            return f"{_operand(operand)} is not {what}"
        case tree.TraitRef() | tree.Behaviour() | tree.Segment() | tree.Call() | tree.Truth():
            return f"not {sql(node)}"
    return f"not ({sql(node)})"


def _operand(node: tree.Value) -> str:
    """A side of a comparison: conditions stand in parentheses there."""
    loose = (tree.AllOf, tree.AnyOf, tree.Not, tree.Compare, *_INFIX)
    return f"({sql(node)})" if isinstance(node, loose) else sql(node)


def _side(node: tree.Value, sign: str, *, left: bool) -> str:
    """A side of an operator: what binds more loosely, or as loosely on the right, stands in parentheses."""
    if isinstance(node, tree.Arithmetic):
        binds = _TIGHT[node.sign] > _TIGHT[sign] or (left and _TIGHT[node.sign] == _TIGHT[sign])
        return sql(node) if binds else f"({sql(node)})"
    return _operand(node)


def _behaviour(node: tree.Behaviour) -> str:
    parts = [event_name(name) for name in node.names]
    parts += [filter_sql(one) for one in node.filters]
    if (then := node.then) is not None:
        after = event_name(then.name)
        if then.filters:
            after = f"event({', '.join([after, *(filter_sql(one) for one in then.filters)])})"
        parts.append(f"{'then_not' if then.never else 'then'} => {after}")
        parts += [
            f"within_{unit} => {amount}"
            for unit, amount in (("days", then.days), ("hours", then.hours))
            if amount is not None
        ]
    window = node.window
    parts += [
        f"{unit} => {amount}"
        for unit, amount in (("days", window.days), ("hours", window.hours))
        if amount is not None
    ]
    parts += [
        f"{name} => {sql(end)}"
        for name, end in (("since", window.since), ("before", window.before))
        if end is not None
    ]
    return f"{node.deed}({', '.join(parts)})"


def event_name(name: str) -> str:
    """An event's name within a call."""
    from shopkeeper.domain import events  # noqa: F401 - fills EVENTS
    from shopkeeper.domain.event import EVENTS

    return _quoted(name) if name in EVENTS else f"{functions.CUSTOM.name}({_quoted(name)})"


def filter_sql(one: tree.Filter) -> str:
    """A filter within a call."""
    if one.test == "=":
        return f"{one.fact} => {scalar(one.values[0])}"
    if one.test in ("in", "not in"):
        return f"{one.fact} {one.test} ({', '.join(scalar(value) for value in one.values)})"
    return f"{one.fact} {one.test} {scalar(one.values[0])}"
