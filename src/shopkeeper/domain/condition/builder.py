"""A condition as a builder shows it: groups of rows as plain JSON, and back to the same tree.

A group is ``{"match": "all" | "any" | "none", "rows": [...]}``. A row is ``{"operand", "operator", "value"}``: the
operand ``{"trait": name}``, ``{"deed": "events", "names": [...], "filters": [...], ...}`` or ``{"segment": name}``; the
value a number, a text, true or false, a list of these, or ``{"sql": "today() - interval '3 months'"}``. What is beyond
rows is ``{"expression": SQL}``. In every case the way back gives the same tree.
"""

from __future__ import annotations

from typing import Any, Final, cast, get_args

import msgspec

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.parse import LARGEST, parse
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.errors import InvalidInput

_DEEPEST: Final = 20
_COMPARISONS: Final = get_args(tree.Comparison)
_OPERANDS = (tree.TraitRef, tree.Behaviour)


class _Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A behaviour as JSON; ends of a window are SQL."""

    deed: tree.Deed
    names: tuple[str, ...] = ()
    filters: tuple[tree.Filter, ...] = ()
    days: int | None = None
    hours: int | None = None
    since: str | None = None
    before: str | None = None
    then: tree.Then | None = None


def to_builder(node: tree.Value) -> dict[str, Any]:
    """The tree as groups and rows.

    >>> to_builder(tree.Compare(">", tree.TraitRef("orders"), tree.Number(3)))
    {'operand': {'trait': 'orders'}, 'operator': '>', 'value': 3}
    """
    match node:
        case tree.AllOf(conditions) | tree.AnyOf(conditions):
            match_ = "all" if isinstance(node, tree.AllOf) else "any"
            return {"match": match_, "rows": [to_builder(one) for one in conditions]}
        case tree.Not(tree.AnyOf(conditions)):
            return {"match": "none", "rows": [to_builder(one) for one in conditions]}
    row = _row(node)
    if row is not None:
        return row
    if isinstance(node, tree.Not) and (inner := _row(node.condition)) is not None:
        return {"match": "none", "rows": [inner]}
    return {"expression": sql(node)}


def _row(node: tree.Value) -> dict[str, Any] | None:
    """A row, where the node is one."""
    positive = not isinstance(node, tree.Not)
    inner = node.condition if isinstance(node, tree.Not) else node
    match inner:
        case tree.Segment(name):
            return {"operand": {"segment": name}, "operator": "in" if positive else "not in"}
        case tree.TraitRef():
            return {"operand": _operand(inner), "operator": "yes" if positive else "no"}
        case tree.Behaviour():
            return {"operand": _operand(inner), "operator": "happened" if positive else "did not happen"}
        case tree.Is(operand, "null") if isinstance(operand, _OPERANDS):
            return {"operand": _operand(operand), "operator": "is unknown" if positive else "is known"}
        case tree.In(operand, values) if isinstance(operand, _OPERANDS):
            listed = [_value(one) for one in values]
            return {"operand": _operand(operand), "operator": "in" if positive else "not in", "value": listed}
        case tree.Like(operand, pattern, any_case) if isinstance(operand, _OPERANDS):
            operator = f"{'' if positive else 'not '}{'ilike' if any_case else 'like'}"
            return {"operand": _operand(operand), "operator": operator, "value": pattern}
        case tree.Between(operand, low, high) if isinstance(operand, _OPERANDS):
            operator = "between" if positive else "not between"
            return {"operand": _operand(operand), "operator": operator, "value": [_value(low), _value(high)]}
        case tree.Compare(test, left, right) if positive and isinstance(left, _OPERANDS):
            return {"operand": _operand(left), "operator": test, "value": _value(right)}
    return None


def _operand(node: tree.TraitRef | tree.Behaviour) -> dict[str, Any]:
    if isinstance(node, tree.TraitRef):
        return {"trait": node.name}
    window = node.window
    deed = _Deed(
        node.deed, node.names, node.filters, window.days, window.hours,
        None if window.since is None else sql(window.since), None if window.before is None else sql(window.before),
        node.then,
    )  # fmt: skip
    return cast("dict[str, Any]", msgspec.json.decode(msgspec.json.encode(deed)))


def _value(node: tree.Value) -> Any:
    if isinstance(node, tree.Number | tree.Text | tree.Truth):
        return node.value
    return {"sql": sql(node)}


def from_builder(data: Any) -> tree.Value:
    """The tree of what ``to_builder`` gave or a builder made. Raises InvalidInput.

    >>> from_builder({"operand": {"trait": "orders"}, "operator": ">", "value": 3})
    Compare(test='>', left=TraitRef(name='orders'), right=Number(value=3))
    """
    node = _read(data, 0)
    found = parse(sql(node)).tree  # names, lengths and numbers are held to what can be written
    if found != node:
        raise InvalidInput(
            "a row or a group that would be read as another", hint=f"written, it is: {sql(found)[:200]}"
        )
    return found


def _read(data: Any, depth: int) -> tree.Value:
    if depth > _DEEPEST:
        raise InvalidInput(f"more than {_DEEPEST} groups within each other")
    if not isinstance(data, dict):
        raise InvalidInput(
            "a group, a row or an expression is expected", hint='such as {"match": "all", "rows": []}'
        )
    if "expression" in data:
        return parse(_text(data["expression"])).tree
    if "match" not in data:
        return _read_row(data)
    rows = data.get("rows")
    if not isinstance(rows, list) or not rows:
        raise InvalidInput("a group without rows", hint="add a row, or leave the group out")
    found = tuple(_read(row, depth + 1) for row in rows)
    match data["match"]:
        case "all":
            return tree.AllOf(found) if len(found) > 1 else found[0]
        case "any":
            return tree.AnyOf(found) if len(found) > 1 else found[0]
        case "none":
            return tree.Not(tree.AnyOf(found) if len(found) > 1 else found[0])
    raise InvalidInput("a group matches all, any or none")


def _read_row(data: dict[str, Any]) -> tree.Value:
    told = data.get("operand")
    operator = data.get("operator")
    if not isinstance(told, dict) or not isinstance(operator, str):
        raise InvalidInput("a row has an operand, an operator and a value")
    if "segment" in told:
        return _signed(tree.Segment(_text(told["segment"])), operator, "in", "not in")
    operand: tree.Value
    operand = tree.TraitRef(_text(told["trait"]).lower()) if "trait" in told else _read_deed(told)
    value = data.get("value")
    if operator in _COMPARISONS:
        return tree.Compare(cast("tree.Comparison", operator), operand, _read_value(value))
    match operator:
        case "yes" | "no":
            return _signed(operand, operator, "yes", "no")
        case "happened" | "did not happen":
            return _signed(operand, operator, "happened", "did not happen")
        case "is unknown" | "is known":
            return _signed(tree.Is(operand, "null"), operator, "is unknown", "is known")
        case "in" | "not in":
            return _signed(tree.In(operand, _values(value)), operator, "in", "not in")
        case "between" | "not between":
            ends = _values(value)
            if len(ends) != 2:
                raise InvalidInput("'between' has two values")
            return _signed(tree.Between(operand, *ends), operator, "between", "not between")
        case "like" | "not like":
            return _signed(tree.Like(operand, _text(value)), operator, "like", "not like")
        case "ilike" | "not ilike":
            return _signed(tree.Like(operand, _text(value), any_case=True), operator, "ilike", "not ilike")
    raise InvalidInput(
        f"unknown operator {operator[:40]!r}",
        hint=f"one of {', '.join(_COMPARISONS)}, in, like, between, ...",
    )


def _signed(node: tree.Value, operator: str, yes: str, no: str) -> tree.Value:
    if operator not in (yes, no):
        raise InvalidInput(f"{operator[:40]!r} does not go with this operand", hint=f"{yes} or {no}")
    return node if operator == yes else tree.Not(node)


def _read_deed(told: dict[str, Any]) -> tree.Behaviour:
    try:
        deed = msgspec.convert(told, _Deed)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"an operand cannot be read: {error}", hint="a trait, a segment or a deed"
        ) from None
    for one in (*deed.filters, *(deed.then.filters if deed.then else ())):
        if not one.values or (len(one.values) > 1 and one.test not in ("in", "not in")):
            raise InvalidInput(
                f"a filter with {len(one.values)} values", hint="only 'in' and 'not in' take several"
            )
        for value in one.values:
            _read_value(value)
    ends = [None if end is None else parse(end).tree for end in (deed.since, deed.before)]
    return tree.Behaviour(
        deed.deed, deed.names, deed.filters, tree.Window(deed.days, deed.hours, ends[0], ends[1]), deed.then
    )


def _values(given: Any) -> tuple[tree.Value, ...]:
    if not isinstance(given, list) or not given:
        raise InvalidInput("a list of values is expected")
    return tuple(_read_value(one) for one in given)


def _read_value(given: Any) -> tree.Value:
    match given:
        case bool():
            return tree.Truth(given)
        case int() | float():
            if not abs(given) <= LARGEST:  # neither is what is no number
                raise InvalidInput("a number is expected", hint=f"at most {LARGEST:,} is possible")
            return tree.number(given)
        case str():
            return tree.Text(given)
        case {"sql": str(text)}:
            return parse(text).tree
    raise InvalidInput('a value is a number, a text, true, false or {"sql": ...}')


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise InvalidInput("a text is expected")
    return given
