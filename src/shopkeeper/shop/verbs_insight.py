"""Verbs of the shop about groups of customers: what they have in common, overlaps, channels, what is worth a segment.

A group is a saved segment, by name, or a condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.insight import ReadBack, Suggestions, Worth
from shopkeeper.domain.size import Size
from shopkeeper.domain.traits import Trait
from shopkeeper.shop import insights, movements, reading_back
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.know.insight import ChannelsPart, Comparison, Flows, Overlaps

_SIZES = ("", "estimate", "exact")


class InsightVerbs:
    """Groups of customers beside each other."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

        def traits(self) -> tuple[Trait, ...]:
            """Every declared trait."""
            ...

        def size(self, condition: str | None = None, *, estimate: bool = False) -> Size:
            """How many customers a condition is true of."""
            ...

    def compare(self, segment: str, with_: str | None = None) -> Comparison:
        """What the customers of a segment have in common, beside everybody else or beside those of another one.

        As of the last refresh. Raises InvalidInput where nobody is on one side.
        """
        self._may(Permission.REPORT, "compare groups of customers")
        found = insights.compare(self.places, self.traits(), segment, with_)
        self._note("compare groups of customers", detail=f"{found.group} beside {found.rest}")
        return found

    def channels_of(self, segment: str | None = None) -> ChannelsPart:
        """Which channels start, assist and close the orders of a segment, or of everybody, within the last year; and
        what booking each order where it was paid does not show.
        """
        self._may(Permission.REPORT, "see the part of channels")
        found = insights.channels_of(self.places, self.traits(), segment)
        self._note("see the part of channels", detail=f"{found.orders} orders")
        return found

    def overlaps(self, *segments: str) -> Overlaps:
        """Who is in which of several segments at once."""
        self._may(Permission.REPORT, "see overlaps of segments")
        found = insights.overlaps(self.places, self.traits(), segments)
        self._note("see overlaps of segments", detail=f"{len(segments)} segments")
        return found

    def segment_flows(self, *segments: str, per: str = "month", periods: int = 6) -> Flows:
        """How customers moved between saved segments over the last months (or weeks), the present one so far.

        Who is in several stands in the first of them. It is told of as far back as all of them are kept up; whoever was
        found in one when it was first brought to everybody was in it before.
        """
        self._may(Permission.REPORT, "see flows between segments")
        found = movements.flows(self.places, segments, per, periods)
        self._note("see flows between segments", detail=f"{len(found.segments)} segments")
        return found

    def known_values(self) -> dict[str, tuple[str, ...]]:
        """The most frequent values of each trait that is a text, and of ``category``, as of the last refresh."""
        self._may(Permission.REPORT, "see which values there are")
        return insights.known_values(self.places, self.traits())

    def worths(self) -> dict[str, Worth]:
        """What every segment that is not put away comes to as of the last refresh, by name, and what it says."""
        self._may(Permission.REPORT, "see what segments are worth")
        return insights.worths(self.places, self.traits())

    def suggestions(self) -> Suggestions:
        """Segments that every retailer expects, with thresholds from the shop's own customers, each with its size; and
        groups that show by themselves, where there are any.
        """
        self._may(Permission.REPORT, "see suggested segments")
        found = insights.suggestions(self.places, self.traits())
        self._note("see suggested segments", detail=f"{len(found.rows)} suggested")
        return found

    def read_back(
        self, text: str | None = None, *, builder: Mapping[str, Any] | None = None, size: str = ""
    ) -> ReadBack:
        """A condition as it is understood: as SQL, as a builder's groups and rows, and in plain English.

        It is given as a text or as groups and rows. What is wrong with it is told with its place, not raised. ``size``
        adds how many customers meet it: ``estimate`` or ``exact``.
        """
        self._may(Permission.REPORT, "read a condition back")
        if (text is None) == (builder is None):
            raise InvalidInput(
                "a condition is given as a text or as groups and rows", hint="give one of them"
            )
        if size not in _SIZES:
            raise InvalidInput(f"unknown size {size[:20]!r}", hint="'estimate', 'exact' or ''")
        found = reading_back.read_back(self.places, self.traits(), text, builder)
        if not size or found.error is not None:
            return found
        counted = self.size(found.text, estimate=size == "estimate")
        return msgspec.structs.replace(found, size=counted)
