"""Group commit: one writer thread joins the writes that wait into one transaction.

Each is in a savepoint of its own, but for the first of a transaction where nobody waits and the engine ``spares`` it:
if that one fails there is nobody else's work yet, and the transaction is undone. Who joins after it has a savepoint.
A disk sync costs milliseconds whatever it carries; joining lets many callers share one. Nobody hears of success
before the commit is on disk, and one caller's error undoes that caller's work alone.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from shopkeeper.domain.errors import Conflict

T = TypeVar("T")
W = TypeVar("W")
_JOINED = 256
"""How many waiting writes one commit takes along at most."""


class Transaction(Protocol):
    """What an engine does around writes."""

    spares: bool
    """Whether a part that is alone does without a savepoint, which copies every page that it changes: undoing the
    transaction undoes it.
    """

    def begin(self) -> None:
        """Begin a transaction that may write."""
        ...

    def commit(self) -> None:
        """Make it durable."""
        ...

    def rollback(self) -> None:
        """Undo it, if there still is one."""
        ...

    def alive(self) -> bool:
        """Whether the transaction still stands; an engine may undo it by itself when the disk is full."""
        ...

    def savepoint(self) -> None:
        """Begin one caller's part."""
        ...

    def release(self, *, undo: bool) -> None:
        """End one caller's part, keeping or undoing it."""
        ...


class _Job(Struct, frozen=True):
    work: Callable[[Any], Any]
    future: Future[Any]
    alone: bool


class GroupCommit(Generic[W]):
    """Runs writes on one thread. ``writer`` is what each of them is given."""

    def __init__(self, transaction: Transaction, writer: W, name: str) -> None:
        self._transaction = transaction
        self._writer = writer
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=f"{name}-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[W], T], *, alone: bool = False) -> T:
        """Run ``work`` in a transaction and return its result once that is durable.

        ``alone`` work is run outside any transaction, with nobody beside it.
        """
        if threading.current_thread() is self._thread:
            raise Conflict("a write was begun inside a write", hint="pass the writer on instead")
        future: Future[T] = Future()
        self._waiting.put(_Job(work, future, alone))
        return future.result()

    def stop(self) -> None:
        """Finish what waits, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        held: _Job | None = None
        while (job := held or self._waiting.get()) is not None:
            held = None
            if job.alone:
                self._alone(job)
            else:
                held, ended = self._together(job)
                if ended:
                    return

    def _alone(self, job: _Job) -> None:
        try:
            job.future.set_result(job.work(self._writer))
        except BaseException as error:  # noqa: BLE001 - the caller must hear of it, whatever it is
            job.future.set_exception(error)

    def _together(self, first: _Job) -> tuple[_Job | None, bool]:
        """One transaction for ``first`` and those that wait; returns a job that must wait, and whether to end."""
        done: list[tuple[_Job, Any]] = []
        job: _Job | None = first
        held: _Job | None = None
        ended = False
        try:
            self._transaction.begin()
            while job is not None:
                current, job = job, None
                lone = not done and self._transaction.spares and self._waiting.empty()
                done.append((current, None))
                done[-1:] = [(current, current.work(self._writer))] if lone else self._one(current)
                if len(done) < _JOINED:
                    with contextlib.suppress(queue.Empty):
                        following = self._waiting.get_nowait()
                        ended = following is None
                        if following is not None and following.alone:
                            held = following
                        else:
                            job = following
            self._transaction.commit()
        except BaseException as error:  # noqa: BLE001 - all who took part must hear of it
            self._transaction.rollback()
            for each in [waiting for waiting, _ in done] or [first]:
                if not each.future.done():
                    each.future.set_exception(error)
        else:
            for each, result in done:
                each.future.set_result(result)
        return held, ended

    def _one(self, job: _Job) -> list[tuple[_Job, Any]]:
        """One caller's part; its own error is its own, unless the whole transaction is lost."""
        self._transaction.savepoint()
        try:
            result = job.work(self._writer)
        except BaseException as error:
            if not self._transaction.alive():
                raise
            self._transaction.release(undo=True)
            job.future.set_exception(error)
            return []
        self._transaction.release(undo=False)
        return [(job, result)]
