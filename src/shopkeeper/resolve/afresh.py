"""Which identifiers new events put in question again: whether many share them, or whose a number is.

As a rule an identifier that many share stays so, which is what keeps a busy one cheap. Time makes three exceptions, so
that the order in which events arrive never matters: two were first seen together earlier than was known; a number that
two accounts had turns up with somebody else, long after; a number that came to somebody else turns up where it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.rules import FAR, Rules, in_force
from shopkeeper.resolve.view import Mark
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.limits import Standing
from shopkeeper.stores.contract.rows import Edge, Logged, Member, Observed

_LOOKED_AT: Final = 2 * FAR
"""Neighbours that are counted before an identifier is looked at again."""
_Pairs = Mapping[tuple[int, int], Edge]


def afresh_by_events(
    tx: LedgerReader,
    standing: Standing,
    rows: Sequence[Logged] | Sequence[Observed],
    seen: tuple[Sequence[Edge], Sequence[Edge], _Pairs],
    members: Mapping[int, Member],
    marks: Mapping[int, Mark],
) -> set[int]:
    """Nodes to decide anew. ``seen``: edges that are new or earlier than known, those with a later month, and the
    known ones by pair. A later month, too, may show that a holder had given a number up: who was heard once had not.
    """
    news, later, known = seen
    found: set[int] = set()
    for edge in (*news, *later):
        before = (edge.a, edge.b) in known
        for node, other in ((edge.a, edge.b), (edge.b, edge.a)):
            member = members.get(node)
            if member is None or not member.shared or IDENTIFIER_KINDS[marks[other][0]].reference:
                continue  # numbers of orders are never counted
            holder = IDENTIFIER_KINDS[marks[node][0]].recycled and IDENTIFIER_KINDS[marks[other][0]].exclusive
            if holder or (before and known[edge.a, edge.b].occurred_at > edge.occurred_at):
                found.add(node)
    rules = in_force(standing.rules)
    found = {node for node in found if not _far(tx, standing, rules, node, marks[node][0])}
    if standing.moves:
        ends = {n for edge in later for n in (edge.a, edge.b)}
        moved = tx.moved(sorted(ends | {row.node for row in rows if row.node}))
        found |= ends & moved.keys()
        found |= {row.node for row in rows if row.node in moved and row.occurred_at < moved[row.node]}
    return found


def _far(tx: LedgerReader, standing: Standing, rules: Rules, node: int, kind: str) -> bool:
    """Whether so many devices or people share a node that no time can make it somebody's: cheap to see."""
    beside = set(tx.beside(node, _LOOKED_AT))
    if standing.verdicts:  # who is held apart is not counted
        beside -= {n for v in tx.verdicts([node]) if not v.same for n in (v.a, v.b)}
    counts: dict[str, int] = defaultdict(int)
    for other, _ in tx.marks(sorted(beside)).values():
        if not IDENTIFIER_KINDS[other].reference:
            counts[other] += 1
    return any(count > rules.ever(kind, other) for other, count in counts.items())
