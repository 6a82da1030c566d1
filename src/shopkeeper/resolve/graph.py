"""The live graph: nodes are identifiers, edges are events on which two were seen, customers are guarded components.

Who belongs together is a function of the edges alone, never of the order in which they arrived:

1. A node is *shared* when its own neighbourhood says so: it touches two or more exclusive identifiers (two accounts
   on one family e-mail, tablet or landline), or more neighbours of one kind than a person can have (a staff card, an
   in-store tablet, a value typed by everybody). A shared node is a customer of its own and joins nobody.
2. The rest falls into connected components. Where one still holds two exclusive identifiers, its edges are taken
   again from the strongest and earliest on, and every union that would join two such identifiers is refused.

Recomputing is local: the components that new edges touch, and the members of the customers they touched before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from shopkeeper.domain.consent import WITHDRAWALS
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Edge, Logged, Member, Observed

_LOGIN = frozenset({"Identified", "Order Completed", "Order Refunded", "Social Account Linked"})
_Mark = tuple[str, bytes]


class Change(Struct):
    """What observing some events changed."""

    refold: set[int] = field(default_factory=set)
    """Customers whose members changed, so that events from before are theirs now or are not any more."""
    fresh: set[int] = field(default_factory=set)
    """New customers of whom nothing happened before these events."""
    gone: set[int] = field(default_factory=set)
    """Customers that are no more; their ids are aliases now."""
    customer_of: dict[int, int] = field(default_factory=dict)
    """The customer of every node that the events were observed on."""
    parted: set[int] = field(default_factory=set)
    """Nodes that are shared from now on."""


def observe(tx: LedgerWriter, rows: Sequence[Logged] | Sequence[Observed]) -> Change:
    """Take the identities of logged events into the graph."""
    touched: set[int] = set()
    earliest: dict[tuple[int, str, bool], Logged | Observed] = {}
    for row in rows:
        if row.node:
            touched.add(row.node)
            if row.others:
                # The same identifiers come together again and again: the earliest time is the evidence.
                together = (row.node, row.others, row.name in _LOGIN)
                before = earliest.get(together)
                if before is None or row.occurred_at < before.occurred_at:
                    earliest[together] = row
    pairs = [(row, [row.node, *map(int, row.others.split(","))]) for row in earliest.values()]
    touched.update(node for _, nodes in pairs for node in nodes)
    if not touched:
        return Change()
    members = {m.node: m for m in tx.members(list(touched))}
    wanted = {node for _, nodes in pairs for node in nodes} | (touched - members.keys())
    marks = tx.marks(list(wanted)) if wanted else {}
    touched -= touched - members.keys() - marks.keys()  # erased since: an event may still name its companion
    edges = _edges(pairs, marks)
    known = {(e.a, e.b): e for e in tx.edges(list({n for e in edges for n in (e.a, e.b)}))} if edges else {}
    news = [e for e in edges if (e.a, e.b) not in known or known[e.a, e.b].occurred_at > e.occurred_at]
    if news:
        tx.link(news)
    leaves, seeds = _leaves({row.node for row in rows}, news, members, marks)
    seeds |= {n for n in touched if n not in members and n not in leaves}
    if leaves:
        tx.assign([Member(leaf, beside.customer, False) for leaf, beside in leaves.items()])
    change = recompute(tx, seeds, marks) if seeds else Change()
    for leaf, beside in leaves.items():
        change.customer_of.setdefault(leaf, change.customer_of.get(beside.node, beside.customer))
    for node in touched:
        if node not in change.customer_of:
            change.customer_of[node] = members[node].customer
    change.refold |= _heeding(tx, rows, news, change.parted)
    return change


def _leaves(
    seen: set[int], news: Sequence[Edge], members: dict[int, Member], marks: Mapping[int, _Mark]
) -> tuple[dict[int, Member], set[int]]:
    """New numbers of orders beside one placed identifier, and the ends of all other new edges.

    Such a leaf belongs to its neighbour's customer and changes nothing else: an order more is no reason to decide anew
    who a customer is.
    """
    beside: dict[int, list[int]] = defaultdict(list)
    for edge in news:
        for node, other in ((edge.a, edge.b), (edge.b, edge.a)):
            if node not in seen and node not in members and IDENTIFIER_KINDS[marks[node][0]].reference:
                beside[node].append(other)
    leaves = {
        node: members[others[0]]
        for node, others in beside.items()
        if len(others) == 1 and others[0] in members and not members[others[0]].shared
    }
    seeds = {n for e in news if e.a not in leaves and e.b not in leaves for n in (e.a, e.b)}
    for node, neighbour in list(leaves.items()):
        if neighbour.node in seeds:
            del leaves[node]
            seeds.add(node)
    return leaves, seeds


def _heeding(
    tx: LedgerWriter, rows: Sequence[Logged] | Sequence[Observed], news: Sequence[Edge], parted: set[int]
) -> set[int]:
    """Customers beside a shared identifier on which something was withdrawn, or to which they have just been tied.

    Who unsubscribes a family's address unsubscribes everybody who is written to there. ``parted`` is shared only now:
    what was withdrawn on it before counts from now on for those, too, from whom a refused union kept it apart.
    """
    said = {row.node for row in rows if row.node and row.name in WITHDRAWALS} | parted
    ends = {node for edge in news for node in (edge.a, edge.b)}
    shared = {m.node for m in tx.members(list(said | ends)) if m.shared}
    beside = {b if a in shared else a for a, b, *_ in news if (a in shared) != (b in shared)}
    for edge in tx.edges(list(said & shared)):
        beside.add(edge.b if edge.a in shared else edge.a)
    return {m.customer for m in tx.members(list(beside))}


def recompute(tx: LedgerWriter, seeds: Iterable[int], marks: Mapping[int, _Mark] | None = None) -> Change:
    """Decide anew who belongs together around some nodes, and write what changed; ``marks`` are those known already."""
    view = _View(tx, set(seeds), marks or {})
    parts = _parts(view)
    return _assign(tx, view, parts)


def _edges(pairs: list[tuple[Logged | Observed, list[int]]], marks: Mapping[int, _Mark]) -> list[Edge]:
    """One edge per pair of nodes that may be joined, with its earliest evidence."""
    found: dict[tuple[int, int], Edge] = {}
    for row, all_of_them in pairs:
        nodes = [n for n in all_of_them if n in marks]
        if len(nodes) < 2:
            continue
        first = nodes[0]
        strong = IDENTIFIER_KINDS[marks[first][0]]
        for other in nodes[1:]:
            if IDENTIFIER_KINDS[marks[other][0]].session and not (strong.exclusive or row.name in _LOGIN):
                continue  # a device says who only when somebody logs in or buys on it
            a, b = (first, other) if first < other else (other, first)
            if a == b:
                continue
            seen = found.get((a, b))
            if seen is None or row.occurred_at < seen.occurred_at:
                found[a, b] = Edge(a, b, row.occurred_at, row.seq, row.name)
    return list(found.values())


class _View:
    """The part of the graph that must be looked at: everything reachable without passing a shared node."""

    def __init__(self, tx: LedgerWriter, seeds: set[int], marks: Mapping[int, _Mark]) -> None:
        self.tx = tx
        self.marks: dict[int, _Mark] = dict(marks)
        self.edges: dict[tuple[int, int], Edge] = {}
        self.near: dict[int, set[int]] = defaultdict(set)
        self.shared: set[int] = set()
        self.members: dict[int, Member] = {}
        self.nodes: set[int] = set()
        frontier = set(seeds)
        while frontier:
            frontier = self._grow(frontier)

    def _grow(self, frontier: set[int]) -> set[int]:
        """Look at some more nodes; returns those that must be looked at next."""
        self.nodes |= frontier
        members = self.tx.members(list(frontier))
        self.members.update((m.node, m) for m in members)
        once_shared = {m.node for m in members if m.shared}
        self.shared |= once_shared
        fellows = self.tx.nodes_of(list({m.customer for m in members if not m.shared}))
        for edge in self.tx.edges(list(frontier - once_shared)):
            self.edges[edge.a, edge.b] = edge
            self.near[edge.a].add(edge.b)
            self.near[edge.b].add(edge.a)
        wanted = {n for node in frontier for n in self.near[node]} | frontier
        if missing := [n for n in wanted if n not in self.marks]:
            self.marks.update(self.tx.marks(missing))
        following: set[int] = {m.node for m in fellows}
        for node in frontier - once_shared:
            if self._is_shared(node):
                self.shared.add(node)
            else:
                following |= self.near[node]
        return following - self.nodes

    def _is_shared(self, node: int) -> bool:
        kind = IDENTIFIER_KINDS[self.marks[node][0]]
        counts: dict[str, int] = defaultdict(int)
        for other in self.near[node]:
            if other in self.marks:
                counts[self.marks[other][0]] += 1
        if not kind.exclusive and sum(n for k, n in counts.items() if IDENTIFIER_KINDS[k].exclusive) > 1:
            return True
        return any(n > kind.most for k, n in counts.items() if not IDENTIFIER_KINDS[k].reference)


def _parts(view: _View) -> list[list[int]]:
    """The components; shared nodes stand alone."""
    active = [e for e in view.edges.values() if _joins(view, e)]
    forest = _Forest()
    for edge in active:
        forest.join(edge.a, edge.b)
    exclusive: dict[int, int] = defaultdict(int)
    for node in view.nodes - view.shared:
        if IDENTIFIER_KINDS[view.marks[node][0]].exclusive:
            exclusive[forest.root(node)] += 1
    contested = {root for root, count in exclusive.items() if count > 1}
    if contested:
        again = [e for e in active if forest.root(e.a) in contested]
        calm = [e for e in active if forest.root(e.a) not in contested]
        forest = _Forest()
        for edge in calm:
            forest.join(edge.a, edge.b)
        _guarded(view, again, forest)
    parts: dict[int, list[int]] = defaultdict(list)
    for node in view.nodes - view.shared:
        parts[forest.root(node)].append(node)
    return [sorted(part) for part in parts.values()] + [[node] for node in view.shared & view.nodes]


def _joins(view: _View, edge: Edge) -> bool:
    return (
        edge.a in view.nodes
        and edge.b in view.nodes
        and edge.a not in view.shared
        and edge.b not in view.shared
    )


def _guarded(view: _View, edges: list[Edge], forest: _Forest) -> None:
    """Union from the strongest and earliest edge on, refusing to join two exclusive identifiers."""

    def strength(edge: Edge) -> tuple[int, int, bytes, bytes]:
        (kind_a, mark_a), (kind_b, mark_b) = view.marks[edge.a], view.marks[edge.b]
        ranks = IDENTIFIER_KINDS[kind_a].rank + IDENTIFIER_KINDS[kind_b].rank
        return (ranks, edge.occurred_at, min(mark_a, mark_b), max(mark_a, mark_b))

    holds: dict[int, set[int]] = {}
    for edge in sorted(edges, key=strength):
        for node in (edge.a, edge.b):
            if node not in holds and IDENTIFIER_KINDS[view.marks[node][0]].exclusive:
                holds[node] = {node}
        a, b = forest.root(edge.a), forest.root(edge.b)
        if a == b:
            continue
        both = holds.get(a, set()) | holds.get(b, set())
        if len(both) <= 1:
            forest.join(a, b)
            holds[forest.root(a)] = both


class _Forest:
    """Disjoint sets with path halving."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def root(self, node: int) -> int:
        parent = self.parent
        while (up := parent.get(node, node)) != node:
            parent[node] = parent.get(up, up)
            node = up
        return node

    def join(self, a: int, b: int) -> None:
        a, b = self.root(a), self.root(b)
        if a != b:
            self.parent[max(a, b)] = min(a, b)


