"""What the ledger keeps of segments: definitions, who is in which, what entered and left, and what time will change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class SegmentRow(NamedTuple):
    """A segment."""

    id: int
    name: str
    state: str
    """One of ``domain.segment.STATES``."""
    live: int
    """The version in force; 0 before the first one is."""
    coming: int
    """The version that a sweep is bringing; 0 for none."""
    swept: int
    """Customers up to this number are of the coming version."""
    cause: str
    """Why it is swept."""
    size: int


class VersionRow(NamedTuple):
    """One version of a segment's definition."""

    segment: int
    version: int
    title: str
    sentence: str
    condition: str
    at: int
    actor: str


class Membership(NamedTuple):
    """A customer in a segment."""

    segment: int
    customer: int
    since: int
    version: int
    """The version by which the customer entered."""


class Entry(NamedTuple):
    """A customer who entered a segment or left it."""

    id: int
    at: int
    segment: int
    version: int
    customer: int
    entered: bool
    cause: str


TermEvent = tuple[int, int, bytes, str, int, str, str, str, bytes]
"""customer, occurred_at, key, name, version, channel, source, brand, payload."""


class SegmentReader(Protocol):
    """Reads them."""

    def segments(self) -> list[SegmentRow]:
        """Every segment, by number."""
        ...

    def segment_versions(self, segment: int | None = None) -> list[VersionRow]:
        """The versions of a segment (of all, where none is given), oldest first."""
        ...

    def members_in(self, segment: int, after: int, limit: int) -> list[Membership]:
        """Who is in a segment, after a customer, by customer."""
        ...

    def members_between(self, segment: int, first: int, last: int) -> list[int]:
        """Who of some customers, from one number to another, is in a segment."""
        ...

    def memberships(self, segments: Sequence[int], customer: int) -> list[Membership]:
        """In which of some segments a customer is, by segment."""
        ...

    def audience(self, after: int, limit: int, segment: int | None = None) -> list[Entry]:
        """What entered and left after a number, in order; of one segment, if given."""
        ...

    def audience_of(self, customers: Sequence[int], before: int | None, limit: int) -> list[Entry]:
        """What some customers entered and left, latest first, before a number."""
        ...

    def audience_days(
        self, segment: int, since: int, until: int | None = None, ahead: int = 0
    ) -> list[tuple[int, int, int]]:
        """Days (since 1970, of a clock so many microseconds ahead of UTC) from an instant on, before another: how many
        entered a segment, and how many left.
        """
        ...

    def erased_exits(self, before: int) -> list[int]:
        """Numbers of the exits of erased customers up to an instant."""
        ...

    def behaviours(self, customers: Sequence[int]) -> dict[int, bytes]:
        """What is kept of some customers for segments."""
        ...

    def all_behaviours(self) -> Iterator[list[tuple[int, bytes]]]:
        """The same of everybody, in chunks, by customer."""
        ...

    def due(self, at: int, limit: int) -> list[int]:
        """Customers of whom something may have changed by an instant, the longest waiting first."""
        ...

    def next_due(self) -> int | None:
        """When the next of them is due."""
        ...

    def customers_after(self, customer: int, limit: int) -> list[int]:
        """Customers with a record, after one, by number."""
        ...

    def term_events(self, customers: Sequence[int], names: Sequence[str]) -> list[TermEvent]:
        """Every event of some names of some customers, by customer."""
        ...


class SegmentWriter(SegmentReader, Protocol):
    """Writes them."""

    def put_segment(self, row: SegmentRow) -> None:
        """Keep a segment's state."""
        ...

    def put_version(self, row: VersionRow) -> None:
        """Keep a version of its definition."""
        ...

    def swept(self, rows: Sequence[tuple[int, int]]) -> None:
        """Segments, and the customers up to whom they are swept now."""
        ...

    def enter(self, rows: Sequence[Membership]) -> None:
        """Put customers into segments."""
        ...

    def leave(self, rows: Sequence[tuple[int, int]]) -> None:
        """Take customers out of segments: segment, customer."""
        ...

    def dissolve(self, segment: int) -> int:
        """Take everybody out of a segment; returns how many that were."""
        ...

    def grow(self, rows: Sequence[tuple[int, int]]) -> None:
        """Segments, and by how many customers they grew or, below zero, shrank."""
        ...

    def note_audience(self, rows: Sequence[Entry]) -> None:
        """Keep what entered and left."""
        ...

    def prune_audience(self, before: int, limit: int) -> int:
        """Delete the oldest of what entered and left before an instant, so many at most; returns how many went."""
        ...

    def drop_audience(self, ids: Sequence[int]) -> None:
        """Delete some of it."""
        ...

    def keep_behaviours(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Keep what segments need of customers."""
        ...

    def drop_behaviours(self, customers: Sequence[int]) -> None:
        """Forget it, with what was due of them."""
        ...

    def put_due(self, rows: Sequence[tuple[int, int]]) -> None:
        """Customers, and when something may change for them."""
        ...

    def drop_due(self, customers: Sequence[int]) -> None:
        """Nothing will change for them by time alone."""
        ...
