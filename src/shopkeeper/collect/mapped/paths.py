"""JSONPath, compiled once: names, indexes, wildcards, slices, unions, filters and one descendant step.

The syntax and the answers are those of RFC 9535 (https://www.rfc-editor.org/rfc/rfc9535) without function extensions. A
path cannot run away: at most one ``..`` outside filters, none inside, and a bound on what it may find. It begins with
``$``, the whole body, or ``@``, what is being read just now; ``@@`` is what that lies in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shopkeeper.collect.mapped.syntax import Cursor, wrong
from shopkeeper.domain.errors import BadEvent

MOST_FOUND: Final = 100_000
"""Nodes a path may find in one body."""
LONGEST: Final = 1_000
"""Characters a path may have."""
_MOST_STEPS: Final = 50
_MOST_INDEX: Final = 2**53 - 1

Scope = tuple[Any, ...]
"""The body, and what is being read, from the outermost to the innermost; outside of any list the body twice."""


class Missing:
    """The one value that stands for nothing found: JSON's null is something."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

Selector = Callable[[Any, Any, list[Any]], None]
"""Puts what it selects of a node into a list; the second argument is the whole body."""
Step = Callable[[list[Any], Any], list[Any]]


class Path:
    """A compiled path.

    >>> Path("$.items[?@.price > 2].name").find(({"items": [{"price": 1}, {"price": 3, "name": "lamp"}]},))
    ['lamp']
    >>> Path("@.shop.name").one(({}, {"shop": {"name": "Leeds"}})), Path("@.shop").one(({}, {}))
    ('Leeds', MISSING)
    """

    __slots__ = ("_get", "_steps", "level", "names", "singular", "text")

    def __init__(self, text: str) -> None:
        cursor = Cursor(text)
        if len(text) > LONGEST:
            raise wrong(text, 0, f"a path may have at most {LONGEST} characters")
        self.text = text
        self.level = 0
        """0 for the body, 1 for what is being read, 2 for what that lies in, ..."""
        if not cursor.take("$"):
            while cursor.take("@"):
                self.level += 1
            if not 1 <= self.level <= 3:
                raise wrong(text, 0, "a path begins with $ (the whole body) or @ (what is being read)")
        query = _query(cursor, descend=True)
        if not cursor.ended:
            raise cursor.expected("the end of the path, '.name' or '[...]'")
        self._steps = query.steps
        self.names = query.names
        """The names and indexes of a singular path."""
        self.singular = query.names is not None
        """Whether it can find one node at most."""
        self._get = _getter(query.names) if query.names is not None else None

    def __repr__(self) -> str:
        return f"Path({self.text!r})"

    def start(self, scope: Scope) -> Any:
        """The node that the path begins at."""
        if not self.level:
            return scope[0]
        return scope[-self.level] if len(scope) >= self.level else MISSING

    def find(self, scope: Scope) -> list[Any]:
        """All nodes it finds. Raises BadEvent where they are too many to be meant."""
        start = self.start(scope)
        if self._get is not None:
            value = self._get(start)
            return [] if value is MISSING else [value]
        return [] if start is MISSING else _walk(self._steps, start, scope[0])

    def one(self, scope: Scope) -> Any:
        """The first node it finds, or MISSING."""
        if self._get is not None:
            return self._get(self.start(scope))
        found = self.find(scope)
        return found[0] if found else MISSING


class Query:
    """What was parsed of a path: its steps, and its names where it can find one node at most."""

    __slots__ = ("names", "steps")

    def __init__(self, steps: list[Step], names: tuple[str | int, ...] | None) -> None:
        self.steps = steps
        self.names = names


def _walk(steps: list[Step], start: Any, root: Any) -> list[Any]:
    nodes = [start]
    for step in steps:
        nodes = step(nodes, root)
        if not nodes:
            break
    return nodes


def _too_many() -> BadEvent:
    return BadEvent("too_many_found", f"a path finds more than {MOST_FOUND} parts of the body")


def _getter(names: tuple[str | int, ...]) -> Callable[[Any], Any]:
    """What finds the one node: the usual case, without lists."""
    if len(names) == 1 and type(name := names[0]) is str:
        return lambda node: node.get(name, MISSING) if type(node) is dict else MISSING

    def get(node: Any) -> Any:
        for step in names:
            if isinstance(step, str):
                if type(node) is not dict:
                    return MISSING
                node = node.get(step, MISSING)
            else:
                if type(node) is not list or not -len(node) <= step < len(node):
                    return MISSING
                node = node[step]
        return node

    return get


