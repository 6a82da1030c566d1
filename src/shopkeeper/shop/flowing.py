"""Figures of live collection: what came in by source, what waits, what was refused, and whether somebody works."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from shopkeeper.domain.clock import SECOND, instant
from shopkeeper.shop.holding import worked
from shopkeeper.shop.places import Places
from shopkeeper.shop.taking_in import HOUR, INBOX

_HOURS: Final = 24


class SourceFlow(Struct, frozen=True, kw_only=True):
    """What one source told in the last 24 hours."""

    source: str
    received: int
    kept: int
    repeated: int
    refused: int
    last_at: datetime | None
    by_hour: tuple[tuple[datetime, int, int], ...]
    """Hour, events kept, events refused; hours in which nothing came are left out."""


class Flow(Struct, frozen=True, kw_only=True):
    """Live collection at this moment."""

    sources: tuple[SourceFlow, ...]
    waiting_deliveries: int
    waiting_events: int
    waiting_octets: int
    lag_seconds: float
    """How long the oldest delivery has been waiting."""
    unfolded: int
    """Events in the log that are not in any record yet."""
    quarantined: dict[str, dict[str, int]]
    """Rows in quarantine by source and reason."""
    working: bool
    """Whether a worker holds the shop."""


def flow(places: Places) -> Flow:
    """The figures, from the stores."""
    now = places.now()
    with places.ledger.read() as reader:
        taken = int(reader.setting(INBOX) or 0) if places.gate.inbox.ordered else 0
        rows = reader.heard(now // HOUR - _HOURS + 1)
        last = reader.last_heard()
        refused = reader.quarantine_reasons()
        unfolded = int(reader.setting("last_seq") or 0) - int(reader.setting("cursor") or 0)
    backlog = places.gate.inbox.backlog(taken)
    names = sorted({*last, *(source.name for source in places.hearing.sources())})
    quarantined: dict[str, dict[str, int]] = {}
    for (source, reason), count in refused.items():
        quarantined.setdefault(source, {})[reason] = count
    return Flow(
        sources=tuple(
            SourceFlow(
                source=name,
                received=sum(row.received for row in rows if row.source == name),
                kept=sum(row.kept for row in rows if row.source == name),
                repeated=sum(row.repeated for row in rows if row.source == name),
                refused=sum(row.refused for row in rows if row.source == name),
                last_at=instant(last[name]) if name in last else None,
                by_hour=tuple(
                    (instant(row.hour * HOUR), row.kept, row.refused) for row in rows if row.source == name
                ),
            )
            for name in names
        ),
        waiting_deliveries=backlog.deliveries,
        waiting_events=backlog.events,
        waiting_octets=backlog.octets,
        lag_seconds=max(0.0, (now - backlog.oldest) / SECOND) if backlog.deliveries else 0.0,
        unfolded=unfolded,
        quarantined=quarantined,
        working=worked(places),
    )
