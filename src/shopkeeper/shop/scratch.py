"""Scratch folders beside a file in the making: private, gone afterwards, and swept where a process was killed.

What lies in one may be a whole shop with its secret. A lock that ends with its holder tells a live scratch folder from
one that was left behind.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from shopkeeper.domain.errors import StoreBusy
from shopkeeper.stores.lake.lock import writing

_PREFIX = ".shopkeeper-scratch-"


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A private folder in ``parent`` that goes when the context ends, or when somebody sweeps after a crash."""
    with ExitStack() as held:
        folder = _taken(parent, held)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(
        folder, ignore_errors=True
    )  # where a locked file cannot be removed (Windows), the rest goes now


def sweep(parent: Path) -> int:
    """Remove scratch folders in ``parent`` whose process is gone; returns how many."""
    gone = 0
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(StoreBusy, OSError), writing(folder, patience=0):
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _taken(parent: Path, held: ExitStack) -> Path:
    """A new folder whose lock is ours: one that a sweep caught before that is given up for another."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            with ExitStack() as lock:
                lock.enter_context(writing(folder, patience=0))
                if any(folder.iterdir()):
                    held.enter_context(lock.pop_all())
                    return folder
        except (StoreBusy, FileNotFoundError):
            continue
