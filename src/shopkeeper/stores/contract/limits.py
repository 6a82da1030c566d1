"""What the ledger keeps of identifiers that are no single person's: set aside, busy, or moved to somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class Aside(NamedTuple):
    """An identifier that names nobody."""

    node: int
    at: int
    actor: str
    why: str
    """A word of the program's own."""
    names: int
    """Family names that were counted; 0 where a person said so."""


class Busy(NamedTuple):
    """An identifier with which more was bought on a day than one person does."""

    node: int
    days: int
    """On how many days."""
    orders: int
    """On the busiest day."""
    places: int
    """Most stores on one day."""
    last: int
    """The last such day (since 1970)."""


class Standing(NamedTuple):
    """What there is in a ledger that the graph must ask for, and the rules in force."""

    verdicts: bool
    likenesses: bool
    asides: bool
    moves: bool
    rules: str | None
    """As JSON; None where nobody changed them."""


class LimitReader(Protocol):
    """Reads them."""

    def standing(self) -> Standing:
        """What there is to ask for, in one question."""
        ...

    def asides(self, nodes: Sequence[int] | None = None) -> list[Aside]:
        """Which of some nodes (of all, where none are given) are set aside."""
        ...

    def busy(self, limit: int) -> list[Busy]:
        """Those that are not set aside and nobody has looked at, the busiest first."""
        ...

    def moved(self, nodes: Sequence[int]) -> dict[int, int]:
        """Which of some nodes came to somebody else, and since when."""
        ...

    def first_event(self, node: int) -> int | None:
        """When the first event on a node itself was."""
        ...

    def manifold(self, more_than: int) -> Iterator[list[int]]:
        """Chunks of nodes with more edges than that, and those that many share, by node."""
        ...

    def larger(self, kinds: Sequence[str], than: int) -> list[int]:
        """Customers with more identifiers of these kinds than that."""
        ...

    def separated(self) -> list[tuple[int, int]]:
        """Nodes seen together or believed to be one that are two customers', though neither is shared."""
        ...


class LimitWriter(LimitReader, Protocol):
    """Writes them."""

    def set_aside(self, rows: Sequence[Aside]) -> None:
        """Keep that some nodes name nobody."""
        ...

    def take_back(self, nodes: Sequence[int]) -> int:
        """Forget that they name nobody; returns how many there were."""
        ...

    def note_busy(self, rows: Sequence[Busy]) -> None:
        """Put these in the place of all that were noted."""
        ...

    def move(self, rows: Sequence[tuple[int, int]], back: Sequence[int]) -> None:
        """Keep since when some nodes are somebody else's, and forget it of others."""
        ...

    def cut(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Forget that some nodes (the smaller first) were seen together."""
        ...
