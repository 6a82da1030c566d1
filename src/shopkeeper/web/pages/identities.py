"""Who is who: what needs a look, the evidence between two identifiers, and what merged and split of late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound
from shopkeeper.domain.identity import SETTLEMENTS, Explanation, Settle, Settlement
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.render import render
from shopkeeper.web.settled import settled

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = "/identities"
_SETTLES = {OPT: Permission.RESOLVE}
_LATEST = 12
_Text = Annotated[str, QueryParameter(max_length=600)]


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def identities(
    request: Request[Any, Any, Any],
    shop: Shop,
    one: _Text = "",
    other: _Text = "",
    cursor: Annotated[int | None, QueryParameter(ge=1, le=2**62)] = None,
    done: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[Any]:
    """The page; with two identifiers it says why they belong together or not."""
    return _page(request, shop, one=one.strip(), other=other.strip(), cursor=cursor, done=done)


@post(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def settle(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Settle something, or try it: then the page says what it would do and asks."""
    ask = Settle(
        what=text(data, "what"),
        identifiers=tuple(v for name in ("one", "other") if (v := text(data, name).strip())),
        dry_run=bool(text(data, "try")),
    )
    try:
        made = settled(shop, ask)
    except (InvalidInput, Conflict, NotFound) as error:
        return _page(request, shop, one=text(data, "one"), other=text(data, "other"), wrong=str(error))
    if ask.dry_run:
        return _page(request, shop, one=text(data, "one"), other=text(data, "other"), would=made, ask=ask)
    return Redirect(f"{_HERE}?done={ask.what}", status_code=303)


def _page(
    request: Request[Any, Any, Any],
    shop: Shop,
    *,
    one: str = "",
    other: str = "",
    cursor: int | None = None,
    done: str = "",
    wrong: str = "",
    would: Settlement | None = None,
    ask: Settle | None = None,
) -> Response[Any]:
    found: Explanation | None = None
    status = 400 if wrong else 200
    if one and other and not wrong:
        try:
            found = shop.explain(one, other)
        except (InvalidInput, NotFound) as error:
            wrong, status = str(error), 404 if isinstance(error, NotFound) else 400
    page = render(
        request.app,
        "identities.html",
        here="identities",
        review=shop.review(cursor=cursor),
        turns=shop.turns(limit=_LATEST) if not cursor else (),
        first=not cursor,
        one=one,
        other=other,
        found=found,
        would=would,
        ask=ask,
        done=done if done in SETTLEMENTS else "",
        settlements=SETTLEMENTS,
        wrong=wrong,
    )
    return Response(page, status_code=status, media_type=MediaType.HTML)
