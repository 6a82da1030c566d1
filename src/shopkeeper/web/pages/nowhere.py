"""Addresses that lead nowhere: said to who has signed in; all others are asked to sign in, as everywhere."""

from __future__ import annotations

from litestar import Response, route
from litestar.exceptions import NotFoundException

from shopkeeper.web.access.declared import OPT, SIGNED_IN


@route(
    "/{path:path}",
    http_method=["GET", "POST", "PUT", "PATCH", "DELETE"],
    sync_to_thread=False,
    include_in_schema=False,
    opt={OPT: SIGNED_IN},
)
def nowhere() -> Response[None]:
    """There is no such address."""
    raise NotFoundException
