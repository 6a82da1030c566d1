"""Sources: who hands in by itself, with which keys, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get, post
from litestar.params import PathParameter, QueryParameter
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import InvalidInput, ShopkeeperError, UnknownName
from shopkeeper.domain.source import KINDS
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = "/sources"
_ONE = _HERE + "/{name:str}"
_SEE = {OPT: Permission.COLLECT}
_RUN = {OPT: Permission.ADMINISTER}
_ASKED = ("name", "kind", "brand", "channel", "mapping")
_LATEST = 50
_LOOKED_THROUGH = 2_000
_SIGNING = frozenset({"shopify", "webhook"})
Name = Annotated[str, PathParameter(max_length=40)]


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def sources(request: Request[Any, Any, Any], shop: Shop) -> Response[Any]:
    """All sources."""
    return _list(request, shop)


@post(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_RUN)
def add_source(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Add a source; its key is shown this once."""
    given = {field: text(data, field) for field in _ASKED}
    name = given["name"].lower()
    try:
        key = shop.add_source(
            name, given["kind"], brand=given["brand"], channel=given["channel"], mapping=given["mapping"]
        )
        secret = shop.set_secret(name) if given["kind"] == "shopify" and not text(data, "secret") else ""
        if text(data, "secret"):
            shop.set_secret(name, text(data, "secret"))
    except ShopkeeperError as error:
        return _list(request, shop, wrong=str(error), given=given, status=400)
    return _one(request, shop, name, key=key, secret=secret or "", fresh=True)


@get(_ONE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def source(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: Name,
    done: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[Any]:
    """One source: how to send, what came in, what was refused and why."""
    return _one(request, shop, name, done=done)


@post(_ONE + "/key", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_RUN)
def rotate_key(request: Request[Any, Any, Any], shop: Shop, name: Name, data: Form) -> Response[Any]:
    """Make a new key, shown this once; the old one works for some days more."""
    days = text(data, "days")
    try:
        grace = timedelta(days=int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 7)
        key = shop.rotate_key(name, grace)
    except ShopkeeperError as error:
        return _one(request, shop, name, wrong=str(error))
    return _one(request, shop, name, key=key)


@post(_ONE + "/revoke", sync_to_thread=True, include_in_schema=False, opt=_RUN)
def revoke_key(shop: Shop, name: Name, data: Form) -> Redirect:
    """End one key, or all."""
    shop.revoke_key(name, text(data, "hint") or None)
    return Redirect(f"{_HERE}/{name}?done=revoked", status_code=303)


@post(_ONE + "/secret", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_RUN)
def set_secret(request: Request[Any, Any, Any], shop: Shop, name: Name, data: Form) -> Response[Any]:
    """Set what the source signs with; one that is drawn is shown this once."""
    try:
        drawn = shop.set_secret(name, text(data, "secret") or None)
    except ShopkeeperError as error:
        return _one(request, shop, name, wrong=str(error))
    return _one(request, shop, name, secret=drawn or "", done="" if drawn else "secret")


@post(_ONE + "/switch", sync_to_thread=True, include_in_schema=False, opt=_RUN)
def switch(shop: Shop, name: Name, data: Form) -> Redirect:
    """Switch a source off, or on again."""
    off = text(data, "to") == "off"
    shop.change_source(name, disabled=off)
    return Redirect(f"{_HERE}/{name}?done={'off' if off else 'on'}", status_code=303)


@post(_ONE + "/limits", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_RUN)
def set_limits(request: Request[Any, Any, Any], shop: Shop, name: Name, data: Form) -> Response[Any]:
    """Say from which web origins it may send, and how much."""
    rate = text(data, "rate") or "0"
    try:
        if not (rate.isascii() and rate.isdigit() and len(rate) < 10):
            raise InvalidInput("events a second is a whole number", hint="give 0 for no limit")
        shop.change_source(name, origins=text(data, "origins").split(), events_per_second=int(rate))
    except ShopkeeperError as error:
        return _one(request, shop, name, wrong=str(error))
    return Redirect(f"{_HERE}/{name}?done=limits", status_code=303)


@post(_ONE + "/replay", sync_to_thread=True, include_in_schema=False, opt=_SEE)
def replay_source(shop: Shop, name: Name, data: Form) -> Redirect:
    """Read what was refused of a source again."""
    again(shop, source=name, reason=text(data, "reason") or None)
    return Redirect(f"{_HERE}/{name}?done=replay", status_code=303)


def again(shop: Shop, *, source: str | None, reason: str | None) -> None:
    """Replay here, or hand it to the worker where one holds the shop."""
    if shop.worked():
        chosen = {"source": source, "reason": reason}
        shop.hand_over("replay", **{name: value for name, value in chosen.items() if value})
    else:
        shop.replay(source=source, reason=reason)


def _list(
    request: Request[Any, Any, Any],
    shop: Shop,
    *,
    wrong: str = "",
    given: dict[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    flow = shop.flow() if shop.actor.may(Permission.REPORT) else None
    page = render(
        request.app,
        "sources.html",
        here="sources",
        sources=shop.sources(),
        today={one.source: one for one in flow.sources} if flow else {},
        in_all=shop.source_totals() if flow else {},
        flow=flow,
        kinds=KINDS,
        wrong=wrong,
        given=dict.fromkeys(_ASKED, "") | (given or {}),
    )
    return Response(page, status_code=status, media_type=MediaType.HTML)


def _one(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: str,
    *,
    key: str = "",
    secret: str = "",
    wrong: str = "",
    done: str = "",
    fresh: bool = False,
) -> Response[Any]:
    known = {shown.source.name: shown for shown in shop.sources()}
    if name not in known:
        raise UnknownName("source", name[:40], known)
    flow = shop.flow() if shop.actor.may(Permission.REPORT) else None
    refused = [row for row in shop.quarantine(limit=_LOOKED_THROUGH) if row.source == name] if flow else []
    base = shop.settings.address or str(request.base_url).rstrip("/")
    page = render(
        request.app,
        "source.html",
        here="sources",
        shown=known[name],
        source=known[name].source,
        kind=KINDS[known[name].source.kind],
        signs=known[name].source.kind in _SIGNING,
        keyed=known[name].source.kind != "shopify",
        today=next((one for one in flow.sources if one.source == name), None) if flow else None,
        in_all=shop.source_totals().get(name) if flow else None,
        reasons=sorted(flow.quarantined.get(name, {}).items(), key=lambda item: -item[1]) if flow else [],
        refused=refused[:_LATEST],
        base=base.rstrip("/"),
        key=key,
        secret=secret,
        wrong=wrong,
        done=done,
        fresh=fresh,
    )
    return Response(page, status_code=400 if wrong else 200, media_type=MediaType.HTML)
