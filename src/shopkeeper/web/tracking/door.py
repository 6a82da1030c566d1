"""Routes what machines hand in, keeps it, and answers; whatever else is asked goes on to the pages and the API."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopkeeper.domain.delivery import Delivery
from shopkeeper.domain.errors import ShopkeeperError, StoreBusy
from shopkeeper.domain.source import Source
from shopkeeper.web.tracking.answers import Refusal, preflight, refused
from shopkeeper.web.tracking.bodies import Bodies, Gone
from shopkeeper.web.tracking.bridge import Bridge
from shopkeeper.web.tracking.keys import Senders
from shopkeeper.web.tracking.rates import SPAN, Buckets

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

log = logging.getLogger("shopkeeper.web.tracking")

OURS: Final = ("/v1/", "/pixel/", "/beacon/", "/sourceConfig")
_SOON: Final = 2
"""Seconds after which to try again when the gate is busy."""
_LATER: Final = 15
"""The same when the disk is full or the store failed."""


class Asked:
    """One request, with the headers that matter here picked out."""

    __slots__ = (
        "authorization",
        "encoding",
        "length",
        "name",
        "origin",
        "path",
        "receive",
        "scope",
        "send",
        "unasked",
    )

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.path: str = scope["path"]
        self.name = ""
        self.authorization = self.encoding = self.length = self.origin = b""
        self.unasked = False
        """Whether the sender's browser asked not to be tracked (Sec-GPC)."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                self.authorization = value
            elif name == b"content-length":
                self.length = value
            elif name == b"content-encoding":
                self.encoding = value
            elif name == b"origin":
                self.origin = value[:300]
            elif name == b"sec-gpc":
                self.unasked = value.strip() == b"1"

    def header(self, wanted: bytes) -> bytes:
        """Another header, by its name in lower case; empty where it is missing."""
        return next((value for name, value in self.scope["headers"] if name == wanted), b"")

    @property
    def notes(self) -> dict[str, str]:
        """What every delivery says beside its body."""
        return {"gpc": "1"} if self.unasked else {}


class Route(NamedTuple):
    """One address: what may be done there, who does it, and what it says of the body."""

    take: Callable[[Door, Asked, str], Awaitable[None]]
    methods: tuple[str, ...]
    topic: str = ""


class Door:
    """Stands in front of the whole application. ``app`` gets what is not for machines."""

    def __init__(self, app: Any, shop: Shop) -> None:
        from shopkeeper.web.tracking.routes import PREFIXES, ROUTES

        self.app = app
        self.shop = shop
        self.bodies = Bodies()
        self.senders = Senders(shop, Buckets(time.monotonic))
        self.rates = Buckets(time.monotonic, most=1_000_000)
        self.turned_away: Counter[tuple[str, str]] = Counter()
        """How often something was refused at once, by source (empty where unknown) and code, since the start."""
        self._routes = ROUTES
        self._prefixes = PREFIXES
        self._bridge: Bridge | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or hand it on."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is not None:
            await self._answer(route, Asked(scope, receive, send))
        elif scope["type"] == "http" and scope["path"].startswith(OURS):
            asked = Asked(scope, receive, send)
            await self._answer(self._find(asked), asked)
        else:
            await self.app(scope, receive, send)

    def _find(self, asked: Asked) -> Route:
        path = asked.path.rstrip("/")
        if path in self._routes:
            return self._routes[path]
        for before, after, route in self._prefixes:
            name = path[len(before) : len(path) - len(after)]
            if path.startswith(before) and path.endswith(after) and name and "/" not in name:
                asked.name = name
                return route
        return Route(_nowhere, ("GET", "POST"))

    async def _answer(self, route: Route, asked: Asked) -> None:
        method = asked.scope["method"]
        try:
            if method in route.methods:
                await route.take(self, asked, route.topic)
            elif method == "OPTIONS":
                methods = ", ".join((*route.methods, "OPTIONS")).encode()
                await preflight(
                    asked.send, methods, asked.header(b"access-control-request-headers"), asked.origin
                )
            else:
                allowed = ((b"allow", ", ".join((*route.methods, "OPTIONS")).encode()),)
                raise Refusal(405, "method_not_allowed", f"use {route.methods[0]} here", more=allowed)
        except Refusal as refusal:
            await self._refuse(asked, refusal)
        except StoreBusy:
            await self._refuse(asked, Refusal(503, "busy", "too much is waiting; send it again", after=_SOON))
        except (
            ShopkeeperError
        ) as error:  # also a mapping that was broken by hand: whoever sends keeps it until then
            await self._refuse(
                asked, Refusal(503, error.code, "it cannot be kept now; send it again", after=_LATER)
            )
        except Gone:
            self.turned_away["", "gone"] += 1
        except Exception as error:  # noqa: BLE001 - the sender is told to come again, and the server goes on
            # a message may hold personal values, so that only the type and the place are logged
            log.error("%s failed with %s", route.take.__name__, type(error).__name__)  # noqa: TRY400
            await self._refuse(
                asked, Refusal(500, "internal_error", "this is a defect in Shopkeeper", after=_LATER)
            )

    async def _refuse(self, asked: Asked, refusal: Refusal) -> None:
        self.turned_away[asked.name, refusal.code] += 1
        await refused(asked.send, refusal, asked.origin)

    def admit(self, asked: Asked, source: Source, kind: str, events: int) -> None:
        """Let a source hand in so many events. Raises Refusal 403 or 429."""
        asked.name = source.name
        if source.kind != kind:
            raise Refusal(
                403, "wrong_kind", f"this source is of kind {source.kind}, and this address takes {kind}"
            )
        if rate := source.events_per_second:
            after = self.rates.take(source.name, events, rate, rate * SPAN)
            if after:
                raise Refusal(
                    429, "too_many", "more than this source's limit; send it again later", after=after
                )

    async def keep(self, delivery: Delivery, events: int, gzipped: bytes | None = None) -> None:
        """Keep a delivery; returns once it is on disk. Raises StoreFailure."""
        loop = asyncio.get_running_loop()
        bridge = self._bridge
        if bridge is None or bridge.loop is not loop:
            bridge = self._bridge = Bridge(loop)
        answer, done = bridge.begin()
        self.shop.hearing.hand_in(delivery, events, done, gzipped=gzipped)
        error = await answer
        if error is not None:
            raise error


async def _nowhere(_door: Door, _asked: Asked, _topic: str) -> None:
    raise Refusal(404, "no_such_address", "there is no such address; see docs/how-to/collect-live.md")
