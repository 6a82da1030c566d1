"""What a condition is made of: its meaning falls apart into comparisons of one thing with constants, and a rest.

Of such a comparison it is known which values make it change its answer (its *bounds*), so that a thousand conditions
over one trait are looked up by its old and its new value instead of being asked one after another. What is more
involved is asked anew whenever one of the traits or behaviours in it changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from msgspec import Struct

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.window import ALWAYS, End, Fixed, end
from shopkeeper.domain.condition.zone import Zone, number_of
from shopkeeper.domain.traits import Trait

NUMBER, DAYS, INSTANT, TEXT, TRUTH, LIST, NULL = "number", "days", "instant", "text", "truth", "list", "null"
_TURNED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NUMBERS: Final = frozenset({"int", "float", "money"})
_OF_NUMBERS: Final = frozenset({"abs", "round", "least", "greatest"})
_HAS: Final = frozenset({"has", "has_any", "has_all"})


class Sense(NamedTuple):
    """What a leaf must say for the whole to be true."""

    wanted: bool
    unknown: bool
    """Whether unknown will do as well."""


class Atom(Struct, frozen=True):
    """A leaf of a condition. Without ``on`` it is of no simple kind."""

    node: tree.Value
    kind: str = ""
    on: tree.Value | None = None
    """What is compared: a trait, a behaviour, or the day of one."""
    bounds: tuple[tuple[float, int, bool], ...] = ()
    """Of numbers: (bound, 0) where reaching it matters, (bound, 1) where exceeding it does; and whether the atom gets
    true by that, or false.
    """
    ends: tuple[tuple[str, End, int, bool], ...] = ()
    """Of days and instants: the same, each with its text."""
    words: tuple[str, ...] = ()
    """Of texts and lists: those that make it true."""
    plain: bool = True
    """Whether ``bounds``, ``ends`` and ``words`` say exactly what makes it true, and not only where it changes:
    all that rise are met and none that fall; the text is among the words; the one word is in the list.
    """


def leaves(node: tree.Value) -> Iterator[tree.Value]:
    """The conditions that a meaning is made of by 'and', 'or', 'not', 'is true' and 'is false'."""
    match node:
        case tree.AllOf(parts) | tree.AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case tree.Not(inner):
            yield from leaves(inner)
        case tree.Is(inner, what) if what != "null":
            yield from leaves(inner)
        case _:
            yield node


def timed(node: tree.Value) -> bool:
    """Whether time alone may change what a node says."""
    return any(isinstance(one, tree.Now | tree.Today | tree.Behaviour) for one in tree.walk(node))


def of_somebody(node: tree.Value) -> bool:
    """Whether it depends on the customer."""
    return any(isinstance(one, tree.TraitRef | tree.Behaviour | tree.Segment) for one in tree.walk(node))


class Reader:
    """Reads leaves for one shop: its traits and its calendar."""

    def __init__(self, traits: dict[str, Trait], zone: Zone) -> None:
        self.traits = traits
        self.zone = zone

    def atom(self, leaf: tree.Value) -> Atom:
        """A leaf, as far as it is understood."""
        match leaf:
            case tree.Compare(test, left, right):
                return self._compared(leaf, test, left, right) or Atom(leaf)
            case tree.Between(operand, low, high):
                first = self._compared(leaf, ">=", operand, low)
                last = self._compared(leaf, "<=", operand, high)
                if first is None or last is None or (first.kind, first.on) != (last.kind, last.on):
                    return Atom(leaf)
                return Atom(leaf, first.kind, first.on, first.bounds + last.bounds, first.ends + last.ends)
            case tree.In(operand, values):
                return self._among(leaf, operand, values)
            case tree.TraitRef(name) if self.traits[name].kind == "bool":
                return Atom(leaf, TRUTH, leaf)
            case tree.Is(tree.TraitRef(name) as operand, _) if self.traits[name].kind != "bool":
                return Atom(leaf, NULL, operand)
            case tree.Is(tree.Behaviour() as operand, _):
                return Atom(leaf, NULL, operand)
            case tree.Call(function, (tree.TraitRef() as operand, *rest)) if function in _HAS:
                words = tuple(one.value for one in rest if isinstance(one, tree.Text))
                if len(words) == len(rest):
                    return Atom(leaf, LIST, operand, words=words, plain=len(words) == 1)
        return Atom(leaf)

    def _compared(self, leaf: tree.Value, test: str, left: tree.Value, right: tree.Value) -> Atom | None:
        if not of_somebody(left):
            left, right, test = right, left, _TURNED[test]
        if of_somebody(right):
            return None
        match right:
            case tree.Number(value):
                if self._is_number(left):
                    return Atom(leaf, NUMBER, left, _bounds(test, value), plain=test != "<>")
                match left:
                    case tree.Arithmetic("-", tree.Today("day"), day) if self._kind(day) == "day":
                        return Atom(leaf, DAYS, day, _bounds(test, value), plain=test != "<>")
                return None
            case tree.Text(value) if isinstance(left, tree.TraitRef):
                return Atom(leaf, TEXT, left, words=(value,), plain=test == "=")
        if self._kind(left) in ("day", "time") and (found := self._end(right)) is not None:
            return Atom(leaf, INSTANT, left, ends=_ends(test, sql(right), found), plain=test != "<>")
        return None

    def _among(self, leaf: tree.Value, operand: tree.Value, values: tuple[tree.Value, ...]) -> Atom:
        if isinstance(operand, tree.TraitRef) and all(
            isinstance(one, tree.Text | tree.Null) for one in values
        ):
            words = tuple(one.value for one in values if isinstance(one, tree.Text))
            return Atom(leaf, TEXT, operand, words=words, plain=len(words) == len(values))
        if self._is_number(operand) and all(isinstance(one, tree.Number | tree.Null) for one in values):
            bounds = [b for one in values if isinstance(one, tree.Number) for b in _bounds("=", one.value)]
            return Atom(leaf, NUMBER, operand, tuple(bounds), plain=len(values) == 1 and len(bounds) == 2)
        return Atom(leaf)

    def _is_number(self, node: tree.Value) -> bool:
        match node:
            case tree.TraitRef(name):
                return self.traits[name].kind in _NUMBERS
            case tree.Behaviour(deed):
                return deed not in ("first", "last")
        return not isinstance(node, tree.Number) and self._is_figure(node)

    def _is_figure(self, node: tree.Value) -> bool:
        """Whether a number is worked out from traits alone, so that nothing but a change of these changes it."""
        match node:
            case tree.Number():
                return True
            case tree.TraitRef():
                return self._is_number(node)
            case tree.Arithmetic(_, left, right):
                return self._is_figure(left) and self._is_figure(right)
            case tree.Negative(inner):
                return self._is_figure(inner)
            case tree.Call(function, arguments) if function in _OF_NUMBERS:
                return all(self._is_figure(one) for one in arguments)
        return False

    def _kind(self, node: tree.Value) -> str:
        """``day`` or ``time`` of a trait or behaviour, or of the day of one; else nothing."""
        match node:
            case tree.TraitRef(name) if self.traits[name].kind == "time":
                return "day" if self.traits[name].day else "time"
            case tree.Behaviour(deed) if deed in ("first", "last"):
                return "time"
            case tree.Call("day", (inner,)) if self._kind(inner) == "time":
                return "day"
        return ""

    def _end(self, node: tree.Value) -> End | None:
        """A day or an instant that does not depend on the customer, as the instant at which it begins."""
        inner = node
        while isinstance(inner, tree.Arithmetic) and isinstance(inner.right, tree.Span):
            inner = inner.left
        if not isinstance(inner, tree.Day | tree.Today | tree.Now | tree.Time):
            return None
        if isinstance(node, tree.Day):
            return Fixed(self.zone.start(number_of(date.fromisoformat(node.value))))
        found = end(node, self.zone)
        return None if found.at(0) == ALWAYS else found


def _bounds(test: str, value: float) -> tuple[tuple[float, int, bool], ...]:
    """What must be reached or exceeded for a comparison with a number to change, and whether it gets true by that.

    >>> _bounds(">=", 2), _bounds("<=", 2), _bounds("=", 2)
    (((2, 0, True),), ((2, 1, False),), ((2, 0, True), (2, 1, False)))
    """
    if test in (">=", "<"):
        return ((value, 0, test == ">="),)
    if test in (">", "<="):
        return ((value, 1, test == ">"),)
    return ((value, 0, True), (value, 1, False))


def _ends(test: str, text: str, found: End) -> tuple[tuple[str, End, int, bool], ...]:
    return tuple((text, found, beyond, rises) for _, beyond, rises in _bounds(test, 0))


def conjunction(node: tree.Value) -> dict[tree.Value, Sense] | None:
    """The leaves of a condition that is true only where each of them says what its sense wants; None where it is of
    another shape, or one leaf is wanted in two ways.

    >>> from shopkeeper.domain.condition import parse
    >>> [sense.wanted for sense in conjunction(parse("omnichannel and not marketing_email").tree).values()]
    [True, False]
    >>> list(conjunction(parse("marketing_email is not true").tree).values())
    [Sense(wanted=False, unknown=True)]
    """
    found: dict[tree.Value, Sense] = {}
    for part in node.conditions if isinstance(node, tree.AllOf) else (node,):
        inner, negated = (part.condition, True) if isinstance(part, tree.Not) else (part, False)
        sense = Sense(not negated, unknown=False)
        if isinstance(inner, tree.Is) and inner.what != "null":
            sense = Sense((inner.what == "true") is not negated, unknown=negated)
            inner = inner.operand
        nested = isinstance(inner, tree.AllOf | tree.AnyOf | tree.Not)
        if nested or (isinstance(inner, tree.Is) and inner.what != "null"):
            return None
        if found.setdefault(inner, sense) != sense:
            return None
    return found
