"""The filters of a JSONPath: comparisons and tests, joined by &&, || and !, compiled to one function.

Comparisons are those of RFC 9535, 2.3.5.2.2: values of different types are unequal and neither is smaller, and what is
not there equals only what is not there either.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, Protocol

from shopkeeper.collect.mapped.syntax import Cursor, wrong

_DEEPEST: Final = 10
Holds = Callable[[Any, Any], bool]
"""Whether a filter holds for a node; the second argument is the whole body."""
Value = Callable[[Any, Any], Any]


class Parsed(Protocol):
    """What a parser of the segments behind ``$`` and ``@`` gives."""

    steps: list[Callable[[list[Any], Any], list[Any]]]
    names: tuple[str | int, ...] | None


class Parser(Protocol):
    """Parses the segments behind ``$`` and ``@``."""

    def __call__(self, cursor: Cursor, *, descend: bool) -> Parsed:
        """The segments from here on."""
        ...


class _Nothing:
    """What a path in a comparison gives where it finds nothing."""


_NOTHING: Final = _Nothing()
_SIGNS: Final[tuple[tuple[str, Callable[[Any, Any], bool]], ...]] = (
    ("==", operator.eq),
    ("!=", operator.ne),
    ("<=", operator.le),
    (">=", operator.ge),
    ("<", operator.lt),
    (">", operator.gt),
)


def condition(cursor: Cursor, query: Parser, depth: int = 0) -> Holds:
    """A filter's expression: any of several alternatives."""
    if depth > _DEEPEST:
        raise cursor.expected(f"at most {_DEEPEST} pairs of parentheses in each other")
    alternatives = [_both(cursor, query, depth)]
    while _sign(cursor, "||"):
        alternatives.append(_both(cursor, query, depth))
    if len(alternatives) == 1:
        return alternatives[0]
    return lambda node, root: any(one(node, root) for one in alternatives)


def _both(cursor: Cursor, query: Parser, depth: int) -> Holds:
    parts = [_term(cursor, query, depth)]
    while _sign(cursor, "&&"):
        parts.append(_term(cursor, query, depth))
    if len(parts) == 1:
        return parts[0]
    return lambda node, root: all(one(node, root) for one in parts)


def _sign(cursor: Cursor, sign: str) -> bool:
    """Whether that sign comes next, blanks around it left out."""
    before = cursor.at
    cursor.blanks()
    if cursor.take(sign):
        cursor.blanks()
        return True
    cursor.at = before
    return False


def _term(cursor: Cursor, query: Parser, depth: int) -> Holds:
    negated = False
    if cursor.peek() == "!" and not cursor.text.startswith("!=", cursor.at):
        cursor.take("!")
        cursor.blanks()
        negated = True
    if cursor.take("("):
        cursor.blanks()
        holds = condition(cursor, query, depth + 1)
        cursor.blanks()
        if not cursor.take(")"):
            raise cursor.expected("')'")
    else:
        holds = _comparison(cursor, query, negated=negated)
    if negated:
        inner = holds
        return lambda node, root: not inner(node, root)
    return holds


def _comparison(cursor: Cursor, query: Parser, *, negated: bool) -> Holds:
    start = cursor.at
    left, test = _operand(cursor, query)
    before = cursor.at
    cursor.blanks()
    compare = next((compare for sign, compare in _SIGNS if cursor.take(sign)), None)
    if compare is None:
        cursor.at = before
        if test is None:
            raise wrong(cursor.text, start, "a value alone tests nothing; compare it, as in @.size == 'L'")
        return test
    if negated:
        raise wrong(cursor.text, start, "put the comparison behind '!' into parentheses")
    if left is None:
        raise wrong(cursor.text, start, "a comparison needs a path that finds one value, such as @.a.b")
    cursor.blanks()
    at = cursor.at
    right, _ = _operand(cursor, query)
    if right is None:
        raise wrong(cursor.text, at, "a comparison needs a path that finds one value, such as @.a.b")
    return _compared(left, compare, right)


def _operand(cursor: Cursor, query: Parser) -> tuple[Value | None, Holds | None]:
    """What may stand beside a sign: as a value (None where it may find several) and as a test (None for literals)."""
    start = cursor.peek()
    if start and start in "@$":
        cursor.at += 1
        parsed = query(cursor, descend=False)
        if start == "$" and parsed.names is None:
            raise cursor.expected("a path into the body that finds one value, inside a filter")
        return _value(parsed, start), _test(parsed, start)
    literal = _literal(cursor)
    return (lambda _node, _root: literal), None


def _literal(cursor: Cursor) -> Any:
    if cursor.peek() in ("'", '"'):
        return cursor.string()
    at = cursor.at
    if (digits := cursor.number()) is not None:
        return float(digits) if any(letter in digits for letter in ".eE") else int(digits)
    word = cursor.name()
    if word in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[word]
    cursor.at = at
    if word and cursor.text.startswith("(", at + len(word)):
        raise cursor.expected("a path or a value; functions are not known here")
    raise cursor.expected("a path such as @.status, a text in quotes, a number, true, false or null")


def _value(parsed: Parsed, start: str) -> Value | None:
    names = parsed.names
    if names is None:
        return None
    relative = start == "@"

    def value(node: Any, root: Any) -> Any:
        place = node if relative else root
        for name in names:
            if isinstance(name, str):
                if type(place) is not dict or name not in place:
                    return _NOTHING
            elif type(place) is not list or not -len(place) <= name < len(place):
                return _NOTHING
            place = place[name]
        return place

    return value


def _test(parsed: Parsed, start: str) -> Holds:
    if (value := _value(parsed, start)) is not None:
        return lambda node, root: value(node, root) is not _NOTHING
    steps = parsed.steps

    def test(node: Any, root: Any) -> bool:
        nodes = [node]
        for step in steps:
            nodes = step(nodes, root)
        return bool(nodes)

    return test


def _compared(left: Value, compare: Callable[[Any, Any], bool], right: Value) -> Holds:
    if compare is operator.eq:
        return lambda node, root: same(left(node, root), right(node, root))
    if compare is operator.ne:
        return lambda node, root: not same(left(node, root), right(node, root))
    or_same = compare in (operator.le, operator.ge)

    def holds(node: Any, root: Any) -> bool:
        a, b = left(node, root), right(node, root)
        if (_is_number(a) and _is_number(b)) or (type(a) is str and type(b) is str):
            return compare(a, b)
        return or_same and same(a, b)

    return holds


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, true and 1 are not.

    >>> same([1, {"a": 2}], [1.0, {"a": 2}]), same(True, 1), same("1", 1)
    (True, False, False)
    """
    if _is_number(a) and _is_number(b):
        return bool(a == b)
    if type(a) is not type(b):
        return False
    if type(a) is list:
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    return bool(a == b)
