"""Who belongs together: components of the edges that may join, taken from the strongest on where a guard must choose.

The order is that of trust: what people decided, then identifiers seen together on one event (the stronger kinds and the
earlier sight first), then what a model believes (the heaviest first). A union is refused where it would join two
accounts, two identifiers that people hold apart, or more identifiers than a person has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.view import DECIDED, Forest, View
from shopkeeper.stores.contract.rows import Edge

LIKELY: Final = "likeness"
"""``why`` of an edge that a model believes in."""

_Strength = tuple[int, float, bytes, bytes]


class Refusal(NamedTuple):
    """A union that a guard refused."""

    edge: Edge
    guard: str
    """``accounts``, ``decided`` or ``size``."""
    a: int
    b: int
    """The two identifiers that may not be one person's: accounts, or those held apart. For ``size`` the edge's ends."""


def edges_of(view: View) -> list[Edge]:
    """Every edge that may join two nodes of a view: seen together, decided, or believed; none at a shared node."""
    found = dict(view.edges)
    for pair, verdict in view.same.items():
        found[pair] = Edge(*pair, verdict.decided_at, 0, DECIDED)
    for pair, likeness in view.alike.items():
        if pair not in found:
            found[pair] = Edge(*pair, likeness.found_at, 0, LIKELY)
    shared, nodes = view.shared, view.nodes
    return [
        edge
        for (a, b), edge in found.items()
        if a in nodes
        and b in nodes
        and a not in shared
        and b not in shared
        and not (view.moved and view.expired(edge))
    ]


def parts(view: View, forest: Forest) -> list[list[int]]:
    """The components of a view as a union made them; shared nodes stand alone."""
    found: dict[int, list[int]] = defaultdict(list)
    for node in view.nodes - view.shared:
        found[forest.root(node)].append(node)
    return [sorted(part) for part in found.values()] + [[node] for node in view.shared & view.nodes]


def union(view: View, active: list[Edge]) -> tuple[Forest, list[Refusal]]:
    """Join what may be joined; returns the sets and what was refused."""
    forest = Forest()
    for edge in active:
        forest.join(edge.a, edge.b)
    contested = _contested(view, forest)
    if not contested:
        return forest, []
    again = [edge for edge in active if forest.root(edge.a) in contested]
    calm = [edge for edge in active if forest.root(edge.a) not in contested]
    forest = Forest()
    for edge in calm:
        forest.join(edge.a, edge.b)
    return forest, _Guards(view, forest).join(sorted(again, key=strength_in(view)))


def _contested(view: View, forest: Forest) -> set[int]:
    """Sets that no person can be."""
    accounts: dict[int, set[int]] = defaultdict(set)
    sizes: dict[int, int] = defaultdict(int)
    for node in view.nodes - view.shared:
        kind = IDENTIFIER_KINDS[view.marks[node][0]]
        if not kind.session:
            root = forest.root(node)
            sizes[root] += 1
            if kind.exclusive:
                accounts[root].add(view.one.root(node))
    return (
        {root for root, held in accounts.items() if len(held) > 1}
        | {root for root, size in sizes.items() if size > view.rules.size}
        | {forest.root(a) for a, b in view.apart if forest.root(a) == forest.root(b)}
    )


def strength_in(view: View) -> Callable[[Edge], _Strength]:
    """How much an edge is trusted: the smallest first. No number that depends on the order of arrival is in it."""

    def strength(edge: Edge) -> _Strength:
        (kind_a, mark_a), (kind_b, mark_b) = view.marks[edge.a], view.marks[edge.b]
        low, high = min(mark_a, mark_b), max(mark_a, mark_b)
        if edge.why == DECIDED and edge.seq == 0:
            return -1, 0, low, high
        if edge.why == LIKELY and edge.seq == 0:
            return 1_000, -view.alike[edge.a, edge.b].weight, low, high
        return IDENTIFIER_KINDS[kind_a].rank + IDENTIFIER_KINDS[kind_b].rank, edge.occurred_at, low, high

    return strength


class _Guards:
    """What every set holds that may stand against a union."""

    def __init__(self, view: View, forest: Forest) -> None:
        self.view = view
        self.forest = forest
        self.accounts: dict[int, dict[int, int]] = {}
        """By set: each account, with one of its nodes."""
        self.sizes: dict[int, int] = {}
        self.foes: dict[int, set[int]] = defaultdict(set)
        for a, b in view.apart:
            self.foes[a].add(b)
            self.foes[b].add(a)
        self.held: dict[int, set[int]] = {}
        """By set: its nodes that are held apart from others."""
        self.said: set[int] = set()
        """Sets that a person's word made: no number of identifiers is too many for them."""

    def join(self, edges: Iterable[Edge]) -> list[Refusal]:
        """Join along edges from the strongest on; returns what was refused."""
        refused = []
        root = self.forest.root
        for edge in edges:
            self._begin(edge.a)
            self._begin(edge.b)
            a, b = root(edge.a), root(edge.b)
            if a == b:
                continue
            if (refusal := self._refusal(edge, a, b)) is not None:
                refused.append(refusal)
                continue
            self.forest.join(a, b)
            whole, other = root(a), b if root(a) == a else a
            if other in self.said or (edge.why == DECIDED and edge.seq == 0):
                self.said.add(whole)
            self.accounts[whole] |= self.accounts.pop(other)
            self.sizes[whole] += self.sizes.pop(other)
            self.held[whole] |= self.held.pop(other)
        return refused

    def _begin(self, node: int) -> None:
        if node not in self.forest.parent and node not in self.sizes:
            kind = IDENTIFIER_KINDS[self.view.marks[node][0]]
            self.accounts[node] = {self.view.one.root(node): node} if kind.exclusive else {}
            self.sizes[node] = 0 if kind.session else 1
            self.held[node] = {node} if node in self.foes else set()

    def _refusal(self, edge: Edge, a: int, b: int) -> Refusal | None:
        for node in self.held[a]:
            if foes := self.foes[node] & self.held[b]:
                return Refusal(edge, "decided", node, min(foes))
        if edge.why == DECIDED and edge.seq == 0:
            return None
        ours, theirs = self.accounts[a], self.accounts[b]
        if len(ours.keys() | theirs.keys()) > 1 and ours and theirs:
            return Refusal(edge, "accounts", min(ours.values()), min(theirs.values()))
        if self.sizes[a] + self.sizes[b] > self.view.rules.size and not {a, b} & self.said:
            return Refusal(edge, "size", edge.a, edge.b)
        return None
