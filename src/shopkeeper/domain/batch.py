"""What a door hands to the intake: events, records and refused rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from shopkeeper.domain.event import Event


class Refused(Struct, frozen=True, kw_only=True):
    """A row or event that cannot be used. It is kept in quarantine, sealed, with its reason.

    ``reason`` is a short stable code, ``detail`` a sentence that names fields and expectations but no values.
    """

    line: int
    reason: str
    detail: str
    raw: str
    """The row as it came, cut to 64 kB."""
    cells: tuple[str, ...] = ()
    """Its values one by one, so that an erasure finds the row by any of them."""


class Batch(Struct, kw_only=True):
    """Part of a file or a request. ``read = kept + repeated + len(refused)`` counts lines of the source."""

    events: list[Event] = field(default_factory=list)
    records: list[tuple[str, Struct]] = field(default_factory=list)
    """Reference data as (kind, record); see domain.catalogue."""
    refused: list[Refused] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    """What was left out knowingly or is worth a remark, by reason: training transactions, a topic nobody needs."""
    read: int = 0
    kept: int = 0
    repeated: int = 0
    """Lines known from an earlier file; for sources where one line is one event the intake counts them itself."""
    orders: int = 0
    returns: int = 0
    exact_micros: int = 0
    """Sum of price times quantity in millionths of the currency unit, unrounded."""
    rounded_minor: int = 0
    """Sum of line amounts in minor units."""
    currency: str = ""

    def passing(self, reason: str, count: int = 1) -> None:
        """Count something left out knowingly."""
        self.passed[reason] = self.passed.get(reason, 0) + count


class LineMemory(Protocol):
    """Remembers which lines of which order are known, so that the same file twice adds nothing.

    An order's key is 16 bytes; its lines are a concatenation of sorted 8-byte hashes.
    """

    def known_lines(self, orders: Sequence[bytes]) -> dict[bytes, bytes]:
        """The known lines of those orders; orders never seen are absent."""
        ...

    def remember_lines(self, lines: Mapping[bytes, bytes]) -> None:
        """Put the lines of those orders in the place of what was known."""
        ...
