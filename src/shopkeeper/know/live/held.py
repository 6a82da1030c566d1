"""What is kept of one customer for segments, in one row: which ones the customer is in, what behaviours in use have
counted so far, and when time alone may change something.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct, field

from shopkeeper.domain.condition.states import Book, Entry, Points, Sequence, Tally, Times
from shopkeeper.domain.condition.window import ALWAYS

_NEVER: Final = 1 << 62
_HEARD: Final = Entry(ALWAYS, 0, 0, b"", 0, "", "", True, True, True, ())
"""Stands for entries that were worked out."""


class Sums(Struct, tag=4, tag_field="k"):
    """What orders come to for one behaviour: instants, ascending, and how many or how much each adds.

    The entries it was worked out from stay in the log: where an order is told again they are read anew.
    """

    times: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)


class Held(Struct, omit_defaults=True):
    """One customer. Keys are ``operands.key_of``."""

    at: int = 0
    """As of when everything here is right; it stays right until ``due``."""
    inside: set[int] = field(default_factory=set)
    """Segments."""
    states: dict[int, Tally | Times | Sequence | Sums] = field(default_factory=dict)
    """By behaviour."""
    following: dict[int, int] = field(default_factory=dict)
    """By operand, or by rule: when time alone may next change how it compares."""
    due: int = _NEVER
    """When the ledger wakes the customer: no later than the earliest of ``following``."""

    def next(self) -> int:
        """The earliest of ``following``."""
        return min(self.following.values(), default=_NEVER)


NEVER: Final = _NEVER
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Held).decode


def pack(held: Held) -> bytes:
    """As bytes to keep."""
    return _encode(held)


def unpack(body: bytes) -> Held:
    """It again.

    >>> unpack(pack(Held(at=5, inside={3}, states={7: Sums([1], [2])}))).states[7].values
    [2]
    """
    return _decode(body)


def book_of(sums: Sums) -> Book:
    """Sums in the shape in which a behaviour of orders is asked."""
    total, running = 0, [0]
    for value in sums.values:
        total += value
        running.append(total)
    return Book([_HEARD], Points(ALWAYS, _NEVER, sums.times, running))


def sums_of(book: Book, points: Points) -> Sums | None:
    """The sums of a whole book; None where they say nothing."""
    values = [after - before for before, after in zip(points.sums, points.sums[1:], strict=False)]
    return Sums(points.times, values) if book.entries and values else None


State = Any
"""What a behaviour keeps: one of ``condition.states``."""
