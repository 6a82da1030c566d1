"""Segments: all of them with size and value, and what may be worth one; saving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get, post
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect, Response
from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict, InvalidInput, ShopkeeperError
from shopkeeper.domain.segment import STATES, Segment
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.pages.segment_builder import build
from shopkeeper.web.render import render
from shopkeeper.web.segmented import segmented
from shopkeeper.web.status import status_of

if TYPE_CHECKING:
    from shopkeeper.domain.insight import Worth
    from shopkeeper.shop import Shop

_HERE = "/segments"
_SEE = {OPT: Permission.REPORT}
TONES = {"live": "good", "backfilling": "fresh", "draft": "plain", "paused": "warn", "archived": "faint"}
"""The colours of what may become of a segment."""
FAMILIES = {
    "value": "By expected value",
    "lifecycle": "By where they stand",
    "rfm": "By recency and frequency",
    "behaviour": "By what they do",
}
"""Families of suggestions, in the order in which they are shown."""


class Line(Struct, frozen=True):
    """A row of the list."""

    segment: Segment
    worth: Worth | None


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def segments(
    request: Request[Any, Any, Any],
    shop: Shop,
    done: Annotated[str, QueryParameter(max_length=64)] = "",
    *,
    archived: FromQuery[bool] = False,
) -> str:
    """The list."""
    worths = shop.worths()
    lines = [Line(one, worths.get(one.name)) for one in shop.segments(archived=archived)]
    lines.sort(
        key=lambda line: (line.segment.state == "archived", -line.segment.size, line.segment.title.lower())
    )
    return render(
        request.app, "segments.html", here="segments", lines=lines, archived=archived, done=done, states=STATES,
        tones=TONES,
    )  # fmt: skip


@get(
    "/segment-suggestions",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt=_SEE,
)
def suggestions(request: Request[Any, Any, Any], shop: Shop) -> str:
    """What may be worth a segment: a piece of the list, or a page of its own."""
    try:
        found = shop.suggestions()
    except Conflict:  # before the first refresh there is nobody to suggest
        found = None
    piece = request.headers.get("hx-request") == "true"
    template = "segments/suggested.html" if piece else "segments/suggestions.html"
    return render(request.app, template, here="segments", found=found, families=FAMILIES)


@post(
    _HERE,
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt={OPT: Permission.SEGMENT},
)
def save(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Save a segment, a new one or a new version, and bring it into use where that is wanted."""
    name, what = text(data, "name").strip(), text(data, "then")
    if what == "read":
        return build(request, shop, data)
    try:
        if not text(data, "of") and any(one.name == name for one in shop.segments()):
            raise Conflict(
                f"there is a segment {name!r} already", hint="choose another name, or change that one"
            )
        if not name:
            raise InvalidInput(
                "a segment needs a name", hint="small letters and digits, such as fading-valuable"
            )
        segmented(
            shop, "save", name=name, condition=text(data, "condition"), title=text(data, "title"),
            sentence=text(data, "sentence"), activate=what == "activate",
        )  # fmt: skip
    except ShopkeeperError as error:
        return build(request, shop, data, wrong=error, status=status_of(error))
    return Redirect(f"{_HERE}/{name}?done=saved", status_code=303)
