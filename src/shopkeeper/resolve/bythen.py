"""Which identifiers were not yet known to be a customer's at an instant.

Customers are those of today, who grew out of pieces: a device looks around for weeks before somebody signs in on it.
What links the pieces is an edge, and an edge has the time of its first evidence. Whatever hangs on a customer by later
edges alone was somebody else then, as far as anyone could tell, and what was done on it must not be seen from that
instant: that a device was linked later often says that its owner bought.
"""

from __future__ import annotations

from collections.abc import Iterable

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.stores.contract.ledger import LedgerReader

_AT_ONCE = 20_000
_LAST = 1_000_000


def apart(reader: LedgerReader, end: int, *, decided: bool = False) -> tuple[int, ...]:
    """Nodes of today's customers that were in another piece before ``end`` (microseconds), ascending.

    Of a customer's pieces the one with the strongest identifier seen by then counts as the customer. What
    a model or somebody decided (rather than an event) holds at any time, since it rests on who people are; with
    ``decided`` it holds only from when it was decided.
    """
    touched: set[int] = set()
    for edges in reader.edges_since(end):
        of = {m.node: m.customer for m in reader.members(sorted({n for e in edges for n in (e.a, e.b)}))}
        touched |= {of[e.a] for e in edges if e.a in of and of[e.a] == of.get(e.b)}
    found: list[int] = []
    customers = sorted(touched)
    for start in range(0, len(customers), _AT_ONCE):
        found += _of(reader, customers[start : start + _AT_ONCE], end, decided=decided)
    return tuple(sorted(found))


def _of(reader: LedgerReader, customers: list[int], end: int, *, decided: bool) -> list[int]:
    of = {member.node: member.customer for member in reader.nodes_of(customers)}
    nodes = sorted(of)
    pairs = [(e.a, e.b) for e in reader.edges(nodes) if e.occurred_at < end]
    pairs += [(v.a, v.b) for v in reader.verdicts(nodes) if v.same and not (decided and v.decided_at >= end)]
    pairs += [(k.a, k.b) for k in reader.likenesses(nodes) if not (decided and k.found_at >= end)]
    piece = _pieces(nodes, [(a, b) for a, b in pairs if of.get(a, -1) == of.get(b, -2)])
    told = {one.node: one for one in reader.identifiers(nodes)}
    main: dict[int, tuple[bool, int, int, int]] = {}
    for node in nodes:
        one = told.get(node)
        rank = (one is None or one.first_seen >= end, _rank(one.kind) if one else _LAST, node, piece[node])
        main[of[node]] = min(main.get(of[node], rank), rank)
    return [node for node in nodes if piece[node] != main[of[node]][3]]


def _rank(kind: str) -> int:
    """How strongly identifiers of that kind speak for a person, the strongest first."""
    known = IDENTIFIER_KINDS.get(kind)
    return _LAST if known is None else known.rank


def _pieces(nodes: list[int], pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The smallest node of the piece that each node is in.

    >>> _pieces([1, 2, 3, 4], [(2, 3), (3, 4)])
    {1: 1, 2: 2, 3: 2, 4: 2}
    """
    up = {node: node for node in nodes}

    def root(node: int) -> int:
        while up[node] != node:
            up[node] = up[up[node]]
            node = up[node]
        return node

    for a, b in pairs:
        one, other = sorted((root(a), root(b)))
        up[other] = one
    return {node: root(node) for node in nodes}
