"""New files of a change, under names nobody used before and durable together; and files nobody lists, swept away."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.stores.contract.lake import LakeFile
from shopkeeper.stores.lake import engine
from shopkeeper.stores.lake.manifest import checksum, disk, sync_file, sync_folder
from shopkeeper.stores.lake.schema import TABLES

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_OURS = re.compile(r"(tmp_)?g\d{8}-[0-9a-f]{16}\.parquet")
_ASIDE = re.compile(r"manifest\.json\.[0-9a-f]{12}\.tmp")
_SPILL = re.compile(re.escape(engine.SPILL) + r"(\d+)-[0-9a-f]{8}")
_ROW_GROUP = 122_880


class NewFiles:
    """Files being written for generation ``generation`` of the lake in ``folder``."""

    def __init__(self, folder: Path, generation: int) -> None:
        self.folder = folder
        self.generation = generation
        self._paths: list[Path] = []

    def copy(
        self,
        duck: duckdb.DuckDBPyConnection,
        select: str,
        table: str,
        month: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> LakeFile:
        """Write the rows of a SELECT into a new file."""
        path = self._new(table, month)
        statement = (
            f"COPY ({select}) TO {engine.quoted(path)} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}, USE_TMP_FILE false)"
        )
        rows = duck.execute(statement, parameters).fetchall()[0][0]
        return self._listed(path, int(rows), month)

    def put(self, table: str, rows: pa.Table) -> LakeFile:
        """Write an Arrow table into a new file."""
        import pyarrow.parquet as pq

        path = self._new(table, "")
        with disk():
            pq.write_table(rows, path, compression="zstd", row_group_size=_ROW_GROUP)
        return self._listed(path, rows.num_rows, "")

    def drop(self, file: LakeFile) -> None:
        """Take a file of this change away again."""
        path = self.folder / file.path
        self._paths.remove(path)
        with disk():
            path.unlink()

    def sealed(self, tables: Mapping[str, Sequence[LakeFile]]) -> dict[str, tuple[LakeFile, ...]]:
        """The tables with every new file on the disk and described: its size and checksum."""
        new = {path.relative_to(self.folder).as_posix() for path in self._paths}
        sealed = {
            table: tuple(self._described(file) if file.path in new else file for file in files)
            for table, files in tables.items()
        }
        for folder in {parent for path in self._paths for parent in (path.parent, path.parent.parent)}:
            sync_folder(folder)
        sync_folder(self.folder)
        return sealed

    def _described(self, file: LakeFile) -> LakeFile:
        path = self.folder / file.path
        sync_file(path)
        with disk():
            return msgspec.structs.replace(file, bytes=path.stat().st_size, checksum=checksum(path))

    def _new(self, table: str, month: str) -> Path:
        folder = self.folder / table / f"month={month}" if month else self.folder / table
        with disk():
            folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"g{self.generation:08d}-{secrets.token_hex(8)}.parquet"
        self._paths.append(path)
        return path

    def _listed(self, path: Path, rows: int, month: str) -> LakeFile:
        return LakeFile(path=path.relative_to(self.folder).as_posix(), rows=rows, bytes=0, month=month)


def sweep(folder: Path, keep: set[str]) -> int:
    """Remove files of ours that are not in ``keep``; returns how many. Only for the holder of the writer lock."""
    gone = 0
    for path, name in _found(folder):
        if name not in keep:
            with suppress(OSError):  # a file another program holds open (Windows) is swept another time
                path.unlink()
                gone += 1
    return gone


def sweep_spills(folder: Path, is_running: Callable[[int], bool]) -> None:
    """Remove what engines of processes that are no longer running had spilled to disk."""
    for path in folder.glob(engine.SPILL + "*"):
        match = _SPILL.fullmatch(path.name)
        if match and not is_running(int(match[1])):
            for file in path.glob("*"):
                with suppress(OSError):
                    file.unlink()
            with suppress(OSError):
                path.rmdir()


def is_running(process: int) -> bool:
    """Whether a process of this number is there. On doubt it is."""
    if os.name == "nt":  # signal 0 would end it there
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def any_of_ours(folder: Path) -> bool:
    """Whether there is any file that a lake wrote."""
    return any(path.suffix == ".parquet" for path, _ in _found(folder))


def _found(folder: Path) -> Iterable[tuple[Path, str]]:
    for path in folder.glob("*.tmp"):
        if _ASIDE.fullmatch(path.name):
            yield path, path.name
    for table in TABLES:
        for path in (folder / table).glob("**/*.parquet"):
            if _OURS.fullmatch(path.name):
                yield path, path.relative_to(folder).as_posix()
