"""The appender: a thread that keeps deliveries, many in one commit, fed by a queue that is bounded in bytes.

A disk sync costs milliseconds whatever it carries. While one commit is being synced the next deliveries gather, so
that the busier the doors are the more share a commit. Whoever hands in never waits: it is told by ``done``.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence

from shopkeeper.domain.errors import Conflict, StoreBusy
from shopkeeper.stores.contract.gate import Done, NewDelivery

QUEUED_OCTETS = 64 * 1024 * 1024
"""How much may wait in memory for the disk."""
LIMIT_OCTETS = 2 * 1024 * 1024 * 1024
"""How much may wait on disk for the worker, where nothing else is set."""
_BESIDE = 200
"""Octets a delivery takes beside its body."""
_ONE_COMMIT_OCTETS = 4 * 1024 * 1024
_ONE_COMMIT = 4_096
_LOOK_EVERY = 0.25
"""Seconds between two looks at whether the disk's backlog went down."""

_Item = tuple[NewDelivery, Done] | None


def octets_of(delivery: NewDelivery) -> int:
    """What a delivery counts for in the backlog."""
    return len(delivery.body) + _BESIDE


class Appender:
    """Hands deliveries to ``keep`` on its own thread.

    ``keep`` makes some deliveries durable, all or none; ``held`` says how many octets lie on disk.
    """

    def __init__(
        self,
        keep: Callable[[Sequence[NewDelivery]], None],
        held: Callable[[], int],
        *,
        limit: int = LIMIT_OCTETS,
        queued: int = QUEUED_OCTETS,
    ) -> None:
        self._keep = keep
        self._held = held
        self._limit = limit
        self._most_queued = queued
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._octets = 0
        self._on_disk = 0
        self._looked_at = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, delivery: NewDelivery, done: Done) -> None:
        """Queue a delivery. Raises StoreBusy where too much waits."""
        size = octets_of(delivery)
        with self._guard:
            if self._closed:
                raise Conflict("the inbox is closed", hint="open the shop again")
            if self._octets and self._octets + size > self._most_queued:
                raise StoreBusy("too much waits to be written", hint="send it again in a moment")
            if self._on_disk > self._limit:
                self._look_again()
                raise StoreBusy(
                    "too much waits to be taken in", hint="send it again later; is the worker running?"
                )
            self._octets += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="inbox", daemon=True)
                self._thread.start()
            self._queue.put((delivery, done))

    def stop(self) -> None:
        """Keep what is queued, then end the thread."""
        with self._guard:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _look_again(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > _LOOK_EVERY:
            self._looked_at = now
            threading.Thread(target=self._look, name="inbox-look", daemon=True).start()

    def _look(self) -> None:
        with contextlib.suppress(Exception):  # whoever is told that it is busy comes again
            self._on_disk = self._held()

    def _serve(self) -> None:
        ended = False
        while not ended:
            item = self._queue.get()
            if item is None:
                return
            batch, ended = self._gathered(item)
            error: Exception | None = None
            try:
                self._keep([delivery for delivery, _ in batch])
            except Exception as caught:  # noqa: BLE001 - those who handed in must hear of it, whatever it is
                error = caught
            size = sum(octets_of(delivery) for delivery, _ in batch)
            with self._guard:
                self._octets -= size
            now = time.monotonic()
            if now - self._looked_at > _LOOK_EVERY:
                self._looked_at = now
                self._look()
            elif error is None:
                self._on_disk += size
            for _, done in batch:
                with contextlib.suppress(
                    Exception
                ):  # one who went away must not keep the others from hearing
                    done(error)

    def _gathered(self, first: tuple[NewDelivery, Done]) -> tuple[list[tuple[NewDelivery, Done]], bool]:
        """What waits, as far as it fits into one commit, and whether the thread is to end after it."""
        batch = [first]
        octets = len(first[0].body)
        with contextlib.suppress(queue.Empty):
            while octets < _ONE_COMMIT_OCTETS and len(batch) < _ONE_COMMIT:
                item = self._queue.get_nowait()
                if item is None:
                    return batch, True
                batch.append(item)
                octets += len(item[0].body)
        return batch, False
