"""What a mapping makes of a sample, before it is used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class TriedEvent(Struct, frozen=True, kw_only=True):
    """An event that came out of a sample."""

    name: str
    message_id: str
    occurred_at: datetime
    channel: str
    brand: str
    identifiers: tuple[tuple[str, str], ...]
    """Kind and value."""
    properties: dict[str, Any]
    more: dict[str, Any]
    """What came along without being declared; all text of it is sealed."""
    sentence: str
    """What the timeline will say."""


class Trial(Struct, frozen=True, kw_only=True):
    """What came of a sample, and what the mapping looks for in vain."""

    title: str
    elements: int
    """How many elements the body has."""
    events: tuple[TriedEvent, ...]
    records: tuple[tuple[str, dict[str, Any]], ...]
    """Kind and fields."""
    refused: tuple[tuple[int, str, str], ...]
    """Element, reason and sentence."""
    ignored: int
    """Elements that nothing came of and that were not refused."""
    notes: tuple[str, ...]
    """Paths that found nothing, with their line and the nearest name that is there."""
    signed_by: str
    """The header that holds the signature; empty where the mapping tells of none."""
