"""The live graph: nodes are identifiers, edges are events on which two were seen, customers are guarded components.

Who belongs together is a function of the edges alone, never of the order in which they arrived:

1. A node is *shared* when its own neighbourhood says so (``resolve.view``). A shared node is a customer of its own and
   joins nobody.
2. The rest falls into connected components. Where one cannot be a person, its edges are taken again from the most
   trusted on, and guards refuse what must not be joined (``resolve.union``).

Recomputing is local: the components that new edges touch, and the members of the customers they touched before.
Every merge and every split is noted with what caused it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from shopkeeper.domain.consent import WITHDRAWALS
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.afresh import afresh_by_events
from shopkeeper.resolve.sights import edges_between, sights
from shopkeeper.resolve.turning import Turned, Turning, note_turns
from shopkeeper.resolve.union import edges_of, parts, union
from shopkeeper.resolve.view import Mark, View
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.limits import Standing
from shopkeeper.stores.contract.rows import Edge, Logged, Member, Observed

_LOOKED_BACK: Final = 50
"""Merges of a customer that are looked at when it parts."""


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
    turned: list[Turned] = field(default_factory=list)
    """Who merged and who split."""


def split_of(change: Change) -> set[int]:
    """Customers of both sides of every split: what was predicted of them was predicted of somebody else."""
    return {one for turn in change.turned if turn.kind == "split" for one in (turn.customer, turn.other)}


def observe(tx: LedgerWriter, rows: Sequence[Logged] | Sequence[Observed], *, now: int = 0) -> Change:
    """Take the identities of logged events into the graph; ``now`` (microseconds) dates the merges and splits."""
    seen = sights(rows)
    touched, pairs = seen.touched, seen.pairs
    if not touched:
        return Change()
    members = {m.node: m for m in tx.members(list(touched))}
    wanted = {node for _, nodes in pairs for node in nodes} | (touched - members.keys())
    marks = tx.marks(list(wanted)) if wanted else {}
    touched -= touched - members.keys() - marks.keys()  # erased since: an event may still name its companion
    edges = edges_between(seen, marks)
    known = {(e.a, e.b): e for e in tx.edges_of_pairs([(e.a, e.b) for e in edges])}
    news = [e for e in edges if (e.a, e.b) not in known or known[e.a, e.b].occurred_at > e.occurred_at]
    later = [e for e in edges if e.until and (e.a, e.b) in known and 0 < known[e.a, e.b].until < e.until]
    if news or later:
        tx.link([*news, *later])
    standing = tx.standing()
    afresh = afresh_by_events(tx, standing, rows, (news, later, known), members, marks)
    leaves, seeds = _leaves({row.node for row in rows}, news, members, marks)
    seeds |= {n for n in touched if n not in members and n not in leaves}
    if leaves:
        tx.assign([Member(leaf, beside.customer, False) for leaf, beside in leaves.items()])
    change = Change()
    if seeds or afresh:
        change = recompute(tx, seeds | afresh, marks, afresh=afresh, now=now, standing=standing)
    for leaf, beside in leaves.items():
        change.customer_of.setdefault(leaf, change.customer_of.get(beside.node, beside.customer))
    for node in touched:
        if node not in change.customer_of:
            change.customer_of[node] = members[node].customer
    change.refold |= _heeding(tx, rows, news, change.parted)
    if freed := {m.node for m in tx.members(sorted(afresh)) if not m.shared}:
        change.refold |= beside_shared(tx, freed)  # what was withdrawn on it concerns them no more
    return change


def _leaves(
    seen: set[int], news: Sequence[Edge], members: dict[int, Member], marks: Mapping[int, Mark]
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
    return {m.customer for m in tx.members(list(beside))} | beside_shared(tx, said & shared)


def beside_shared(tx: LedgerReader, nodes: Collection[int]) -> set[int]:
    """Customers tied to some shared nodes."""
    ends = {n for edge in tx.edges(list(nodes)) for n in (edge.a, edge.b)} - set(nodes)
    return {m.customer for m in tx.members(list(ends))}


def recompute(
    tx: LedgerWriter,
    seeds: Iterable[int],
    marks: Mapping[int, Mark] | None = None,
    *,
    afresh: Collection[int] = (),
    now: int = 0,
    actor: str = "",
    standing: Standing | None = None,
) -> Change:
    """Decide anew who belongs together around some nodes, and write what changed; ``marks`` are those known already.

    Whether a node of ``afresh`` is shared is decided anew as well; of all others, who was shared stays so.
    """
    wanted = {*seeds, *afresh}
    there = tx.marks(list(wanted)) if marks is None else marks  # somebody may have been erased meanwhile
    view = View(tx, wanted & there.keys() if marks is None else wanted, there, afresh, standing)
    active = edges_of(view)
    forest, refused = union(view, active)
    found = parts(view, forest)
    change = _assign(tx, view, found)
    _note_moves(tx, view)
    if change.turned:
        note_turns(tx, Turning(view, found, active, refused), change.turned, now=now, actor=actor)
    return change


def _note_moves(tx: LedgerWriter, view: View) -> None:
    """Keep which numbers came to somebody else, and forget it of those that did not, as it turned out."""
    if view.moved or view.standing.moves:
        known = tx.moved([n for n in view.nodes if IDENTIFIER_KINDS[view.marks[n][0]].recycled])
        moved = [(node, since) for node, since in sorted(view.moved.items()) if known.get(node) != since]
        tx.move(moved, sorted(known.keys() - view.moved.keys()))


def _assign(tx: LedgerWriter, view: View, parts: list[list[int]]) -> Change:
    """Give every component a customer id, keeping the ids that its strongest members had; also who merged or split."""
    claims: dict[int, tuple[int, int, int]] = {}
    spread: dict[int, set[int]] = defaultdict(set)
    for place, part in enumerate(parts):
        for node in part:
            if node in view.members:
                rank = IDENTIFIER_KINDS[view.marks[node][0]].rank + (100 if node in view.shared else 0)
                old = view.members[node].customer
                spread[old].add(place)
                claims[old] = min(claims.get(old, (999, 0, 0)), (rank, node, place))
    won: dict[int, list[int]] = defaultdict(list)
    for old, (_, _, place) in claims.items():
        won[place].append(old)
    back = _given_back(tx, view, parts, spread, won)
    without = [place for place in range(len(parts)) if place not in won and place not in back]
    fresh = tx.numbers("last_customer", len(without)) if without else 0
    change = Change()
    rows: list[Member] = []
    aliases: list[tuple[int, int]] = []
    turns: list[Turned] = []
    became: dict[int, int] = {}
    for place, part in enumerate(parts):
        if place in won:
            customer = min(won[place])
            aliases += [(old, customer) for old in won[place] if old != customer]
            turns += [Turned("merge", customer, old, place) for old in sorted(won[place]) if old != customer]
        elif place in back:
            customer = back[place]
            aliases.append((customer, customer))  # it is nobody's old id any more
        else:
            customer, fresh = fresh, fresh + 1
        if view.members.keys().isdisjoint(part):
            change.fresh.add(customer)
        became[place] = customer
        rows += _place(view, part, customer, change)
    for old, (_, _, kept) in claims.items():
        turns += [
            Turned("split", became[kept], became[place], place) for place in sorted(spread[old] - {kept})
        ]
    change.gone = {old for old, new in aliases if old != new}
    change.refold -= change.gone
    tx.assign(rows)
    if aliases:
        tx.became(sorted(aliases))
    change.turned = turns
    return change


def _given_back(
    tx: LedgerWriter,
    view: View,
    parts: list[list[int]],
    spread: Mapping[int, set[int]],
    won: dict[int, list[int]],
) -> dict[int, int]:
    """Where customers who were merged part again: the ids that their strongest identifiers had before, by component.

    Changes ``won`` where an id goes back to another component than the one that would have kept it.
    """
    back: dict[int, int] = {}
    place_of = {node: place for place, part in enumerate(parts) for node in part}
    for old in sorted(old for old, places in spread.items() if len(places) > 1):
        for turn in tx.turns([old], None, _LOOKED_BACK):
            ours, theirs = place_of.get(turn.ours), place_of.get(turn.theirs)
            if (
                turn.kind != "merge"
                or turn.customer != old
                or ours is None
                or theirs is None
                or ours == theirs
            ):
                continue
            if turn.ours in view.shared or turn.theirs in view.shared or tx.alias(turn.other) != old:
                continue
            if won.get(theirs) == [old] and ours not in won and ours not in back:
                del won[theirs]
                won[ours] = [old]
            if theirs not in won and theirs not in back:
                back[theirs] = turn.other
    return back


def _place(view: View, part: list[int], customer: int, change: Change) -> list[Member]:
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
