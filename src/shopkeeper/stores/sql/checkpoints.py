"""Moves SQLite's write-ahead log into its file beside the writer, so that commits need not wait for it.

By default whoever commits moves the log whenever it has grown by 4 MiB, and syncs both files. Under load that is every
commit, and a fifth of the writer's time. Here a thread with a connection of its own does most of it; the writer itself
does what is left when the log is large, since only a log that was moved whole begins anew.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Final

WRITER_PAGES: Final = 16_000
"""Pages (64 MiB) after which a commit moves what is left."""
_WORTH: Final = 4 * 1024 * 1024
"""Octets of log that are worth a thread."""
_EVERY: Final = 0.2
"""Seconds between two moves."""


class Checkpoints:
    """Keeps the log of one file short. ``written`` is called after commits, by one thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._log = Path(f"{file}-wal")
        self._due = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def written(self) -> None:
        """Something was committed."""
        if self._thread is None:
            with contextlib.suppress(OSError):
                if self._log.stat().st_size >= _WORTH:
                    self._thread = threading.Thread(target=self._serve, name="checkpoints", daemon=True)
                    self._thread.start()
        self._due.set()

    def stop(self) -> None:
        """End the thread."""
        self._end.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _serve(self) -> None:
        try:
            connection = sqlite3.connect(self._file, isolation_level=None, timeout=0.0)
        except sqlite3.Error:
            return  # the writer moves the log by itself
        with contextlib.closing(connection):
            connection.execute("PRAGMA synchronous=FULL")
            while not self._end.wait(_EVERY):
                self._due.wait()
                self._due.clear()
                if self._end.is_set():
                    return
                with contextlib.suppress(
                    sqlite3.Error
                ):  # full, busy or gone: the writer meets it, and says so
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
