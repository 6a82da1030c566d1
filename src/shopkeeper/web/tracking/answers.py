"""What the tracking door says back: small JSON with ``code`` and ``message``, and headers that let browsers read it.

Clients drop what they sent on a 4xx other than 408 and 429 and try again on a 5xx, so a passing fault is never a 4xx.
RudderStack's Python client counts any other success than 200 as a failure, and raises on an error without ``code``.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any, Final

import msgspec

Headers = list[tuple[bytes, bytes]]

_JSON: Final = (b"content-type", b"application/json")
_OK_BODY: Final = b'{"success":true}'
_OK_HEADERS: Final = [
    _JSON,
    (b"content-length", str(len(_OK_BODY)).encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
_OK_START: Final = {"type": "http.response.start", "status": 200, "headers": _OK_HEADERS}
_OK_END: Final = {"type": "http.response.body", "body": _OK_BODY}
_DOT: Final = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent picture of one pixel."""
_ASKED_HEADERS: Final = 1_000
"""Octets of header names a preflight may ask for."""
_PREFLIGHT_FOR: Final = b"86400"


class Refusal(Exception):
    """A request that is answered with something else than 200.

    ``after`` is when to try again, in seconds; 0 where trying again does not help. ``close`` ends the connection,
    because the rest of the body is not wanted.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        after: int = 0,
        close: bool = False,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.after = after
        self.close = close
        self.more = more
        super().__init__(code)


def for_origin(origin: bytes) -> Headers:
    """What lets a page of this origin read the answer.

    The origin is given back, and not ``*``, because a beacon is sent with credentials; nothing here looks at them.
    """
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"origin"),
    ]


async def accepted(send: Any, origin: bytes) -> None:
    """The delivery is on disk."""
    if origin:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [*_OK_HEADERS, *for_origin(origin)]}
        )
    else:
        await send(_OK_START)
    await send(_OK_END)


async def picture(send: Any, origin: bytes) -> None:
    """The pixel's answer."""
    headers = [
        (b"content-type", b"image/gif"),
        (b"content-length", str(len(_DOT)).encode()),
        (b"cache-control", b"no-store"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]
    await whole(send, 200, headers, _DOT, origin)


async def told(send: Any, data: Any, origin: bytes) -> None:
    """An answer that carries data."""
    body = msgspec.json.encode(data)
    await whole(send, 200, [_JSON, (b"cache-control", b"no-store")], body, origin)


async def refused(send: Any, refusal: Refusal, origin: bytes) -> None:
    """Something else than 200."""
    body = msgspec.json.encode(
        {"success": False, "code": refusal.code, "message": refusal.message, "retry": refusal.after > 0}
    )
    headers = [_JSON, (b"cache-control", b"no-store"), *refusal.more]
    if refusal.after:
        seconds = str(refusal.after).encode()
        headers.append((b"retry-after", seconds))
        if refusal.status == 429:
            headers.append((b"x-ratelimit-reset", seconds))
            headers.append((b"access-control-expose-headers", b"retry-after, x-ratelimit-reset"))
    if refusal.close:
        headers.append((b"connection", b"close"))
    await whole(send, refusal.status, headers, body, origin)


async def preflight(send: Any, methods: bytes, asked: bytes, origin: bytes) -> None:
    """What a browser asks before it sends: any header may come along, since none of them is trusted."""
    headers = [
        (b"access-control-allow-methods", methods),
        (b"access-control-max-age", _PREFLIGHT_FOR),
        (b"content-length", b"0"),
    ]
    if asked and len(asked) <= _ASKED_HEADERS and _names(asked):
        headers.append((b"access-control-allow-headers", asked))
    if origin:
        headers += for_origin(origin)
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def whole(send: Any, status: int, headers: Headers, body: bytes, origin: bytes) -> None:
    """One answer with a body."""
    headers = [*headers, (b"x-content-type-options", b"nosniff")]
    if not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(body)).encode()))
    if origin:
        headers += for_origin(origin)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _names(asked: bytes) -> bool:
    """Whether these are names of headers and nothing else.

    >>> _names(b"authorization, content-type,anonymousid"), _names(b"a: b")
    (True, False)
    """
    return all(part.strip().replace(b"-", b"").replace(b"_", b"").isalnum() for part in asked.split(b","))
