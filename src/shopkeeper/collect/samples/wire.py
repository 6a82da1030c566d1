"""Events as lines of the Segment HTTP tracking format, written column by column instead of one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.columns import iso_utc, join, pick, scalar, utc_millis
from shopkeeper.collect.samples.source import DAY, LAST_DAY, Flags, Ints

Value: TypeAlias = (
    pa.Array | pa.ChunkedArray | npt.NDArray[Any] | str | float | bool | Mapping[str, "Value"] | None
)
END = (LAST_DAY + 1) * DAY
"""The sample shop's now in minutes; nothing happens later."""


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()


def member(name: str, values: Value) -> pa.Array | pa.Scalar:
    """The text `"name":value` for each row, null where the value is missing; one scalar for a constant.

    >>> member("x", pa.array(["a", None])).to_pylist()
    ['"x":"a"', None]
    """
    start = f'"{name}":'
    if values is None:
        return pa.scalar(None, pa.string())
    if isinstance(values, Mapping):
        return join(start, json_object(values))
    if isinstance(values, str | float | bool):
        return scalar(start + _quoted(values))
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_string(column.type):
        encoded = column.dictionary_encode()
        escaped = pa.array([start + _quoted(v) for v in encoded.dictionary.to_pylist()], pa.string())
        return escaped.take(encoded.indices)
    return join(start, column.cast(pa.string()))


def _members(members: Mapping[str, Value]) -> pa.Array | pa.Scalar:
    texts = [member(k, v) for k, v in members.items()]
    return pc.binary_join_element_wise(*texts, scalar(","), null_handling="skip")


def json_object(members: Mapping[str, Value]) -> pa.Array | pa.Scalar:
    """One JSON object per row; members that are missing in a row are left out.

    >>> json_object({"a": np.array([1, 2]), "b": pa.array(["x", None])}).to_pylist()
    ['{"a":1,"b":"x"}', '{"a":2}']
    """
    return join("{", _members(members), "}")


class EventLog:
    """Collects the events of all rooms; `write` sorts them by time.

    Every event has a type, a messageId, an anonymousId or userId, a timestamp, and for a track call
    its name and properties. Who really caused it goes to the truth.
    """

    def __init__(self) -> None:
        self._lines: list[pa.Array] = []
        self._millis: list[Ints] = []
        self._persons: list[Ints] = []
        self._ids: list[pa.Array] = []
        self._rooms: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def add(
        self,
        room: str,
        event: str,
        minute: npt.NDArray[np.floating[Any]],
        person: Ints,
        *,
        anonymous: pa.Array | None = None,
        user: pa.Array | None = None,
        properties: Mapping[str, Value] | None = None,
        traits: Mapping[str, Value] | None = None,
        context: Mapping[str, Value] | None = None,
        channel: str = "web",
        kind: str = "track",
        keep: Flags | None = None,
    ) -> None:
        """Add one event per row; rows after the shop's now, or where `keep` is false, are dropped.

        `minute` is wall-clock time in minutes, fractions allowed; `kind` is track, page or identify.
        """
        chosen = minute < END if keep is None else keep & (minute < END)
        n = int(chosen.sum())
        if not n:
            return
        mask = pa.array(chosen)

        def only(value: Value) -> Value:
            if isinstance(value, Mapping):
                return {k: only(v) for k, v in value.items()}
            if isinstance(value, pa.Array | pa.ChunkedArray):
                return value.filter(mask)
            return value[chosen] if isinstance(value, np.ndarray) else value

        first = self._rooms.get(room, 0)
        self._rooms[room] = first + n
        number = pc.utf8_lpad(pa.array(np.arange(first, first + n)).cast(pa.string()), 7, "0")
        ids = join(f"{room}-", number)
        millis = utc_millis(minute[chosen])
        members: dict[str, Value] = {
            "type": kind,
            "messageId": ids,
            "anonymousId": only(anonymous),
            "userId": only(user),
            "timestamp": iso_utc(millis),
            "channel": channel,
        }
        if kind == "track":
            members["event"] = event
        elif kind == "page":
            members["name"] = event
        parts: list[pa.Array | str] = [_members(members)]
        for name, inner in (("properties", properties), ("traits", traits), ("context", context)):
            if inner is not None:
                parts.append(f',"{name}":')
                parts.append(json_object({k: only(v) for k, v in inner.items()}))
        self._lines.append(join("{", *parts, "}"))
        self._millis.append(millis)
        self._persons.append(person[chosen])
        self._ids.append(ids)
        label = event if kind == "track" else kind
        self.counts[label] = self.counts.get(label, 0) + n

    def write(self, path: Path) -> tuple[int, int, int]:
        """Write all events by time; return their number and the first and last time (UTC milliseconds)."""
        millis = np.concatenate(self._millis)
        order = np.argsort(millis, kind="stable")
        lines = pa.concat_arrays(self._lines).take(pa.array(order))
        with path.open("wb") as file:
            for start in range(0, len(lines), 20_000):
                part = lines.slice(start, 20_000).to_pylist()
                file.write(("\n".join(part) + "\n").encode())
        return len(lines), int(millis[order[0]]), int(millis[order[-1]])

    def truth(self, ids: pa.StringArray) -> dict[str, pa.Array]:
        """The person who caused each event: the columns message_id and person_id."""
        return {
            "message_id": pa.concat_arrays(self._ids),
            "person_id": pick(ids, np.concatenate(self._persons)),
        }
