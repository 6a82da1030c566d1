"""A segment: customers for whom a condition is true, under a name; who enters and leaves it is heard of in order."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from msgspec import Struct

from shopkeeper.domain.errors import InvalidInput

STATES: Final[dict[str, str]] = {
    "draft": "defined, and nobody is in it yet",
    "backfilling": "everybody is being looked at; those looked at already are kept up to date",
    "live": "customers enter and leave as things happen",
    "paused": "stands still: nobody enters or leaves",
    "archived": "out of use; what entered and left is kept",
}
"""What may become of a segment."""

CAUSES: Final[dict[str, str]] = {
    "event": "something was heard of the customer",
    "time": "time went by",
    "merge": "the customer became part of another, or another's part",
    "refresh": "predictions or the catalogue changed",
    "backfill": "the segment came into use, or its condition changed",
    "recount": "a recount found it to be so",
    "erasure": "the person was forgotten",
}
"""Why somebody entered or left."""

AUDIENCE: Final = ("Audience Entered", "Audience Exited")
"""What it is called that somebody entered, and that somebody left."""

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?", re.ASCII)
_TITLE: Final = 120
_SENTENCE: Final = 600


class Version(Struct, frozen=True, kw_only=True):
    """One version of a segment's definition. ``condition`` is in the condition language, in its one way of being
    written.
    """

    version: int
    title: str
    sentence: str
    condition: str
    at: datetime
    by: str


class Segment(Struct, frozen=True, kw_only=True):
    """A segment as it stands."""

    name: str
    title: str
    sentence: str
    condition: str
    """Of the latest version."""
    state: str
    """One of ``STATES``."""
    version: int
    """The latest."""
    live: int
    """The version in force; 0 before any is."""
    size: int
    """Customers in it now."""
    progress: float = 1.0
    """How far everybody has been looked at, while it is being backfilled."""
    uses: tuple[str, ...] = ()
    """Segments that its condition asks about."""
    saved_at: datetime
    saved_by: str


class AudienceDay(Struct, frozen=True, kw_only=True):
    """How many entered and left on a day of the shop's, and how many were in it when it ended."""

    day: date
    entered: int
    exited: int
    size: int


class SegmentHistory(Struct, frozen=True, kw_only=True):
    """A segment with all its versions, and how it grew and shrank."""

    segment: Segment
    versions: tuple[Version, ...]
    """Oldest first."""
    days: tuple[AudienceDay, ...]
    used_by: tuple[str, ...] = ()
    """Segments whose conditions ask about this one."""


class Member(Struct, frozen=True, kw_only=True):
    """A customer in a segment."""

    customer: str
    name: str
    """Masked for those who may not see it."""
    since: datetime
    version: int


class Members(Struct, frozen=True, kw_only=True):
    """A page of a segment's customers. ``next`` is the cursor of the following page."""

    rows: tuple[Member, ...]
    total: int
    next: int | None = None


class AudienceChange(Struct, frozen=True, kw_only=True):
    """``Audience Entered`` or ``Audience Exited``: a customer came into a segment or left it."""

    id: int
    """Ascends; the cursor."""
    event: str
    at: datetime
    segment: str
    version: int
    customer: str
    cause: str
    """One of ``CAUSES``."""


class Audience(Struct, frozen=True, kw_only=True):
    """Some of what entered and left, in order. ``next`` is the cursor to go on from; it waits where nothing follows."""

    rows: tuple[AudienceChange, ...]
    next: int


class Difference(Struct, frozen=True, kw_only=True):
    """A customer of whom live membership said otherwise than a look at the whole history."""

    segment: str
    customer: str
    should: bool
    """Whether the customer belongs into it."""


class Recounted(Struct, frozen=True, kw_only=True):
    """What a recount found. Differences are mended; there should be none."""

    segments: tuple[str, ...]
    customers: int
    compared: int
    differences: tuple[Difference, ...]
    """The first thousand."""
    found: int
    """How many there were."""


class InSegment(Struct, frozen=True, kw_only=True):
    """A segment that a customer is in."""

    name: str
    title: str
    since: datetime


def named(name: str) -> str:
    """A segment's name as it is kept. Raises InvalidInput.

    >>> named("fading-valuable")
    'fading-valuable'
    """
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:64]
        raise InvalidInput(
            f"{name[:64]!r} is not a name for a segment",
            hint=f"small letters, digits, - and _, up to 64 characters{f', such as {near}' if near else ''}",
        )
    return name


def worded(title: str, sentence: str) -> tuple[str, str]:
    """A segment's title and sentence, trimmed. Raises InvalidInput where one is too long."""
    title, sentence = " ".join(title.split()), " ".join(sentence.split())
    for what, text, most in (("title", title, _TITLE), ("sentence", sentence, _SENTENCE)):
        if len(text) > most:
            raise InvalidInput(f"a {what} of {len(text)} characters", hint=f"at most {most} are possible")
    return title, sentence
