"""From text to tree, a function with its arguments: which there are and how many arguments each has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from shopkeeper.domain.condition import functions, tree
from shopkeeper.domain.condition.deeds import behaviour
from shopkeeper.domain.errors import BadCondition, UnknownName

if TYPE_CHECKING:
    from sqlglot import exp

    from shopkeeper.domain.condition.parse import Reader

_PERIODS: Final[dict[str, tree.Period]] = {
    "today": "day",
    "this_week": "week",
    "this_month": "month",
    "this_quarter": "quarter",
    "this_year": "year",
}


def call(reader: Reader, node: exp.Expression) -> tree.Value:
    """A function with its arguments. Raises BadCondition."""
    if type(node.this) is not str:
        raise reader.refused(node)
    name, start, stop = reader.called(node)
    head = start + len(name)
    if name in functions.DEEDS:
        return cast("tree.Value", reader.place(behaviour(reader, name, node.expressions), start, stop))
    row = functions.CALLS.get(name) or functions.MOMENTS.get(name)
    if row is None and name != functions.SEGMENT.name:
        if name in (functions.EVENT.name, functions.CUSTOM.name):
            raise BadCondition(
                f"{name}(...) stands only within events(...), first(...), last(...)", reader.text, start, head
            )
        near = UnknownName("function", name, functions.NAMES)
        raise BadCondition(near.message, reader.text, start, head, hint=near.hint, nearest=near.nearest)
    arguments = tuple(reader.value(one) for one in node.expressions)
    row = row or functions.SEGMENT
    if not row.least <= len(arguments) <= row.most:
        wanted = f"{row.name}({row.takes})"
        raise BadCondition(
            f"{name}(...) with {len(arguments)} arguments",
            reader.text,
            start,
            stop,
            hint=f"expected {wanted}",
        )
    if name == functions.SEGMENT.name:
        if not isinstance(arguments[0], tree.Text):
            raise BadCondition(
                "a segment's name is a text", reader.text, start, stop, hint="write segment('name')"
            )
        return cast("tree.Value", reader.place(tree.Segment(arguments[0].value), start, stop))
    if name in functions.CALLS:
        return cast("tree.Value", reader.place(tree.Call(name, arguments), start, stop))
    moment = tree.Now() if name == "now" else tree.Today(_PERIODS[name])
    return cast("tree.Value", reader.place(moment, start, stop))
