"""What is asked of events: whether filters fit the events they filter, and windows are windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from shopkeeper.domain.condition import functions, tree

if TYPE_CHECKING:
    from shopkeeper.domain.condition.check import Checker

_ENVELOPE: Final = frozenset({"channel", "source", "brand"})
_LINE: Final = frozenset(fact.name for fact in functions.FACTS.values() if fact.line)
_ENDS: Final = (tree.Day, tree.Time, tree.Now, tree.Today, tree.Arithmetic, tree.Span)
MACHINE: Final = tree.Filter("machine", "=", (False,))


def filters_of(
    checker: Checker, names: Sequence[str], filters: Sequence[tree.Filter]
) -> tuple[tree.Filter, ...]:
    """The filters in one order, with what is left out unless asked for. Raises BadCondition."""
    for one in filters:
        _fits(checker, one)
        for name in names:
            if not tells(name, one.fact):
                told = ", ".join(fact for fact in functions.FACTS if tells(name, fact))
                raise checker.wrong(f"{name!r} does not tell its {one.fact}", one, f"it tells {told}")
    asked = dict.fromkeys(filters)
    if (
        names
        and any(_declares(name, "machine") for name in names)
        and all(one.fact != "machine" for one in filters)
    ):
        asked[MACHINE] = None
    order = list(functions.FACTS)
    return tuple(sorted(asked, key=lambda one: (order.index(one.fact), one.test, repr(one.values))))


def _declares(name: str, field: str) -> bool:
    from shopkeeper.domain import events  # noqa: F401 - fills EVENTS
    from shopkeeper.domain.event import EVENTS

    row = EVENTS.get(name)
    return row is not None and field in row.fields


def tells(name: str, fact: str) -> bool:
    """Whether events of a name may tell a fact. What nobody declared has no facts but those of its envelope."""
    from shopkeeper.domain.event import EVENTS

    if fact in _ENVELOPE:
        return True
    if name not in EVENTS:
        return False
    if name in functions.LINED and fact in _LINE:
        return True
    return _declares(name, fact) or (fact == "category" and _declares(name, "product_id"))


def _fits(checker: Checker, one: tree.Filter) -> None:
    fact = functions.FACTS[one.fact]
    if fact.kind == "money":
        if not all(type(value) in (int, float) for value in one.values):
            raise checker.wrong(f"{one.fact} is a number", one, "numbers stand without quotes")
    elif fact.kind == "bool":
        if one.test != "=" or type(one.values[0]) is not bool:
            raise checker.wrong(f"{one.fact} is true or false", one, f"write {one.fact} => true")
    elif not all(type(value) is str for value in one.values):
        raise checker.wrong(f"{one.fact} is a text", one, "texts stand in single quotes")
    elif one.test not in ("=", "<>", "in", "not in"):
        raise checker.wrong("a text has no order", one, "compare it with =, <>, in or not in")
    elif not all(one.values):
        raise checker.wrong("an empty text is the same as nothing told", one)
    if not one.values:
        raise checker.wrong("an empty list", one, "write at least one value")


def window_of(checker: Checker, node: tree.Behaviour) -> tree.Window:
    """The window with the meaning of its ends. Raises BadCondition."""
    window = node.window
    ends: list[tree.Value | None] = []
    for end in (window.since, window.before):
        if end is None:
            ends.append(None)
            continue
        for inner in tree.walk(end):
            if isinstance(inner, tree.TraitRef | tree.Behaviour | tree.Segment):
                raise checker.wrong(
                    "a window that depends on the customer", inner,
                    "compare times instead: last('Product Viewed') > last('Order Completed')",
                )  # fmt: skip
        found = checker.value(end)
        plain = all(isinstance(inner, _ENDS) for inner in tree.walk(end))
        if found.kind not in ("day", "time") or not plain:
            raise checker.wrong(
                "a window begins and ends with a day or an instant",
                end,
                "such as since => date '2024-01-31', or today() - interval '3 months'",
            )
        ends.append(found.node)
    match ends:
        case [tree.Day(since), tree.Day(before)] if since >= before:
            raise checker.wrong("a window that ends before it begins", node)
        case [tree.Time(since), tree.Time(before)] if since >= before:
            raise checker.wrong("a window that ends before it begins", node)
    return tree.Window(window.days, window.hours, ends[0], ends[1])
