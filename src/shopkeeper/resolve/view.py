"""The part of the graph around some nodes: what was seen together, what was decided, and who many share.

A node is *shared* when its own neighbourhood says so: it touches two or more exclusive identifiers (two accounts on one
family e-mail, tablet or landline), or more neighbours of one kind than a person gets in some time (a staff card, an
in-store tablet, a value typed by everybody; ``resolve.rules``); or when it was set aside. What people decided goes
before that: a pair that they hold apart is no neighbourhood, and an identifier that they gave somebody is not shared.

A telephone number is given out again. Where its accounts were seen with it one after another, with a long silence
between, it is the last one's since then and tells nothing of the others: unless something is kept on the number alone
from before, which would become a stranger's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.rules import MONTH_AT_MOST, in_force
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.limits import Standing
from shopkeeper.stores.contract.rows import Edge, Likeness, Member, Verdict

Mark = tuple[str, bytes]
"""Identifier kind and pseudonym of a node."""
Pair = tuple[int, int]

CLEARED: Final = "cleared"
"""``why`` of an identifier of which somebody said that it names somebody, whatever is learned of it."""
DECIDED: Final = "decided"
"""``why`` of an edge that stands for a decision."""


class View:
    """Everything reachable from some nodes without passing a shared one."""

    def __init__(
        self,
        reader: LedgerReader,
        seeds: Iterable[int],
        marks: Mapping[int, Mark] | None = None,
        afresh: Collection[int] = (),
        standing: Standing | None = None,
    ) -> None:
        self.reader = reader
        self.afresh = frozenset(afresh)
        self.marks: dict[int, Mark] = dict(marks or {})
        self.edges: dict[Pair, Edge] = {}
        self.alike: dict[Pair, Likeness] = {}
        self.near: dict[int, set[int]] = defaultdict(set)
        self.shared: set[int] = set()
        self.members: dict[int, Member] = {}
        self.nodes: set[int] = set()
        self.same: dict[Pair, Verdict] = {}
        self.apart: dict[Pair, Verdict] = {}
        self.bound: dict[int, set[int]] = defaultdict(set)
        """Nodes that a decision gave to another's person, by node."""
        self.one: Forest = Forest()
        """Nodes that decisions made one."""
        self.moved: dict[int, int] = {}
        """Numbers that came to somebody else, and since when."""
        self.standing = standing or reader.standing()
        self.rules = in_force(self.standing.rules)
        self._enough = self.rules.least()
        self._aside: set[int] = set()
        self._asked: set[int] = set()
        frontier = set(seeds)
        while frontier:
            frontier = self._grow(frontier)

    def why_shared(self, node: int) -> tuple[str, int] | None:
        """Why many share a node, or None: the kind of neighbour of which there are too many, and how many; no kind
        where it was set aside.
        """
        if node in self.bound:
            return None
        if node in self._aside:
            return "", 0
        kind = IDENTIFIER_KINDS[self.marks[node][0]]
        counts: dict[str, int] = defaultdict(int)
        accounts: dict[int, str] = {}
        for other in self.near[node]:
            if other in self.marks:
                name = self.marks[other][0]
                counts[name] += 1
                if IDENTIFIER_KINDS[name].exclusive:
                    accounts[self.one.root(other)] = name
        if not kind.exclusive and len(accounts) > 1:
            if not (kind.recycled and self._came(node)):
                return next(iter(accounts.values())), len(accounts)
        elif node in self.moved:
            del self.moved[node]
        for name, count in counts.items():
            if count > self._enough and not IDENTIFIER_KINDS[name].reference:
                pairs = [pair_of(node, n) for n in self.near[node] if self.marks.get(n, ("",))[0] == name]
                if self.rules.crowd(kind.name, name, [self.edges[pair].occurred_at for pair in pairs]):
                    return name, count
        return None

    def expired(self, edge: Edge) -> bool:
        """Whether an edge is from before one of its ends came to somebody else."""
        return expired(edge, self.moved)

    def _came(self, node: int) -> bool:
        """Whether a number came to the account that was seen with it last, after the others had given it up."""
        held: dict[int, tuple[int, int]] = {}
        for other in self.near[node]:
            if other in self.marks and IDENTIFIER_KINDS[self.marks[other][0]].exclusive:
                edge, root = self.edges[pair_of(node, other)], self.one.root(other)
                first, until = held.get(root, (edge.occurred_at, edge.until))
                known = bool(until and edge.until)
                held[root] = (min(first, edge.occurred_at), max(until, edge.until) if known else 0)
        *before, (since, _) = sorted(held.values())
        if not all(self.rules.given_up(first, until, since) for first, until in before):
            return False
        alone = self.reader.first_event(node)
        if alone is not None and alone < since:
            return False
        self.moved[node] = since
        return True

    def _grow(self, frontier: set[int]) -> set[int]:
        """Look at some more nodes; returns those that must be looked at next."""
        self.nodes |= frontier
        members = self.reader.members(list(frontier))
        self.members.update((m.node, m) for m in members)
        once_shared = {m.node for m in members if m.shared} - self.afresh
        fellows = self.reader.nodes_of(list({m.customer for m in members if m.node not in once_shared}))
        if self.standing.asides:
            self._aside |= {one.node for one in self.reader.asides(list(frontier)) if one.why != CLEARED}
        if self.standing.verdicts:
            self._ask(frontier)
            once_shared -= self.bound.keys()
        self.shared |= once_shared
        following: set[int] = {m.node for m in fellows}
        looked_at = frontier - once_shared
        for edge in self.reader.edges(list(looked_at)):
            if (edge.a, edge.b) not in self.apart:
                self._see(edge)
        for node in looked_at & self.bound.keys():
            following |= self.bound[node]
        if self.standing.likenesses:
            following |= self._alike(looked_at)
        wanted = {n for node in frontier for n in self.near[node]} | frontier | following
        if missing := [n for n in wanted if n not in self.marks]:
            self.marks.update(self.reader.marks(missing))
        if self.standing.verdicts:
            self._ask({n for node in looked_at for n in self.near[node]})  # accounts may have been made one
        for node in looked_at:
            if self.why_shared(node) is not None:
                self.shared.add(node)
            else:
                following |= self.near[node]
        return {n for n in following - self.nodes if n in self.marks}

    def _see(self, edge: Edge) -> None:
        self.edges[edge.a, edge.b] = edge
        self.near[edge.a].add(edge.b)
        self.near[edge.b].add(edge.a)

    def _alike(self, nodes: set[int]) -> set[int]:
        """Take in what a model believes of some nodes; returns their likely other identifiers."""
        found: set[int] = set()
        for likeness in self.reader.likenesses(list(nodes)):
            pair = likeness.a, likeness.b
            if pair not in self.apart:
                self.alike[pair] = likeness
                found |= set(pair)
        return found

    def _ask(self, nodes: set[int]) -> None:
        """What was decided of some nodes, and of those that decisions made one with them."""
        while new := nodes - self._asked:
            self._asked |= new
            nodes = set()
            for verdict in self.reader.verdicts(list(new)):
                pair = verdict.a, verdict.b
                if not verdict.same:
                    self.apart[pair] = verdict
                    continue
                self.same[pair] = verdict
                self.bound[verdict.a].add(verdict.b)
                self.bound[verdict.b].add(verdict.a)
                self.one.join(verdict.a, verdict.b)
                nodes |= set(pair)


def expired(edge: Edge, moved: Mapping[int, int]) -> bool:
    """Whether an edge is from before one of its ends came to somebody else; ``moved``: numbers that did, since when."""
    return any(
        edge.occurred_at < moved[node] and edge.until + MONTH_AT_MOST <= moved[node]
        for node in (edge.a, edge.b)
        if node in moved
    )


def pair_of(a: int, b: int) -> Pair:
    """Two nodes as a pair is kept: the smaller first."""
    return (a, b) if a < b else (b, a)


class Forest:
    """Disjoint sets with path halving; the smallest member stands for its set.

    >>> forest = Forest()
    >>> forest.join(3, 7)
    >>> forest.root(7), forest.root(8)
    (3, 8)
    """

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def root(self, node: int) -> int:
        """Who stands for the set of a node."""
        parent = self.parent
        while (up := parent.get(node, node)) != node:
            parent[node] = parent.get(up, up)
            node = up
        return node

    def join(self, a: int, b: int) -> None:
        """Make the sets of two nodes one."""
        a, b = self.root(a), self.root(b)
        if a != b:
            self.parent[max(a, b)] = min(a, b)
