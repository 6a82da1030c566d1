"""The lake itself: who may write, which manifest is in force, and when old files go."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopkeeper.domain.errors import StoreBusy, StoreDamaged
from shopkeeper.stores.contract.lake import Manifest
from shopkeeper.stores.lake import engine, manifest, rewrite
from shopkeeper.stores.lake.change import Change
from shopkeeper.stores.lake.files import NewFiles, any_of_ours, is_running, sweep, sweep_spills
from shopkeeper.stores.lake.lock import writing
from shopkeeper.stores.lake.reader import Reader

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PATIENCE = 10.0
_TRIES = 5


class ParquetLake:
    """The contract's Lake. ``patience`` is how many seconds a writer waits for another one before StoreBusy."""

    def __init__(self, folder: Path, *, memory_limit: str, threads: int, patience: float = _PATIENCE) -> None:
        self._folder = folder.absolute()
        self._power = engine.Power(memory_limit, threads)
        self._patience = patience
        self._guard = threading.RLock()
        self._reader: Reader | None = None
        with manifest.disk():
            self._folder.mkdir(parents=True, exist_ok=True)
        self._manifest = self._opened()

    def manifest(self) -> Manifest:
        """The manifest in force on disk; from here on questions are answered from it."""
        found = manifest.read(self._folder)
        if found is None:
            raise StoreDamaged(f"the lake's {manifest.NAME} is missing", hint=manifest.REBUILD)
        self._move_to(found)
        return found

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Begin a change; it is swapped in when the context ends, or dropped when it raises."""
        with self._writing() as (base, files):
            made = Change(files, base, self._power)
            try:
                yield made
                new = made.finish()
                if new is not None:
                    manifest.write(self._folder, new)
                    self._move_to(new)
            finally:
                made.close()

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, sample: bool = False
    ) -> pa.Table:
        """Answer a question; see the contract."""
        for _ in range(_TRIES):
            seen = self._manifest.generation
            try:
                reader = self._current()
                return reader.sampled(sql, parameters) if sample else reader.query(sql, parameters)
            except StoreDamaged:
                # A writer elsewhere may have gone on and removed what this one still listed.
                if self.manifest().generation == seen:
                    raise
        raise StoreBusy("the lake changes faster than it can be read", hint="try again")

    def compact(self) -> int:
        """Merge delta files into their partitions; returns how many files went away."""
        with self._writing() as (base, files), self._engine() as duck:
            new = rewrite.merge(base, files, duck)
            if new is None:
                return 0
            manifest.write(self._folder, new)
            self._move_to(new)
            return _count(base) - _count(new)

    def forget(self, nodes: Sequence[int]) -> int:
        """Rewrite every file that tells of these nodes and delete the old ones; see the contract."""
        if not nodes:
            return 0
        with self._writing() as (base, files), self._engine() as duck:
            new, touched = rewrite.forget(base, files, duck, nodes)
            # Files that no manifest lists may tell of them as well, so the sweep after this is part of the deed.
            manifest.write(self._folder, new)
            self._move_to(new)
            return touched

    def verify(self) -> list[str]:
        """What is wrong with the files, in sentences; empty when all is well. Reads every byte."""
        return manifest.changed(self._folder, self.manifest())

    def close(self) -> None:
        """Let go of files and memory."""
        with self._guard:
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _opened(self) -> Manifest:
        """The manifest in force after tidying up, if nobody is writing."""
        try:
            with writing(self._folder, patience=0):
                found = manifest.read(self._folder)
                if found is None:
                    if any_of_ours(self._folder):
                        raise StoreDamaged(f"the lake's {manifest.NAME} is missing", hint=manifest.REBUILD)
                    found = Manifest()
                    manifest.write(self._folder, found)
                self._tidy(found)
                return found
        except StoreBusy:
            found = manifest.read(self._folder)
            if found is None:
                raise
            return found

    @contextmanager
    def _writing(self) -> Iterator[tuple[Manifest, NewFiles]]:
        """The only writer, on the manifest in force; tidies up afterwards, however it went."""
        with writing(self._folder, patience=self._patience):
            base = self.manifest()
            files = NewFiles(self._folder, base.generation + 1)
            try:
                yield base, files
            finally:
                # What was written and not swapped in is garbage by now; the manifest on disk decides.
                in_force = manifest.read(self._folder)
                if in_force is not None:
                    self._tidy(in_force)

    def _tidy(self, in_force: Manifest) -> None:
        keep = {file.path for file in manifest.files_of(in_force)} | set(in_force.retired)
        sweep(self._folder, keep)
        sweep_spills(self._folder, is_running)

    @contextmanager
    def _engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        duck = engine.connect(self._folder, self._power, reads=None)
        try:
            yield duck
        finally:
            duck.close()

    def _current(self) -> Reader:
        with self._guard:
            if self._reader is None:
                self._reader = Reader(self._folder, self._manifest, self._power)
            return self._reader

    def _move_to(self, found: Manifest) -> None:
        with self._guard:
            if found.generation != self._manifest.generation:
                # The old reader is not closed: another thread may be in the middle of a question to it.
                self._reader = None
            self._manifest = found


def _count(listed: Manifest) -> int:
    return sum(1 for _ in manifest.files_of(listed))
