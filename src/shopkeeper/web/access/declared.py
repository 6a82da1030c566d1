"""What a route needs, said beside its handler: ``opt={"permission": Permission.LOOK_UP}``, ``SIGNED_IN`` or ``ANYONE``.

A route that says nothing fails when the application is made: forgetting is no way in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import ShopkeeperError

if TYPE_CHECKING:
    from litestar import Litestar

OPT: Final = "permission"
ANYONE: Final = "anyone"
"""Needs no sign-in: the way in itself, its style sheets, and whether the shop answers."""
SIGNED_IN: Final = "signed_in"
"""Needs a session or a key, and no permission."""
FOR_PROGRAMS: Final = ("/api/", "/metrics")
"""Where programs ask, with a key; they are answered in JSON, also when they are refused."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, and so need no mark against forgery."""


class Route(Struct, frozen=True, order=True):
    """One line of the table of routes."""

    path: str
    method: str
    needs: str
    """A permission, ``signed_in`` or ``anyone``."""
    schema: bool
    """Whether the API's description names it."""


def needs(handler: Any) -> Permission | str:
    """What a handler needs. Raises ShopkeeperError where it does not say."""
    said: Permission | str | None = handler.opt.get(OPT)
    if said is None and getattr(handler, "http_methods", ()) == {"OPTIONS"}:
        return SIGNED_IN  # the framework's own, which says which methods there are
    if isinstance(said, Permission) or said in (ANYONE, SIGNED_IN):
        return said
    raise ShopkeeperError(
        "a route does not say which permission it needs",
        hint='give its handler opt={"permission": Permission...}, SIGNED_IN or ANYONE (web.access.declared)',
    )


def routes(app: Litestar) -> list[Route]:
    """Every route of an application with what it needs; raises ShopkeeperError naming one that does not say."""
    table = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]:
            try:
                needed = needs(handler)
            except ShopkeeperError as error:
                raise ShopkeeperError(f"{route.path}: {error.message}", hint=error.hint) from None
            schema = bool(getattr(handler, "include_in_schema", False))
            table += [
                Route(route.path, str(method), str(needed), schema)
                for method in sorted(getattr(handler, "http_methods", None) or ["*"])
            ]
    return sorted(table)
