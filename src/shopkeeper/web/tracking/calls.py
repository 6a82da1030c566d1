"""Takes tracking calls: single ones, batches, beacons and pixels, as Segment's and RudderStack's clients send them."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from shopkeeper.domain.delivery import Delivery
from shopkeeper.domain.source import Source
from shopkeeper.web.tracking import answers
from shopkeeper.web.tracking.answers import Refusal
from shopkeeper.web.tracking.bodies import LARGEST, LARGEST_UNKNOWN
from shopkeeper.web.tracking.envelope import opened
from shopkeeper.web.tracking.keys import from_header, from_query

if TYPE_CHECKING:
    from shopkeeper.web.tracking.door import Asked, Door

FORMAT = "tracking"
BATCHES = frozenset({"batch", "import"})
_LONGEST_QUERY = 8_000
_MOST_FIELDS = 100
_DEEPEST = 8


async def take_call(door: Door, asked: Asked, topic: str) -> None:
    """POST: one call, or a batch of them."""
    source = _sender(door, asked)
    if source:
        asked.name, largest = source.name, LARGEST
    else:
        largest = LARGEST_UNKNOWN
    raw, gzipped = await door.bodies.read(asked.receive, asked.length, asked.encoding, largest)
    body, events, inner = opened(raw, batch=topic in BATCHES)
    if body is not raw:
        gzipped = None  # it was mended
    await _keep(door, asked, source or inner, topic, body, events, gzipped)
    await answers.accepted(asked.send, asked.origin)


async def take_pixel(door: Door, asked: Asked, topic: str) -> None:
    """GET: a call whose fields stand in the query, or as base64 of JSON under ``data``; the answer is a picture."""
    body, inner = _from_query(asked.scope["query_string"], topic)
    await _keep(door, asked, _sender(door, asked) or inner, topic, body, 1)
    await answers.picture(asked.send, asked.origin)


async def drop_metrics(door: Door, asked: Asked, _topic: str) -> None:
    """POST: what Segment's browser client tells its maker about itself. It is read and forgotten."""
    await door.bodies.read(asked.receive, asked.length, asked.encoding, LARGEST_UNKNOWN)
    await answers.accepted(asked.send, asked.origin)


def _sender(door: Door, asked: Asked) -> Source | None:
    """The source by what stands outside the body; None where only the body can tell. Raises Refusal."""
    query = asked.scope["query_string"]
    if given := asked.authorization:
        key = from_header(given)
        if key and not (given[:1] in b"Bb" and given[1:2] in b"Ee" and not door.senders.knows(key)):
            return door.senders.source(key, asked.scope, asked.origin)
        # a Bearer that is no key of ours may be a token beside the key in the body
    if query and (key := from_query(query)):
        return door.senders.source(key, asked.scope, asked.origin)
    return None


async def _keep(
    door: Door,
    asked: Asked,
    sender: Source | str,
    topic: str,
    body: bytes,
    events: int,
    gzipped: bytes | None = None,
) -> None:
    source = door.senders.source(sender, asked.scope, asked.origin) if isinstance(sender, str) else sender
    door.admit(asked, source, "tracking", events)
    if not events:
        return
    delivery = Delivery(
        source=source.name,
        format=FORMAT,
        received_at=door.shop.hearing.now(),
        body=body,
        topic=topic,
        notes=asked.notes,
    )
    await door.keep(delivery, events, gzipped)


def _from_query(query: bytes, topic: str) -> tuple[bytes, str]:
    """The call that a query string spells out, and its key.

    A dot in a name leads into an object. The call gets an id of its own here, once: the same picture shown twice
    is two events.
    """
    if len(query) > _LONGEST_QUERY:
        raise Refusal(414, "too_large", f"a pixel's query may have {_LONGEST_QUERY} characters")
    try:
        fields = parse_qsl(query.decode("ascii"), max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refusal(400, "bad_query", "the query is not UTF-8, or has too many fields") from None
    call: dict[str, Any] = {}
    for name, value in fields:
        if name == "data":
            call |= _packed(value)
        else:
            _set(call, name.split(".", _DEEPEST), value)
    key = call.pop("writeKey", "")
    call["type"] = topic
    call.setdefault("messageId", "pixel-" + token_hex(16))
    return msgspec.json.encode(call), key if type(key) is str else ""


def _packed(value: str) -> dict[str, Any]:
    try:
        packed = urlsafe_b64decode(value.replace("+", "-").replace("/", "_").replace(" ", "-") + "==")
        return msgspec.json.decode(packed, type=dict[str, Any])
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise Refusal(400, "bad_query", "'data' is not base64 of a JSON object") from None


def _set(call: dict[str, Any], path: list[str], value: str) -> None:
    at: Any = call
    for step in path[:-1]:
        at = at.setdefault(step, {})
        if type(at) is not dict:
            raise Refusal(400, "bad_query", "a field of the query is a value and an object at once")
    at[path[-1]] = value
