"""Lists inside an element: the lines of an order, and tables of several fields."""

from __future__ import annotations

from typing import Any, Final

from shopkeeper.collect.mapped.conditions import condition
from shopkeeper.collect.mapped.paths import MISSING, Path, Scope
from shopkeeper.collect.mapped.spots import Spot
from shopkeeper.collect.mapped.values import Lines, Paths, Value, blank, texted, value_of

_MOST: Final = 10_000
"""Lines of one list."""


def elements(path: Path, scope: Scope) -> list[Any]:
    """What a path to a list finds: its elements, whether the path ends at the list or goes on to [*].

    >>> elements(Path("$.a"), ({"a": [1, 2]},)), elements(Path("$.a[*]"), ({"a": [1, 2]},))
    ([1, 2], [1, 2])
    """
    found = path.find(scope)
    if path.singular and len(found) == 1:
        if type(found[0]) is list:
            return found[0]
        return [] if found[0] is None else found
    return found


def listed(spot: Spot, paths: Paths, lines: Lines | None) -> Value:
    """A list of tables, one for each element that ``each`` finds; without ``each`` one table."""
    each = paths.path(spot.at("each", spot.what)) if "each" in spot else None
    holds = condition(spot.at("when", spot.what), paths) if "when" in spot else None
    given = spot.at("fields", spot.what)
    given.table(lines.fields if lines else None, "field of a line")
    fields: list[tuple[str, Value]] = []
    texts = lines.texts if lines else frozenset[str]()
    for name, field in given.items():
        fields.append((name, value_of(field, paths)))

    def table(scope: Scope) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, value in fields:
            if not blank(found := value(scope)):
                row[name] = texted(found) if name in texts else found
        return row

    def value(scope: Scope) -> Any:
        if each is None:
            return table(scope) or MISSING
        scopes = [(*scope, element) for element in elements(each, scope)[:_MOST]]
        return [table(inner) for inner in scopes if holds is None or holds(inner, "")]

    return value