def _query(cursor: Cursor, *, descend: bool) -> Query:
    """The segments that follow ``$`` or ``@``."""
    steps: list[Step] = []
    names: list[str | int] | None = []
    descended = False
    while True:
        before = cursor.at
        cursor.blanks()
        if cursor.take(".."):
            if not descend or descended:
                raise cursor.expected("no further '..': one is allowed in a path, and none in a filter")
            descended = True
            selectors, _ = _brackets(cursor) if cursor.take("[") else _shorthand(cursor)
            steps.append(_descendants(selectors))
            names = None
        elif cursor.take("[") or cursor.take("."):
            selectors, name = _brackets(cursor) if cursor.text[cursor.at - 1] == "[" else _shorthand(cursor)
            steps.append(_children(selectors))
            names = [*names, name] if names is not None and name is not None else None
        else:
            cursor.at = before
            break
        if len(steps) > _MOST_STEPS:
            raise cursor.expected(f"at most {_MOST_STEPS} steps")
    return Query(steps, None if names is None else tuple(names))


def _children(selectors: list[Selector]) -> Step:
    if len(selectors) == 1:
        select = selectors[0]

        def step(nodes: list[Any], root: Any) -> list[Any]:
            found: list[Any] = []
            for node in nodes:
                select(node, root, found)
                if len(found) > MOST_FOUND:
                    raise _too_many()
            return found

        return step

    def union(nodes: list[Any], root: Any) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            for one in selectors:
                one(node, root, found)
            if len(found) > MOST_FOUND:
                raise _too_many()
        return found

    return union


def _descendants(selectors: list[Selector]) -> Step:
    def step(nodes: list[Any], root: Any) -> list[Any]:
        found: list[Any] = []
        waiting, visited = nodes[::-1], 0
        while waiting:
            node = waiting.pop()
            visited += 1
            if len(found) > MOST_FOUND or visited > 10 * MOST_FOUND:
                raise _too_many()
            for select in selectors:
                select(node, root, found)
            if type(node) is dict:
                waiting.extend(list(node.values())[::-1])
            elif type(node) is list:
                waiting.extend(node[::-1])
        return found

    return step


def _shorthand(cursor: Cursor) -> tuple[list[Selector], str | int | None]:
    """What follows a dot: a name or ``*``."""
    if cursor.take("*"):
        return [_every], None
    if not (name := cursor.name()):
        raise cursor.expected("a name or '*' after the dot (other names as ['my-name'])")
    return [_named(name)], name


def _brackets(cursor: Cursor) -> tuple[list[Selector], str | int | None]:
    """What stands between brackets, the first of which is taken."""
    selectors: list[Selector] = []
    names: list[str | int | None] = []
    while True:
        cursor.blanks()
        selector, name = _selector(cursor)
        selectors.append(selector)
        names.append(name)
        cursor.blanks()
        if cursor.take("]"):
            return selectors, names[0] if len(names) == 1 else None
        if not cursor.take(",") or len(selectors) >= _MOST_STEPS:
            raise cursor.expected("',' or ']'")


def _selector(cursor: Cursor) -> tuple[Selector, str | int | None]:
    from shopkeeper.collect.mapped.filters import condition

    if cursor.take("*"):
        return _every, None
    if cursor.peek() in ("'", '"'):
        name = cursor.string()
        return _named(name), name
    if cursor.take("?"):
        cursor.blanks()
        return _filtered(condition(cursor, _query)), None
    start = _whole(cursor)
    before = cursor.at
    cursor.blanks()
    if not cursor.take(":"):
        cursor.at = before
        if start is None:
            raise cursor.expected("a name in quotes, a number, '*', a slice such as 0:2, or a filter ?...")
        return _indexed(start), start
    cursor.blanks()
    stop = _whole(cursor)
    cursor.blanks()
    by = None
    if cursor.take(":"):
        cursor.blanks()
        by = _whole(cursor)
    return _sliced(start, stop, by), None


def _whole(cursor: Cursor) -> int | None:
    at = cursor.at
    text = cursor.integer()
    if text is None:
        return None
    if abs(number := int(text)) > _MOST_INDEX:
        raise wrong(cursor.text, at, "a number beyond what JSON can count")
    return number


def _every(node: Any, _root: Any, found: list[Any]) -> None:
    if type(node) is list:
        found.extend(node)
    elif type(node) is dict:
        found.extend(node.values())


def _named(name: str) -> Selector:
    def select(node: Any, _root: Any, found: list[Any]) -> None:
        if type(node) is dict and name in node:
            found.append(node[name])

    return select


def _indexed(place: int) -> Selector:
    def select(node: Any, _root: Any, found: list[Any]) -> None:
        if type(node) is list and -len(node) <= place < len(node):
            found.append(node[place])

    return select


def _sliced(start: int | None, stop: int | None, by: int | None) -> Selector:
    part = slice(start, stop, by)

    def select(node: Any, _root: Any, found: list[Any]) -> None:
        if type(node) is list and by != 0:
            found.extend(node[part])

    return select


def _filtered(holds: Callable[[Any, Any], bool]) -> Selector:
    def select(node: Any, root: Any, found: list[Any]) -> None:
        if type(node) is list:
            found.extend([one for one in node if holds(one, root)])
        elif type(node) is dict:
            found.extend([one for one in node.values() if holds(one, root)])

    return select
