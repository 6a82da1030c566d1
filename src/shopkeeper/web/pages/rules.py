"""The rules of identity and the values that name nobody: what is in force, what a change would do, and doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get, post
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import ShopkeeperError, StoreBusy
from shopkeeper.domain.identity import JunkFound
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.render import render
from shopkeeper.web.settled import junked, ruled
from shopkeeper.web.status import status_of

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = "/identities/rules"
_SETTLES = {OPT: Permission.RESOLVE}
_RULES_ALL = {OPT: Permission.ADMINISTER}
_RULES = (
    ("most", "others of one kind within a year (devices: a week)"),
    ("a_day", "others of one kind within a day"),
)


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def identity_rules(request: Request[Any, Any, Any], shop: Shop) -> Response[Any]:
    """The page."""
    return _page(request, shop)


@post(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_RULES_ALL)
def apply_rules(request: Request[Any, Any, Any], shop: Shop) -> Response[Any]:
    """Put the rules of the settings in force."""
    try:
        ruled(shop, apply=True)
    except StoreBusy as error:
        return _page(request, shop, wrong=error)
    return Redirect(_HERE, status_code=303)


@post(_HERE + "/junk", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def identity_junk(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Look for values that name nobody, or set them aside."""
    try:
        return _page(request, shop, junk=junked(shop, apply=bool(text(data, "apply"))))
    except StoreBusy as error:
        return _page(request, shop, wrong=error)


def _page(
    request: Request[Any, Any, Any],
    shop: Shop,
    *,
    junk: JunkFound | None = None,
    wrong: ShopkeeperError | str = "",
) -> Response[Any]:
    rules = None
    try:
        rules = ruled(shop, apply=False, lately=True)
    except StoreBusy as error:
        wrong = wrong or error
    page = render(
        request.app,
        "identity/rules.html",
        here="identities",
        rules=rules,
        what=_RULES,
        junk=junk,
        wrong=str(wrong),
    )
    status = 200 if not wrong or isinstance(wrong, str) else status_of(wrong)
    return Response(page, status_code=status, media_type=MediaType.HTML)
