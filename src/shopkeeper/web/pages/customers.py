"""The list of customers: search as you type, one state or all, sort, page; and as a file for a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from litestar import MediaType, Request, Response, get
from litestar.params import FromQuery, QueryParameter

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import UnknownName
from shopkeeper.shop.sheets import as_csv, plain
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.tones import MEANING, TONES
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

SORTS: dict[str, str] = {
    "value": "Next 12 months",
    "margin": "Margin so far",
    "orders": "Orders",
    "recent": "Last order",
}
"""Orders of the list, by the name the shop knows them under."""
SHEET = (
    "state", "state_since", "last_order", "next_order", "orders", "margin", "clv_12m", "clv_low", "clv_high",
    "expected_orders_12m", "p_alive", "marketing_email", "acquisition_channel", "country",
)  # fmt: skip
"""What a list tells of each customer as a file."""
_PAGE = 50
_MOST = 200
Stands = Annotated[str, QueryParameter(name="state", max_length=20)]


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
    stands: Stands = "",
    cursor: FromQuery[str | None] = None,
    *,
    rows: FromQuery[bool] = False,
) -> str:
    """The page, or the piece of it that htmx asks for: the results, or further rows."""
    if sort == "fading":  # how the list of a state was asked for once
        sort, stands = "value", "fading"
    if sort not in SORTS:
        raise UnknownName("sort", sort[:20], SORTS)
    page = shop.find(search.strip(), sort=sort, state=stands, cursor=cursor, limit=_PAGE)
    template = "customers.html"
    if (
        request.headers.get("hx-request") == "true"
        and request.headers.get("hx-history-restore-request") != "true"
    ):
        template = "parts/rows.html" if rows else "parts/results.html"
    return render(
        request.app, template, here="customers", page=page, search=search, sort=sort, sorts=SORTS, state=stands,
        tones=TONES, meaning=MEANING, stood=bool(stands) or any(row.state for row in page.rows),
    )  # fmt: skip


@get("/customers.csv", sync_to_thread=True, include_in_schema=False, opt={OPT: Permission.REPORT})
def customers_sheet(shop: Shop, stands: Stands = "") -> Response[bytes]:
    """The customers of a state, or all, as a file for a spreadsheet: the most valuable first, no names."""
    if stands not in ("", *TONES):
        raise UnknownName("state", stands[:20], TONES)
    name = f"customers-{stands.replace(' ', '-')}" if stands else "customers"
    return sheet(shop, f"state = '{stands}'" if stands else None, name)


def sheet(shop: Shop, condition: str | None, name: str) -> Response[bytes]:
    """The customers of whom a condition is true as a file for a spreadsheet; its name says of which day it is."""
    found = shop.customers(condition, columns=SHEET).sort_by([("clv_12m", "descending"), ("id", "ascending")])
    as_of = datetime.fromisoformat(found.schema.metadata[b"as_of"].decode())
    day = as_of.astimezone(ZoneInfo(shop.settings.time_zone)).date()
    return Response(
        as_csv(plain(found, shop.settings.time_zone)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}-{day}.csv"'},
    )
