"""The tree of a condition: what a text of the condition language means, and nothing of any engine.

Nodes are frozen and compare by content. A tree is built by ``parse``, by ``builder`` from JSON, or by hand; ``check``
says whether it means something for the declared traits. Invariants that hand-built trees must keep as well:

- ``AllOf`` and ``AnyOf`` have two conditions or more; ``In`` and ``Call`` have arguments where the function wants some.
- A ``Number`` that is whole is an ``int`` (``number`` sees to it); a literal below zero is a ``Number``, not a
  ``Negative`` of one.
- "not in", "not like", "not between", "is not null" are a ``Not`` around the node.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

Comparison = Literal["=", "<>", "<", "<=", ">", ">="]
Sign = Literal["+", "-", "*", "/"]
Unit = Literal["minute", "hour", "day", "week", "month", "year"]
Period = Literal["day", "week", "month", "quarter", "year"]
Deed = Literal["events", "first", "last", "orders", "spend"]
Test = Literal["=", "<>", "<", "<=", ">", ">=", "in", "not in"]
Scalar = str | int | float | bool


class Node(Struct, frozen=True, tag=str.lower):
    """Base of every node."""


class Number(Node, frozen=True):
    """A number as written: ``200``, ``0.5``, ``-3``."""

    value: int | float


class Text(Node, frozen=True):
    """A text as written: ``'Lighting'``."""

    value: str


class Truth(Node, frozen=True):
    """``true`` or ``false``."""

    value: bool


class Null(Node, frozen=True):
    """``null``: nothing known."""


class Day(Node, frozen=True):
    """A day of the shop's: ``date '2024-01-31'``, kept as written, ISO."""

    value: str


class Time(Node, frozen=True):
    """An instant: ``timestamp '2024-01-31 10:00:00+00:00'``, kept in microseconds since 1970 in UTC."""

    value: int


class Span(Node, frozen=True):
    """A length of time: ``interval '30 days'``."""

    amount: int
    unit: Unit


class Now(Node, frozen=True):
    """``now()``: the instant at which the condition is asked."""


class Today(Node, frozen=True):
    """``today()``, or the first day of the present week (Monday), month, quarter or year, in the shop's zone."""

    of: Period = "day"


class TraitRef(Node, frozen=True):
    """A trait of the customer, by name."""

    name: str


class Arithmetic(Node, frozen=True):
    """``left + right`` and so on; also of days and lengths of time. Division by zero is null."""

    sign: Sign
    left: Value
    right: Value


class Negative(Node, frozen=True):
    """``-operand``, of what is not a literal."""

    operand: Value


class Call(Node, frozen=True):
    """A function of values (``functions.CALLS``): ``round(x, 2)``, ``has(looked_not_bought, '85048')``."""

    function: str
    arguments: tuple[Value, ...]


class Filter(Struct, frozen=True):
    """A test of one fact of an event (``functions.FACTS``). Only ``in`` and ``not in`` have several values."""

    fact: str
    test: Test
    values: tuple[Scalar, ...]


class Window(Struct, frozen=True):
    """From when to when events count; never beyond now.

    ``days`` or ``hours`` alone (the last n times 24 or 1 hours), or ``since`` (included) and ``before`` (left out):
    days or instants that do not depend on the customer.
    """

    days: int | None = None
    hours: int | None = None
    since: Value | None = None
    before: Value | None = None


class Then(Struct, frozen=True):
    """What must, or must not, have come within so many days or hours after an event: ``then_not => 'B'``."""

    name: str
    filters: tuple[Filter, ...] = ()
    never: bool = False
    days: int | None = None
    hours: int | None = None


class Behaviour(Node, frozen=True):
    """What the customer did: how often, when first, when last; how many orders, how much spent.

    ``names`` are event names, any of which counts; ``orders`` and ``spend`` have none.
    """

    deed: Deed
    names: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    window: Window = Window()
    then: Then | None = None


class Compare(Node, frozen=True):
    """``left < right`` and so on."""

    test: Comparison
    left: Value
    right: Value


class Between(Node, frozen=True):
    """``operand between low and high``, both included."""

    operand: Value
    low: Value
    high: Value


class In(Node, frozen=True):
    """``operand in (a, b)``."""

    operand: Value
    values: tuple[Value, ...]


class Like(Node, frozen=True):
    """``operand like 'Li%'``: ``%`` stands for anything, ``_`` for one character; ``ilike`` ignores case."""

    operand: Value
    pattern: str
    any_case: bool = False


class Is(Node, frozen=True):
    """``operand is null``, ``is true``, ``is false``: never unknown."""

    operand: Value
    what: Literal["null", "true", "false"]


class Segment(Node, frozen=True):
    """``segment('name')``: whether the customer is in it."""

    name: str


class Not(Node, frozen=True):
    """``not condition``; unknown stays unknown."""

    condition: Value


class AllOf(Node, frozen=True):
    """``a and b and c``."""

    conditions: tuple[Value, ...]


class AnyOf(Node, frozen=True):
    """``a or b or c``."""

    conditions: tuple[Value, ...]


Value = (
    Number
    | Text
    | Truth
    | Null
    | Day
    | Time
    | Span
    | Now
    | Today
    | TraitRef
    | Arithmetic
    | Negative
    | Call
    | Behaviour
    | Compare
    | Between
    | In
    | Like
    | Is
    | Segment
    | Not
    | AllOf
    | AnyOf
)
"""Any node. Which may stand where is a matter of types, not of the tree."""


def number(value: int | float) -> Number:
    """A number as the tree keeps it: whole ones as ``int``.

    >>> number(2.0), number(0.5)
    (Number(value=2), Number(value=0.5))
    """
    return Number(int(value) if value == int(value) else value)


def children(node: Value) -> tuple[Value, ...]:
    """The nodes directly below a node, in the order in which they are written."""
    match node:
        case Arithmetic(_, left, right) | Compare(_, left, right):
            return (left, right)
        case Negative(inner) | Not(inner) | Like(inner, _, _) | Is(inner, _):
            return (inner,)
        case Call(_, inner):
            return inner
        case Between(operand, low, high):
            return (operand, low, high)
        case In(operand, values):
            return (operand, *values)
        case AllOf(conditions) | AnyOf(conditions):
            return conditions
        case Behaviour():
            return tuple(bound for bound in (node.window.since, node.window.before) if bound is not None)
        case _:
            return ()


def walk(node: Value) -> Iterator[Value]:
    """A node and everything below it, from the left.

    >>> [type(n).__name__ for n in walk(Not(Compare(">", TraitRef("orders"), Number(3))))]
    ['Not', 'Compare', 'TraitRef', 'Number']
    """
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(children(found)))
