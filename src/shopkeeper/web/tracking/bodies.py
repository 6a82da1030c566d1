"""Reads a request's body within limits of size, of time, and of what all requests hold together."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, Final

from shopkeeper.web.tracking.answers import Refusal
from shopkeeper.web.tracking.slow import Patience, TooSlow

LARGEST: Final = 4 * 1024 * 1024
"""Octets of a body, as sent and after inflating, from a sender who showed a key."""
LARGEST_UNKNOWN: Final = 640 * 1024
"""The same for one whose key, if any, stands inside the body: inflating for strangers is not for free."""
LARGEST_LOG: Final = 16 * 1024 * 1024
"""The same for a till's log or a webhook, where one body may hold a day."""
SECONDS: Final = 30.0
"""How long a sender may take for a body."""
TOGETHER: Final = 256 * 1024 * 1024
"""Octets of bodies held at once, over all requests."""
_MEMBERS: Final = 64
"""Parts a gzip body may consist of; real senders write one."""
_GZIP: Final = b"\x1f\x8b"
_PLAIN: Final = frozenset({b"", b"identity", b"gzip", b"x-gzip", b"deflate"})


class Bodies:
    """Reads bodies, and knows how much of them is held."""

    def __init__(self, seconds: float = SECONDS, together: int = TOGETHER) -> None:
        self.patience = Patience(seconds)
        self.together = together
        self.held = 0

    async def read(
        self, receive: Any, announced: bytes, encoding: bytes, largest: int
    ) -> tuple[bytes, bytes | None]:
        """The body, inflated, and the gzip stream it came as, if any. Raises Refusal 400, 408, 413, 415 or 503.

        ``announced`` is its Content-Length and ``encoding`` its Content-Encoding, which only rules out what cannot be
        read: whether a body is compressed is seen from its first octets, because clients mislabel it.
        """
        if encoding not in _PLAIN and encoding.strip().lower() not in _PLAIN:
            raise Refusal(415, "unsupported_encoding", "send the body plain or gzip-compressed", close=True)
        if announced and (not announced.isdigit() or len(announced) > 12 or int(announced) > largest):
            raise too_large(largest)
        task = self.patience.begin()
        try:
            message = await self.patience.wait(task, receive)
            body: bytes = message.get("body", b"")
            if message.get("more_body"):
                body = await self._rest(task, receive, body, largest)
            elif message["type"] != "http.request":
                raise Gone
        except TooSlow:
            raise Refusal(
                408, "too_slow", "the body did not arrive in time; send it again", after=1, close=True
            ) from None
        finally:
            self.patience.end(task)
        if len(body) > largest:
            raise too_large(largest)
        if body[:2] == _GZIP:
            return inflated(body, 31, largest), body
        if encoding == b"deflate" and body[:1] not in b"{[<":
            return inflated(body, 15, largest), None
        return body, None

    async def _rest(self, task: asyncio.Task[Any], receive: Any, start: bytes, largest: int) -> bytes:
        parts, size, more = [start], len(start), True
        self.held += size
        try:
            while more:
                if size > largest:
                    raise too_large(largest)
                if self.held > self.together:
                    raise Refusal(503, "busy", "too much is being sent at once", after=2, close=True)
                message = await self.patience.wait(task, receive)
                if message["type"] != "http.request":
                    raise Gone
                part = message.get("body", b"")
                parts.append(part)
                size += len(part)
                self.held += len(part)
                more = message.get("more_body", False)
        finally:
            self.held -= size
        return b"".join(parts)


class Gone(Exception):
    """The sender went away before the body was complete."""


def inflated(body: bytes, window: int, largest: int) -> bytes:
    """The body without its compression, never more than ``largest`` octets of it in memory.

    >>> import gzip
    >>> inflated(gzip.compress(b"one") + gzip.compress(b" two"), 31, 100)
    b'one two'
    """
    parts: list[bytes] = []
    room = largest
    rest = body
    try:
        while rest:
            if len(parts) == _MEMBERS:
                raise _broken()
            member = zlib.decompressobj(window)
            part = member.decompress(rest, room + 1)
            room -= len(part)
            if room < 0:
                raise too_large(largest)
            if not member.eof:
                raise _broken()
            parts.append(part)
            rest = member.unused_data.lstrip(b"\0")  # some senders pad to a block
    except zlib.error:
        raise _broken() from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_large(largest: int) -> Refusal:
    """The answer to a body that is too large."""
    return Refusal(
        413, "too_large", f"a body may have {largest // 1024} KiB, before and after inflating", close=True
    )


def _broken() -> Refusal:
    return Refusal(400, "bad_compression", "the body begins like gzip and cannot be inflated")
