"""One's own account: role, password, and where one is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import ROLES
from shopkeeper.domain.errors import InvalidInput, NotPermitted, TooManyTries
from shopkeeper.web.access.declared import OPT, SIGNED_IN
from shopkeeper.web.access.present import current
from shopkeeper.web.pages.door import Form, begun, text
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_SELF = {OPT: SIGNED_IN}


@get("/account", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SELF)
def account(
    request: Request[Any, Any, Any], shop: Shop, *, changed: FromQuery[bool] = False
) -> Response[Any]:
    """The page."""
    return _page(request, shop, changed=changed)


@post("/account/password", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SELF)
def change_password(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Choose another password."""
    try:
        signed = shop.change_password(current.get().token, text(data, "old"), text(data, "new"))
    except (InvalidInput, TooManyTries) as error:
        return _page(request, shop, wrong=str(error), status=400 if isinstance(error, InvalidInput) else 429)
    return begun(shop, signed, "/account?changed=1")


@post("/account/sessions/end", sync_to_thread=True, include_in_schema=False, opt=_SELF)
def end_session(shop: Shop, data: Form) -> Redirect:
    """Sign out elsewhere."""
    shop.end_sitting(text(data, "session"))
    return Redirect("/account", status_code=303)


def _page(
    request: Request[Any, Any, Any], shop: Shop, *, wrong: str = "", changed: bool = False, status: int = 200
) -> Response[Any]:
    seen = current.get()
    if seen.user is None:
        raise NotPermitted("only a user who has signed in has an account")
    page = render(
        request.app, "access/account.html", here="account", sittings=shop.sittings(seen.token), wrong=wrong,
        changed=changed, role=ROLES[seen.user.role], sees=sorted(seen.actor.sees),
    )  # fmt: skip
    return Response(page, status_code=status, media_type=MediaType.HTML)
