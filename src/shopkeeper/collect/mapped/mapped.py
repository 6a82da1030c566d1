"""Reads a delivery of any JSON by its source's mapping.

An element that cannot be read is refused by itself and whole: none of its events is taken, so that it can be replayed
once the mapping is mended. One that no block is about is refused too, unless the mapping says to ignore it: nothing
goes by unseen.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopkeeper.collect.deliveries import cells_in
from shopkeeper.collect.leniency import validated
from shopkeeper.collect.mapped.blocks import EventBlock, RecordBlock
from shopkeeper.collect.mapped.lists import elements
from shopkeeper.collect.mapped.mapping import Mapping, check
from shopkeeper.collect.mapped.paths import MISSING, Scope
from shopkeeper.collect.mapped.values import as_text, blank, texted
from shopkeeper.collect.segment import LONGEST, usual_channel
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.catalogue import RECORDS
from shopkeeper.domain.delivery import Delivery, Settled, Understood
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import EVENTS, Event, canonical_name
from shopkeeper.domain.identifier import Identifier

__all__ = ["check", "read"]

_ELEMENT, _AROUND = "$element", "$body"
"""Members of what is kept of a refused element: itself, and what the mapping reads of the body around it."""
_decode: Final = msgspec.json.Decoder().decode


def read(delivery: Delivery, settled: Settled) -> Understood:
    r"""The events and records of a delivery. Raises BadEvent for a body that is no JSON.

    >>> mapping = '[[event]]\nname = "Contact Opened"\n[event.properties]\nreason = "@.why"'
    >>> delivery = Delivery(source="calls", format="mapped", received_at=5, body=b'[{"why": "cancel"}, 7]')
    >>> settled = Settled(now=5, zone="UTC", currency="GBP", region="GB", mapping=mapping)
    >>> batch = read(delivery, settled).batch
    >>> [event.properties.reason for event in batch.events], [refused.reason for refused in batch.refused]
    (['cancel'], ['not_an_object'])
    """
    mapping = check(settled.mapping)
    topic = topic_of(mapping, delivery)
    body, found = _opened(mapping, delivery.body, topic)
    batch = Batch(read=len(found))
    reading = _Reading(mapping, delivery, settled, topic)
    for place, element in enumerate(found, 1):
        scope = (body, element)
        try:
            events, records = reading.element(scope)
        except BadEvent as error:
            batch.refused.append(_refused(mapping, scope, place, error.reason, error.message))
        except RecursionError:
            batch.refused.append(_refused(mapping, scope, place, "too_deep", "nested too deeply"))
        else:
            batch.events += events
            batch.records += records
    return Understood(batch=batch)


def _opened(mapping: Mapping, raw: bytes, topic: str) -> tuple[Any, list[Any]]:
    """The body and its elements."""
    try:
        body = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadEvent(
            "not_json", "the body is no JSON that can be read", hint="send JSON in UTF-8"
        ) from None
    if type(body) is dict and body.keys() == {_ELEMENT, _AROUND}:
        return body[_AROUND], [body[_ELEMENT]]
    if mapping.each is not None:
        found = elements(mapping.each, (body, body))
        if (
            not found
            and mapping.each.one((body, body)) is MISSING
            and not _ignored(mapping, (body, body), topic)
        ):
            raise BadEvent("no_elements", f"{mapping.each.text} finds nothing in the body")
        return body, found
    return body, body if type(body) is list else [body]


def _ignored(mapping: Mapping, scope: Scope, topic: str) -> bool:
    return any(holds(scope, topic) for holds in mapping.ignored)


def topic_of(mapping: Mapping, delivery: Delivery) -> str:
    """What a body is about, where that stands beside it: in the header that the mapping names, or as the door says."""
    return (mapping.topic_header and delivery.notes.get(mapping.topic_header)) or delivery.topic


class _Reading:
    """One delivery being read."""

    def __init__(self, mapping: Mapping, delivery: Delivery, settled: Settled, topic: str) -> None:
        self.mapping = mapping
        self.delivery = delivery
        self.settled = settled
        self.topic = topic

    def element(self, scope: Scope) -> tuple[list[Event], list[tuple[str, Struct]]]:
        """What one element tells. Raises BadEvent where one of its events or records cannot be."""
        if type(scope[-1]) is not dict:
            raise BadEvent("not_an_object", "an element that is no JSON object")
        topic, events, told = self.topic, [], False
        alike: dict[str, int] = {}
        for block in self.mapping.events:
            if block.when is not None and not block.when(scope, topic):
                continue
            told = True
            for inner in _inner(block, scope):
                event = self._event(block, inner, alike)
                events.append(event)
        records: list[tuple[str, Struct]] = []
        for record in self.mapping.records:
            if record.when is None or record.when(scope, topic):
                told = True
                records += [_record(record, inner) for inner in _inner(record, scope)]
        if not told and not _ignored(self.mapping, scope, topic):
            about = f" under the topic {topic[:60]!r}" if topic else ""
            raise BadEvent("unmapped", f"no block of the mapping is about this element{about}")
        return events, records

    def _event(self, block: EventBlock, scope: Scope, alike: dict[str, int]) -> Event:
        name = block.literal or _named(block, scope)
        given: dict[str, Any] = {}
        texts = block.texts
        for field, value in block.properties:
            if not blank(found := value(scope)):
                given[field] = texted(found) if field in texts else found
        properties, more = validated(name, given)
        if block.more:
            more = {**more, **{key: found for key, value in block.more if not blank(found := value(scope))}}
        at, mapping, settled = block.at, self.mapping, self.settled
        received_at = self.delivery.received_at
        occurred_at = received_at
        if at is not None:
            told = at.path(scope)
            if not blank(told):
                occurred_at = at.read(told, at.zone or settled.zone)
            elif not at.arrival:
                raise BadEvent("no_time", f"{block.title}: nothing tells when it happened")
        channel = as_text(found) if block.channel and not blank(found := block.channel(scope)) else ""
        brand = as_text(found) if block.brand and not blank(found := block.brand(scope)) else ""
        return Event(
            name=name,
            message_id=self._message_id(block, name, scope, alike),
            occurred_at=occurred_at,
            received_at=received_at,
            identifiers=_identifiers(block, scope),
            properties=properties,
            more=more,
            source=self.delivery.source,
            brand=brand or mapping.brand or settled.brand,
            channel=channel or mapping.channel or settled.channel or usual_channel(name),
        )

    def _message_id(self, block: EventBlock, name: str, scope: Scope, alike: dict[str, int]) -> str:
        """The sender's own id below the source and the event's name, or a hash of the element."""
        source = self.delivery.source
        if block.id is not None and (told := block.id(scope)):
            message_id = f"{source}:{name}:{told}"
            if len(message_id) <= LONGEST:
                return message_id
            return f"{source}:{name}:#{blake2b(told.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
        alike[name] = count = alike.get(name, 0) + 1
        own = msgspec.json.encode(scope[1:], order="deterministic")
        digest = blake2b(own, digest_size=16, person=b"" if count == 1 else str(count)[:16].encode())
        return f"{source}:{name}:#{digest.hexdigest()}"


def _inner(block: EventBlock | RecordBlock, scope: Scope) -> list[Scope]:
    if block.each is None:
        return [scope]
    return [(*scope, one) for one in elements(block.each, scope)]


def _named(block: EventBlock, scope: Scope) -> str:
    found = block.name(scope)
    if blank(found):
        raise BadEvent("no_name", f"{block.title}: nothing tells which event it is")
    name = canonical_name(as_text(found)[:LONGEST])
    if name not in EVENTS and not block.undeclared:
        raise BadEvent(
            "unknown_event", f"{block.title}: its name is none of the declared events", hint="map it"
        )
    return name


def _identifiers(block: EventBlock, scope: Scope) -> tuple[Identifier, ...]:
    found: list[Identifier] = []
    for kind, values in block.identifiers:
        for value in values(scope):
            if blank(value):
                continue
            if type(value) not in (str, int, float):
                raise BadEvent("bad_identifier", f"{block.title}: {kind!r} is no text")
            text = as_text(value).strip()
            if len(text) > LONGEST:
                raise BadEvent(
                    "bad_identifier", f"{block.title}: {kind!r} has more than {LONGEST} characters"
                )
            if text and (one := Identifier(kind, text)) not in found:
                found.append(one)
    return tuple(found)


def _record(block: RecordBlock, scope: Scope) -> tuple[str, Struct]:
    given: dict[str, Any] = {}
    for field, value in block.fields:
        if not blank(found := value(scope)):
            given[field] = texted(found) if field in block.texts else found
    try:
        return block.kind, msgspec.convert(given, RECORDS[block.kind], strict=False)
    except msgspec.ValidationError as error:
        why = str(error).replace("`", "'")
        raise BadEvent("invalid_record", f"{block.title}, {block.kind}: {why}") from None


def _refused(mapping: Mapping, scope: Scope, place: int, reason: str, detail: str) -> Refused:
    """An element as it can be read again by itself, with what the mapping reads of the body around it."""
    body, element = scope
    kept = element if body is element else {_ELEMENT: element, _AROUND: _around(mapping, scope)}
    try:
        raw = msgspec.json.encode(kept).decode("utf-8", "replace")
    except RecursionError:
        raw = ""
    return Refused(line=place, reason=reason, detail=detail, raw=raw, cells=tuple(cells_in(element)))


def _around(mapping: Mapping, scope: Scope) -> dict[str, Any]:
    """Of the body only what the mapping reads: other elements are other people's."""
    kept: dict[str, Any] = {}
    for path in mapping.around:
        names = path.names or ()
        value = path.one(scope)
        if value is MISSING or isinstance(value, dict | list) or not all(type(name) is str for name in names):
            continue
        inner = kept
        for name in names[:-1]:
            inner = inner.setdefault(str(name), {})
        inner[str(names[-1])] = value
    return kept
