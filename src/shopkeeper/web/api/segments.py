"""Conditions asked of all customers, for programs. A condition travels in a body: addresses end up in logs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from litestar import post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.size import Size
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import INVALID, NOT_PERMITTED, PREFIX, TOO_LONG, Cursor

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_Condition = Annotated[str, Meta(max_length=20_000, description="see the reference of conditions")]


class CustomerQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which customers, and what of each. Without a condition it is everybody; without columns it is every trait."""

    condition: _Condition | None = None
    columns: Annotated[tuple[str, ...], Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 500
    cursor: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,18}$", description="`cursor.next` of the answer before")]
        | None
    ) = None


class CustomerRows(Struct, frozen=True):
    """Customers in the order of their ids, each with traits by name; ``condition`` as it is written in one way."""

    data: tuple[dict[str, Any], ...]
    cursor: Cursor
    as_of: datetime
    condition: str
    currency: str = ""
    """Of every amount of money."""


class SizeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which customers to count; an estimate comes of a sample and is quick."""

    condition: _Condition | None = None
    estimate: bool = False


@post(
    PREFIX + "/customers/query",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | TOO_LONG,
    tags=["customers"],
    operation_id="query_customers",
    opt={OPT: Permission.REPORT},
)
def query_customers(shop: Shop, data: JSONBody[CustomerQuery]) -> CustomerRows:
    """The customers of whom a condition is true, with their traits and predictions; no names."""
    after = None if data.cursor is None else int(data.cursor)
    found = shop.customers(data.condition, columns=data.columns, limit=data.limit + 1, after=after)
    told = {key.decode(): value.decode() for key, value in (found.schema.metadata or {}).items()}
    more = found.num_rows > data.limit
    rows = found.slice(0, data.limit).to_pylist()
    following = str(rows[-1]["id"]) if more else None
    return CustomerRows(
        tuple(row | {"id": f"c{row['id']}"} for row in rows),
        Cursor(following, more, data.limit),
        datetime.fromisoformat(told["as_of"]),
        told["condition"],
        shop.settings.currency,
    )


@post(
    PREFIX + "/customers/size",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | TOO_LONG,
    tags=["customers"],
    operation_id="size_customers",
    opt={OPT: Permission.REPORT},
)
def size_customers(shop: Shop, data: JSONBody[SizeQuery]) -> Size:
    """How many customers a condition is true of, and what they are worth."""
    return shop.size(data.condition, estimate=data.estimate)
