"""The worker as a child process of a server: started, started again when it dies, and stopped cleanly.

A process of its own keeps what it computes out of the way of those who answer requests. It ends by itself when its
parent is gone, however that ended: it holds the other end of a pipe that breaks then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shopkeeper.domain.errors import Conflict

if TYPE_CHECKING:
    from shopkeeper.shop.working import Worker

log = logging.getLogger("shopkeeper.worker")

_PROGRAM: Final = "import sys; from shopkeeper.shop.serving import main; sys.exit(main(sys.argv[1]))"
_HELD: Final = 3
"""Exit code of a worker that found the shop held by another."""
_BACK_OFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
_WELL: Final = 30.0
"""Seconds after which a worker that died counts as one that had worked."""
_GRACE: Final = 10.0
"""Seconds a worker has to finish its step when the server stops."""


@contextmanager
def worker_beside(folder: Path) -> Iterator[WorkerProcess]:
    """A worker for the shop in a folder, for as long as the context lasts."""
    process = WorkerProcess(folder)
    process.start()
    try:
        yield process
    finally:
        process.stop()


class WorkerProcess:
    """Keeps one worker process alive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.starts = 0
        """How many processes were started."""
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    @property
    def pid(self) -> int | None:
        """The present process's number."""
        with self._guard:
            return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin."""
        self._begin()
        self._thread.start()

    def stop(self) -> None:
        """Let the worker take what waits, for some seconds, and end."""
        self._end.set()
        with self._guard:
            process = self._process
            if process is not None and process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        if process is not None:
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                log.warning("the worker did not end in time; what it was at is done again at the next start")
                process.kill()
                process.wait()
        self._thread.join()

    def _begin(self) -> None:
        with self._guard:
            if self._end.is_set():
                return
            command = [sys.executable, "-c", _PROGRAM, str(self.folder)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own program
            self.starts += 1

    def _watch(self) -> None:
        fast = 0
        while not self._end.is_set():
            process, began = self._process, time.monotonic()
            if process is None:
                return
            code = process.wait()
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            if self._end.is_set():
                return
            fast = 0 if time.monotonic() - began > _WELL else min(fast + 1, len(_BACK_OFF))
            if code == _HELD:
                log.warning("another server works this shop; this one only takes in and shows")
                fast = len(_BACK_OFF)
            else:
                log.warning("the worker ended with code %d; starting another", code)
            if self._end.wait(_BACK_OFF[max(0, fast - 1)]):
                return
            self._begin()


def main(folder: str) -> int:
    """Work the shop in a folder until standard input ends or SIGTERM comes."""
    from shopkeeper.shop.opening import open_shop
    from shopkeeper.shop.pace import settle
    from shopkeeper.shop.working import Worker

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's to answer
    with open_shop(folder) as shop:
        worker = Worker(shop.places)
        settle()
        signal.signal(signal.SIGTERM, lambda *_: worker.stop())
        threading.Thread(target=_stop_at_end, args=(sys.stdin.fileno(), worker), daemon=True).start()
        try:
            worker.run(patience=2.0, grace=_GRACE / 2)
        except Conflict:
            return _HELD
    return 0


def _stop_at_end(pipe: int, worker: Worker) -> None:
    with contextlib.suppress(OSError):
        while os.read(pipe, 1024):  # unbuffered: a lock of the interpreter's would be held while it ends
            pass
    worker.stop()
