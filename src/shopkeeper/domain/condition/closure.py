"""A condition for one customer, compiled: in some microseconds, and with the instant at which to ask again.

Three values as in SQL: true, false, and None for unknown. A customer is in only where the answer is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.check import Condition
from shopkeeper.domain.condition.part import (
    MOST_TRIES,
    STILL,
    Facts,
    Part,
    Stepping,
    Valued,
    all_changing,
    changing,
    either,
)
from shopkeeper.domain.condition.terms import Term, term
from shopkeeper.domain.condition.texts import like
from shopkeeper.domain.condition.values import Values, constant
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.domain.traits import Trait

_LITERAL: Final = (tree.Number, tree.Text, tree.Truth, tree.Day, tree.Time)
_DEAR: Final = (tree.Behaviour, tree.Segment)


class Predicate:
    """A condition that can be asked of one customer's facts at an instant (microseconds)."""

    def __init__(
        self,
        condition: Condition,
        traits: Mapping[str, Trait],
        catalogue: Catalogue,
        known: dict[str, Term] | None = None,
    ) -> None:
        """``known`` holds terms by key, which conditions may share; new ones are added."""
        self.condition = condition
        known = {} if known is None else known
        zone = Zone(catalogue.zone)
        terms = {one: term(one, catalogue, zone) for one in condition.behaviours}
        terms = {one: known.setdefault(made.key, made) for one, made in terms.items()}
        self.terms = tuple(dict.fromkeys(terms.values()))
        part = _Conditions(traits, terms, zone).condition(condition.meaning)
        self.answer: Valued = part.value
        """True, False, or None for unknown."""
        self._step = part.step

    def holds(self, facts: Facts, now: int) -> bool:
        """Whether the customer is in."""
        return self.answer(facts, now) is True

    def next_change(self, facts: Facts, now: int) -> int | None:
        """The earliest instant after now at which time alone may change whether the customer is in; None for never.

        Up to then it does not change. Where that would take long to find out, an instant before it is given.
        """
        if self._step is None:
            return None
        was = self.holds(facts, now)
        at = now
        for _ in range(MOST_TRIES):
            found = self._step(facts, at)
            if found is None or self.holds(facts, found) is not was:
                return found
            at = found
        return at


class _Conditions(Values):
    """Compiles conditions."""

    def __init__(self, traits: Mapping[str, Trait], terms: Mapping[tree.Behaviour, Term], zone: Zone) -> None:
        super().__init__(traits, terms, zone)
        self.condition = self.truth

    def truth(self, node: tree.Value) -> Part:
        """A node that says yes, no or nothing."""
        match node:
            case tree.AllOf(conditions):
                return _chain([self.truth(one) for one in _cheap_first(conditions)], decided=False)
            case tree.AnyOf(conditions):
                return _chain([self.truth(one) for one in _cheap_first(conditions)], decided=True)
            case tree.Not(inner):
                part = self.truth(inner)
                get = part.value
                return _bool(lambda facts, now: None if (v := get(facts, now)) is None else not v, part.step)
            case tree.Compare(test, left, right):
                return self._compare(test, self.value(left), self.value(right), right)
            case tree.Between(operand, low, high):
                middle = self.value(operand)
                pair = [
                    self._compare(">=", middle, self.value(low), low),
                    self._compare("<=", middle, self.value(high), high),
                ]
                return _chain(pair, decided=False)
            case tree.In():
                return self._in(node)
            case tree.Truth(value):
                return _bool(constant(value))
            case tree.TraitRef():
                return self.value(node)
        return self._simple(node)

    def _simple(self, node: tree.Value) -> Part:
        match node:
            case tree.Like(operand, pattern, any_case):
                return _of_known(self.value(operand), like(pattern, any_case=any_case))
            case tree.Is(operand, what):
                part = self.value(operand)
                get = part.value
                wanted = {"null": None, "true": True, "false": False}[what]
                return _bool(lambda facts, now: get(facts, now) is wanted, part.step)
            case tree.Segment(name):
                return _bool(lambda facts, _: bool(facts.member(name)))
            case tree.Call(function, arguments) if function in _SEARCHES:
                words = [one.value for one in arguments[1:] if isinstance(one, tree.Text)]
                return _of_known(self.value(arguments[0]), _SEARCHES[function](words))
        if isinstance(node, tree.Call):
            return self.value(node)
        raise TypeError(type(node))  # pragma: no cover - every node is listed

    def _compare(self, test: str, a: Part, b: Part, right: tree.Value) -> Part:
        value = (
            _CONSTANT[test](a.value, b.value(_NOBODY, 0))
            if isinstance(right, _LITERAL)
            else _PAIR[test](a.value, b.value)
        )
        return _bool(value, changing(value, a, b, self.zone))

    def _in(self, node: tree.In) -> Part:
        part = self.value(node.operand)
        values = [self.value(one) for one in node.values]
        get = part.value
        missing = None if any(isinstance(one, tree.Null) for one in node.values) else False
        if all(isinstance(one, (*_LITERAL, tree.Null)) for one in node.values):
            among = frozenset(one.value(_NOBODY, 0) for one in values) - {None}

            def quick(facts: Facts, now: int) -> bool | None:
                value = get(facts, now)
                if value is None:
                    return None
                return True if value in among else missing

            return _bool(quick, part.step)
        gets = [one.value for one in values]

        def slow(facts: Facts, now: int) -> bool | None:
            value = get(facts, now)
            if value is None:
                return None
            answer: bool | None = False
            for other in gets:
                found = other(facts, now)
                if found is None:
                    answer = None
                elif found == value:
                    return True
            return answer

        return _bool(slow, either(part, *values))


