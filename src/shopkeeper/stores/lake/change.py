"""A change in the making: logged rows gathered, shredded, and written by month; snapshots put aside."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.stores.contract.lake import LakeFile, Manifest
from shopkeeper.stores.lake import engine, sql
from shopkeeper.stores.lake.files import NewFiles
from shopkeeper.stores.lake.rows import LogRows, snapshot_rows
from shopkeeper.stores.lake.schema import LOG, SNAPSHOTS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SHRED_BYTES = 64 << 20
_FLUSH_ROWS = 4_000_000


class Change:
    """What ``Lake.change()`` hands out. ``flush_rows`` bounds the shredded rows held before files are written."""

    def __init__(
        self, files: NewFiles, base: Manifest, power: engine.Power, *, flush_rows: int = _FLUSH_ROWS
    ) -> None:
        self._files = files
        self._base = base
        self._power = power
        self._flush_rows = flush_rows
        self._log = LogRows(after=base.watermark)
        self._held = 0
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._added: dict[str, list[LakeFile]] = {table: [] for table in LOG}
        self._snapshots: dict[str, LakeFile] = {}
        self._reached = self._before = base.watermark, base.as_of, base.turn, base.run

    def log(self, rows: pa.RecordBatch) -> None:
        """Add logged events; see the contract."""
        self._log.add(rows)
        if self._log.bytes >= _SHRED_BYTES:
            self._shred()

    def replace(self, table: str, rows: pa.Table) -> None:
        """Put a new snapshot of a table in the place of the old one."""
        if table in LOG:
            raise InvalidInput(
                f"{table} is made of the log and cannot be replaced", hint="give logged rows to log()"
            )
        if table not in SNAPSHOTS:
            raise UnknownName("table", table, SNAPSHOTS)
        file = self._files.put(table, snapshot_rows(table, rows))
        earlier = self._snapshots.get(table)
        self._snapshots[table] = file
        if earlier is not None:
            self._files.drop(earlier)

    def reach(self, watermark: int, as_of: datetime, turn: int = 0, run: int = 0) -> None:
        """Say up to where this change tells; see the contract."""
        if watermark < self._base.watermark:
            raise InvalidInput(
                f"the lake already tells up to row {self._base.watermark}, not only {watermark}",
                hint="a lake of another ledger? Give it a folder of its own",
            )
        if as_of.tzinfo is None:
            raise InvalidInput("an instant without a time zone", hint="add tzinfo=UTC")
        self._reached = watermark, as_of, turn, run

    def finish(self) -> Manifest | None:
        """Write what is still held; the manifest to swap in, or None where nothing changed."""
        self._shred()
        self._flush()
        tables = dict(self._base.tables)
        retired: list[str] = []
        for table, files in self._added.items():
            if files:
                tables[table] = (*tables.get(table, ()), *files)
        for table, file in self._snapshots.items():
            retired += [old.path for old in tables.get(table, ())]
            tables[table] = (file,)
        watermark, as_of, turn, run = self._reached
        if tables == self._base.tables and self._reached == self._before:
            return None
        return msgspec.structs.replace(
            self._base,
            tables=self._files.sealed(tables),
            watermark=watermark,
            as_of=as_of,
            turn=turn,
            run=run,
            generation=self._files.generation,
            retired=tuple(retired),
        )

    def close(self) -> None:
        """Let go of the engine."""
        if self._duck is not None:
            self._duck.close()
            self._duck = None

    def _shred(self) -> None:
        rows = self._log.take()
        if rows is None:
            return
        duck = self._engine()
        with engine.translated(self._files.folder, self._base):
            duck.register("log", rows)
            for table, (select, facts) in sql.OF_LOG.items():
                added = duck.execute(f"INSERT INTO new_{table} {select}", {"facts": facts}).fetchall()
                self._held += int(added[0][0])
            duck.unregister("log")
        if self._held >= self._flush_rows:
            self._flush()

    def _flush(self) -> None:
        if self._duck is None or not self._held:
            return
        with engine.translated(self._files.folder, self._base):
            for table in LOG:
                months = self._duck.execute(
                    f"SELECT DISTINCT month FROM new_{table} ORDER BY month"
                ).fetchall()
                for (month,) in months:
                    year, number = divmod(month, 100)
                    name = f"{year:04d}-{number:02d}"
                    file = self._files.copy(self._duck, sql.month_of(table), table, name, {"month": month})
                    self._added[table].append(file)
                self._duck.execute(f"TRUNCATE new_{table}")
        self._held = 0

    def _engine(self) -> duckdb.DuckDBPyConnection:
        if self._duck is None:
            self._duck = engine.connect(self._files.folder, self._power, reads=None)
            for table in LOG:
                self._duck.execute(f"CREATE TABLE new_{table} AS {sql.empty(table)}")
                self._duck.execute(f"ALTER TABLE new_{table} ADD COLUMN month BIGINT")
        return self._duck
