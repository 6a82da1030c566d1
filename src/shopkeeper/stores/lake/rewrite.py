"""Files written anew: partitions merged into one file, and people forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from shopkeeper.stores.contract.lake import LakeFile, Manifest
from shopkeeper.stores.lake import engine, sql
from shopkeeper.stores.lake.schema import LOG

if TYPE_CHECKING:
    import duckdb

    from shopkeeper.stores.lake.files import NewFiles


def merge(base: Manifest, files: NewFiles, duck: duckdb.DuckDBPyConnection) -> Manifest | None:
    """One file for every partition that has several; None where none has."""
    tables: dict[str, tuple[LakeFile, ...]] = dict(base.tables)
    retired: list[str] = []
    for table in LOG:
        partitions: dict[str, list[LakeFile]] = {}
        for file in tables.get(table, ()):
            partitions.setdefault(file.month, []).append(file)
        kept: list[LakeFile] = []
        for month, parts in sorted(partitions.items()):
            if len(parts) == 1:
                kept += parts
                continue
            paths = [files.folder / part.path for part in parts]
            with engine.translated(files.folder, base):
                kept.append(files.copy(duck, engine.over(paths, sql.merged(table)), table, month))
            retired += [part.path for part in parts]
        if kept:
            tables[table] = tuple(kept)
    if not retired:
        return None
    tables = files.sealed(tables)
    return msgspec.structs.replace(base, tables=tables, generation=files.generation, retired=tuple(retired))


def forget(
    base: Manifest, files: NewFiles, duck: duckdb.DuckDBPyConnection, nodes: Sequence[int]
) -> tuple[Manifest, int]:
    """Every file that tells of these nodes without them, and how many rows changed or went.

    The manifest that comes back retires nothing: what it does not list is to be deleted at once.
    """
    import pyarrow as pa

    tables: dict[str, tuple[LakeFile, ...]] = dict(base.tables)
    touched = 0
    with engine.translated(files.folder, base):
        duck.register("gone", pa.table({"node": pa.array(nodes, pa.int64())}))
        owners = [files.folder / file.path for file in tables.get("identities", ())]
        found = engine.over(owners, sql.CUSTOMERS_OF_NODES) if owners else sql.NO_CUSTOMERS
        duck.execute(f"CREATE TABLE gone_customers AS {found}")
        for table, select in sql.FORGOTTEN.items():
            kept: list[LakeFile] = []
            for file in tables.get(table, ()):
                path = [files.folder / file.path]
                rows = int(duck.execute(engine.over(path, sql.CONCERNED[table])).fetchall()[0][0])
                touched += rows
                if not rows:
                    kept.append(file)
                    continue
                anew = files.copy(duck, engine.over(path, select), table, file.month)
                if anew.rows == 0 and table in LOG:
                    files.drop(anew)
                else:
                    kept.append(anew)
            if table in tables:
                tables[table] = tuple(kept)
    tables = files.sealed(tables)
    return msgspec.structs.replace(base, tables=tables, generation=files.generation, retired=()), touched
