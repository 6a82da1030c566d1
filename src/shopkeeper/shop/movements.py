"""How customers moved between segments: who entered and left, by months or weeks of the shop's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.clock import instant, micros
from shopkeeper.domain.condition.tree import Period
from shopkeeper.domain.condition.zone import Zone, first_of
from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.know.live import definitions
from shopkeeper.shop.audiences import SINCE
from shopkeeper.shop.places import Places
from shopkeeper.shop.watching import TRAITS
from shopkeeper.stores.contract.ledger import LedgerReader

if TYPE_CHECKING:
    from shopkeeper.know.insight import Flows

PER: Final = ("month", "week")
_MOST_SEGMENTS: Final = 8
_MOST_PERIODS: Final = 26
_AT_ONCE: Final = 50_000


def flows(places: Places, segments: Sequence[str], per: str, periods: int) -> Flows:
    """Flows between segments over the last months or weeks, the present one so far; see ``Shop.segment_flows``."""
    from shopkeeper.know import insight

    names = tuple(dict.fromkeys(segments))
    if not 1 <= len(names) <= _MOST_SEGMENTS:
        raise InvalidInput(f"{len(names)} segments", hint=f"give 1 to {_MOST_SEGMENTS} by their names")
    if per not in PER:
        raise UnknownName("length of a period", per[:20], PER)
    if not 1 <= periods <= _MOST_PERIODS:
        raise InvalidInput(f"{periods} periods", hint=f"give 1 to {_MOST_PERIODS}")
    columns: dict[str, list[Any]] = {"customer": [], "segment": [], "at": [], "entered": []}
    since = 0
    with places.ledger.read() as reader:
        all_ = definitions.known(reader, TRAITS, whole=False)
        for name in names:
            began = _read(reader, all_.row(name).id, name, columns)
            since = max(since, began)
    return insight.flows(
        **columns, segments=names, boundaries=boundaries(places, per, periods, instant(since))
    )


def _read(reader: LedgerReader, segment: int, name: str, columns: dict[str, list[Any]]) -> int:
    """Add a segment's passings; returns since when it is kept up, as far as is known. Whoever the first look at
    everybody found was in it when that began; where it found nobody, that is taken for when the segment was saved.
    """
    at, began, first = 0, 0, 0
    kept_since = int(reader.setting(SINCE) or 0)
    inside: dict[int, bool] = {}
    while rows := reader.audience(at, _AT_ONCE, segment):
        at = rows[-1].id
        if not began:
            first = rows[0].version
            saved = min(one.at for one in reader.segment_versions(segment))
            began = rows[0].at if rows[0].cause == "backfill" else max(saved, kept_since)
        for row in rows:
            found = row.cause == "backfill" and row.version == first and row.entered
            inside.setdefault(row.customer, not row.entered)
            columns["customer"].append(row.customer)
            columns["segment"].append(name)
            columns["at"].append(began if found else row.at)
            columns["entered"].append(row.entered)
    if kept_since and kept_since >= began:
        began = kept_since
        _were_in(reader, segment, name, began, inside, columns)
    return began


def _were_in(
    reader: LedgerReader,
    segment: int,
    name: str,
    began: int,
    inside: dict[int, bool],
    columns: dict[str, list[Any]],
) -> None:
    """Add those who were in it when earlier entries were deleted: who left later, or is in it without an entry."""
    at = 0
    while page := reader.members_in(segment, at, _AT_ONCE):
        at = page[-1].customer
        for one in page:
            inside.setdefault(one.customer, one.since < began)
    for customer, was in inside.items():
        if was:
            columns["customer"].append(customer)
            columns["segment"].append(name)
            columns["at"].append(began - 1)  # before who left at that very instant
            columns["entered"].append(True)


def boundaries(places: Places, per: str, periods: int, since: datetime) -> tuple[datetime, ...]:
    """The beginnings of the last periods of the shop's calendar, none before ``since``, and now.

    Where ``since`` is now, as in a shop whose clock stands still, the end is a moment later: a beginning a moment
    earlier would be of yesterday where that is midnight, and have those who were in it enter.
    """
    now = places.clock.now()
    period: Period = "week" if per == "week" else "month"
    zone = Zone(places.settings.time_zone)
    day = first_of(zone.day(micros(now)), period)
    found = [now]
    for _ in range(periods):
        begin = instant(zone.start(day))
        if begin <= since:
            break
        if begin < now:
            found.append(begin)
        day = first_of(day - 1, period)
    else:
        return tuple(sorted(found))
    if since >= now:
        return now, now + timedelta(microseconds=1)
    return tuple(sorted({*found, since}))
