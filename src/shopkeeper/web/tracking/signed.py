"""Takes webhooks, whose sender is known by a signature over the raw body, and till logs, known by a write key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopkeeper.domain.delivery import Delivery
from shopkeeper.domain.source import Source
from shopkeeper.shop.proving import doubted, manner_of
from shopkeeper.web.tracking import answers
from shopkeeper.web.tracking.answers import Refusal
from shopkeeper.web.tracking.bodies import LARGEST, LARGEST_LOG
from shopkeeper.web.tracking.envelope import readable
from shopkeeper.web.tracking.keys import admitted, from_header, from_query

if TYPE_CHECKING:
    from shopkeeper.web.tracking.door import Asked, Door

FORMATS: Final = {"shopify": "shopify", "webhook": "mapped"}
"""The format of a delivery by the kind of its source."""
_SHOPIFY_NOTES: Final = {
    "event_id": b"x-shopify-event-id",
    "webhook_id": b"x-shopify-webhook-id",
    "shop": b"x-shopify-shop-domain",
    "triggered_at": b"x-shopify-triggered-at",
    "api_version": b"x-shopify-api-version",
    "test": b"x-shopify-test",
}
_LONGEST_NOTE: Final = 300


async def take_webhook(door: Door, asked: Asked, _topic: str) -> None:
    """POST /v1/webhooks/{source}: one webhook.

    Shopify's are checked with the source's secret, others by the ``[signature]`` of the source's mapping, or by the
    source's write key where the mapping declares none.
    """
    source = _named(door, asked)
    body, _ = await door.bodies.read(asked.receive, asked.length, asked.encoding, LARGEST)
    _check(door, asked, source, body)
    door.admit(asked, source, source.kind, 1)
    named = manner_of(source).topic_header.encode("latin-1")
    topic = asked.header(named).decode("latin-1")[:_LONGEST_NOTE] if named else ""
    notes = _shopify(asked, topic) if source.kind == "shopify" else {}
    await _keep(door, asked, source, FORMATS[source.kind], readable(body), topic, notes)


async def take_poslog(door: Door, asked: Asked, _topic: str) -> None:
    """POST /v1/poslog/{source}: one POSLog document of a till."""
    source = _by_key(door, asked, asked.name)
    body, _ = await door.bodies.read(asked.receive, asked.length, asked.encoding, LARGEST_LOG)
    door.admit(asked, source, "poslog", max(1, body.count(b"<Transaction") or body.count(b":Transaction ")))
    if b"<" not in body[:64]:
        raise Refusal(400, "bad_xml", "the body is not XML")
    await _keep(door, asked, source, "poslog", body, "", {})


def _named(door: Door, asked: Asked) -> Source:
    """The source of a webhook's address, switched off or not. Nobody learns here which sources there are."""
    found = door.shop.hearing.known(asked.name)
    if found is None or found.kind not in FORMATS:
        asked.name = ""
        raise door.senders.unknown(asked.scope, "bad_signature")
    return found


def _check(door: Door, asked: Asked, source: Source, body: bytes) -> None:
    """Make sure that the body comes from the source. Raises Refusal 401, 403 or 429."""
    if manner_of(source).signature is None:
        _by_key(door, asked, source.name)
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in asked.scope["headers"]}
    if doubted(door.shop.hearing, source, headers, body):
        raise door.senders.unknown(asked.scope, "bad_signature")
    admitted(source, b"")


def _by_key(door: Door, asked: Asked, name: str) -> Source:
    """The source of a key that stands outside the body, when it is the one of the address."""
    query = asked.scope["query_string"]
    key = from_header(asked.authorization) if asked.authorization else from_query(query)
    source = door.senders.source(key, asked.scope, asked.origin)
    if source.name != name:
        raise Refusal(403, "wrong_source", "this key belongs to another source")
    return source


def _shopify(asked: Asked, topic: str) -> dict[str, str]:
    """What stands beside the body of a webhook of Shopify's: the event's own number, above all."""
    if not topic:
        raise Refusal(400, "no_topic", "the header X-Shopify-Topic is missing")
    said = {name: asked.header(header).decode("latin-1") for name, header in _SHOPIFY_NOTES.items()}
    return {name: note[:_LONGEST_NOTE] for name, note in said.items() if note}


async def _keep(
    door: Door, asked: Asked, source: Source, form: str, body: bytes, topic: str, notes: dict[str, str]
) -> None:
    delivery = Delivery(
        source=source.name,
        format=form,
        received_at=door.shop.hearing.now(),
        body=body,
        topic=topic,
        notes=notes | asked.notes,
    )
    await door.keep(delivery, 1)
    await answers.accepted(asked.send, asked.origin)
