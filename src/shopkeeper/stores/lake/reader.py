"""Questions over exactly the files of one manifest."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from shopkeeper.domain.errors import InvalidInput, StoreDamaged
from shopkeeper.domain.patience import patience, waiting
from shopkeeper.stores.contract.lake import Manifest
from shopkeeper.stores.lake import engine, sample, sql
from shopkeeper.stores.lake.manifest import REBUILD, files_of, missing
from shopkeeper.stores.lake.schema import TABLES

if TYPE_CHECKING:
    import pyarrow as pa


class Reader:
    """Answers from the files that ``manifest`` lists, however the lake goes on. Safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest, power: engine.Power) -> None:
        self.manifest = manifest
        self._folder = folder
        wrong = missing(folder, manifest)
        if wrong:
            raise StoreDamaged(f"the lake: {wrong[0]}", hint=REBUILD)
        self._duck = engine.connect(folder, power, reads=[folder / file.path for file in files_of(manifest)])
        with engine.translated(self._folder, self.manifest):
            for table in TABLES:
                files = [folder / file.path for file in manifest.tables.get(table, ())]
                select = engine.over(files, sql.view(table)) if files else sql.empty(table)
                self._duck.execute(f"CREATE VIEW {table} AS {select}")

        self._power = power
        self._sample: duckdb.DuckDBPyConnection | None = None
        self._gathering = threading.Lock()

    def query(self, question: str, parameters: Mapping[str, Any] | None) -> pa.Table:
        """The answer to one SELECT."""
        return self._asked(self._duck, question, parameters)

    def sampled(self, question: str, parameters: Mapping[str, Any] | None) -> pa.Table:
        """The answer of a sample of the customers; see the contract. The sample is gathered when it is first asked."""
        share = sample.share(self.manifest)
        if share is None:
            return self.query(question, parameters)
        with self._gathering:
            if self._sample is None:
                self._sample = self._gathered(share)
        return self._asked(self._sample, question, parameters)

    def _gathered(self, share: float) -> duckdb.DuckDBPyConnection:
        """An engine in memory with the sample's rows."""
        duck = engine.connect(self._folder, self._power, reads=[])
        try:
            for table, select in sample.SELECTS.items():
                with waiting(0):  # the next who asks would only begin anew
                    rows = self.query(select, sample.parameters(select, share))
                duck.register("gathered", rows)
                duck.execute(f"CREATE TABLE {table} AS SELECT * FROM gathered")
                duck.unregister("gathered")
        except BaseException:
            duck.close()
            raise
        return duck

    def _asked(
        self, engine_: duckdb.DuckDBPyConnection, question: str, parameters: Mapping[str, Any] | None
    ) -> pa.Table:
        with (
            engine.translated(self._folder, self.manifest),
            engine.asking(engine_, patience()) as duck,
        ):
            statements = duck.extract_statements(question)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InvalidInput("a question to the lake is one SELECT", hint="begin with SELECT or WITH")
            return duck.sql(question, params=dict(parameters) if parameters else None).to_arrow_table()

    def close(self) -> None:
        """Let go of files and memory."""
        self._duck.close()
        if self._sample is not None:
            self._sample.close()
