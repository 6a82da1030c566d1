"""What some events say of identifiers: which were seen together, when first, and in which month last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from shopkeeper.domain.clock import DAY, instant, micros
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.rules import NO_MONTH
from shopkeeper.resolve.view import Mark
from shopkeeper.stores.contract.rows import Edge, Logged, Observed

LOGIN: Final = frozenset({"Identified", "Order Completed", "Order Refunded", "Social Account Linked"})
"""Events on which a device says who uses it."""
_Together = tuple[int, str, bool]


class Sights(Struct, frozen=True):
    """Identifiers on some events."""

    touched: set[int]
    """Every node."""
    pairs: list[tuple[Logged | Observed, list[int]]]
    """Nodes that came together, with the earliest of the events on which they did: that is the evidence."""
    latest: dict[_Together, int]
    """When they last did."""


def sights(rows: Sequence[Logged] | Sequence[Observed]) -> Sights:
    """Look through some events. The same identifiers come together again and again."""
    touched: set[int] = set()
    earliest: dict[_Together, Logged | Observed] = {}
    latest: dict[_Together, int] = {}
    for row in rows:
        if row.node:
            touched.add(row.node)
            if row.others:
                together = (row.node, row.others, row.name in LOGIN)
                before = earliest.get(together)
                if before is None or row.occurred_at < before.occurred_at:
                    earliest[together] = row
                last = latest.get(together)
                if last is None or row.occurred_at > last:
                    latest[together] = row.occurred_at
    pairs = [(row, [row.node, *map(int, row.others.split(","))]) for row in earliest.values()]
    touched.update(node for _, nodes in pairs for node in nodes)
    return Sights(touched, pairs, latest)


def edges_between(seen: Sights, marks: Mapping[int, Mark]) -> list[Edge]:
    """One edge per pair of nodes that may be joined, with its earliest evidence; and its last month, where an end is
    given out again to others.
    """
    found: dict[tuple[int, int], Edge] = {}
    for row, all_of_them in seen.pairs:
        nodes = [n for n in all_of_them if n in marks]
        if len(nodes) < 2:
            continue
        first = nodes[0]
        strong = IDENTIFIER_KINDS[marks[first][0]]
        for other in nodes[1:]:
            if IDENTIFIER_KINDS[marks[other][0]].session and not (strong.exclusive or row.name in LOGIN):
                continue  # a device says who only when somebody logs in or buys on it
            a, b = (first, other) if first < other else (other, first)
            if a == b:
                continue
            until = 0
            if strong.recycled or IDENTIFIER_KINDS[marks[other][0]].recycled:
                until = max(NO_MONTH, month_of(seen.latest[row.node, row.others, row.name in LOGIN]))
            known = found.get((a, b))
            if known is None or row.occurred_at < known.occurred_at:
                found[a, b] = Edge(
                    a, b, row.occurred_at, row.seq, row.name, max(until, known.until if known else 0)
                )
            elif until > known.until:
                found[a, b] = known._replace(until=until)
    return list(found.values())


def month_of(at: int) -> int:
    """The first microsecond of an instant's month (UTC).

    >>> instant(month_of(15_317 * DAY + 5)).isoformat()
    '2011-12-01T00:00:00+00:00'
    """
    return _month(at // DAY)


@lru_cache(maxsize=8192)
def _month(day: int) -> int:
    return micros(instant(day * DAY).replace(day=1))
