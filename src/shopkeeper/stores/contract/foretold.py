"""What a ledger keeps of predictions: those of the run in force, and where customers stand since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from shopkeeper.stores.contract.rows import Prediction


class ForetoldReader(Protocol):
    """Reading predictions."""

    def predictions(self, customers: Sequence[int]) -> dict[int, Prediction]:
        """Current predictions of some customers."""
        ...

    def turning(self, at: int, limit: int) -> list[int]:
        """Customers of whom time alone changed what is predicted by an instant, the earliest first."""
        ...

    def next_turn(self) -> int | None:
        """When the next of them turns."""
        ...

    def stood(self, limit: int) -> list[int]:
        """Customers of whom what is predicted was written since the refresh."""
        ...

    def all_foretold(self) -> Iterator[list[tuple[int, int, bytes]]]:
        """Run, customer and body of every prediction, those written aside among them, in chunks."""
        ...


class ForetoldWriter(ForetoldReader, Protocol):
    """Writing predictions."""

    def unpredict(self, customers: Sequence[int]) -> None:
        """Forget predictions of customers who are not the same any more."""
        ...

    def predict(self, rows: Sequence[Prediction], *, run: int) -> None:
        """Write predictions of a run aside; nobody sees them until ``switch``."""
        ...

    def restand(self, rows: Sequence[Prediction]) -> None:
        """Put what is said of customers now, in the current run."""
        ...

    def retell(self, rows: Sequence[tuple[bytes, int, int]]) -> None:
        """Put other bodies (body, run, customer) in the place of those that predictions have."""
        ...

    def switch(self, run: int) -> None:
        """Make a run's predictions the current ones and delete older ones; those of a later run stay."""
        ...
