"""Segments as people work with them: saved, brought into use, listed, followed, recounted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from shopkeeper.domain.clock import DAY, day_of, instant
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.segment import (
    AUDIENCE,
    Audience,
    AudienceChange,
    AudienceDay,
    Difference,
    InSegment,
    Member,
    Members,
    Recounted,
    Segment,
    SegmentHistory,
    Version,
)
from shopkeeper.know.live import definitions
from shopkeeper.know.live.held import numbers, unpack
from shopkeeper.know.live.recounting import recount as compare
from shopkeeper.shop.holding import worked
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places
from shopkeeper.shop.watching import TRAITS, keep_up, swept_share, watching
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.segments import Entry, SegmentRow

_MOST: Final = 500
_DAYS: Final = 90
_SHOWN: Final = 1_000
_RECOUNTED_AT_ONCE: Final = 1_000


def save(
    places: Places,
    name: str,
    condition: str,
    title: str | None,
    sentence: str | None,
    *,
    activate: bool,
    actor: str,
    progress: Progress | None,
) -> Segment:
    """Keep a definition, and bring it into use where that is wanted."""

    def work(tx: LedgerWriter) -> None:
        now = places.now()
        definitions.save(tx, TRAITS, name, condition, title, sentence, now=now, actor=actor)
        if activate:
            definitions.activate(tx, TRAITS, name, now)

    places.ledger.write(work)
    return _brought(places, name, progress)


def activate(places: Places, name: str, progress: Progress | None) -> Segment:
    """Bring a segment into use."""
    places.ledger.write(lambda tx: definitions.activate(tx, TRAITS, name, places.now()))
    return _brought(places, name, progress)


def pause(places: Places, name: str) -> Segment:
    """Let it stand still."""
    places.ledger.write(lambda tx: definitions.pause(tx, TRAITS, name, places.now()))
    return _one(places, name)


def archive(places: Places, name: str) -> Segment:
    """Put it away."""
    places.ledger.write(lambda tx: definitions.archive(tx, TRAITS, name, places.now()))
    return _one(places, name)


def _brought(places: Places, name: str, progress: Progress | None) -> Segment:
    """Look at everybody now, unless a worker does it beside its other work."""
    if not worked(places):
        keep_up(places, progress)
    return _one(places, name)


def _one(places: Places, name: str) -> Segment:
    with places.ledger.read() as reader:
        all_ = definitions.known(reader, TRAITS, whole=False)
        return _shown(reader, all_, all_.row(name))


def segments(places: Places, *, archived: bool) -> tuple[Segment, ...]:
    """All of them, by name."""
    with places.ledger.read() as reader:
        all_ = definitions.known(reader, TRAITS)
        rows = [row for _, row in sorted(all_.rows.items()) if archived or row.state != "archived"]
        return tuple(_shown(reader, all_, row) for row in rows)


def segment(places: Places, name: str) -> SegmentHistory:
    """One, with its history."""
    with places.ledger.read() as reader:
        all_ = definitions.known(reader, TRAITS)
        row = all_.row(name)
        versions = tuple(
            Version(
                version=one.version, title=one.title, sentence=one.sentence, condition=one.condition,
                at=instant(one.at), by=one.actor,
            )
            for _, one in sorted(all_.versions[row.id].items())
        )  # fmt: skip
        return SegmentHistory(
            segment=_shown(reader, all_, row),
            versions=versions,
            days=_days(reader, row, places.now(), Zone(places.settings.time_zone)),
            used_by=tuple(sorted(all_.used_by(name))),
        )


def _shown(reader: LedgerReader, all_: definitions.Known, row: SegmentRow) -> Segment:
    latest = all_.latest(row)
    return Segment(
        name=row.name,
        title=latest.title,
        sentence=latest.sentence,
        condition=latest.condition,
        state=row.state,
        version=latest.version,
        live=row.live,
        size=row.size,
        progress=swept_share(reader, row.id) if row.coming else 1.0,
        uses=tuple(sorted(all_.understood(latest).segments)),
        saved_at=instant(latest.at),
        saved_by=latest.actor,
    )


def _days(reader: LedgerReader, row: SegmentRow, now: int, zone: Zone) -> tuple[AudienceDay, ...]:
    """Those of the last ninety days of the shop's on which anybody entered or left; sizes are counted back from the
    present one.
    """
    last = zone.day(now)
    passed: dict[int, tuple[int, int]] = {}
    # Days that begin at one distance from UTC are asked for together: clocks are changed twice a year.
    for ahead, some in groupby(range(last - _DAYS, last + 1), key=lambda day: day * DAY - zone.start(day)):
        days = [*some]
        since, until = zone.start(days[0]), zone.start(days[-1] + 1)
        for day, entered, exited in reader.audience_days(row.id, since, until, ahead):
            at = min(day, days[-1])  # the hour that is there twice
            was = passed.get(at, (0, 0))
            passed[at] = was[0] + entered, was[1] + exited
    found: list[AudienceDay] = []
    size = row.size
    for day, (entered, exited) in sorted(passed.items(), reverse=True):
        found.append(AudienceDay(day=day_of(day), entered=entered, exited=exited, size=size))
        size += exited - entered
    return tuple(reversed(found))


def members(places: Places, name: str, cursor: int | None, limit: int, *, sees: Sees) -> Members:
    """Who is in it, by the customer's number."""
    _bounded(limit)
    with places.ledger.read() as reader:
        row = _row(reader, name)
        page = reader.members_in(row.id, cursor or 0, limit + 1)
        called = names(places, reader, [one.customer for one in page[:limit]], sees=sees)
    rows = tuple(
        Member(
            customer=f"c{one.customer}", name=called[one.customer], since=instant(one.since), version=one.version
        )
        for one in page[:limit]
    )  # fmt: skip
    return Members(rows=rows, total=row.size, next=page[limit - 1].customer if len(page) > limit else None)


