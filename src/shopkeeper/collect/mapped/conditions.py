"""When a block of a mapping applies: simple tests on paths, all of which must hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shopkeeper.collect.mapped.filters import same
from shopkeeper.collect.mapped.paths import MISSING, Path, Scope
from shopkeeper.collect.mapped.spots import Spot, told
from shopkeeper.collect.mapped.values import Paths, as_text

Holds = Callable[[Scope, str], bool]
"""Whether a condition holds in a scope of a body that came under a topic."""
_Test = Callable[[Any], bool]

TOPIC: Final = "topic"
_TESTS: Final = ("exists", "in", "not", "starts", "above", "below")


def condition(spot: Spot, paths: Paths) -> Holds:
    """A table of tests, by path; of a list of tables one must hold."""
    if type(spot.value) is list:
        several = [_all(spot.at(place, spot.what), paths) for place in range(len(spot.value))]
        if not several:
            raise spot.wrong("expected at least one table of tests")
        return lambda scope, topic: any(one(scope, topic) for one in several)
    return _all(spot, paths)


def _all(spot: Spot, paths: Paths) -> Holds:
    spot.table()
    topics: list[_Test] = []
    tests: list[tuple[Path, _Test]] = []
    for key, told_ in spot.items():
        if key == TOPIC:
            topics.append(_test(told_))
        else:
            at = Spot(key, spot.lines, told_.place, spot.what)
            tests.append((paths.path(at), _test(told_)))

    def holds(scope: Scope, topic: str) -> bool:
        for test in topics:
            if not test(topic):
                return False
        for path, test in tests:  # noqa: SIM110 - a loop is half as dear as all() with a generator
            if not test(path.one(scope)):
                return False
        return True

    return holds


def _test(spot: Spot) -> _Test:
    """A value to be equal to, a list of such values, or a table with one of the other tests."""
    if type(spot.value) is list:
        return _among(spot.value)
    if type(spot.value) is not dict:
        return _equal(spot.value)
    table = spot.table(_TESTS, "test")
    if len(table) != 1:
        raise spot.wrong(
            f"expected one of {', '.join(_TESTS)}", hint="further tests go beside it, or into a filter"
        )
    (name,) = table
    value = table[name]
    inner = spot.at(name, spot.what)
    if name == "exists":
        if type(value) is not bool:
            raise inner.wrong(f"'exists' is true or false, not {told(value)}")
        return lambda found: (found is not MISSING and found is not None) is value
    if name in ("in", "not"):
        test = _among(value) if type(value) is list else _equal(value)
        return (lambda found: not test(found)) if name == "not" else test
    if name == "starts":
        beginning = inner.text()
        return lambda found: type(found) is str and found.startswith(beginning)
    if type(value) not in (int, float):
        raise inner.wrong(f"{name!r} needs a number, not {told(value)}")
    if name == "above":
        return lambda found: (number := _number(found)) is not None and number > value
    return lambda found: (number := _number(found)) is not None and number < value


def _equal(value: Any) -> _Test:
    """Equal as JSON, or, where one is a text and the other a number, as text: "7" and 7."""
    if type(value) is str:
        return lambda found: found == value or (type(found) in (int, float) and as_text(found) == value)
    if type(value) in (int, float):
        text = as_text(value)
        return lambda found: found == text if type(found) is str else same(found, value)
    return lambda found: same(found, value)


def _among(values: list[Any]) -> _Test:
    tests = [_equal(value) for value in values]
    if all(type(value) is str for value in values):
        words = frozenset(values)
        return lambda found: found in words if type(found) is str else any(test(found) for test in tests)
    return lambda found: any(test(found) for test in tests)


def _number(found: Any) -> float | None:
    """A number, also one that was written as a text."""
    if type(found) in (int, float):
        return float(found)
    if type(found) is str:
        try:
            return float(found)
        except ValueError:
            return None
    return None
