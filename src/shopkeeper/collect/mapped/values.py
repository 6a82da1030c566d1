"""One value of an event: where it stands in the body, and what is to be made of it. Compiled to one function."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from shopkeeper.collect.mapped.paths import MISSING, Path, Scope
from shopkeeper.collect.mapped.spots import Spot, told
from shopkeeper.collect.mapped.times import moment
from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import BadEvent, InvalidInput

Value = Callable[[Scope], Any]
"""The value in a scope, or MISSING."""
Fits = Callable[[Any], str]
"""Why a constant cannot stand in a field; empty where it can."""

_MADE: Final = ("after", "before", "map", "type", "multiply", "default")
_BESIDE: Final[dict[str, tuple[str, ...]]] = {
    "path": ("path", "take", *_MADE),
    "join": ("join", "with", *_MADE),
    "const": ("const",),
    "fields": ("fields", "each", "when"),
}
"""What may stand in a table that has the key."""
_KEYS: Final = tuple(dict.fromkeys(key for keys in _BESIDE.values() for key in keys))
_TAKES: Final = ("first", "last", "all", "count", "sum", "min", "max")
_YES: Final = frozenset({"true", "1", "yes", "y", "on"})
_NO: Final = frozenset({"false", "0", "no", "n", "off"})


class Lines(msgspec.Struct, frozen=True):
    """What the lines of a list may hold."""

    fields: tuple[str, ...]
    texts: frozenset[str]
    """Fields that are text, whatever a sender makes of them."""


class Paths:
    """Every path that a mapping uses, with its line: a preview says which of them found nothing."""

    def __init__(self) -> None:
        self.used: list[tuple[int, tuple[Path, ...]]] = []
        """With the line; several where the first that says something is taken."""

    def path(self, spot: Spot) -> Path:
        """The path that a text is."""
        text = spot.text()
        if not is_path(text):
            raise spot.wrong(
                f"expected a path, not {told(text)}",
                hint=f"write '@.{text}' for the part of that name, or {{ const = {told(text)} }} for the word itself",
            )
        try:
            path = Path(text)
        except InvalidInput as error:
            raise spot.wrong(error.message) from None
        self.used.append((spot.line, (path,)))
        return path

    def several(self, spot: Spot) -> list[Path]:
        """The paths of a list, of which the first that says something is taken."""
        before = len(self.used)
        found = [self.path(spot.at(place, spot.what)) for place in range(len(spot.value))]
        if not found:
            raise spot.wrong("expected at least one path")
        self.used[before:] = [(spot.line, tuple(found))]
        return found


def is_path(value: Any) -> bool:
    """Whether a text of a mapping is meant as a path."""
    return type(value) is str and value[:1] in ("$", "@")


def blank(value: Any) -> bool:
    """Whether a value says nothing: not there, null, or an empty text."""
    return value is MISSING or value is None or value == ""


def value_of(spot: Spot, paths: Paths, *, fits: Fits | None = None, lines: Lines | None = None) -> Value:
    """What a property is read from: a path, or a table that says more.

    ``fits`` judges constants; ``lines`` says what the lines of a list may hold.
    """
    if type(spot.value) is str:
        return _path_value(paths.path(spot))
    if type(spot.value) is list:
        return _first_of(paths.several(spot))
    table = spot.table(_KEYS)
    kinds = [key for key in _BESIDE if key in table]
    if len(kinds) != 1:
        raise spot.wrong(
            "expected one of 'path', 'join', 'const' and 'fields'",
            hint="where it stands, several put together, always the same, or a table of its own",
        )
    (kind,) = kinds
    spot.table(_BESIDE[kind], f"key beside {kind}")
    if kind == "const":
        return _const(spot, fits)
    if kind == "fields":
        from shopkeeper.collect.mapped.lists import listed

        return listed(spot, paths, lines)
    return _changed(spot, _source(spot, paths), fits)


def _source(spot: Spot, paths: Paths) -> Value:
    """What a value is read from, before anything is made of it."""
    if "join" in spot:
        joined = spot.at("join", spot.what)
        if type(joined.value) is not list or len(joined.value) < 1:
            raise joined.wrong("expected a list of paths and words, such as ['@.network', '@.name']")
        between = spot.at("with", spot.what).text() if "with" in spot else " "
        return joined_of(joined, paths, between)
    given = spot.at("path", spot.what)
    if type(given.value) is list:
        if "take" in spot:
            raise spot.wrong(
                "'take' goes with one path", hint="of several paths the first that says something is taken"
            )
        return _first_of(paths.several(given))
    path = paths.path(given)
    if "take" not in spot:
        return _path_value(path)
    take = spot.at("take", spot.what)
    if take.text() not in _TAKES:
        raise take.unknown("way to take", take.value, _TAKES)
    return _taken(path, take.value, str(spot.place[-1]))


def _path_value(path: Path) -> Value:
    return path.one


def _first_of(found: list[Path]) -> Value:
    def value(scope: Scope) -> Any:
        for path in found:
            if not blank(one := path.one(scope)):
                return one
        return MISSING

    return value


def joined_of(spot: Spot, paths: Paths, between: str) -> Value:
    """Several parts as one text; nothing where one of them says nothing. A part that is no path is a word."""
    parts: list[Path | str] = []
    for place, part in enumerate(spot.value):
        parts.append(
            paths.path(spot.at(place, spot.what)) if is_path(part) else spot.at(place, spot.what).text()
        )
    if not any(isinstance(part, Path) for part in parts):
        raise spot.wrong("expected a path among the parts", hint="paths begin with @ or $")

    def value(scope: Scope) -> Any:
        texts: list[str] = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            found = [as_text(one) for one in part.find(scope) if not blank(one)]
            if not found:
                return MISSING
            texts.extend(found)
        return between.join(texts)

    return value


def as_text(value: Any) -> str:
    """A JSON value as text: 7.0 as 7, true as true, structures as JSON.

    >>> as_text(7.0), as_text(True), as_text({"a": 1})
    ('7', 'true', '{"a":1}')
    """
    if type(value) is str:
        return value
    if type(value) is float and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if type(value) in (int, float):
        return repr(value)
    return msgspec.json.encode(value).decode()


def texted(value: Any) -> Any:
    """A number where a text is meant, as one; anything else as it is."""
    return as_text(value) if type(value) is int or type(value) is float else value


def _taken(path: Path, take: str, field: str) -> Value:
    def value(scope: Scope) -> Any:
        found = [one for one in path.find(scope) if one is not None]
        if take == "all":
            return found or MISSING
        if take == "count":
            return len(found)
        if not found:
            return MISSING
        if take in ("first", "last"):
            return found[0 if take == "first" else -1]
        numbers = [_decimal(one, field) for one in found]
        return _number(
            sum(numbers, Decimal(0)) if take == "sum" else min(numbers) if take == "min" else max(numbers)
        )

    return value


def _decimal(value: Any, field: str) -> Decimal:
    if type(value) in (int, float, str):
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            pass
        else:
            if number.is_finite():
                return number
    raise BadEvent("bad_number", f"{field!r} is no number")


def _number(value: Decimal) -> int | float | str:
    """A number as JSON would have it; one that a float would change, as its digits."""
    if value == value.to_integral_value() and abs(value) < 10**15:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _const(spot: Spot, fits: Fits | None) -> Value:
    const = spot.at("const", spot.what).value
    _judge(spot, const, fits)
    return lambda _scope: const


def _judge(spot: Spot, value: Any, fits: Fits | None) -> None:
    if fits is not None and (why := fits(value)):
        raise spot.wrong(f"{told(value)} cannot stand here: {why}")


def _changed(spot: Spot, source: Value, fits: Fits | None) -> Value:
    """The value after all that is said to be made of it, in this order: after, before, map, type, multiply, default."""
    field = str(spot.place[-1])
    steps: list[Callable[[Any], Any]] = []
    for key in ("after", "before"):
        if key in spot:
            mark = spot.at(key, spot.what).text()
            if not mark:
                raise spot.wrong(f"{key!r} is empty")
            steps.append(_cut(mark, last=key == "after"))
    if "map" in spot:
        steps.append(_mapped(spot.at("map", spot.what), fits))
    if "type" in spot:
        steps.append(_typed(spot.at("type", spot.what), field))
    if "multiply" in spot:
        factor = spot.at("multiply", spot.what)
        if type(factor.value) not in (int, float):
            raise factor.wrong(f"'multiply' must be a number such as 0.01, not {told(factor.value)}")
        by = Decimal(str(factor.value))
        steps.append(lambda value: _number(_decimal(value, field) * by))
    default: Any = MISSING
    if "default" in spot:
        default = spot.value["default"]
        _judge(spot, default, fits)

    def value(scope: Scope) -> Any:
        found = source(scope)
        for step in steps:
            if blank(found):
                return default
            found = step(found)
        return default if blank(found) else found

    return value


def _typed(spot: Spot, field: str) -> Callable[[Any], Any]:
    if spot.text() not in _TYPES:
        raise spot.unknown("type", spot.value, _TYPES)
    convert = _TYPES[spot.value]
    return lambda value: convert(value, field)


def _cut(mark: str, *, last: bool) -> Callable[[Any], Any]:
    """What stands behind the last mark, or in front of the first; all where there is none."""
    if last:
        return lambda value: as_text(value).rpartition(mark)[2]
    return lambda value: as_text(value).partition(mark)[0]


def _mapped(spot: Spot, fits: Fits | None) -> Callable[[Any], Any]:
    """Another word for each; a word that is not listed becomes that of '*', or stays."""
    table = spot.table()
    for one in table.values():
        _judge(spot, one, fits)
    words = {key: one for key, one in table.items() if key != "*"}
    if "*" not in table:
        return lambda value: words.get(as_text(value), value)
    other = table["*"]
    return lambda value: words.get(as_text(value), other)


def _integer(value: Any, field: str) -> Any:
    number = _decimal(value, field)
    if number != number.to_integral_value():
        raise BadEvent("bad_number", f"{field!r} is no whole number")
    return int(number)


def _boolean(value: Any, field: str) -> Any:
    word = as_text(value).strip().casefold()
    if word not in _YES | _NO:
        raise BadEvent("bad_value", f"{field!r} is neither yes nor no", hint="give it a map")
    return word in _YES


def _date(value: Any, _field: str) -> Any:
    return instant(moment()(value, "UTC")).date().isoformat()


_TYPES: Final[dict[str, Callable[[Any, str], Any]]] = {
    "text": lambda value, _: as_text(value),
    "number": lambda value, field: _number(_decimal(value, field)),
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
}
"""What a value can be made into."""
