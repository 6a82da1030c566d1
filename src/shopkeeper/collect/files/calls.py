"""Files of events: JSON Lines of tracking calls, or a table with one event a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from shopkeeper.collect.files.convert import Typed
from shopkeeper.collect.files.documents import Documents
from shopkeeper.collect.files.kinds import WHO
from shopkeeper.collect.files.rows import refuse as refused_row
from shopkeeper.collect.segment import parse_call
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.errors import BadEvent

EVENTS_A_BATCH: Final = 10_000
_TYPES: Final = frozenset({"track", "identify", "page", "screen", "group", "alias"})


def calls_at_start(table: Documents) -> int:
    """How many objects at the start were looked at, if most of them are tracking calls; 0 for flat rows."""
    calls = seen = 0
    for _, found in table.objects():
        if isinstance(found, dict):
            seen += 1
            calls += found.get("type") in _TYPES or (
                "event" in found and isinstance(found.get("properties"), dict)
            )
        if seen >= 50:
            break
    return seen if calls * 2 > seen else 0


def call_batches(table: Documents, *, source: str, now: int) -> Iterator[Batch]:
    """The events of a JSON file in batches.

    A file is not sent by the client whose clock is in question, so ``sentAt`` corrects a time only where the call
    also says when a server received it.
    """
    batch = Batch()
    for line, found in table.objects():
        batch.read += 1
        if isinstance(found, Refused):
            batch.refused.append(found)
        else:
            try:
                batch.events.append(_event(found, source, now))
            except BadEvent as error:
                raw = msgspec.json.encode(found).decode()
                batch.refused.append(refused_row(line, error.reason, error.message, list(leaves(found)), raw))
        if batch.read >= EVENTS_A_BATCH:
            yield batch
            batch = Batch()
    if batch.read:
        yield batch


def _event(call: dict[str, Any], source: str, now: int) -> Any:
    if "sentAt" in call:
        call = {key: value for key, value in call.items() if key != "sentAt"}
    return parse_call(call, received_at=now, default_source=source)


def leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """All texts and numbers in nested objects, so that a refused call is found by any of them.

    >>> list(leaves({"a": "x", "b": [1, {"c": "y"}]}))
    ['x', '1', 'y']
    """
    if depth > 20:
        return
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, depth + 1)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def row_batch(
    typed: Typed,
    refuse: Callable[[int, str, str], Refused],
    extra: Mapping[str, list[str | None]],
    *,
    source: str,
    now: int,
) -> Batch:
    """The events of a table's rows; columns without a meaning of their own become properties."""
    batch = Batch(read=len(typed.lines) + len(typed.refused), refused=list(typed.refused))
    names = list(typed.values)
    for i, values in enumerate(typed.rows(*names)):
        row = dict(zip(names, values, strict=True))
        kind = (row.get("type") or "track").casefold()
        told: dict[str, Any] = {
            name: value for name, cells in extra.items() if (value := cells[i]) is not None
        }
        told.update(
            {name: row[name] for name in WHO[1:] if name != "anonymous_id" and row.get(name) is not None}
        )
        call = {
            "type": kind,
            "event": row["event"],
            "name": row["event"],
            "messageId": row.get("message_id"),
            "userId": row.get("customer_id"),
            "anonymousId": row.get("anonymous_id"),
            "timestamp": row["time"] / 1_000 if abs(row["time"]) >= 1e14 else row["time"] / 1_000_000,
            "channel": row.get("channel"),
            "traits" if kind == "identify" else "properties": told,
        }
        try:
            batch.events.append(parse_call(call, received_at=now, default_source=source))
        except BadEvent as error:
            batch.refused.append(refuse(i, error.reason, error.message))
    return batch
