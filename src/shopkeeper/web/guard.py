"""What every answer passes through: the check of the Host header, security headers, a log line that names nobody.

A page on the internet may point its own name at 127.0.0.1 and then talk to this server from the visitor's
browser (DNS rebinding). The browser still sends that foreign name as Host, so a server bound to loopback answers
only to loopback names.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec
from litestar.enums import ScopeType

from shopkeeper.web.access.present import Seen, current
from shopkeeper.web.status import ErrorBody, Problem

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("shopkeeper.web.access")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
KEPT = b"public, max-age=31536000, immutable"
"""Static files carry their version in the address; all else is about persons and is not to be stored."""
_FOUND = (200, 304)
_REFUSED = msgspec.json.encode(
    ErrorBody(
        Problem(
            "wrong_host",
            "this server answers on this machine only",
            "open it as http://127.0.0.1, or serve it under the name you use",
        )
    )
)


def host_name(header: str) -> str:
    """The name in a Host header, without the port.

    >>> host_name("LocalHost:8765"), host_name("[::1]:8765"), host_name("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    header = header.strip().lower()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


class Guard:
    """Wraps the whole application, so that also unknown paths and errors are checked and get the headers.

    ``hosts`` are the names it answers to; None answers to all.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        method = str(scope.get("method"))
        began, status = time.perf_counter(), 0
        current.set(Seen())  # until somebody is admitted, nobody looks
        static = scope["path"].startswith("/static/")
        if method == "HEAD":
            scope["method"] = "GET"  # whoever gives the whole gives the head

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.body" and method == "HEAD":
                message["body"] = b""  # the same answer as to GET, without its body (RFC 9110, 9.3.2)
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    *HEADERS,
                    (b"cache-control", KEPT if static and status in _FOUND else b"no-store"),
                ]
            await send(message)

        if self.hosts is not None and self._host(scope) not in self.hosts:
            await _refuse(send_guarded)
        else:
            await self.app(scope, receive, send_guarded)
        # The path itself may carry an e-mail address or a name: only its template is logged.
        where = "/static" if static else scope.get("path_template") or "(no such path)"
        spent = (time.perf_counter() - began) * 1000
        log.info("%s %s %d %.0f ms", method, where, status, spent)

    @staticmethod
    def _host(scope: Any) -> str:
        given = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return host_name(given.decode("latin-1"))


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_REFUSED)).encode())]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSED, "more_body": False})
