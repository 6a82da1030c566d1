"""Segments within segments: in which order they can be answered, and that none asks for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from shopkeeper.domain.errors import InvalidInput


def in_order(asked: Mapping[str, Iterable[str]]) -> list[str]:
    """Names so that each comes after those its condition asks for (``Condition.segments``).

    Raises InvalidInput where a segment asks for itself, by whatever way.

    >>> in_order({"best": ["rich", "loyal"], "loyal": [], "rich": ["loyal"]})
    ['loyal', 'rich', 'best']
    """
    try:
        return list(
            TopologicalSorter({name: sorted(of) for name, of in sorted(asked.items())}).static_order()
        )
    except CycleError as error:
        way = " -> ".join(repr(name) for name in reversed(error.args[1]))
        raise InvalidInput(
            f"a segment that asks for itself: {way}", hint="take segment('...') out of one of them"
        ) from None
