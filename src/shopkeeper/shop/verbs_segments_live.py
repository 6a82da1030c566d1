"""Verbs of the shop about segments: saving and using them, who is in them, what entered and left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.segment import Audience, Members, Recounted, Segment, SegmentHistory
from shopkeeper.shop import segmenting
from shopkeeper.shop.places import Places


class LiveSegmentVerbs:
    """Segments, live."""

    places: Places
    actor: Actor

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

        def _note_change(self, verb: str, subject: str = "", detail: str = "") -> None: ...

    def save_segment(
        self,
        name: str,
        condition: str,
        *,
        title: str | None = None,
        sentence: str | None = None,
        activate: bool = True,
        progress: Progress | None = None,
    ) -> Segment:
        """Define a segment under a name, or change it: a new version, which takes the place of the one in use customer
        by customer. It is brought into use at once unless ``activate`` is False.
        """
        self._may(Permission.SEGMENT, "save a segment")
        made = segmenting.save(
            self.places, name, condition, title, sentence, activate=activate, actor=self.actor.name,
            progress=progress,
        )  # fmt: skip
        self._note_change("save a segment", detail=f"{made.name}, version {made.version}")
        return made

    def activate_segment(self, name: str, *, progress: Progress | None = None) -> Segment:
        """Bring a segment into use: everybody is looked at, and from then on customers enter and leave live."""
        self._may(Permission.SEGMENT, "activate a segment")
        made = segmenting.activate(self.places, name, progress)
        self._note_change("activate a segment", detail=made.name)
        return made

    def pause_segment(self, name: str) -> Segment:
        """Let a segment stand still: who is in it stays until it is activated again."""
        self._may(Permission.SEGMENT, "pause a segment")
        made = segmenting.pause(self.places, name)
        self._note_change("pause a segment", detail=made.name)
        return made

    def archive_segment(self, name: str) -> Segment:
        """Put a segment away; nobody is in it any more, and what entered and left is kept."""
        self._may(Permission.SEGMENT, "archive a segment")
        made = segmenting.archive(self.places, name)
        self._note_change("archive a segment", detail=made.name)
        return made

    def segments(self, *, archived: bool = False) -> tuple[Segment, ...]:
        """All segments by name, with their sizes; those put away only where asked for."""
        self._may(Permission.REPORT, "see segments")
        return segmenting.segments(self.places, archived=archived)

    def segment(self, name: str) -> SegmentHistory:
        """One segment: its definition with all versions, and how it grew and shrank."""
        self._may(Permission.REPORT, "see a segment")
        return segmenting.segment(self.places, name)

    def members(self, name: str, *, cursor: int | None = None, limit: int = 50) -> Members:
        """A page of the customers in a segment."""
        self._may(Permission.LOOK_UP, "see who is in a segment")
        found = segmenting.members(self.places, name, cursor, limit, sees=self.actor.sees)
        self._note("see who is in a segment", detail=f"{name}, {len(found.rows)} customers")
        return found

    def audience(self, name: str | None = None, *, cursor: int | None = None, limit: int = 100) -> Audience:
        """Who entered and left after a cursor, in order and each once; of one segment, or of all."""
        self._may(Permission.LOOK_UP, "follow who enters and leaves segments")
        found = segmenting.audience(self.places, name, cursor, limit)
        if found.rows:
            self._note("follow who enters and leaves segments", detail=f"{len(found.rows)} changes")
        return found

    def recount(self, *names: str, progress: Progress | None = None) -> Recounted:
        """Compare who is in segments (all in use, where none is named) with what everybody's whole history says.

        Differences, which there should not be, are told and mended.
        """
        self._may(Permission.REFRESH, "recount segments")
        made = segmenting.recount(self.places, names, progress)
        self._note_change("recount segments", detail=f"{made.compared} compared, {made.found} different")
        return made
