"""Where in a TOML text a key stands, so that what is wrong with it is told with its line.

Python's own reader gives values without places; this one gives places without values. It trusts that the text is
valid TOML: it is asked only after the other has read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from shopkeeper.domain.errors import InvalidInput, UnknownName

Place = tuple[str | int, ...]
_KEY: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([A-Za-z0-9_-]+))\s*(\.|=|\]|$)?')
_SKIP: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]', re.DOTALL
)


def lines_of(text: str) -> dict[Place, int]:
    r"""The line, from 1, of every table and key of a TOML text; elements of arrays of tables are numbered from 0.

    >>> lines_of('each = "$"\n[[event]]\nwhen."@.a" = [1,\n2]\n[event.identifiers]\nemail = "@.e"')[
    ...     "event", 0, "identifiers", "email"]
    6
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        stripped = text[at:end].strip()
        if not stripped or stripped.startswith("#"):
            at, line = end + 1, line + 1
            continue
        if stripped.startswith("["):
            many = stripped.startswith("[[")
            names = _names(stripped.lstrip("["))[0]
            table = _table(names, counts, many=many)
            found.setdefault(table, line)
            at, line = end + 1, line + 1
            continue
        names, length = _names(text[at:end])
        for count in range(1, len(names) + 1):
            found.setdefault((*table, *names[:count]), line)
        stop = _end_of_value(text, at + length)
        line += text.count("\n", at, stop) + 1
        at = stop + 1
    return found


def _names(text: str) -> tuple[tuple[str, ...], int]:
    """The parts of a dotted key, and where the text goes on behind it."""
    names: list[str] = []
    at = 0
    while match := _KEY.match(text, at):
        quoted, literal, bare, sign = match.groups()
        names.append(
            re.sub(r'\\(["\\])', r"\1", quoted) if quoted is not None else literal if bare is None else bare
        )
        at = match.end()
        if sign != ".":
            break
    return tuple(names), at


def _table(names: Sequence[str], counts: dict[Place, int], *, many: bool) -> Place:
    """The place of a table's header: below the last element of the arrays of tables on the way."""
    place: Place = ()
    for depth, name in enumerate(names, 1):
        place = (*place, name)
        if depth == len(names) and many:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _end_of_value(text: str, at: int) -> int:
    """Where the line of a value ends that may go over several."""
    depth = 0
    for match in _SKIP.finditer(text, at):
        sign = match.group()
        if sign in ("[", "{"):
            depth += 1
        elif sign in ("]", "}"):
            depth -= 1
        elif sign == "\n" and depth <= 0:
            return match.start()
    return len(text)


class Spot:
    """A value of a mapping with its place: what is wrong with it is told with its line."""

    __slots__ = ("lines", "place", "value", "what")

    def __init__(
        self, value: Any, lines: dict[Place, int], place: Place = (), what: str = "the mapping"
    ) -> None:
        self.value = value
        self.lines = lines
        self.place = place
        self.what = what

    def __contains__(self, key: str) -> bool:
        return key in self.value

    @property
    def line(self) -> int:
        """The line it stands on, or the nearest one around it."""
        place = self.place
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def at(self, key: str | int, what: str = "") -> Spot:
        """The value under a key or at a place of a list."""
        return Spot(self.value[key], self.lines, (*self.place, key), what or repr(key))

    def items(self) -> list[tuple[str, Spot]]:
        """Keys and values of a table."""
        return [(key, self.at(key)) for key in self.value]

    def wrong(self, message: str, *, hint: str = "") -> InvalidInput:
        """The error about this value."""
        return InvalidInput(f"line {self.line}, {self.what}: {message}", hint=hint)

    def unknown(self, what: str, given: str, known: Iterable[str], further: str = "") -> UnknownName:
        """The error about a name that is not known, with what else can be done."""
        error = UnknownName(f"{what} in line {self.line} ({self.what}):", given, known)
        if further:
            error.hint = f"{error.hint}. {further}"
            error.args = (f"{error.message}; {error.hint}",)
        return error

    def table(self, known: Iterable[str] | None = None, what: str = "key") -> dict[str, Any]:
        """The value as a table that has no other keys than the known ones."""
        if type(self.value) is not dict:
            raise self.wrong(f"expected a table, such as {{ path = '@.id' }}, not {told(self.value)}")
        if known is not None:
            names = tuple(known)
            for key in self.value:
                if key not in names:
                    raise self.at(key, self.what).unknown(what, key, names)
        return self.value

    def text(self) -> str:
        """The value as a text."""
        if type(self.value) is not str:
            raise self.wrong(f"expected a text in quotes, not {told(self.value)}")
        return self.value

    def tables(self, key: str, what: str) -> list[Spot]:
        """The tables of an array of tables such as [[event]]."""
        rows = self.value.get(key, [])
        if type(rows) is not list or not all(type(row) is dict for row in rows):
            raise self.at(key).wrong(f"expected tables that begin with [[{key}]]")
        here = self.at(key) if rows else self
        return [here.at(place, f"{what} {place + 1}") for place in range(len(rows))]


def told(value: Any) -> str:
    """What a value is, in words.

    >>> told([1]), told(True), told("x")
    ('a list', 'true', "'x'")
    """
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is str:
        return repr(value[:60])
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return str(value)[:60]
