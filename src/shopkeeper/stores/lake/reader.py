"""Questions over exactly the files of one manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from shopkeeper.domain.errors import InvalidInput, StoreDamaged
from shopkeeper.stores.contract.lake import Manifest
from shopkeeper.stores.lake import engine, sql
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

    def query(self, question: str, parameters: Mapping[str, Any] | None) -> pa.Table:
        """The answer to one SELECT."""
        with engine.translated(self._folder, self.manifest):
            duck = self._duck.cursor()
            try:
                statements = duck.extract_statements(question)
                if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                    raise InvalidInput(
                        "a question to the lake is one SELECT", hint="begin with SELECT or WITH"
                    )
                return duck.sql(question, params=dict(parameters) if parameters else None).to_arrow_table()
            finally:
                duck.close()

    def close(self) -> None:
        """Let go of files and memory."""
        self._duck.close()
