"""Unions that a guard refused, for people to settle: two customers whom something seen together ties, and who stay two.

Nothing of it is stored edge by edge: a refused union is an edge between two customers. A refresh looks through all
edges, window by window, and keeps the pairs it found; from then on only what happened since is looked at, so that
listing costs what is new. Every pair is looked at again before it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from threading import Lock
from typing import Final, NamedTuple

import msgspec

from shopkeeper.domain.identity import REFUSED
from shopkeeper.resolve import explaining
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Edge

_KEPT: Final = "refused"
_WINDOW: Final = 50_000
"""Edges looked through in one statement."""
_MOST: Final = 10_000
"""Pairs that are kept: whoever settles those has the next sweep find more."""
_EVENTS: Final = 300_000
"""Events since the last sweep beyond which looking through all edges again costs less."""
_TURNS: Final = 1_000
_NODES: Final = 5_000
_EXPLAINED: Final = 100
"""Pairs whose guard is worked out for one answer: those known already cost nothing."""
_MAKING: Final = Lock()
_Pair = tuple[int, int]


class Refused(NamedTuple):
    """Two customers whom a guard keeps apart."""

    guard: str
    a: int
    b: int
    """What a person settles: the two accounts, or the two identifiers of the edge."""
    one: int
    other: int
    """The two customers."""
    tie: _Pair
    """Two identifiers that were seen together."""


class Swept(msgspec.Struct):
    """Edges between two customers, up to a place in the log and a turn."""

    seq: int = 0
    turn: int = 0
    pairs: list[_Pair] = msgspec.field(default_factory=list)


class Refusals:
    """What is known of refused unions in this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.swept: Swept | None = None
        self.known: dict[_Pair, Refused | None] = {}
        """The guard of a pair, or None where there is nothing to settle, while its customers stay who they are."""
        self.whose: dict[_Pair, _Pair] = {}

    def follow(self, reader: LedgerReader) -> list[_Pair]:
        """Edges between two customers, as of now."""
        swept = self.swept or _kept(reader)
        if swept is None or not _caught_up(reader, swept):
            swept = _sweep(reader)
        self.swept = swept
        return swept.pairs


def sweep(places: Places) -> None:
    """Look through all edges and keep what was found."""
    with places.ledger.read() as reader:
        swept = _sweep(reader)
    body = msgspec.json.encode(swept).decode()
    places.ledger.write(lambda tx: tx.keep(_KEPT, body))
    known = _here(places)
    with known.lock:
        known.swept = swept


def refused(places: Places, reader: LedgerReader, limit: int) -> list[Refused]:
    """Unions to settle, one a pair of customers, by the first of their edges; at most ``limit``."""
    known = _here(places)
    with known.lock:
        pairs = known.follow(reader)
        whose = _customers(reader, {n for pair in pairs for n in pair})
        found: dict[_Pair, Refused] = {}
        explained = 0
        for pair in pairs:
            one, other = whose.get(pair[0]), whose.get(pair[1])
            if one is None or other is None or one == other or _between(one, other) in found:
                continue
            if parted(reader, one, other):
                continue
            if known.whose.get(pair) != (one, other):
                if explained == _EXPLAINED:
                    continue
                explained += 1
                known.known[pair], known.whose[pair] = _guard(reader, pair, one, other), (one, other)
            row = known.known[pair]
            if row is not None and not {row.a, row.b} <= reader.looked([row.a, row.b]):
                found[_between(one, other)] = row
                if len(found) == limit:
                    break
    return list(found.values())


def parted(reader: LedgerReader, one: int, other: int) -> bool:
    """Whether somebody decided on two customers, by whichever identifiers."""
    if not reader.standing().verdicts:
        return False
    nodes = {m.node: m.customer for m in reader.nodes_of([one, other])}
    return any({nodes.get(v.a), nodes.get(v.b)} == {one, other} for v in reader.verdicts(sorted(nodes)))


def _here(places: Places) -> Refusals:
    with _MAKING:
        if not isinstance(places.refusals, Refusals):
            places.refusals = Refusals()
        found: Refusals = places.refusals
        return found


def _between(one: int, other: int) -> _Pair:
    return (one, other) if one < other else (other, one)


def _guard(reader: LedgerReader, pair: _Pair, one: int, other: int) -> Refused | None:
    """Which guard refused to join an edge's ends; None where none did that a person may overrule."""
    answer = explaining.explain(reader, *pair)
    for reason in answer.reasons:
        if reason.guard in REFUSED:
            a, b = reason.nodes
            return Refused(reason.guard, a, b, one, other, pair)
    return None


def _sweep(reader: LedgerReader) -> Swept:
    """Edges between two customers among all edges."""
    swept = Swept(_cursor(reader), _last_turn(reader))
    after: int | None = 0
    while after is not None and len(swept.pairs) < _MOST:
        edges, after = reader.crossing(after, _WINDOW)
        swept.pairs += [(edge.a, edge.b) for edge in edges]
    del swept.pairs[_MOST:]
    return swept


def _kept(reader: LedgerReader) -> Swept | None:
    body = reader.setting(_KEPT)
    return msgspec.json.decode(body, type=Swept) if body else None


def _caught_up(reader: LedgerReader, swept: Swept) -> bool:
    """Take in what happened since; False where looking through everything costs less."""
    cursor, turn = _cursor(reader), _last_turn(reader)
    if cursor < swept.seq or cursor - swept.seq > _EVENTS or turn - swept.turn > _TURNS:
        return False
    touched = set(_seen_since(reader, swept.seq, cursor))
    for row in reader.turns([], None, turn - swept.turn) if turn > swept.turn else ():
        touched |= {m.node for m in reader.nodes_of([row.customer, row.other])}
    known = set(swept.pairs)
    fresh = (pair for pair in _crossing_at(reader, touched) if pair not in known)
    swept.pairs += [pair for pair, _ in zip(fresh, range(_MOST - len(known)), strict=False)]
    swept.seq, swept.turn = cursor, turn
    return True


def _seen_since(reader: LedgerReader, seq: int, upto: int) -> Iterator[int]:
    while seq < upto and (rows := reader.observed_after(seq, _WINDOW)):
        for row in rows:
            if row.node and row.seq <= upto:
                yield row.node
                yield from map(int, filter(None, row.others.split(",")))
        seq = rows[-1].seq


def _crossing_at(reader: LedgerReader, nodes: Collection[int]) -> Iterator[_Pair]:
    """Edges between two customers at some nodes."""
    wanted = sorted(nodes)
    for start in range(0, len(wanted), _NODES):
        members = reader.members(wanted[start : start + _NODES])
        edges: list[Edge] = reader.edges([m.node for m in members if not m.shared])
        whose = _customers(reader, {n for edge in edges for n in (edge.a, edge.b)})
        for edge in edges:
            one, other = whose.get(edge.a), whose.get(edge.b)
            if one is not None and other is not None and one != other:
                yield edge.a, edge.b


def _customers(reader: LedgerReader, nodes: Iterable[int]) -> dict[int, int]:
    """Whose some nodes are; shared ones are nobody's."""
    return {m.node: m.customer for m in reader.members(sorted(nodes)) if not m.shared}


def _cursor(reader: LedgerReader) -> int:
    return int(reader.setting("cursor") or 0)


def _last_turn(reader: LedgerReader) -> int:
    rows = reader.turns([], None, 1)
    return rows[0].id if rows else 0
