"""The list of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar import get
from litestar.params import QueryParameter

from shopkeeper.domain.actor import Permission
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import INVALID, NOT_PERMITTED, PREFIX, After, Cursor, Customers, Limit

if TYPE_CHECKING:
    from shopkeeper.shop import Shop


@get(
    PREFIX + "/customers",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED,
    tags=["customers"],
    operation_id="customers",
    opt={OPT: Permission.LOOK_UP},
)
def list_customers(
    shop: Shop,
    search: Annotated[
        str, QueryParameter(max_length=200, description="part of a name, or any identifier")
    ] = "",
    sort: Annotated[str, QueryParameter(description="value, margin, orders, recent or fading")] = "value",
    stands: Annotated[
        str, QueryParameter(name="state", max_length=20, description="those of one state; all where left out")
    ] = "",
    cursor: After = None,
    limit: Limit = 50,
) -> Customers:
    """Customers found by a search, or all of them, in the order asked for."""
    page = shop.find(search.strip(), sort=sort, state=stands, cursor=cursor, limit=limit)
    return Customers(page.rows, Cursor(page.next, page.next is not None, limit), page.total, page.as_of)
