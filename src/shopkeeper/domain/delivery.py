"""A delivery: what a live channel handed in at a door, once, exactly as it came.

A door checks who hands it in and that it can be read at all, keeps it, and only then answers. What it means is
worked out afterwards by the reader of its ``format`` (``collect/deliveries.py``), the same way when it is replayed.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from shopkeeper.domain.batch import Batch
from shopkeeper.domain.identifier import Identifier


class Delivery(Struct, frozen=True, kw_only=True):
    """One request, webhook or dropped file, as it came."""

    source: str
    """Name of the source that handed it in (``domain.source``)."""
    format: str
    """How its body is to be read: tracking, poslog, shopify, mapped, ..."""
    received_at: int
    """Microseconds since 1970; stamped once, here."""
    body: bytes
    """As it came, after any transfer coding was taken off."""
    topic: str = ""
    """What the body is about, where that stands beside it: a path, a webhook's topic."""
    notes: dict[str, str] = field(default_factory=dict)
    """What else stood beside it and matters: ``gpc`` is ``1`` where the sender's browser asked not to be tracked."""


class Wish(Struct, frozen=True, kw_only=True):
    """Something that a delivery asks for beyond being remembered: a person's data, or that a person be forgotten."""

    verb: str
    """``export`` or ``erase``."""
    identifiers: tuple[Identifier, ...]
    reference: str
    """The asker's own number of the request, without personal values: the same wish twice is one."""


class Understood(Struct, kw_only=True):
    """What a delivery turned out to say."""

    batch: Batch
    wishes: tuple[Wish, ...] = ()


class Settled(Struct, frozen=True, kw_only=True):
    """What a reader of deliveries may know of the shop and the source."""

    now: int
    zone: str
    currency: str
    region: str
    brand: str = ""
    channel: str = ""
    """The channel of what this source tells, where the delivery itself does not say."""
    mapping: str = ""
    """The source's mapping (TOML), where its format has one."""


Reader = Callable[[Delivery, Settled], Understood]
"""Reads a delivery. One bad part is a ``Refused`` in the batch; a delivery that cannot be read at all raises BadEvent,
and is put into quarantine whole."""
