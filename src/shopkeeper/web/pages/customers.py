"""The list of customers: search as you type, sort, page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get
from litestar.params import FromQuery, QueryParameter

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import UnknownName
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.tones import TONES
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

SORTS: dict[str, str] = {
    "value": "Next 12 months",
    "fading": "Fading value",
    "margin": "Margin so far",
    "orders": "Orders",
    "recent": "Last order",
}
"""Orders of the list, by the name the shop knows them under."""
_PAGE = 50
_MOST = 200


@get(
    "/customers",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt={OPT: Permission.LOOK_UP},
)
def customers(
    request: Request[Any, Any, Any],
    shop: Shop,
    search: Annotated[str, QueryParameter(max_length=_MOST)] = "",
    sort: FromQuery[str] = "value",
    cursor: FromQuery[str | None] = None,
    *,
    rows: FromQuery[bool] = False,
) -> str:
    """The page, or the piece of it that htmx asks for: the results, or further rows."""
    if sort not in SORTS:
        raise UnknownName("sort", sort[:20], SORTS)
    page = shop.find(search.strip(), sort=sort, cursor=cursor, limit=_PAGE)
    template = "customers.html"
    if (
        request.headers.get("hx-request") == "true"
        and request.headers.get("hx-history-restore-request") != "true"
    ):
        template = "parts/rows.html" if rows else "parts/results.html"
    return render(
        request.app, template, here="customers", page=page, search=search, sort=sort, sorts=SORTS, tones=TONES
    )
