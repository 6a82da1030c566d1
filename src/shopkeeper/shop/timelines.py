"""A customer's timeline: what was heard, and between it the segments that the customer entered and left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shopkeeper.domain.clock import instant, micros
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.personal import EVERY_CLASS
from shopkeeper.domain.profile import Timeline, TimelineEntry
from shopkeeper.domain.segment import AUDIENCE
from shopkeeper.shop import showing
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.segments import Entry

_WHY: Final = {
    "time": "as time went by", "backfill": "when the segment was brought to everybody",
    "refresh": "by a new prediction", "merge": "by who is who", "recount": "by a recount",
}  # fmt: skip
_NEVER: Final = 1 << 62


def timeline(
    places: Places,
    who: str | int,
    cursor: str | None,
    limit: int,
    names: Sequence[str] = (),
    *,
    sees: Sees = EVERY_CLASS,
) -> tuple[str, Timeline]:
    """Whose it is, and a page of what happened, latest first. ``names`` keeps only those events."""
    log, _, place = (cursor or "").partition(".")
    before = _number(place, cursor)
    customer, heard = showing.timeline(places, who, log or None, limit, names, sees=sees)
    changes = _changes(places, int(customer[1:]), before, limit + 1, names)
    # Of one instant what came of an event stands above it, and the later number above the earlier.
    told = [
        (one.occurred_at, place, one.seq, one)
        for place, some in enumerate((heard.entries, changes))
        for one in some
    ]
    shown = [one for *_, one in sorted(told, key=lambda one: one[:3], reverse=True)][:limit]
    if len(told) <= limit and heard.next is None:
        return customer, Timeline(tuple(shown))
    last_heard = [one for one in shown if one.name not in AUDIENCE]
    last_change = [one for one in shown if one.name in AUDIENCE]
    if last_heard:
        log = showing.cursor_at((micros(last_heard[-1].occurred_at), last_heard[-1].seq))
    at = last_change[-1].seq if last_change else before
    return customer, Timeline(tuple(shown), f"{log}.{at}")


def _changes(
    places: Places, customer: int, before: int, limit: int, names: Sequence[str]
) -> list[TimelineEntry]:
    if names and not set(names) & set(AUDIENCE):
        return []
    with places.ledger.read() as reader:
        # Who was merged passed through segments under an earlier number, and nobody else has that one.
        ids = [customer, *reader.aliases([customer])]
        rows: list[Entry] = []
        while page := reader.audience_of(ids, before, limit):
            rows += [row for row in page if not names or _name(row) in names]
            if len(rows) >= limit or len(page) < limit:
                break
            before = page[-1].id
        called = _called(reader, rows)
    return [_entry(row, *called[row.segment], customer) for row in rows]


def _called(reader: LedgerReader, rows: Sequence[Entry]) -> dict[int, tuple[str, str]]:
    """Name and title of segments."""
    if not rows:
        return {}
    names = {row.id: row.name for row in reader.segments()}
    wanted = {row.segment for row in rows}
    return {one: (names[one], reader.segment_versions(one)[-1].title) for one in wanted}


def _name(row: Entry) -> str:
    return AUDIENCE[0] if row.entered else AUDIENCE[1]


def _entry(row: Entry, segment: str, title: str, customer: int) -> TimelineEntry:
    why = _WHY.get(row.cause, "")
    earlier = "" if row.customer == customer else f"c{row.customer}"
    return TimelineEntry(
        seq=row.id,
        occurred_at=instant(row.at),
        name=_name(row),
        sentence=f"{'entered' if row.entered else 'left'} the segment ‘{title}’{f' {why}' if why else ''}"
        f"{f', then as {earlier}' if earlier else ''}",
        channel="",
        details={"segment": segment, "cause": row.cause} | ({"customer": earlier} if earlier else {}),
    )


def _number(place: str, cursor: str | None) -> int:
    """Before which change to go on: a cursor without one is of a page that had none."""
    if not place:
        return 1 if cursor else _NEVER
    if not (place.isascii() and place.isdigit()) or len(place) > 19 or not 0 < int(place) <= _NEVER:
        raise InvalidInput("that cursor was not given by this shop", hint="begin without a cursor")
    return int(place)
