"""The part of the ledger's contract about who is who beyond what was seen: decisions, likenesses, refused unions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from shopkeeper.stores.contract.rows import Edge, Likeness, Verdict


class VerdictReader(Protocol):
    """Reads decisions, likenesses and edges that joined nobody."""

    def verdicts(self, nodes: Sequence[int]) -> list[Verdict]:
        """What was decided of pairs with one of the nodes."""
        ...

    def likenesses(self, nodes: Sequence[int]) -> list[Likeness]:
        """What a model believes of pairs with one of the nodes."""
        ...

    def all_likenesses(self) -> Iterator[list[Likeness]]:
        """Everything that a model believes, in chunks, by pair."""
        ...

    def unjoined(self, limit: int) -> list[Likeness]:
        """Likenesses of two customers whom a guard keeps apart and on whom nobody has decided, the heaviest first."""
        ...

    def crossing(self, after: int, look: int) -> tuple[list[Edge], int | None]:
        """Edges between two customers, neither end shared: a guard refused what they would join, or somebody did.

        Looks through about ``look`` edges whose smaller node comes after ``after``; also returns that node of the last
        one looked at, or None at the end. All edges of one smaller node come together.
        """
        ...
