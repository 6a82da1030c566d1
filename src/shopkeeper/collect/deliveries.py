"""How deliveries are read, by format; and the reader of tracking calls, alone or in batches.

A reader is asked when a delivery is taken in and again when a part of it is replayed from quarantine: the ``raw`` of
what it refuses must be a body that it reads, under the same topic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from shopkeeper.collect.segment import parse_call
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.delivery import Delivery, Reader, Settled, Understood
from shopkeeper.domain.errors import BadEvent, UnknownName

LARGEST: Final = 32 * 1024
"""Octets one tracking call may have."""
_ELSEWHERE: Final = {
    "poslog": "shopkeeper.collect.tills.poslog",
    "shopify": "shopkeeper.collect.webshops.shopify",
    "mapped": "shopkeeper.collect.mapped.mapped",
}
"""Modules whose ``read`` reads a format; imported when the first delivery of it comes."""
FORMATS: Final = ("tracking", *_ELSEWHERE)
CALLS: Final = frozenset({"identify", "track", "page", "screen", "group", "alias"})
_MOST_CELLS: Final = 500
_DEEPEST: Final = 8
_WORD = re.compile(r"[^\s\"'<>{}\[\](),;=\\]{3,200}")


class _Envelope(Struct):
    """What stands around the calls of a batch."""

    batch: list[Raw] | UnsetType = UNSET
    context: dict[str, Any] | None = None
    sentAt: Any = None  # noqa: N815 - the wire's name


_read_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_read_calls: Final = msgspec.json.Decoder(list[Raw]).decode
_read_call: Final = msgspec.json.Decoder().decode


@lru_cache
def reader_of(format: str) -> Reader:  # noqa: A002 - what it is called everywhere
    """The reader of a format. Raises UnknownName.

    >>> reader_of("tracking").__name__
    'read_tracking'
    """
    if format == "tracking":
        return read_tracking
    module = _ELSEWHERE.get(format)
    if module is None:
        raise UnknownName("format of a delivery", format, FORMATS)
    read: Reader = import_module(module).read
    return read


def read_tracking(delivery: Delivery, settled: Settled) -> Understood:
    """One call, or all calls of a batch; a call that cannot be used is refused by itself.

    A batch's ``context`` and ``sentAt`` hold for each of its calls that has none of its own. Raises BadEvent for a
    body that is no JSON.

    >>> body = b'{"batch":[{"type":"track","event":"Product Viewed","messageId":"1"},{"type":"nod"}]}'
    >>> delivery = Delivery(source="web", format="tracking", received_at=1, body=body, topic="batch")
    >>> batch = read_tracking(delivery, Settled(now=1, zone="UTC", currency="GBP", region="GB")).batch
    >>> [event.name for event in batch.events], [refused.reason for refused in batch.refused]
    (['Product Viewed'], ['bad_type'])
    """
    raws, context, sent_at = _calls(delivery)
    batch = Batch(read=len(raws))
    add = batch.events.append
    unasked = delivery.notes.get("gpc") == "1"
    source, received_at, brand, channel = (
        delivery.source,
        delivery.received_at,
        settled.brand,
        settled.channel,
    )
    kind = delivery.topic if delivery.topic in CALLS else None
    for place, raw in enumerate(raws):
        call: Any = None
        try:
            if len(raw) > LARGEST:
                raise BadEvent("too_large", f"a call of more than {LARGEST // 1024} KB")
            call = _read_call(raw)
            if type(call) is not dict:
                raise BadEvent("not_an_object", "a tracking call that is no JSON object")
            if context is not None:
                _within(call, context)
            if sent_at is not None and "sentAt" not in call:
                call["sentAt"] = sent_at
            if kind is not None and "type" not in call:
                call["type"] = kind
            if "messageId" not in call and "timestamp" not in call and "originalTimestamp" not in call:
                call["messageId"] = _named_by_arrival(raw, received_at, place)
            event = parse_call(
                call,
                received_at=received_at,
                default_source=source,
                brand=brand,
                default_channel=channel,
            )
            if unasked:
                event = msgspec.structs.replace(event, more={**event.more, "gpc": True})
            add(event)
        except BadEvent as error:
            batch.refused.append(_refused(place, raw, call, error.reason, error.message))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            detail = "a tracking call that is no readable JSON"
            if isinstance(error, RecursionError):
                detail = "a tracking call that is nested too deeply"
            batch.refused.append(_refused(place, raw, None, "not_json", detail))
    return Understood(batch=batch)


def _calls(delivery: Delivery) -> tuple[list[Raw], dict[str, Any] | None, Any]:
    """The calls as they came, and what holds for all of them."""
    body = delivery.body
    try:
        if body[:1] == b"[":
            return _read_calls(body), None, None
        if delivery.topic in CALLS and b'"batch"' not in body:
            return [Raw(body)], None, None
        envelope = _read_envelope(body)
    except RecursionError:
        raise BadEvent("not_json", "a body that is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadEvent("not_json", "a body that is no JSON of the tracking API") from None
    if envelope.batch is UNSET:
        return [Raw(body)], None, None
    return envelope.batch, envelope.context, envelope.sentAt


def _within(call: dict[str, Any], context: dict[str, Any]) -> None:
    """Put a batch's context under the call's own."""
    own = call.get("context")
    if own is None:
        call["context"] = context
    elif type(own) is dict:
        call["context"] = {**context, **own}


def _named_by_arrival(raw: Raw, received_at: int, place: int) -> str:
    """A name for a call that has neither id nor time: two alike that came apart are two."""
    name = blake2b(raw, digest_size=16, salt=place.to_bytes(8, "big"))
    name.update(received_at.to_bytes(8, "big", signed=True))
    return f"auto-{name.hexdigest()}"


def _refused(place: int, raw: Raw, call: Any, reason: str, detail: str) -> Refused:
    """A call that cannot be used, with what its batch said of it, so that it can be read by itself."""
    if type(call) is dict:
        text = msgspec.json.encode(call).decode("utf-8", "replace")
        cells = tuple(cells_in(call))
    else:
        text = bytes(raw).decode("utf-8", "replace")
        cells = tuple(cells_of(text))
    return Refused(line=place, reason=reason, detail=detail, raw=text, cells=cells)


def cells_in(value: Any) -> Iterator[str]:
    """Every text and number in plain data, so that an erasure finds it by any of them.

    >>> list(cells_in({"a": ["Anna", 7], "b": {"c": "x@example.com"}}))
    ['Anna', '7', 'x@example.com']
    """
    left = _MOST_CELLS
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting and left:
        one, depth = waiting.pop()
        if type(one) is str or (type(one) is int):
            left -= 1
            yield str(one)
        elif depth < _DEEPEST and isinstance(one, dict | list):
            inside: Iterable[Any] = one.values() if isinstance(one, dict) else one
            waiting.extend((each, depth + 1) for each in reversed(list(inside)))


def cells_of(text: str) -> Iterator[str]:
    """Every word of a text that nobody could read as what it was said to be.

    >>> list(cells_of('{"email": "x@example.com", "n'))
    ['email', 'x@example.com']
    """
    seen: dict[str, None] = {}
    for match in _WORD.finditer(text):
        seen[match[0].strip(":")] = None
        if len(seen) >= _MOST_CELLS:
            break
    yield from seen
