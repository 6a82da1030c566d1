"""The application: API, pages and static files around one shop, and the server that answers with it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litestar import Litestar, MediaType, Router
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router

from shopkeeper.domain.errors import Conflict, ShopkeeperError
from shopkeeper.shop.pace import settle
from shopkeeper.web.access.admission import Admission
from shopkeeper.web.access.declared import ANYONE, OPT, SIGNED_IN, routes
from shopkeeper.web.access.greeting import greeting
from shopkeeper.web.access.present import seen_shop
from shopkeeper.web.api import API
from shopkeeper.web.api.asked import only_known
from shopkeeper.web.api.describing import Described
from shopkeeper.web.guard import LOOPBACK, Guard
from shopkeeper.web.pages import PAGES
from shopkeeper.web.render import STATIC, environment
from shopkeeper.web.status import domain_error, http_error, unexpected_error
from shopkeeper.web.tracking import Door

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

log = logging.getLogger("shopkeeper.web")

LARGEST_FORM = 256 * 1024
"""Octets of a form. Reading one holds up everybody else, and strangers may send some; the longest is a mapping."""


def create_app(shop: Shop, *, hosts: frozenset[str] | None = LOOPBACK) -> Litestar:
    """The application for one open shop.

    Args:
        shop: every request sees it as the user who has signed in, or as the key that was sent.
        hosts: names the server answers to, without port; None answers to any name, which is only safe
            behind a proxy that checks it.
    """
    injected: Any = NamedDependency
    app = Litestar(
        route_handlers=[
            # In one router: handlers of one path that are registered apart are wrapped for their thread twice.
            Router("/", route_handlers=[*API, *PAGES], before_request=only_known),
            create_static_files_router(
                path="/static", directories=[STATIC], include_in_schema=False, opt={OPT: ANYONE}
            ),
        ],
        dependencies={"shop": Provide(seen_shop, sync_to_thread=False)},
        # The name that handlers use in annotations, so that they need not import the shop at run time.
        signature_namespace={"Shop": injected[Any]},
        state=State({"shop": shop, "templates": environment()}),
        middleware=[Admission(shop, shop.mark)],
        request_max_body_size=LARGEST_FORM,
        exception_handlers={
            ShopkeeperError: domain_error,
            HTTPException: http_error,
            Exception: unexpected_error,
        },
        openapi_config=OpenAPIConfig(
            title="Shopkeeper API",
            version="v1",
            description="What the shop knows of its customers. An identifier is written as `kind:value`, such "
            "as `email:anna@example.com`, or is a customer id. Instants are UTC (RFC 3339), money is in units of "
            "the shop's currency.",
            path="/api/v1/openapi.json",
            render_plugins=[Described(path="/", media_type=MediaType.JSON)],
            use_handler_docstrings=True,
            openapi_router=Router(
                "/api/v1/openapi.json", route_handlers=(), include_in_schema=False, opt={OPT: SIGNED_IN}
            ),
            components=Components(
                security_schemes={
                    "key": SecurityScheme(type="http", scheme="bearer", description="an API key, shk_..."),
                    "session": SecurityScheme(
                        type="apiKey", security_scheme_in="cookie", name=f"shopkeeper-{shop.mark}"
                    ),
                }
            ),
            security=[{"key": []}, {"session": []}],
        ),
        logging_config=None,
    )
    routes(app)  # a route that does not say what it needs ends here
    # Around everything, so that unknown paths and refused requests are checked and get the headers too.
    # What machines hand in is taken before all that.
    app.asgi_handler = app.state.door = Door(Guard(app.asgi_handler, hosts), shop)
    return app


def serve(
    shop: Shop,
    host: str = "127.0.0.1",
    port: int = 8765,
    log_level: str = "info",
    *,
    proxy: str = "",
    tell: Callable[[list[str]], None] | None = None,
) -> None:
    """Serve a shop until interrupted.

    Args:
        shop: its users sign in; where there is none yet, a link is told that makes the first administrator.
        host: address to listen on.
        port: 0 for a free one.
        log_level: of the server.
        proxy: the address of a proxy in front, whose word on scheme and client is taken; empty for none.
        tell: is given the lines to print once the address is known.
    """
    import uvicorn

    from shopkeeper.web.tracking.protocol import CarefulProtocol

    address = urlsplit(shop.settings.address)
    local = host in LOOPBACK
    if not local and not proxy and address.scheme != "https":
        log.warning(
            "bound to %s without TLS: passwords and customers travel in clear; put a proxy with TLS in front, "
            "and name it with --proxy",
            host,
        )
    named = frozenset({address.hostname.lower()}) if address.hostname else frozenset[str]()
    config = uvicorn.Config(
        create_app(shop, hosts=LOOPBACK | named if local or named else None),
        host=host,
        port=port,
        log_level=log_level.lower(),
        access_log=False,  # its lines carry paths, and paths carry identifiers; the guard logs the template
        server_header=False,
        http=CarefulProtocol,
        proxy_headers=bool(proxy),
        forwarded_allow_ips=proxy or None,
    )
    config.load()
    door = _bound(host, port, config.backlog)
    settle()
    base = _base(host, door.getsockname()[1])
    logging.getLogger("uvicorn.error").info("Shopkeeper running on %s (stop it with Ctrl-C)", base)
    if tell is not None:
        tell(greeting(shop, shop.settings.address.rstrip("/") or base))
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])


def _bound(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens already: whoever is told its address may ask at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        raise Conflict(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            hint="choose another with --host or --port",
        ) from None


def _base(host: str, port: int) -> str:
    name = "localhost" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - where to look, not where to listen
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
