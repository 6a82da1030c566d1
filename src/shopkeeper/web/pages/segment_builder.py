"""The builder of a segment: by clicking or by typing, with what it comes to while somebody still does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from litestar import MediaType, Request, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Response
from msgspec import Meta, Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.condition.offers import offers
from shopkeeper.domain.errors import BadCondition, Conflict, NotFound, UnknownName
from shopkeeper.domain.insight import ReadBack
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import text
from shopkeeper.web.pages.tones import MEANING
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopkeeper.domain.errors import ShopkeeperError
    from shopkeeper.domain.insight import Group, Suggestion
    from shopkeeper.shop import Shop

_HERE = "/segment-builder"
_SEE = {OPT: Permission.REPORT}
BEGINNINGS: dict[str, tuple[str, str, str]] = {
    **{state: (state[:1].upper() + state[1:], said, f"state = '{state}'") for state, said in MEANING.items()},
    "regulars": ("Regulars", "Come back regularly, by their own rhythm.", "regular"),
    "open-cases": ("Open cases", "A complaint or request of theirs is not settled yet.", "open_cases >= 1"),
    "advocates": ("Advocates", "Brought at least one other customer.", "brought_customers >= 1"),
}
"""What pages show of a group can be the beginning of a segment: its title, what it is, its condition."""
_FIELDS = ("name", "title", "sentence", "condition", "of")
_LONGEST = 20_000


class Written(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition as a text or as groups and rows."""

    text: Annotated[str, Meta(max_length=_LONGEST)] | None = None
    builder: dict[str, Any] | None = None
    size: Literal["", "estimate", "exact"] = ""


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SEE)
def builder(
    request: Request[Any, Any, Any],
    shop: Shop,
    of: Annotated[str, QueryParameter(max_length=64)] = "",
    suggestion: Annotated[str, QueryParameter(max_length=64)] = "",
    begin: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[Any]:
    """The page, empty, or beginning with a segment that is to be changed, a suggestion, or those whom a page shows."""
    given = dict.fromkeys(_FIELDS, "")
    if of:
        one = next((one for one in shop.segments() if one.name == of), None)
        if one is None:
            raise NotFound("there is no segment of that name", hint="see the list of segments")
        given |= {
            "name": one.name, "title": one.title, "sentence": one.sentence, "condition": one.condition, "of": of,
        }  # fmt: skip
    elif suggestion:
        made = shop.suggestions()
        offered: list[Suggestion | Group] = [*made.rows, *(group for group in made.groups if group.condition)]
        found = next((row for row in offered if row.key == suggestion), None)
        if found is None:
            raise NotFound(
                "nothing is suggested under that name", hint="thresholds and offers change with the data"
            )
        given |= {
            "name": getattr(found, "name", "") or found.key.replace("_", "-"), "title": found.title,
            "sentence": getattr(found, "sentence", ""),
            "condition": found.condition,
        }  # fmt: skip
    elif begin:
        if begin not in BEGINNINGS:
            raise UnknownName("beginning", begin, BEGINNINGS)
        title, sentence, condition = BEGINNINGS[begin]
        given |= {
            "name": begin.replace(" ", "-"), "title": title, "sentence": sentence, "condition": condition,
        }  # fmt: skip
    return build(request, shop, given)


@post(_HERE + "/read", sync_to_thread=True, status_code=200, include_in_schema=False, opt=_SEE)
def read(shop: Shop, data: JSONBody[Written]) -> ReadBack:
    """A condition read back in every form, with its size; what is wrong with it is part of the answer."""
    return _read(shop, data)


def _read(shop: Shop, data: Written) -> ReadBack:
    try:
        return shop.read_back(data.text, builder=data.builder, size=data.size)
    except Conflict:  # before the first refresh it can be read, and nobody be counted
        return shop.read_back(data.text, builder=data.builder)


def build(
    request: Request[Any, Any, Any],
    shop: Shop,
    data: Mapping[str, Any],
    *,
    wrong: ShopkeeperError | None = None,
    status: int = 200,
) -> Response[Any]:
    """The page with what was given; ``wrong`` says why it could not be saved."""
    given = {field: text(dict(data), field) for field in _FIELDS}
    asked = given["condition"].strip()
    told = _read(shop, Written(text=asked[:_LONGEST], size="exact")) if asked else None
    said = "" if wrong is None or (isinstance(wrong, BadCondition) and told and told.error) else str(wrong)
    page = render(
        request.app, "segments/builder.html", here="segments", given=given, told=told, wrong=said,
        values=shop.known_values(), offers=offers(shop.traits()) | {
            "segments": [
                {"name": one.name, "title": one.title} for one in shop.segments() if one.name != given["of"]
            ]
        },
    )  # fmt: skip
    return Response(page, status_code=status, media_type=MediaType.HTML)
