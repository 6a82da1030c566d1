"""Rows on their way in: checked against the contract, brought to today's versions, cast to the lake's types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.domain import events as _declarations  # noqa: F401  fills EVENTS
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.event import EVENTS, UPCASTERS
from shopkeeper.stores.lake.schema import SNAPSHOTS, arrow_type, log_schema

if TYPE_CHECKING:
    import pyarrow as pa


class LogRows:
    """Logged rows gathered until there are enough to be worth a statement.

    Rows up to ``after``, the lake's watermark, are in the lake already: a batch given again adds nothing.
    """

    def __init__(self, *, after: int) -> None:
        self.bytes = 0
        self._after = after
        self._batches: list[pa.RecordBatch] = []

    def add(self, rows: pa.RecordBatch) -> None:
        """Take a batch."""
        import pyarrow as pa
        import pyarrow.compute as pc

        schema = log_schema()
        missing = [name for name in schema.names if name not in rows.schema.names]
        if missing:
            raise InvalidInput(
                f"logged rows lack {', '.join(missing)}", hint=f"the columns are {', '.join(schema.names)}"
            )
        rows = rows.select(schema.names)
        if rows.schema != schema:
            try:
                rows = rows.cast(schema)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                raise InvalidInput(
                    "logged rows have columns of other types", hint=f"expected {_shown(schema)}"
                ) from None
        if self._after:
            rows = rows.filter(pc.greater(rows["seq"], self._after))
        if rows.num_rows:
            rows = _of_today(rows)
            self._batches.append(rows)
            self.bytes += rows.nbytes

    def take(self) -> pa.Table | None:
        """What was gathered, and begin anew; None where there is nothing."""
        import pyarrow as pa

        if not self._batches:
            return None
        rows = pa.Table.from_batches(self._batches)
        self._batches, self.bytes = [], 0
        return rows


def _of_today(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with payloads of older versions of a declaration brought to today's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    moved_on = {name: row.version for name, row in EVENTS.items() if row.version > 1}
    if not moved_on or not pc.any(pc.is_in(rows["name"], pa.array(list(moved_on)))).as_py():
        return rows
    names, versions = rows["name"].to_pylist(), rows["version"].to_pylist()
    payloads = rows["payload"].to_pylist()
    for row, (name, version) in enumerate(zip(names, versions, strict=True)):
        if version < moved_on.get(name, 0):
            facts: dict[str, Any] = msgspec.json.decode(payloads[row])
            for step in range(version, moved_on[name]):
                facts = UPCASTERS[name, step].change(facts)
            payloads[row] = msgspec.json.encode(facts).decode()
    return rows.set_column(rows.schema.get_field_index("payload"), "payload", pa.array(payloads, pa.string()))


def snapshot_rows(table: str, rows: pa.Table) -> pa.Table:
    """A snapshot's rows with the declared columns in their declared types; further columns stay as they are."""
    import pyarrow as pa

    wrong = []
    for name, kind in SNAPSHOTS[table].items():
        at = rows.schema.get_field_index(name)
        if at < 0:
            continue
        expected = arrow_type(kind)
        if rows.schema.field(at).type != expected:
            try:
                rows = rows.set_column(at, name, rows.column(at).cast(expected))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                wrong.append(f"{name} as {expected}")
    if wrong:
        raise InvalidInput(
            f"the snapshot of {table} has columns of other types", hint=f"expected {', '.join(wrong)}"
        )
    return rows


def _shown(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
