"""What the simulation knows and the shop must find out: kept apart, for tests and benchmarks only.

Every room of the simulation reports here each identifier it hands out and each trap it sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.collect.samples.columns import pick
from shopkeeper.collect.samples.source import Ints


@dataclass(slots=True)
class Truth:
    """Collects who is behind which identifier; `write` makes the Parquet files."""

    identifiers: list[tuple[str, pa.Array, Ints]] = field(default_factory=list)
    traps: list[tuple[str, str, str, str]] = field(default_factory=list)
    tables: dict[str, pa.Table] = field(default_factory=dict)

    def knows(self, kind: str, values: pa.Array, persons: Ints) -> None:
        """These identifiers of one kind belong to these persons (missing values are skipped)."""
        valid = pc.is_valid(values).to_numpy(zero_copy_only=False) & (persons >= 0)
        self.identifiers.append((kind, values.filter(pa.array(valid)).cast(pa.string()), persons[valid]))

    def trap(self, trap: str, kind: str, value: str, says: str) -> None:
        """This identifier must not merge the persons who show it."""
        self.traps.append((trap, kind, value, says))

    def table(self, name: str, **columns: object) -> None:
        """Keep a further table of the truth."""
        self.tables[name] = pa.table(columns)

    def identifier_table(self, ids: pa.StringArray) -> pa.Table:
        """Distinct (kind, value, person_id), with the number of persons who use the value."""
        rows = pa.table(
            {
                "kind": pa.concat_arrays(
                    [pa.array([k] * len(v), pa.string()) for k, v, _ in self.identifiers]
                ),
                "value": pa.concat_arrays([v for _, v, _ in self.identifiers]),
                "person_id": pick(ids, np.concatenate([p for _, _, p in self.identifiers])),
            }
        )
        rows = rows.group_by(["kind", "value", "person_id"], use_threads=False).aggregate([])
        shared = rows.group_by(["kind", "value"], use_threads=False).aggregate([("person_id", "count")])
        shared = shared.rename_columns({"person_id_count": "persons"})
        keys = [("kind", "ascending"), ("value", "ascending"), ("person_id", "ascending")]
        return rows.join(shared, ["kind", "value"], use_threads=False).sort_by(keys)

    def write(self, folder: Path, ids: pa.StringArray) -> dict[str, int]:
        """Write identifiers, traps and the further tables; return the rows of each file."""
        folder.mkdir(parents=True, exist_ok=True)
        names = ("trap", "kind", "value", "says")
        columns = zip(*self.traps, strict=True) if self.traps else ((),) * 4
        self.tables["traps"] = pa.table(
            {n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)}
        )
        self.tables["identifiers"] = self.identifier_table(ids)
        for name, table in sorted(self.tables.items()):
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        return {name: table.num_rows for name, table in sorted(self.tables.items())}
