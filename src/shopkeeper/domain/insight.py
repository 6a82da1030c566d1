"""What is told of conditions before they are segments: read back, and suggested."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from shopkeeper.domain.size import Size


class Misread(Struct, frozen=True, kw_only=True):
    """Why a condition cannot be understood; ``start`` to ``stop`` are characters of ``ReadBack.text``."""

    message: str
    hint: str = ""
    start: int | None = None
    stop: int | None = None
    line: int | None = None
    column: int | None = None


class ReadBack(Struct, frozen=True, kw_only=True):
    """A condition as it was understood: as SQL, as a builder's groups and rows, and in plain English."""

    text: str
    """In its one way of being written; as given, where it was not understood."""
    builder: dict[str, Any] | None = None
    """See ``domain.condition.builder``."""
    english: str = ""
    error: Misread | None = None
    size: Size | None = None
    traits: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class Worth(Struct, frozen=True, kw_only=True):
    """What a segment comes to, and what its condition says in plain English. Figures are None before a refresh."""

    name: str
    english: str
    customers: int | None = None
    """Of the lake's customers, of whom the condition is true."""
    share: float | None = None
    expected: float | None = None
    """Contribution margin they are expected to bring within the horizon."""
    low: float | None = None
    """With ``high``, the range of that sum at the level of the report of value."""
    high: float | None = None
    expected_share: float | None = None
    entered: int = 0
    """Within the last seven days, as often as it happened."""
    exited: int = 0


class Suggestion(Struct, frozen=True, kw_only=True):
    """A segment ready to be saved, with thresholds from the shop's own customers."""

    key: str
    title: str
    family: str
    """rfm, value, lifecycle or behaviour."""
    sentence: str
    why: str
    condition: str
    english: str
    note: str = ""
    customers: int
    share: float
    """Of all customers."""
    expected: float
    """Contribution margin its customers are expected to bring within the horizon."""
    expected_share: float
    saved: str = ""
    """The name of a segment that has this very condition."""


class Group(Struct, frozen=True, kw_only=True):
    """Customers who show as a group by how they buy. ``condition`` comes near to it, where a few questions do."""

    key: str
    title: str
    customers: int
    share: float
    """Of the buyers who were looked at."""
    habits: tuple[str, ...]
    """What sets it apart, strongest first."""
    name: str = ""
    """What a segment of it may be called by programs."""
    condition: str = ""
    """Empty where no few questions tell its customers from others."""
    english: str = ""
    met: int = 0
    """Customers of whom the condition is true."""
    precision: float = 0.0
    """Of those, how many are of the group; counted over customers by whom it was not made."""
    recall: float = 0.0
    """Of the group, how many meet the condition."""
    saved: str = ""
    """The name of a segment that has this very condition."""


class Suggestions(Struct, frozen=True, kw_only=True):
    """What may be worth a segment, as of the last refresh."""

    as_of: datetime
    rows: tuple[Suggestion, ...]
    groups: tuple[Group, ...] = ()
    note: str = ""
    """What was found of groups, or why none were."""
