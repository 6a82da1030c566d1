"""Turns: who became one customer, who became two, and what caused it. Kept for ever, as the audit of identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
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
    evidence = _Evidence(turning, turns)
    rows = []
    for number, turn in enumerate(turns, tx.numbers("last_turn", len(turns))):
        a, b, seq, why = evidence.of_merge(turn) if turn.kind == "merge" else evidence.of_split(turn)
        row = NewTurn(number, now, turn.kind, turn.customer, turn.other, a, b, seq, why, actor)
        if turn.kind == "merge":
            row = row._replace(ours=evidence.speaks(turn.customer), theirs=evidence.speaks(turn.other))
        rows.append(row)
    tx.turned(rows)


_Cause = tuple[int, int, int, str]
"""Two nodes (0 for none), a place in the log (0 for none), and why."""
_UNKNOWN: Final[_Cause] = (0, 0, 0, "")


class _Evidence:
    """Finds what joined or parted; looks at everything once, however many turned."""

    def __init__(self, turning: Turning, turns: Sequence[Turned]) -> None:
        view, parts, active, refused = turning
        self.view = view
        self.parts = parts
        place_of = {node: place for place, part in enumerate(parts) for node in part}
        self._joined: dict[int, _Cause] = {}
        self._strongest: dict[int, tuple[int, int]] = {}
        if any(turn.kind == "merge" for turn in turns):
            self._look_at_merges(active)
        self._between: dict[int, _Cause] = {}
        for refusal in refused:
            for end in (refusal.edge.a, refusal.edge.b):
                cause = (refusal.a, refusal.b, refusal.edge.seq, refusal.guard)
                self._between.setdefault(place_of[end], cause)
        for (a, b), verdict in view.apart.items():
            for end in (a, b):
                if end in place_of:
                    self._between.setdefault(place_of[end], (a, b, 0, verdict.why))

    def _look_at_merges(self, active: list[Edge]) -> None:
        members, marks = self.view.members, self.view.marks
        for node, member in members.items():
            rank = (IDENTIFIER_KINDS[marks[node][0]].rank, node)
            self._strongest[member.customer] = min(self._strongest.get(member.customer, rank), rank)
        for edge in sorted(active, key=strength_in(self.view)):
            one, other = (members[n].customer if n in members else 0 for n in (edge.a, edge.b))
            if one != other:
                cause = (edge.a, edge.b, edge.seq, edge.why)
                self._joined.setdefault(one, cause)
                self._joined.setdefault(other, cause)

    def speaks(self, customer: int) -> int:
        """The node that spoke most for a customer before."""
        return self._strongest.get(customer, (0, 0))[1]

    def of_merge(self, turn: Turned) -> _Cause:
        """The most trusted edge between an identifier of the one who is no more and one of somebody else."""
        return self._joined.get(turn.other, _UNKNOWN)

    def of_split(self, turn: Turned) -> _Cause:
        """An identifier that is shared now, or the guard that stands between."""
        view = self.view
        here = self.parts[turn.place]
        if len(here) == 1 and here[0] in view.shared:
            return here[0], 0, 0, SHARED
        if turn.place in self._between:
            return self._between[turn.place]
        between = {node for one in here for node in view.near[one]} & view.shared
        return (min(between), 0, 0, SHARED) if between else _UNKNOWN
