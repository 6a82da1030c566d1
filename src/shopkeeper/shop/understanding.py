"""Reads what waits in the inbox and prepares it, all outside of any transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from shopkeeper.collect.deliveries import cells_of, reader_of
from shopkeeper.collect.intake import Intake, Ready
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.delivery import Delivery, Settled, Wish
from shopkeeper.domain.errors import BadEvent, StoreDamaged
from shopkeeper.domain.event import Event
from shopkeeper.domain.source import Source
from shopkeeper.shop.cataloguing import names_sold
from shopkeeper.shop.hearing import opened
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.gate import KeptDelivery
from shopkeeper.stores.contract.vault import Vault

EVENT: Final = "event"
PART: Final = "part"
WHOLE: Final = "delivery"
"""What a row in quarantine is: an event that was read, a part that could not be, a delivery that could not be."""


def kind_of(format: str, what: str) -> str:  # noqa: A002 - what it is called everywhere
    """How quarantine calls a row of a live source.

    >>> kind_of("poslog", PART)
    'poslog/part'
    """
    return f"{format}/{what}"


class Refusal(Struct):
    """Parts of one delivery, or all of it, for quarantine."""

    format: str
    what: str
    at: int
    rows: list[Refused]
    around: dict[str, object]


class Told(Struct):
    """What the deliveries of one source in one format say."""

    source: str
    format: str
    ready: Ready
    records: list[list[tuple[str, Struct]]] = field(default_factory=list)
    """Reference data as (kind, record), delivery by delivery."""
    sold: dict[str, str] = field(default_factory=dict)
    """Names under which products were sold, by product."""
    refusals: list[Refusal] = field(default_factory=list)
    received: int = 0
    last_at: int = 0


class Understanding(Struct):
    """What some deliveries say together."""

    told: list[Told]
    wishes: list[tuple[str, Wish]] = field(default_factory=list)
    """With the source that asks."""
    upto: int = 0
    """Number of the last delivery; 0 where they have none."""
    ids: list[int] = field(default_factory=list)
    """Numbers of those that wish for nothing: they may be forgotten as soon as they are in the ledger."""


def understand(places: Places, kept: Iterable[KeptDelivery]) -> Understanding:
    """Read deliveries. One that cannot be read is refused whole and stands in nobody's way."""
    return read(places.vault, places.intake, kept, lambda source: settled(places, source))


def read(
    vault: Vault, intake: Intake, kept: Iterable[KeptDelivery], settled_of: Callable[[str], Settled]
) -> Understanding:
    """The same where there are no places: ``settled_of`` says what a source's reader may know."""
    understanding = Understanding([])
    events: dict[tuple[str, str], list[Event]] = {}
    groups: dict[tuple[str, str], Told] = {}
    known: dict[str, Settled] = {}
    for one in kept:
        understanding.upto = max(understanding.upto, one.id)
        understanding.ids.append(one.id)
        group = (one.source, one.format)
        told = groups.get(group)
        if told is None:
            told = groups[group] = Told(one.source, one.format, Ready(()))
            events[group] = []
        told.last_at = max(told.last_at, one.received_at)
        what = known.get(one.source)
        if what is None:
            what = known[one.source] = settled_of(one.source)
        delivery = Delivery(
            source=one.source, format=one.format, received_at=one.received_at, body=b"", topic=one.topic
        )
        try:
            delivery = opened(vault, one)
            found = reader_of(one.format)(delivery, what)
        except BadEvent as error:
            told.received += max(1, one.events)
            told.refusals.append(refusal_of(delivery, error.reason, error.message))
        except StoreDamaged as error:  # the secret is not the one it was sealed with: no retry opens it
            told.received += max(1, one.events)
            told.refusals.append(refusal_of(delivery, "unreadable", error.message))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it must not stop the others
            detail = f"reading it failed with {type(error).__name__}"
            told.received += max(1, one.events)
            told.refusals.append(refusal_of(delivery, "poison", detail))
        else:
            batch = found.batch
            told.received += len(batch.events) + len(batch.refused)
            events[group] += batch.events
            if batch.refused:
                told.refusals.append(
                    Refusal(one.format, PART, one.received_at, batch.refused, around(delivery))
                )
            if batch.records:
                told.records.append(batch.records)
            understanding.wishes += [(one.source, wish) for wish in found.wishes]
            if found.wishes:
                understanding.ids.pop()  # waits until its wishes are noted, and is forgotten then
    for group, told in groups.items():
        told.ready = intake.ready(events[group])
        told.sold = names_sold(events[group])
        understanding.told.append(told)
    return understanding


def settled(places: Places, source: str) -> Settled:
    """What a reader may know of the shop and a source."""
    known = places.hearing.known(source) or Source(name=source, kind="tracking")
    settings = places.settings
    return Settled(
        now=places.now(),
        zone=settings.time_zone,
        currency=settings.currency,
        region=settings.region,
        brand=known.brand,
        channel=known.channel,
        mapping=known.mapping,
    )


def refusal_of(delivery: Delivery, reason: str, detail: str) -> Refusal:
    """A whole delivery for quarantine: its octets as they came, found by any of its words."""
    text = delivery.body.decode("utf-8", "replace")
    row = Refused(line=0, reason=reason, detail=detail, raw=text[:65536], cells=tuple(cells_of(text)))
    whole = {**around(delivery), "body": delivery.body}
    return Refusal(delivery.format, WHOLE, delivery.received_at, [row], whole)


def around(delivery: Delivery) -> dict[str, object]:
    """What is needed beside a row's text to read it again."""
    notes: Mapping[str, str] = delivery.notes
    return {"topic": delivery.topic, "notes": notes, "received_at": delivery.received_at}
