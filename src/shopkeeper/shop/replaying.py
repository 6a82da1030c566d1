"""Replays what is in quarantine: it is read again as it came, by today's reader, mapping and settings.

A row leaves the quarantine in the same transaction in which what it says is kept. What still cannot be used stays, or
comes back with today's reason. Rows of a file are mended in the file and imported again; they are not replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopkeeper.collect.deliveries import FORMATS, reader_of
from shopkeeper.collect.intake import Outcome, Taking
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.delivery import Delivery, Understood, Wish
from shopkeeper.domain.errors import BadEvent, StoreFailure
from shopkeeper.domain.event import Event, canonical_name, parse
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.protocols import Progress
from shopkeeper.shop import jobs, living
from shopkeeper.shop.cataloguing import Cataloguing
from shopkeeper.shop.places import Places
from shopkeeper.shop.understanding import EVENT, WHOLE, settled
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Quarantined

_AT_ONCE: Final = 200


class Replayed(Struct, frozen=True, kw_only=True):
    """What a replay did."""

    looked_at: int
    left: int
    """Rows that left the quarantine: what they say is kept, or was known already."""
    events: int
    """Events that were kept."""
    stay: int
    """Rows that still cannot be used."""
    of_files: int
    """Rows of files: mend them there and import the file again."""
    reasons: dict[str, int]
    """Why what stays cannot be used, as of now."""


class _Plain(Struct):
    """An event as quarantine keeps it."""

    name: str
    message_id: str
    occurred_at: int
    received_at: int
    identifiers: tuple[Identifier, ...] = ()
    properties: dict[str, Any] = {}
    more: dict[str, Any] = {}
    source: str = ""
    brand: str = ""
    channel: str = ""


def replay(
    places: Places,
    ids: Sequence[int] | None,
    source: str | None,
    reason: str | None,
    progress: Progress | None = None,
) -> Replayed:
    """Read rows of the quarantine again, some in one transaction."""
    with places.ledger.read() as reader:
        end = max((row.id for row in reader.quarantine(None, 1)), default=0)
    done: dict[str, int] = {"looked_at": 0, "left": 0, "events": 0, "stay": 0, "of_files": 0}
    reasons: dict[str, int] = {}
    after = 0
    while True:
        with places.ledger.read() as reader:
            if ids is None:
                rows = [row for row in reader.refusals(after, _AT_ONCE, source, reason) if row.id <= end]
            else:
                rows = [row for row in reader.refusal(ids) if row.id > after][:_AT_ONCE]
        if not rows:
            break
        after = rows[-1].id
        _some(places, rows, done, reasons)
        if progress:
            progress("replay", min(1.0, after / max(1, end)))
    return Replayed(reasons=reasons, **done)


def _some(places: Places, rows: Sequence[Quarantined], done: dict[str, int], reasons: dict[str, int]) -> None:
    """Some rows in one transaction; one by one where that fails."""
    live = [row for row in rows if row.kind.partition("/")[0] in FORMATS and "/" in row.kind]
    done["looked_at"] += len(rows)
    done["of_files"] += len(rows) - len(live)
    try:
        results = [_transaction(places, live)] if live else []
    except StoreFailure:
        raise
    except Exception:  # noqa: BLE001 - the guilty one stays, the others need not
        results = []
        for row in live:
            try:
                results.append(_transaction(places, [row]))
            except StoreFailure:
                raise
            except Exception as error:  # noqa: BLE001
                results.append(([], 0, {f"poison ({type(error).__name__})": 1}))
    left = sum(len(released) for released, _, _ in results)
    done["left"] += left
    done["stay"] += len(live) - left
    done["events"] += sum(kept for _, kept, _ in results)
    for _, _, why in results:
        for name, count in why.items():
            reasons[name] = reasons.get(name, 0) + count


def _transaction(places: Places, rows: Sequence[Quarantined]) -> tuple[list[int], int, dict[str, int]]:
    """Numbers of the rows that left, events kept, and why the others stay."""
    understood = [(row, *_understand(places, row)) for row in rows]
    takings: list[Taking] = []
    released: list[int] = []
    why: dict[str, int] = {}
    wishes: list[tuple[str, Wish]] = []

    def work(tx: LedgerWriter) -> int:
        released.clear()
        why.clear()
        wishes.clear()
        caught_up = tx.setting("cursor") == tx.setting("last_seq")
        taking = places.intake.begin(tx)
        takings.append(taking)
        if caught_up:
            taking.logged = []
        records = Cataloguing(tx)
        events = 0
        for row, read, reason in understood:
            if read is None:
                why[reason] = why.get(reason, 0) + 1
                continue
            kept, refused = _take(taking, records, read)
            events += kept
            wishes.extend((row.source, wish) for wish in read.wishes)
            if refused:
                why[refused] = why.get(refused, 0) + 1
            else:
                released.append(row.id)
        tx.release(released)
        if caught_up:
            living.follow(places, tx, taking.logged or [])
        return events

    try:
        events = places.ledger.write(work)
    except BaseException:
        places.discard()
        raise
    for taking in takings:
        taking.keep()
    jobs.wish(places, wishes)
    return released, events, why


def _take(taking: Taking, records: Cataloguing, read: Understood) -> tuple[int, str]:
    """Take in what a row says; returns events kept, and why the row stays where it does.

    A row of which a part can be used is used and stays: the part that was used is a repeat the next time.
    """
    outcome = Outcome()
    records.keep(read.batch.records)
    made = taking.intake.ready(read.batch.events)
    refused = [*read.batch.refused, *made.refused]
    made.refused = []
    contradictions = taking.take_without_refusing(made, outcome)
    reasons = [one.reason for one in (*refused, *contradictions)]
    return outcome.kept, reasons[0] if reasons else ""


def _understand(places: Places, row: Quarantined) -> tuple[Understood | None, str]:
    """What a row says, or why it still cannot be read."""
    told: Any = places.vault.unseal(row.salt, row.sealed)
    format_, _, what = row.kind.partition("/")
    try:
        if what == EVENT:
            return Understood(batch=Batch(events=[_event(told)])), ""
        body = told["body"] if what == WHOLE else str(told["raw"]).encode("utf-8", "surrogatepass")
        delivery = Delivery(
            source=row.source,
            format=format_,
            received_at=int(told["received_at"]),
            body=body,
            topic=told["topic"],
            notes=told["notes"],
        )
        return reader_of(format_)(delivery, settled(places, row.source)), ""
    except BadEvent as error:
        return None, error.reason
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError):
        return None, "unreadable"


def _event(told: Any) -> Event:
    """An event that was read once, as today's declarations have it. Raises BadEvent."""
    raw = told if isinstance(told, str) else told["raw"]
    plain = msgspec.json.decode(raw, type=_Plain)
    name = canonical_name(plain.name)
    properties, more = parse(name, plain.properties)
    return Event(
        name=name,
        message_id=plain.message_id,
        occurred_at=plain.occurred_at,
        received_at=plain.received_at,
        identifiers=plain.identifiers,
        properties=properties,
        more={**plain.more, **more},
        source=plain.source,
        brand=plain.brand,
        channel=plain.channel,
    )
