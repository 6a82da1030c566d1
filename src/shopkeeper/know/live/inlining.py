"""A condition that asks about segments, with their conditions in the place of their names."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from shopkeeper.domain.condition import Condition, tree
from shopkeeper.know.live.definitions import Known


def conditions(all_: Known) -> dict[str, Condition]:
    """What each segment means that a condition may ask about: by the version in force, or the one saved last."""
    found: dict[str, Condition] = {}
    for name in all_.usable():
        row = all_.rows[name]
        version = all_.versions[row.id][row.live] if row.live else all_.latest(row)
        found[name] = all_.understood(version)
    return found


def inlined(condition: Condition, of: Mapping[str, Condition]) -> Condition:
    """The same condition without segments; its text stays."""
    if not condition.segments:
        return condition
    meaning = _inlined(condition.meaning, of)
    nodes = list(tree.walk(meaning))
    return structs.replace(
        condition,
        meaning=meaning,
        traits=frozenset(node.name for node in nodes if isinstance(node, tree.TraitRef)),
        behaviours=tuple(dict.fromkeys(node for node in nodes if isinstance(node, tree.Behaviour))),
        segments=frozenset(),
    )


def _inlined(node: tree.Value, of: Mapping[str, Condition]) -> tree.Value:
    match node:
        case tree.Segment(name):
            return tree.Is(_inlined(of[name].meaning, of), "true")
        case tree.AllOf(parts):
            return tree.AllOf(tuple(_inlined(part, of) for part in parts))
        case tree.AnyOf(parts):
            return tree.AnyOf(tuple(_inlined(part, of) for part in parts))
        case tree.Not(inner):
            return tree.Not(_inlined(inner, of))
        case tree.Is(inner, what) if what != "null":
            return tree.Is(_inlined(inner, of), what)
        case tree.Compare(test, left, right):
            return tree.Compare(test, _inlined(left, of), _inlined(right, of))
        case tree.Call(function, arguments):
            return tree.Call(function, tuple(_inlined(one, of) for one in arguments))
    return node
