"""Verbs of the shop about conditions asked of all customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.size import Size
from shopkeeper.domain.traits import Trait
from shopkeeper.shop import asking
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    import pyarrow as pa


class SegmentVerbs:
    """Who meets a condition, and how many they are."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

        def traits(self) -> tuple[Trait, ...]:
            """Every declared trait."""
            ...

    def customers(
        self,
        condition: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        after: int | None = None,
        as_of: datetime | None = None,
    ) -> pa.Table:
        """The customers of whom a condition is true, or everybody, by id, with every trait and prediction; no names.

        ``columns`` picks traits; ``limit`` bounds the rows, and ``after`` is the id after which they begin. ``as_of``
        asks as of another instant: what happened and days that pass are as of then, traits as they are now. The
        table's schema says ``as_of``, up to when it tells, and the ``condition`` in its one way of being written.
        """
        self._may(Permission.REPORT, "see the table of customers")
        found = asking.customers(
            self.places, condition, self.traits(), columns=columns, limit=limit, after=after, at=as_of
        )
        self._note("see the table of customers", detail=f"{found.num_rows} customers")
        return found

    def size(
        self, condition: str | None = None, *, estimate: bool = False, as_of: datetime | None = None
    ) -> Size:
        """How many customers a condition is true of, and what they are worth.

        An ``estimate`` asks a sample of the customers as of the last refresh, within some hundredths of a second, and
        gives intervals. The first one after a refresh gathers the sample.
        """
        self._may(Permission.REPORT, "count customers")
        return asking.size(self.places, condition, self.traits(), estimate=estimate, at=as_of)
