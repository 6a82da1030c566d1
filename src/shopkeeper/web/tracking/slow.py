"""Cuts off who dawdles: one look a second at all bodies that are being read, instead of a timer for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

_LOOK_EVERY: Final = 1.0


class TooSlow(Exception):
    """The body did not arrive in time."""


class Patience:
    """Waits for messages, but not for ever."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: dict[asyncio.Task[Any], float] = {}
        self._given_up: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> asyncio.Task[Any]:
        """The present task begins to read. Call ``end`` with what this returns, whatever happens."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - requests are tasks
        loop = task.get_loop()
        self._since[task] = loop.time()
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(min(_LOOK_EVERY, self.seconds), self._sweep, loop)
        return task

    async def wait(self, task: asyncio.Task[Any], receive: Callable[[], Awaitable[Any]]) -> Any:
        """The next message. Raises TooSlow."""
        try:
            return await receive()
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            raise TooSlow from None

    def end(self, task: asyncio.Task[Any]) -> None:
        """The task reads no more."""
        self._since.pop(task, None)
        self._given_up.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        late = loop.time() - self.seconds
        for task, since in list(self._since.items()):
            if since <= late and task not in self._given_up:
                self._given_up.add(task)
                task.cancel()
        if self._since:
            loop.call_later(min(_LOOK_EVERY, self.seconds), self._sweep, loop)
        else:
            self._loop = None
