"""Parquet files as rows of typed columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.collect.files.delimited import named
from shopkeeper.collect.files.rows import Chunk
from shopkeeper.collect.files.sniff import open_bytes, reading
from shopkeeper.domain.errors import BadFile

_ROWS = 1 << 17


class Columnar:
    """A Parquet file. Columns of lists and structs are left out, and it is said so."""

    format = "parquet"

    def __init__(self, path: Path, *, packed: bool = False) -> None:
        self.path = path
        self.notes: list[str] = []
        self._source: Any = path
        if packed:
            with reading(path), open_bytes(path, packed=True) as file:
                self._source = pa.BufferReader(file.read())
        with reading(path):
            try:
                schema = pq.read_schema(self._source)
                self._count = pq.read_metadata(self._source).num_rows
            except pa.ArrowException:
                raise BadFile(
                    f"{path.name!r} is cut off or no Parquet file", hint="copy or export it again"
                ) from None
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            self.notes.append(f"columns of lists or structures are not read: {', '.join(nested[:10])}")
        names = [field.name for field in schema if field.name not in nested]
        self.columns = named(names, path.name)
        self._given = dict(zip(self.columns, names, strict=True))
        self._texts = {
            f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
        }

    def chunks(self, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """All rows, numbered from 1."""
        wanted = self.columns if only is None else tuple(only)
        names = [self._given[column] for column in wanted]
        done = 0
        with reading(self.path):
            try:
                file = pq.ParquetFile(
                    self._source, read_dictionary=[name for name in names if name in self._texts]
                )
                for batch in file.iter_batches(batch_size=_ROWS, columns=names, use_threads=False):
                    columns = {
                        column: batch.column(batch.schema.get_field_index(self._given[column]))
                        for column in wanted
                    }
                    lines = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
                    done += batch.num_rows
                    yield Chunk(columns, lines, [], done / self._count)
            except pa.ArrowException:
                raise BadFile(
                    f"{self.path.name!r} is damaged after row {done}", hint="copy or export it again"
                ) from None
