"""What each function takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.kinds import WORDS, Kind, Typed

if TYPE_CHECKING:
    from shopkeeper.domain.condition.check import Checker

MOST_DIGITS: Final = 6
_OF_TEXT: Final = frozenset({"contains", "starts_with", "ends_with"})
_OF_LIST: Final = frozenset({"has", "has_any", "has_all"})
_LARGEST: Final = frozenset({"least", "greatest"})
_ORDERED: Final[frozenset[Kind]] = frozenset({"number", "day", "time", "span"})


def call(checker: Checker, node: tree.Call) -> Typed:
    """A call's kind and meaning. Raises BadCondition."""
    name, arguments = node.function, node.arguments
    if name in ("coalesce", *_LARGEST):
        return _same(checker, node)
    if name in _OF_TEXT or name in _OF_LIST:
        first = checker.of_kind(arguments[0], "text" if name in _OF_TEXT else "texts")
        for argument in arguments[1:]:
            if not isinstance(argument, tree.Text) or not argument.value:
                raise checker.wrong(f"{name}(...) looks for a text", argument, "write it in single quotes")
        return Typed("bool", tree.Call(name, (first.node, *arguments[1:])))
    if name == "size":
        return Typed("number", tree.Call(name, (checker.of_kind(arguments[0], "texts").node,)))
    if name == "lower":
        return Typed("text", tree.Call(name, (checker.of_kind(arguments[0], "text").node,)))
    if name == "day":
        return Typed("day", tree.Call(name, (checker.of_kind(arguments[0], "time").node,)))
    first = checker.of_kind(arguments[0], "number")
    for digits in arguments[1:]:
        if not isinstance(digits, tree.Number) or digits.value not in range(MOST_DIGITS + 1):
            raise checker.wrong(f"a number of digits from 0 to {MOST_DIGITS} is expected", digits)
    return Typed("number", tree.Call(name, (first.node, *arguments[1:])))


def _same(checker: Checker, node: tree.Call) -> Typed:
    """Arguments of one kind, which is what comes out."""
    found = [checker.value(argument) for argument in node.arguments]
    kind = found[0].kind
    for typed, argument in zip(found, node.arguments, strict=True):
        if typed.kind in ("null", "months") or (typed.kind == "texts") or (
            node.function in _LARGEST and typed.kind not in _ORDERED
        ):  # fmt: skip
            raise checker.wrong(f"{node.function}(...) does not take {WORDS[typed.kind]}", argument)
        if kind in ("time", "span") and any(isinstance(inner, tree.Now) for inner in tree.walk(typed.node)):
            raise checker.wrong(
                f"{node.function}(...) of instants does not take now()",
                argument,
                "compare with now() outside of it",
            )
        if typed.kind != kind:
            raise checker.wrong(
                f"{WORDS[typed.kind]} beside {WORDS[kind]}",
                argument,
                f"{node.function}(...) takes values of one kind",
            )
    return Typed(kind, tree.Call(node.function, tuple(typed.node for typed in found)))
