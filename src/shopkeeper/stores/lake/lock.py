"""One writer at a time, across processes and threads: a lock that ends with the one who holds it, however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shopkeeper.domain.errors import StoreBusy

_PAUSE = 0.02


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # flock belongs to the opened file, so that two threads of one process keep each other out as well.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def writing(folder: Path, *, patience: float) -> Iterator[None]:
    """Hold the lake's writer lock; wait for it up to ``patience`` seconds, then raise StoreBusy."""
    handle = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + patience
        while not _try_lock(handle):
            if time.monotonic() >= until:
                raise StoreBusy(
                    "another process is writing to the lake", hint="try again when it has finished"
                )
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)  # lets go of the lock
