"""What is kept of one customer for one behaviour: plain data that ``terms`` adds to and asks. All instants ascend."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field


class Tally(Struct, tag=0, tag_field="k"):
    """A count of what counts once and for ever. ``ahead`` was not taken into it yet."""

    count: int = 0
    first: int | None = None
    last: int | None = None
    ahead: list[int] = field(default_factory=list)


class Times(Struct, tag=1, tag_field="k"):
    """When it happened, as far as it may still count."""

    times: list[int] = field(default_factory=list)


class Sequence(Struct, tag=2, tag_field="k"):
    """When it happened, and when what was to follow did."""

    times: list[int] = field(default_factory=list)
    then: list[int] = field(default_factory=list)


class Entry(Struct, array_like=True, frozen=True, order=True, gc=False):
    """What an order's event means to one term. Entries sort as tellings of an order follow each other."""

    at: int
    rank: int
    told: int
    """The amount as told, in minor units of ``currency``."""
    key: bytes
    kind: int
    order_id: str
    currency: str
    """Empty for the reporting one."""
    rest: bool
    place: bool
    line: bool
    amounts: tuple[int, ...]
    """As told: those of the lines that count, or the event's."""


class Points(Struct, frozen=True, gc=False):
    """What orders come to, worked out: instants, ascending, with running sums; right for ``begin <= now < end``."""

    begin: int
    end: int
    times: list[int]
    sums: list[int]


class Book(Struct, tag=3, tag_field="k", omit_defaults=True):
    """A customer's orders, as one term sees them. Nothing is left out, since any order may be told again."""

    entries: list[Entry] = field(default_factory=list)
    points: Points | UnsetType = UNSET


State = Tally | Times | Sequence | Book

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(State).decode


def pack(state: State) -> bytes:
    """A state as bytes to keep.

    >>> unpack(pack(Times([3, 5])))
    Times(times=[3, 5])
    """
    if isinstance(state, Book):
        state.points = UNSET
    return _encode(state)


def unpack(body: bytes) -> State:
    """The state again."""
    found: Any = _decode(body)
    return found  # type: ignore[no-any-return]
