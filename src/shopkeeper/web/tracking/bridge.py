"""From the thread that writes to the loop that answers: one wake-up for all who wait for the same commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

Answer = asyncio.Future[Exception | None]
Done = Callable[[Exception | None], None]


class Bridge:
    """Lets requests on one loop wait for what another thread finishes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._over: deque[tuple[Answer, Exception | None]] = deque()
        self._woken = False

    def begin(self) -> tuple[Answer, Done]:
        """What to wait for, and what the other thread calls when it is done."""
        answer: Answer = self.loop.create_future()

        def done(error: Exception | None) -> None:
            self._over.append((answer, error))
            if not self._woken:
                self._woken = True
                with contextlib.suppress(RuntimeError):  # the loop ended: nobody waits any more
                    self.loop.call_soon_threadsafe(self._land)

        return answer, done

    def _land(self) -> None:
        self._woken = False  # before looking: what comes after the last look wakes the loop again
        while self._over:
            answer, error = self._over.popleft()
            if not answer.done():
                answer.set_result(error)
