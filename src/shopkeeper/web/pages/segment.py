"""One segment: what defines it, who is in it, how it grew, what they have in common, overlaps, channels."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from litestar import MediaType, Request, get, post
from litestar.params import PathParameter, QueryParameter
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, ShopkeeperError, UnknownName
from shopkeeper.domain.segment import STATES
from shopkeeper.shop.insights import OTHER_BUYERS
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.customers import sheet
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.pages.segments import TONES
from shopkeeper.web.render import render
from shopkeeper.web.sankey import picture
from shopkeeper.web.segmented import segmented
from shopkeeper.web.status import status_of

if TYPE_CHECKING:
    from shopkeeper.domain.segment import SegmentHistory
    from shopkeeper.shop import Shop

_HERE = "/segments"
_ONE = _HERE + "/{name:str}"
_SEE = {OPT: Permission.REPORT}
_LOOK_UP = {OPT: Permission.LOOK_UP}
_CHANGE = {OPT: Permission.SEGMENT}
_FIRST = 25
_CHANGES = ("activate", "pause", "archive")
_BESIDE = 40
"""Segments that one is laid beside at most."""
_FLOWING = 4
"""Segments that flows are shown beside at first, and at most."""
_FLOWING_MOST = 7
DONE = {
    "saved": "Saved.",
    "activate": "It is in use: customers enter and leave as things happen.",
    "pause": "It stands still: nobody enters or leaves.",
    "archive": "It is put away. What entered and left is kept.",
}
"""What was just done, in words."""
Name = Annotated[str, PathParameter(max_length=96)]


@get(_ONE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def segment(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: Name,
    done: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[Any]:
    """The page; what takes longer comes in pieces."""
    return _page(request, shop, name, done=DONE.get(done, ""))


@post(_ONE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_CHANGE)
def change(request: Request[Any, Any, Any], shop: Shop, name: Name, data: Form) -> Response[Any]:
    """Bring it into use, let it stand still, or put it away."""
    what = text(data, "what")
    if what not in _CHANGES:
        raise UnknownName("change", what[:20], _CHANGES)
    try:
        _known(shop, name)
        segmented(shop, what, name=name)
    except Conflict as error:
        return _page(request, shop, name, wrong=str(error), status=status_of(error))
    return Redirect(f"{_HERE}/{name}?done={what}", status_code=303)


@get(
    _ONE + "/members",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt={OPT: Permission.LOOK_UP},
)
def members(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: Name,
    cursor: Annotated[int | None, QueryParameter(ge=0, le=2**62)] = None,
) -> Response[Any]:
    """Customers in it, after one: rows for htmx, else a page of them."""
    try:
        page = shop.members(name, cursor=cursor, limit=_FIRST)
    except UnknownName as error:
        raise NotFound(error.message, hint=error.hint) from None
    return _piece_of(request, "members", name=name, members=page)


@get(_ONE + "/customers.csv", sync_to_thread=True, include_in_schema=False, opt=_SEE)
def customers_of(shop: Shop, name: Name) -> Response[bytes]:
    """Its customers as a file for a spreadsheet: the most valuable first, no names."""
    one = _known(shop, name).segment
    return sheet(shop, f"segment('{one.name}')", one.name)


@get(_ONE + "/comparison", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def comparison(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: Name,
    beside: Annotated[str, QueryParameter(name="with", max_length=96)] = "",
) -> Response[Any]:
    """What its customers have in common, beside the rest or beside another segment's."""
    _known(shop, name)
    others = _others(shop, name)
    if beside and beside not in (known := [OTHER_BUYERS, *(one.name for one in others)]):
        raise UnknownName("segment", beside, known)
    found = wrong = None
    try:
        found = shop.compare(name, beside or None)
    except (InvalidInput, Conflict) as error:
        wrong = error
    reach = max((max(abs(fact.low), abs(fact.high)) for fact in found.facts), default=1.0) if found else 1.0
    return _piece_of(
        request, "comparison", name=name, found=found, wrong=wrong, reach=reach or 1.0, beside=beside,
        others=others,
    )  # fmt: skip


