"""The way to the identity provider and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import Request, get
from litestar.datastructures import Cookie
from litestar.params import QueryParameter
from litestar.response import Redirect

from shopkeeper.domain.errors import NotFound, NotSignedIn
from shopkeeper.web.access import cookies
from shopkeeper.web.access.declared import ANYONE, OPT
from shopkeeper.web.access.present import current
from shopkeeper.web.access.provider import Begun, Provider
from shopkeeper.web.pages.door import begun, device

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_OPEN = {OPT: ANYONE}
_BACK = "/sign-in/provider/back"
_LASTS = 600
"""Seconds from leaving for the provider to coming back."""
Word = Annotated[str, QueryParameter(max_length=4000)]
State = Annotated[str, QueryParameter(name="state", max_length=4000)]


@get("/sign-in/provider", sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def to_provider(
    request: Request[Any, Any, Any],
    shop: Shop,
    next_: Annotated[str, QueryParameter(name="next", max_length=2000)] = "/",
) -> Redirect:
    """Send the browser to the identity provider."""
    address, kept = _provider(request, shop).begin(_back(request, shop), cookies.safe_next(next_, "/"))
    return Redirect(address, status_code=303, cookies=[_cookie(shop, shop.seal_note(kept), _LASTS)])


@get(_BACK, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def from_provider(
    request: Request[Any, Any, Any], shop: Shop, code: Word = "", given: State = "", error: Word = ""
) -> Redirect:
    """The browser comes back with what the provider says."""
    provider = _provider(request, shop)
    kept = shop.open_note(request.cookies.get(_name(shop), ""), Begun, _LASTS)
    if kept is None:
        raise NotSignedIn("no sign-in was begun in this browser, or long ago", hint="begin again")
    if error:
        raise NotSignedIn("the identity provider refused", hint="begin again, or ask an administrator")
    vouched = provider.finish(_back(request, shop), kept, code, given)
    signed = shop.sign_in_vouched(vouched.issuer, vouched.subject, vouched.email, device=device(request))
    answer = begun(shop, signed, kept.next)
    answer.cookies.append(_cookie(shop, "", 0))
    return answer


def _provider(request: Request[Any, Any, Any], shop: Shop) -> Provider:
    state = request.app.state
    if "provider" not in state:
        state["provider"] = Provider.of(shop.settings)
    found: Provider | None = state["provider"]
    if found is None:
        raise NotFound("this shop has no identity provider", hint="sign in by password")
    return found


def _back(request: Request[Any, Any, Any], shop: Shop) -> str:
    return (shop.settings.address or str(request.base_url)).rstrip("/") + _BACK


def _name(shop: Shop) -> str:
    return f"shopkeeper-provider-{shop.mark}"


def _cookie(shop: Shop, value: str, age: int) -> Cookie:
    return Cookie(
        key=_name(shop), value=value, max_age=age, path="/sign-in/provider", httponly=True,
        secure=current.get().secure, samesite="lax",
    )  # fmt: skip
