"""The server's protocol, with limits on the head of a request: its size, and how long it may take to arrive.

Without them a sender could let a header grow without end, or hold a connection open with a head that never comes.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CarefulProtocol(HttpToolsProtocol):
    """Closes a connection whose head grows too large or comes too slowly."""

    largest: ClassVar[int] = 64 * 1024
    """Octets of a head: a pixel's query is the longest thing in it."""
    seconds: ClassVar[float] = 20.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._octets = 0
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection begins: its first head is awaited."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended."""
        self._forget_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came: mostly a whole head."""
        super().data_received(data)
        if not self._in_head:
            return
        self._octets += len(data)
        if self._octets > self.largest:
            self._in_head = False
            self.send_400_response("the head of the request is too large")
        elif self._timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._octets = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._in_head = False
        if self._timer is not None:
            self._forget_timer()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self.seconds, self._late)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._in_head:
            self.transport.close()
