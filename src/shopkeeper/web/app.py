"""The application: API, pages and static files around one shop, and the server that answers with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from litestar import Litestar, MediaType
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router

from shopkeeper.domain.errors import ShopkeeperError
from shopkeeper.web.api import API
from shopkeeper.web.guard import LOOPBACK, Guard
from shopkeeper.web.pages import PAGES
from shopkeeper.web.render import STATIC, environment
from shopkeeper.web.status import domain_error, http_error, unexpected_error

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

log = logging.getLogger("shopkeeper.web")


def create_app(shop: Shop, *, hosts: frozenset[str] | None = LOOPBACK) -> Litestar:
    """The application for one open shop.

    Args:
        shop: seen as the actor whose permissions every request gets.
        hosts: names the server answers to, without port; None answers to any name, which is only safe
            behind a proxy that checks it.
    """

    def the_shop() -> Shop:
        return shop

    injected: Any = NamedDependency
    app = Litestar(
        route_handlers=[
            *API,
            *PAGES,
            create_static_files_router(path="/static", directories=[STATIC], include_in_schema=False),
        ],
        dependencies={"shop": Provide(the_shop, sync_to_thread=False)},
        # The name that handlers use in annotations, so that they need not import the shop at run time.
        signature_namespace={"Shop": injected[Any]},
        state=State({"shop": shop, "templates": environment()}),
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
            render_plugins=[JsonRenderPlugin(path="/", media_type=MediaType.JSON)],
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    # Around everything, so that unknown paths and refused requests are checked and get the headers too.
    app.asgi_handler = Guard(app.asgi_handler, hosts)
    return app


def serve(shop: Shop, host: str = "127.0.0.1", port: int = 8765, log_level: str = "info") -> None:
    """Serve a shop until interrupted.

    There is no sign-in yet: any address but loopback shows the shop's customers to whoever reaches it, with
    the permissions of the actor the shop is seen by; a warning says so.
    """
    import uvicorn

    local = host in LOOPBACK
    if not local:
        log.warning(
            "bound to %s without a sign-in: whoever reaches this port sees the shop's customers", host
        )
    uvicorn.run(
        create_app(shop, hosts=LOOPBACK if local else None),
        host=host,
        port=port,
        log_level=log_level.lower(),
        access_log=False,  # its lines carry paths, and paths carry identifiers; the guard logs the template
        server_header=False,
    )
