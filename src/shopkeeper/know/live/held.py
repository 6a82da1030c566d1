"""What is kept of one customer for segments, in one row: which ones the customer is in, what behaviours in use have
counted so far, and when time alone may change something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


class Held(Struct):
    """One customer. Keys are ``operands.key_of``."""

    at: int = 0
    """As of when everything here is right; it stays right until ``due``."""
    inside: int = 0
    """Segments, as ``bits``."""
    states: dict[int, Tally | Times | Sequence | Sums] = field(default_factory=dict)
    """By behaviour."""
    following: dict[int, int] = field(default_factory=dict)
    """By operand, or by rule: when time alone may next change how it compares."""
    due: int = _NEVER
    """When the ledger wakes the customer: no later than the earliest of ``following``."""

    def next(self) -> int:
        """The earliest of ``following``."""
        return min(self.following.values(), default=_NEVER)


class _Kept(Struct, omit_defaults=True):
    """The same as it is kept."""

    at: int = 0
    inside: bytes | set[int] = b""
    """Bits, the least first; or the segments, where that is shorter, and as earlier versions kept it."""
    states: dict[int, Tally | Times | Sequence | Sums] = field(default_factory=dict)
    following: dict[int, int] = field(default_factory=dict)
    due: int = _NEVER
    form: int = 0
    """Of how these are kept: before 1, what was to follow was kept with each behaviour that it was to follow."""


NEVER: Final = _NEVER
_NONE: Final[Mapping[int, tuple[int, int]]] = {}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode
_EACH: Final = 3
"""Octets that a segment's number takes, about."""


def bits(numbers: Iterable[int]) -> int:
    """Numbers as a whole number with that many bits set: sets of a thousand are compared as fast as two figures.

    >>> bits([0, 3]), numbers(9)
    (9, [0, 3])
    """
    found = 0
    for number in numbers:
        found |= 1 << number
    return found


def numbers(of: int) -> list[int]:
    """The numbers of bits, ascending."""
    found = []
    while of:
        lowest = of & -of
        found.append(lowest.bit_length() - 1)
        of ^= lowest
    return found


def pack(held: Held) -> bytes:
    """As bytes to keep."""
    inside = held.inside
    length = (inside.bit_length() + 7) // 8
    sparse = length > 64 and length > _EACH * inside.bit_count()
    kept = set(numbers(inside)) if sparse else inside.to_bytes(length, "little")
    return _encode(_Kept(held.at, kept, held.states, held.following, held.due, 1))


def unpack(body: bytes, moved: Mapping[int, tuple[int, int]] = _NONE) -> Held:
    """It again; ``moved`` says where what earlier versions kept under one key is kept in two parts now.

    >>> held = unpack(pack(Held(at=5, inside=bits([3]), states={7: Sums([1], [2])})))
    >>> numbers(held.inside), held.states[7].values
    ([3], [2])
    """
    kept = _decode(body)
    inside = kept.inside
    found = int.from_bytes(inside, "little") if isinstance(inside, bytes) else bits(inside)
    if not kept.form:
        _move(kept.states, moved)
    return Held(kept.at, found, kept.states, kept.following, kept.due)


def _move(states: dict[int, State], moved: Mapping[int, tuple[int, int]]) -> None:
    for key in [key for key, state in states.items() if type(state) is Sequence]:
        was = states.pop(key)
        for to, times in zip(moved.get(key, ()), (was.times, was.then), strict=False):
            known = states.get(to)
            if times and (known is None or len(known.times) < len(times)):  # who forgets later knows more
                states[to] = Times(times)


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