_NOBODY: Any = None
"""Facts for what needs none."""


def _bool(value: Valued, step: Stepping | None = None) -> Part:
    return Part("bool", value, step, 0, STILL if step is None else None)


def _of_known(part: Part, test: Callable[[Any], bool]) -> Part:
    get = part.value
    return _bool(lambda facts, now: None if (v := get(facts, now)) is None else test(v), part.step)


def _cheap_first(conditions: tuple[tree.Value, ...]) -> list[tree.Value]:
    """What asks traits only before what asks events: the order of a chain is nobody's concern."""
    return sorted(conditions, key=lambda one: any(isinstance(node, _DEAR) for node in tree.walk(one)))


def _chain(parts: list[Part], *, decided: bool) -> Part:
    """'and', which one false decides, or 'or', which one true does."""
    gets = tuple(part.value for part in parts)
    otherwise = not decided

    def chain(facts: Facts, now: int) -> Any:
        answer: bool | None = otherwise
        for get in gets:
            found = get(facts, now)
            if found is decided:
                return decided
            if found is None:
                answer = None
        return answer

    return _bool(chain, all_changing(parts, decided))


_CONSTANT: Final[dict[str, Callable[[Valued, Any], Valued]]] = {
    "=": lambda f, c: lambda facts, now: None if (v := f(facts, now)) is None else v == c,
    "<>": lambda f, c: lambda facts, now: None if (v := f(facts, now)) is None else v != c,
    "<": lambda f, c: lambda facts, now: None if (v := f(facts, now)) is None else v < c,
    "<=": lambda f, c: lambda facts, now: None if (v := f(facts, now)) is None else v <= c,
    ">": lambda f, c: lambda facts, now: None if (v := f(facts, now)) is None else v > c,
    ">=": lambda f, c: lambda facts, now: None if (v := f(facts, now)) is None else v >= c,
}


def _pair(test: Callable[[Any, Any], Any]) -> Callable[[Valued, Valued], Valued]:
    def make(f: Valued, g: Valued) -> Valued:
        def compare(facts: Facts, now: int) -> Any:
            a = f(facts, now)
            if a is None:
                return None
            b = g(facts, now)
            return None if b is None else test(a, b)

        return compare

    return make


_PAIR: Final[dict[str, Callable[[Valued, Valued], Valued]]] = {
    "=": _pair(lambda a, b: a == b),
    "<>": _pair(lambda a, b: a != b),
    "<": _pair(lambda a, b: a < b),
    "<=": _pair(lambda a, b: a <= b),
    ">": _pair(lambda a, b: a > b),
    ">=": _pair(lambda a, b: a >= b),
}

_SEARCHES: Final[dict[str, Callable[[list[str]], Callable[[Any], bool]]]] = {
    "contains": lambda words: lambda text: words[0] in text,
    "starts_with": lambda words: lambda text: bool(text.startswith(words[0])),
    "ends_with": lambda words: lambda text: bool(text.endswith(words[0])),
    "has": lambda words: lambda texts: words[0] in texts,
    "has_any": lambda words: lambda texts: any(word in texts for word in words),
    "has_all": lambda words: lambda texts: all(word in texts for word in words),
}
