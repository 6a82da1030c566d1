"""What a logged event tells that conditions may ask for: the same facts as the lake's ``events`` and ``order_lines``.

A text that is empty counts as not told, here as there.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from shopkeeper.domain.condition.functions import LINED
from shopkeeper.domain.event import EVENTS

_BOUND: Final = 10**14
"""Minor units that no line and no order reaches."""
Minor = Annotated[int, Meta(ge=-_BOUND, le=_BOUND)]


class LineFacts(Struct, frozen=True, gc=False):
    """One line of an order or of what came back."""

    product_id: str = ""
    category: str = ""
    amount: Minor = 0


class Told(Struct, frozen=True, gc=False):
    """What is read of an event's payload."""

    order_id: str = ""
    product_id: str = ""
    category: str = ""
    store: str = ""
    campaign_id: str = ""
    offer_id: str = ""
    reason: str = ""
    amount: Minor | None = None
    currency: str = ""
    machine: bool = False
    arm: str = ""


class ToldWithLines(Told, frozen=True, gc=False):
    """The same of an event with lines."""

    products: tuple[LineFacts, ...] = ()


class EventFacts(Struct, frozen=True, gc=False):
    """One event of a customer. ``key`` is the message's, which tells events of one instant apart; amounts are minor
    units as told, above zero for what came back.
    """

    name: str
    at: int
    key: bytes = b""
    channel: str = ""
    source: str = ""
    brand: str = ""
    told: Told | ToldWithLines = Told()

    @property
    def lines(self) -> tuple[LineFacts, ...]:
        """Lines of an order or of what came back; other events have none."""
        return self.told.products if type(self.told) is ToldWithLines else ()


_NOTHING: Final = Told()
_read = msgspec.json.Decoder(Told, strict=False).decode
_read_lines = msgspec.json.Decoder(ToldWithLines, strict=False).decode


def event_facts(
    name: str, at: int, payload: bytes | Struct | dict[str, Any], *, key: bytes = b"", channel: str = "",
    source: str = "", brand: str = "",
) -> EventFacts:  # fmt: skip
    """The facts of a logged event from its payload, as logged or as its struct.

    What nobody declared tells nothing but its envelope; neither does a payload out of bounds.

    >>> event_facts("Store Visited", 0, b'{"store":"S1","minutes":12}', channel="store").told.store
    'S1'
    """
    told = _NOTHING
    if name in EVENTS:
        try:
            if isinstance(payload, bytes):
                told = _read_lines(payload) if name in LINED else _read(payload)
            else:
                plain = msgspec.to_builtins(payload)
                told = msgspec.convert(plain, ToldWithLines if name in LINED else Told, strict=False)
        except msgspec.MsgspecError:
            told = _NOTHING
    return EventFacts(name, at, key, channel, source, brand, told)
