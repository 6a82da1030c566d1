"""Why two identifiers are one customer's: the chain of evidence; or why they are not: the guard between them.

Nothing here is kept beside the graph: the answer is worked out from the edges, as the graph itself decides.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.union import Refusal, edges_of, parts, strength_in, union
from shopkeeper.resolve.view import View
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Edge

UNRELATED: Final = "unrelated"
SHARED: Final = "shared"
MOST_COUNTED: Final = 1_000
"""Neighbours that are counted: what has more of them is no more or less suspicious."""


class Reason(Struct, frozen=True, kw_only=True):
    """What stands between two identifiers."""

    guard: str
    """``shared``, ``accounts``, ``decided``, ``size``, or ``unrelated`` where nothing leads from one to the other."""
    nodes: tuple[int, ...] = ()
    """What it is about: the shared identifier, the two accounts, the two held apart."""
    of_kind: str = ""
    """For ``shared``: the kind of which it has too many neighbours."""
    count: int = 0
    """For ``shared``: how many."""


class Answer(Struct, frozen=True, kw_only=True):
    """Whether two nodes are one customer's, and why."""

    one: bool
    path: tuple[Edge, ...] = ()
    """From the first to the second, the most trusted way."""
    reasons: tuple[Reason, ...] = ()


def explain(reader: LedgerReader, a: int, b: int) -> Answer:
    """Why two nodes are one customer's, or why they are not."""
    view = View(reader, {a, b})
    active = edges_of(view)
    forest, refused = union(view, active)
    place = {node: n for n, part in enumerate(parts(view, forest)) for node in part}
    if place[a] == place[b]:
        joined = [
            e for e in active if place[e.a] == place[e.b] == place[a] and e not in {r.edge for r in refused}
        ]
        return Answer(one=True, path=tuple(_way(view, joined, a, b)))
    return Answer(one=False, reasons=tuple(_between(view, refused, place, a, b)))


def _way(view: View, joined: Iterable[Edge], a: int, b: int) -> list[Edge]:
    """The shortest chain of edges from one node to another; of equally short ones the more trusted."""
    near: dict[int, list[Edge]] = defaultdict(list)
    for edge in sorted(joined, key=strength_in(view)):
        near[edge.a].append(edge)
        near[edge.b].append(edge)
    came: dict[int, Edge | None] = {a: None}
    waiting = deque([a])
    while waiting and b not in came:
        node = waiting.popleft()
        for edge in near[node]:
            other = edge.b if edge.a == node else edge.a
            if other not in came:
                came[other] = edge
                waiting.append(other)
    path = []
    node = b
    while (step := came.get(node)) is not None:
        path.append(step)
        node = step.b if step.a == node else step.a
    return path[::-1]


def _between(view: View, refused: list[Refusal], place: dict[int, int], a: int, b: int) -> list[Reason]:
    """Every guard between the two components; what is decided goes first."""
    here, there = place[a], place[b]
    found: list[Reason] = []
    for (x, y), verdict in view.apart.items():
        if {place.get(x), place.get(y)} == {here, there}:
            found.append(Reason(guard="decided", nodes=(verdict.a, verdict.b)))
    for refusal in refused:
        ends = {place[refusal.edge.a], place[refusal.edge.b]}
        if ends == {here, there} and refusal.guard != "decided":
            found.append(Reason(guard=refusal.guard, nodes=(refusal.a, refusal.b)))
    for node in sorted(view.shared):
        if _touches(view, place, node, here) and _touches(view, place, node, there):
            of_kind, count = of_what(view.reader, node)
            found.append(Reason(guard=SHARED, nodes=(node,), of_kind=of_kind, count=count))
    unique = list(dict.fromkeys(found))
    return unique or [Reason(guard=UNRELATED)]


def _touches(view: View, place: dict[int, int], node: int, component: int) -> bool:
    return place.get(node) == component or any(place.get(other) == component for other in view.near[node])


def of_what(reader: LedgerReader, node: int) -> tuple[str, int]:
    """Of which kind a shared node has the most neighbours, and how many (up to ``MOST_COUNTED``): accounts go before
    cookies.
    """
    others = reader.beside(node, MOST_COUNTED)
    counts: dict[str, int] = defaultdict(int)
    for kind, _ in reader.marks(others).values():
        if not IDENTIFIER_KINDS[kind].reference:
            counts[kind] += 1
    if not counts:
        return "", 0
    kind = min(counts, key=lambda k: (not (IDENTIFIER_KINDS[k].exclusive and counts[k] > 1), -counts[k], k))
    return kind, counts[kind]
