"""API keys: who made which, with which scopes, last used when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get, post
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import SCOPES, Permission
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.domain.access import NewKey
    from shopkeeper.shop import Shop

_KEYS = {OPT: Permission.ACCOUNTS}
_HERE = "/settings/keys"
_MEANING: dict[str, str] = {
    "report": "figures about the whole shop",
    "look_up": "single customers",
    "collect": "bring in data",
    "refresh": "fold, fit and score",
    "resolve": "settle who is who",
    "segment": "define segments",
    "export": "all that is known of a person",
    "forget": "erase a person",
    "administer": "settings, sources and backups",
    "accounts": "users and keys",
    "audit": "who saw and did what",
    "see_identifier": "card, account and device numbers",
    "see_contact": "e-mail, telephone and postal addresses",
    "see_name": "names",
    "see_demographic": "birth date, household, what was bought in",
    "see_text": "what people wrote or said",
    "see_undeclared": "what nobody has declared yet",
}


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_KEYS)
def keys(request: Request[Any, Any, Any], shop: Shop) -> Response[Any]:
    """The page."""
    return _page(request, shop)


@post(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_KEYS)
def add_key(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Make a key; it is shown once."""
    given = data.get("scopes", [])
    days = text(data, "days")
    try:
        if not (days.isascii() and days.isdigit() and len(days) < 6):
            raise InvalidInput("days is a whole number", hint="give 0 for a key without an end")
        made = shop.add_api_key(text(data, "name"), [given] if isinstance(given, str) else given, int(days))
    except InvalidInput as error:
        return _page(request, shop, wrong=str(error), status=400)
    return _page(request, shop, made=made)


@post(_HERE + "/revoke", sync_to_thread=True, include_in_schema=False, opt=_KEYS)
def revoke_key(shop: Shop, data: Form) -> Redirect:
    """End a key."""
    shop.revoke_api_key(text(data, "key"))
    return Redirect(_HERE, status_code=303)


def _page(
    request: Request[Any, Any, Any],
    shop: Shop,
    *,
    made: NewKey | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response[Any]:
    page = render(
        request.app, "access/keys.html", here="keys", keys=shop.api_keys(), made=made, wrong=wrong,
        permissions={s: _MEANING[s] for s in SCOPES if not s.startswith("see_")},
        sights={s: _MEANING[s] for s in SCOPES if s.startswith("see_")},
    )  # fmt: skip
    return Response(page, status_code=status, media_type=MediaType.HTML)