def audience(places: Places, name: str | None, cursor: int | None, limit: int) -> Audience:
    """What entered and left after a cursor, in order; of one segment, or of all."""
    _bounded(limit)
    with places.ledger.read() as reader:
        called = {row.id: row.name for row in reader.segments()}
        wanted = None if name is None else _row(reader, name).id
        rows = reader.audience(cursor or 0, limit, wanted)
    changes = tuple(_change(row, called) for row in rows)
    return Audience(rows=changes, next=rows[-1].id if rows else cursor or 0)


def _change(row: Entry, called: dict[int, str]) -> AudienceChange:
    return AudienceChange(
        id=row.id,
        event=AUDIENCE[0] if row.entered else AUDIENCE[1],
        at=instant(row.at),
        segment=called[row.segment],
        version=row.version,
        customer=f"c{row.customer}",
        cause=row.cause,
    )


def of_customer(reader: LedgerReader, customer: int) -> tuple[InSegment, ...]:
    """The segments a customer is in, the latest first."""
    body = reader.behaviours([customer]).get(customer)
    if body is None:
        return ()
    rows = {row.id: row for row in reader.segments() if row.state != "archived"}
    inside = [segment for segment in numbers(unpack(body).inside) if segment in rows]
    found = sorted(reader.memberships(inside, customer), key=lambda one: (-one.since, one.segment))
    titles = {}
    for one in found:
        titles[one.segment] = reader.segment_versions(one.segment)[-1].title
    return tuple(
        InSegment(name=rows[one.segment].name, title=titles[one.segment], since=instant(one.since))
        for one in found
    )


def recount(places: Places, wanted: Sequence[str], progress: Progress | None) -> Recounted:
    """Compare who is in segments in use with what everybody's whole history says, and mend what differs."""
    keep_up(places)
    with places.ledger.read() as reader:
        all_ = definitions.known(reader, TRAITS)
        chosen = [all_.row(name) for name in wanted] or list(all_.rows.values())
        live = [row for row in chosen if row.state in ("live", "backfilling")]
        if idle := [row.name for row in chosen if row not in live and wanted]:
            raise InvalidInput(f"the segment {idle[0]!r} is not in use", hint="only those in use are kept up")
        last = max(1, int(reader.setting("last_customer") or 1))
    called = {row.id: row.name for row in live}
    differences: list[Difference] = []
    customers = found = at = 0
    while live:

        def work(tx: LedgerWriter, after: int = at) -> tuple[list[int], list[tuple[int, int, bool]]]:
            some = tx.customers_after(after, _RECOUNTED_AT_ONCE)
            watch = watching(places, tx, "recount")
            if not some or watch is None:
                return some, []
            return some, compare(watch, some, called.keys())

        some, different = places.ledger.write(work)
        if not some:
            break
        at, customers, found = some[-1], customers + len(some), found + len(different)
        room = _SHOWN - len(differences)
        differences += [
            Difference(segment=called[one], customer=f"c{customer}", should=should)
            for one, customer, should in different[:room]
        ]
        if progress:
            progress("recount", min(1.0, at / last))
    return Recounted(
        segments=tuple(sorted(called.values())),
        customers=customers,
        compared=customers * len(called),
        differences=tuple(differences),
        found=found,
    )


def _row(reader: LedgerReader, name: str) -> SegmentRow:
    return definitions.known(reader, TRAITS, whole=False).row(name)


def _bounded(limit: int) -> None:
    if not 1 <= limit <= _MOST:
        raise InvalidInput(f"limit is {limit}", hint=f"give 1 to {_MOST}")