def _assign(tx: LedgerWriter, view: _View, parts: list[list[int]]) -> Change:
    """Give every component a customer id, keeping the ids that its strongest members had."""
    claims: dict[int, tuple[int, int, int]] = {}
    for place, part in enumerate(parts):
        for node in part:
            if node in view.members:
                rank = IDENTIFIER_KINDS[view.marks[node][0]].rank + (100 if node in view.shared else 0)
                old = view.members[node].customer
                claims[old] = min(claims.get(old, (999, 0, 0)), (rank, node, place))
    won: dict[int, list[int]] = defaultdict(list)
    for old, (_, _, place) in claims.items():
        won[place].append(old)
    without = [place for place in range(len(parts)) if place not in won]
    fresh = tx.numbers("last_customer", len(without)) if without else 0
    change = Change()
    rows: list[Member] = []
    aliases: list[tuple[int, int]] = []
    for place, part in enumerate(parts):
        if place in won:
            customer = min(won[place])
            aliases += [(old, customer) for old in won[place] if old != customer]
        else:
            customer, fresh = fresh, fresh + 1
        if view.members.keys().isdisjoint(part):
            change.fresh.add(customer)
        rows += _place(view, part, customer, change)
    change.gone = {old for old, _ in aliases}
    change.refold -= change.gone
    tx.assign(rows)
    if aliases:
        tx.became(sorted(aliases))
    return change


def _place(view: _View, part: list[int], customer: int, change: Change) -> list[Member]:
    """Note that these nodes are a customer's; returns the memberships that are new or changed."""
    rows = []
    for node in part:
        change.customer_of[node] = customer
        after, before = Member(node, customer, node in view.shared), view.members.get(node)
        if after == before:
            continue
        rows.append(after)
        if after.shared:
            change.parted.add(node)
        if before is not None:
            # also where it only parted: what was withdrawn beside it is not its own any more
            change.refold |= {customer, before.customer}
    return rows
