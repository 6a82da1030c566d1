"""Users: who they are, what their role allows, and inviting more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get, post
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import ROLES, Permission
from shopkeeper.domain.errors import Conflict, InvalidInput
from shopkeeper.domain.personal import EVERY_CLASS, Personal
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.domain.access import Link
    from shopkeeper.shop import Shop

_USERS = {OPT: Permission.ACCOUNTS}
_HERE = "/settings/users"


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_USERS)
def users(request: Request[Any, Any, Any], shop: Shop) -> Response[Any]:
    """The page."""
    return _page(request, shop)


@post(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_USERS)
def add_user(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Invite somebody; the link is shown once, to be sent on."""
    try:
        link = shop.add_user(text(data, "email"), text(data, "role"), text(data, "name"))
    except (InvalidInput, Conflict) as error:
        return _page(request, shop, wrong=str(error), status=400 if isinstance(error, InvalidInput) else 409)
    return _page(request, shop, link=link)


@post(_HERE + "/link", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_USERS)
def make_link(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """A link by which a user chooses a new password."""
    return _page(request, shop, link=shop.user_link(text(data, "user")))


@post(_HERE + "/role", sync_to_thread=True, include_in_schema=False, opt=_USERS)
def change_role(shop: Shop, data: Form) -> Redirect:
    """Give a user another role."""
    shop.change_role(text(data, "user"), text(data, "role"))
    return Redirect(_HERE, status_code=303)


@post(_HERE + "/disable", sync_to_thread=True, include_in_schema=False, opt=_USERS)
def disable(shop: Shop, data: Form) -> Redirect:
    """Shut a user out."""
    shop.disable_user(text(data, "user"))
    return Redirect(_HERE, status_code=303)


@post(_HERE + "/enable", sync_to_thread=True, include_in_schema=False, opt=_USERS)
def enable(shop: Shop, data: Form) -> Redirect:
    """Let a user in again."""
    shop.disable_user(text(data, "user"), disabled=False)
    return Redirect(_HERE, status_code=303)


def _page(
    request: Request[Any, Any, Any],
    shop: Shop,
    *,
    link: Link | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response[Any]:
    page = render(
        request.app, "access/users.html", here="users", users=shop.users(), roles=ROLES, link=link, wrong=wrong,
        base=shop.settings.address.rstrip("/") or str(request.base_url).rstrip("/"), permissions=tuple(Permission),
        classes=tuple(one for one in Personal if one in EVERY_CLASS),
    )  # fmt: skip
    return Response(page, status_code=status, media_type=MediaType.HTML)
