"""The way in and out: sign-in, the first set-up, links that work once, sign-out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import InvalidInput, NotPermitted, NotSignedIn, TooManyTries
from shopkeeper.web.access import cookies
from shopkeeper.web.access.declared import ANYONE, OPT, SIGNED_IN
from shopkeeper.web.access.present import current, home
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.domain.access import SignedIn
    from shopkeeper.shop import Shop

Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Token = Annotated[str, QueryParameter(max_length=200)]
_OPEN = {OPT: ANYONE}


@get("/sign-in", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def sign_in_page(
    request: Request[Any, Any, Any],
    shop: Shop,
    next_: Annotated[str, QueryParameter(name="next", max_length=2000)] = "/",
) -> Response[Any]:
    """The form; who has signed in already goes on."""
    seen = current.get()
    if seen.user is not None:
        return Redirect(cookies.safe_next(next_, home(seen.actor)), status_code=303)
    return _sign_in_form(request, shop, next_)


@post("/sign-in", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def sign_in(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Sign in by password; a session of before ends."""
    email, to = text(data, "email"), text(data, "next") or "/"
    try:
        signed = shop.sign_in(email, text(data, "password"), address=caller(request), device=device(request))
    except TooManyTries as error:
        headers = {"retry-after": str(error.wait)}
        return _sign_in_form(request, shop, to, email, str(error), status=429, headers=headers)
    except NotSignedIn as error:
        return _sign_in_form(request, shop, to, email, str(error), status=401)
    return begun(shop, signed, to)


@get("/set-up", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def set_up_page(request: Request[Any, Any, Any], shop: Shop, token: Token = "") -> Response[Any]:
    """The form of the first administrator."""
    if shop.link(token).purpose != "set_up":
        raise NotSignedIn("this link is not for setting up a shop")
    return _set_up_form(request, token)


@post("/set-up", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def set_up(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Make the first administrator."""
    token, email, name = text(data, "token"), text(data, "email"), text(data, "name")
    if shop.link(token).purpose != "set_up":
        raise NotSignedIn("this link is not for setting up a shop")
    try:
        signed = shop.set_up(token, email, text(data, "password"), name, device=device(request))
    except InvalidInput as error:
        return _set_up_form(request, token, email, name, str(error), status=400)
    return begun(shop, signed, "/")


@get("/enter", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def enter_page(request: Request[Any, Any, Any], shop: Shop, token: Token = "") -> Response[Any]:
    """What a link leads to. Only its button uses it up: a program that looks at links in mails must not."""
    return _enter_form(request, shop, token)


@post("/enter", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_OPEN)
def enter(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Sign in by a link, or choose a password by it."""
    token = text(data, "token")
    if shop.link(token).purpose == "sign_in":
        return begun(shop, shop.enter(token, device=device(request)), "/")
    try:
        signed = shop.accept(token, text(data, "password"), device=device(request))
    except InvalidInput as error:
        return _enter_form(request, shop, token, str(error), status=400)
    return begun(shop, signed, "/")


@post("/sign-out", sync_to_thread=True, include_in_schema=False, opt={OPT: SIGNED_IN})
def sign_out(shop: Shop) -> Redirect:
    """End the session."""
    seen = current.get()
    if not seen.token:
        raise NotPermitted("a key has no session to end")
    shop.sign_out(seen.token)
    return Redirect("/sign-in", status_code=303, cookies=[cookies.dropped(shop.mark, secure=seen.secure)])


def begun(shop: Shop, signed: SignedIn, to: str) -> Redirect:
    """On to where somebody wanted to go, with the cookie of a new session; the one of before ends."""
    seen = current.get()
    if seen.token:
        shop.sign_out(seen.token)
    kept = cookies.kept(shop.mark, signed.token, signed.seconds, secure=seen.secure)
    start = home(Actor(signed.user.id, signed.user.role))
    there = cookies.safe_next(to, start)
    return Redirect(start if there == "/" else there, status_code=303, cookies=[kept])


def text(data: dict[str, Any], name: str) -> str:
    """A field of a form; empty where it is missing or given twice."""
    value = data.get(name, "")
    return value if isinstance(value, str) else ""


def device(request: Request[Any, Any, Any]) -> str:
    """The browser, as its owner would call it."""
    return cookies.device_of(request.headers.get("user-agent", ""))


def caller(request: Request[Any, Any, Any]) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client is not None else ""


def _sign_in_form(
    request: Request[Any, Any, Any],
    shop: Shop,
    to: str,
    email: str = "",
    wrong: str = "",
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    page = render(
        request.app, "access/sign_in.html", here="sign-in", next=cookies.safe_next(to, "/"), email=email[:254],
        wrong=wrong, first_run=shop.first_run(), provider=shop.provider_name(),
    )  # fmt: skip
    return Response(page, status_code=status, media_type=MediaType.HTML, headers=headers)


def _set_up_form(
    request: Request[Any, Any, Any],
    token: str,
    email: str = "",
    name: str = "",
    wrong: str = "",
    *,
    status: int = 200,
) -> Response[Any]:
    page = render(
        request.app,
        "access/set_up.html",
        here="set-up",
        token=token,
        email=email[:254],
        name=name[:100],
        wrong=wrong,
    )
    return Response(page, status_code=status, media_type=MediaType.HTML)


def _enter_form(
    request: Request[Any, Any, Any], shop: Shop, token: str, wrong: str = "", *, status: int = 200
) -> Response[Any]:
    page = render(request.app, "access/enter.html", here="enter", link=shop.link(token), wrong=wrong)
    return Response(page, status_code=status, media_type=MediaType.HTML)
