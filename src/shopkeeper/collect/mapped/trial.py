"""Tries a mapping on a sample body, so that one is written in minutes: what comes out, and which paths find nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from shopkeeper.collect.mapped.blocks import EventBlock, RecordBlock
from shopkeeper.collect.mapped.lists import elements
from shopkeeper.collect.mapped.mapped import read
from shopkeeper.collect.mapped.mapping import Mapping, check
from shopkeeper.collect.mapped.paths import MISSING, Path, Scope
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.clock import instant
from shopkeeper.domain.delivery import Delivery, Settled
from shopkeeper.domain.event import Event
from shopkeeper.domain.trial import Trial, TriedEvent

_MOST: Final = 200
"""Elements whose scopes are searched for what paths find."""
_SHOWN: Final = 40
"""Names listed where none is near."""


def attempt(mapping_text: str, body: bytes, settled: Settled, *, source: str, topic: str = "") -> Trial:
    """What a mapping makes of a body. Raises InvalidInput for a mapping that is wrong, BadEvent for no JSON."""
    mapping = check(mapping_text)
    settled = msgspec.structs.replace(settled, mapping=mapping_text)
    delivery = Delivery(source=source, format="mapped", received_at=settled.now, body=body, topic=topic)
    batch = read(delivery, settled).batch
    whole = msgspec.json.decode(body)
    found = (
        elements(mapping.each, (whole, whole)) if mapping.each else whole if type(whole) is list else [whole]
    )
    scopes = [(whole, element) for element in found]
    return Trial(
        title=mapping.title,
        elements=batch.read,
        events=tuple(_shown(event) for event in batch.events),
        records=tuple((kind, msgspec.to_builtins(record)) for kind, record in batch.records),
        refused=tuple((row.line, row.reason, row.detail) for row in batch.refused),
        ignored=_ignored(mapping, batch, scopes, topic),
        notes=tuple(_notes(mapping, batch, scopes[:_MOST], topic)),
        signed_by=mapping.signature.header if mapping.signature else "",
    )


def _shown(event: Event) -> TriedEvent:
    properties = event.properties
    return TriedEvent(
        name=event.name,
        message_id=event.message_id,
        occurred_at=instant(event.occurred_at),
        channel=event.channel,
        brand=event.brand,
        identifiers=tuple((one.kind, one.value) for one in event.identifiers),
        properties=msgspec.to_builtins(properties),
        more=event.more,
        sentence=event.name.lower() if isinstance(properties, dict) else properties.sentence(),
    )


def _ignored(mapping: Mapping, batch: Batch, scopes: list[Scope], topic: str) -> int:
    """Elements that no block is about and that were not refused."""
    told = [block.when for block in _blocks(mapping)]
    refused = {row.line for row in batch.refused}
    return sum(
        all(when is not None and not when(scope, topic) for when in told)
        for place, scope in enumerate(scopes, 1)
        if place not in refused
    )


def _notes(mapping: Mapping, batch: Batch, scopes: list[Scope], topic: str) -> Iterator[str]:
    """What is likely to be a mistake."""
    ids: dict[str, int] = {}
    for event in batch.events:
        ids[event.message_id] = ids.get(event.message_id, 0) + 1
    for message_id, count in ids.items():
        if count > 1:
            name = message_id.split(":")[1]
            yield f"{count} events {name!r} have the same id, so that only the first is kept: add to 'id'"
    nobody = sorted(
        {event.name for event in batch.events if not event.identifiers and event.name != "Stock Changed"}
    )
    if nobody:
        yield f"nobody is named in {', '.join(nobody)}: they belong to no customer"
    seen: set[tuple[int, str]] = set()
    for block in _blocks(mapping):
        outer = [scope for scope in scopes if block.when is None or block.when(scope, topic)]
        inner = [own for scope in outer for own in _own(block, scope)]
        for line, several in block.paths if outer else ():
            text = " or ".join(path.text for path in several)
            if (line, text) not in seen and not any(_found(path, [*outer, *inner]) for path in several):
                seen.add((line, text))
                yield f"line {line}: {text} finds nothing in the sample{_nearest(several[0], inner or outer)}"


def _blocks(mapping: Mapping) -> tuple[EventBlock | RecordBlock, ...]:
    return (*mapping.events, *mapping.records)


def _own(block: EventBlock | RecordBlock, scope: Scope) -> list[Scope]:
    return [scope] if block.each is None else [(*scope, one) for one in elements(block.each, scope)[:_MOST]]


def _found(path: Path, scopes: list[Scope]) -> bool:
    """Whether a path finds something; paths of lines are asked in every object in lists below the element."""
    if any(path.one(scope) is not MISSING for scope in scopes):
        return True
    if not path.level:
        return False
    return any(
        path.one((scope[0], inner)) is not MISSING for scope in scopes for inner in _objects(scope[-1])
    )


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object in lists below a value."""
    if depth > 6:
        return
    if type(value) is list:
        for one in value[:_MOST]:
            if type(one) is dict:
                yield one
            yield from _objects(one, depth + 1)
    elif type(value) is dict:
        for one in value.values():
            yield from _objects(one, depth + 1)


def _nearest(path: Path, scopes: list[Scope]) -> str:
    """Which name there is instead of the one that was not found."""
    if path.names is None:
        return ""
    best, place = -1, {}
    for scope in scopes:
        node = path.start(scope)
        for depth, name in enumerate(path.names):
            if type(node) is not dict or name not in node:
                if type(node) is dict and depth > best:
                    best, place = depth, node
                break
            node = node[name]
    if best < 0 or type(name := path.names[best]) is not str:
        return ""
    if near := get_close_matches(name, place, n=1):
        return f"; did you mean {_written(path, (*path.names[:best], near[0]))}?"
    return f"; there are {', '.join(sorted(place)[:_SHOWN])}" if place else ""


def _written(path: Path, names: tuple[str | int, ...]) -> str:
    """A path as it is written in a mapping."""
    text = "@" * path.level or "$"
    for name in names:
        plain = isinstance(name, str) and re.fullmatch(r"[A-Za-z_]\w*", name)
        text += f".{name}" if plain else f"[{name!r}]"
    return text
