"""Verb of the shop about all that live sources ever told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.clock import instant
from shopkeeper.shop.places import Places


class SourceTotals(Struct, frozen=True, kw_only=True):
    """What one source told since it was added."""

    received: int = 0
    kept: int = 0
    repeated: int = 0
    refused: int = 0
    last_at: datetime | None = None


class TotalVerbs:
    """What came in, in all."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

    def source_totals(self) -> dict[str, SourceTotals]:
        """What every live source told in all, by its name; a source that told nothing yet is left out."""
        self._may(Permission.REPORT, "see the flow")
        with self.places.ledger.read() as reader:
            rows = reader.heard(0)
        sums: dict[str, list[int]] = {}
        for row in rows:
            own = sums.setdefault(row.source, [0, 0, 0, 0, 0])
            own[0] += row.received
            own[1] += row.kept
            own[2] += row.repeated
            own[3] += row.refused
            own[4] = max(own[4], row.last_at)
        return {
            name: SourceTotals(
                received=own[0], kept=own[1], repeated=own[2], refused=own[3], last_at=instant(own[4])
            )
            for name, own in sums.items()
        }
