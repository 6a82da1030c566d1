"""Turns: who became one customer, who became two, and what caused it. Kept for ever, as the audit of identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from shopkeeper.resolve.union import Refusal, strength_in
from shopkeeper.resolve.view import View
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Edge, NewTurn

SHARED: Final = "shared"
"""``why`` of a split whose cause is an identifier that turned out to be many people's."""


class Turned(NamedTuple):
    """A merge of ``other`` into ``customer``, or a split of ``other`` from ``customer``."""

    kind: str
    customer: int
    other: int
    place: int
    """Which component ``other`` went into or came to be."""


class Turning(NamedTuple):
    """What there was to choose from when they turned."""

    view: View
    parts: list[list[int]]
    active: list[Edge]
    refused: list[Refusal]


def note_turns(tx: LedgerWriter, turning: Turning, turns: Sequence[Turned], *, now: int, actor: str) -> None:
    """Keep merges and splits with their evidence."""
    evidence = _Evidence(turning)
    rows = []
    for number, turn in enumerate(turns, tx.numbers("last_turn", len(turns))):
        a, b, seq, why = evidence.of_merge(turn) if turn.kind == "merge" else evidence.of_split(turn)
        rows.append(NewTurn(number, now, turn.kind, turn.customer, turn.other, a, b, seq, why, actor))
    tx.turned(rows)


_Cause = tuple[int, int, int, str]
"""Two nodes (0 for none), a place in the log (0 for none), and why."""


class _Evidence:
    """Finds what joined or parted."""

    def __init__(self, turning: Turning) -> None:
        view, parts, active, self.refused = turning
        self.view = view
        self.place_of = {node: place for place, part in enumerate(parts) for node in part}
        self.trusted = sorted(active, key=strength_in(view))

    def of_merge(self, turn: Turned) -> _Cause:
        """The most trusted edge between an identifier of the one who is no more and one of somebody else."""
        members = self.view.members
        for edge in self.trusted:
            if self.place_of[edge.a] != turn.place or self.place_of[edge.b] != turn.place:
                continue
            ours = [n in members and members[n].customer == turn.other for n in (edge.a, edge.b)]
            if ours[0] != ours[1]:
                return edge.a, edge.b, edge.seq, edge.why
        return 0, 0, 0, ""

    def of_split(self, turn: Turned) -> _Cause:
        """An identifier that is shared now, or the guard that stands between."""
        view = self.view
        here = [node for node, place in self.place_of.items() if place == turn.place]
        if len(here) == 1 and here[0] in view.shared:
            return here[0], 0, 0, SHARED
        for refusal in self.refused:
            if turn.place in (self.place_of[refusal.edge.a], self.place_of[refusal.edge.b]):
                return refusal.a, refusal.b, refusal.edge.seq, refusal.guard
        for (a, b), verdict in view.apart.items():
            if turn.place in (self.place_of.get(a), self.place_of.get(b)):
                return a, b, 0, verdict.why
        between = {node for one in here for node in view.near[one]} & view.shared
        return (min(between), 0, 0, SHARED) if between else (0, 0, 0, "")