@get(_ONE + "/channels", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def channels(request: Request[Any, Any, Any], shop: Shop, name: Name) -> Response[Any]:
    """Which channels start, assist and close its orders."""
    _known(shop, name)
    found = wrong = None
    try:
        found = shop.channels_of(name)
    except (InvalidInput, Conflict) as error:
        wrong = error
    return _piece_of(request, "channels", name=name, found=found, wrong=wrong)


@get(_ONE + "/overlaps", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def overlaps(request: Request[Any, Any, Any], shop: Shop, name: Name) -> Response[Any]:
    """Which other segments its customers are in as well."""
    _known(shop, name)
    others = sorted(_others(shop, name), key=lambda one: -one.size)
    left, others = len(others[_BESIDE:]), others[:_BESIDE]
    found = wrong = None
    try:
        found = shop.overlaps(name, *(one.name for one in others)) if others else None
    except (InvalidInput, Conflict) as error:
        wrong = error
    pairs = (
        sorted((pair for pair in found.pairs if pair.one == name), key=lambda pair: -pair.of_one)
        if found
        else []
    )
    titles = {one.name: one.title for one in others}
    return _piece_of(request, "overlaps", name=name, pairs=pairs, titles=titles, wrong=wrong, left=left)


@get(_ONE + "/flows", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def flows(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: Name,
    beside: Annotated[list[str] | None, QueryParameter(name="with")] = None,
    per: Annotated[str, QueryParameter(max_length=10)] = "month",
    chosen: Annotated[str, QueryParameter(max_length=1)] = "",
) -> Response[Any]:
    """Where its customers came from and went, beside other segments: those asked for, else the largest."""
    one = _known(shop, name).segment
    others = sorted(_others(shop, name), key=lambda other: -other.size)[:_BESIDE]
    known = {other.name: other for other in others}
    asked = [other.name for other in others[:_FLOWING]] if beside is None and not chosen else beside or []
    if unknown := [other for other in asked if other not in known]:
        raise UnknownName("segment", unknown[0][:96], known)
    found = wrong = None
    try:
        # Who is in several stands in the first: in this one, else in the smallest.
        found = shop.segment_flows(name, *sorted(asked, key=lambda other: known[other].size), per=per)
    except (InvalidInput, Conflict) as error:
        wrong = error
    titles = {other.name: other.title for other in (one, *others)}
    zone = ZoneInfo(shop.settings.time_zone)
    days = [f"{at.astimezone(zone):%-d %b %Y}" for at in found.boundaries] if found else []
    return _piece_of(
        request, "flows", name=name, found=found, wrong=wrong, others=others, beside=asked, per=per, days=days,
        titles=titles, picture=picture(found, titles) if found else None, most=_FLOWING_MOST,
    )  # fmt: skip


def _known(shop: Shop, name: str) -> SegmentHistory:
    try:
        return shop.segment(name)
    except UnknownName as error:
        raise NotFound(error.message, hint=error.hint) from None


def _others(shop: Shop, name: str) -> list[Any]:
    return [one for one in shop.segments() if one.name != name]


def _piece(request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("hx-request") == "true"


def _html(page: str, status: int = 200) -> Response[Any]:
    return Response(page, status_code=status, media_type=MediaType.HTML)


def _piece_of(request: Request[Any, Any, Any], what: str, **told: Any) -> Response[Any]:
    """A piece of the page; without a script, a page of its own."""
    template = f"segments/{what}.html" if _piece(request) else "segments/alone.html"
    return _html(render(request.app, template, here="segments", what=what, **told))


def _page(
    request: Request[Any, Any, Any],
    shop: Shop,
    name: str,
    *,
    done: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response[Any]:
    found = _known(shop, name)
    one = found.segment
    seen = shop.members(name, limit=_FIRST) if shop.actor.may(Permission.LOOK_UP) else None
    try:
        said = shop.read_back(one.condition)
    except ShopkeeperError:  # pragma: no cover - a saved condition can be read
        said = None
    today = shop.clock.now().astimezone(ZoneInfo(shop.settings.time_zone)).date()
    page = render(
        request.app, "segments/segment.html", here="segments", found=found, one=one, said=said,
        worth=shop.worths().get(name), members=seen, chart=_chart(found, today), done=done,
        wrong=wrong, states=STATES, tones=TONES,
    )  # fmt: skip
    return _html(page, status)


def _chart(found: SegmentHistory, today: date) -> dict[str, Any]:
    """Every day from the first on which anybody entered or left: days without a change have the size of before."""
    by_day = {one.day: one for one in found.days}
    days: list[str] = []
    size: list[int] = []
    entered: list[int] = []
    exited: list[int] = []
    at = min(by_day, default=today)
    last = 0
    while by_day and at <= today:
        one = by_day.get(at)
        last = one.size if one else last
        days.append(at.isoformat())
        size.append(last)
        entered.append(one.entered if one else 0)
        exited.append(one.exited if one else 0)
        at += timedelta(days=1)
    return {"days": days, "size": size, "entered": entered, "exited": exited}
