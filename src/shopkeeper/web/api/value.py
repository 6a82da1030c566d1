"""What customers are worth, for programs: who holds the value, and what was predicted when."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.value import Predicted, ValueReport
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import CONFLICT, INVALID, NOT_FOUND, NOT_PERMITTED, PREFIX, Cursor, Who

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_SEES = {OPT: Permission.REPORT}
_Condition = Annotated[str, Meta(max_length=20_000, description="see the reference of conditions")]
_After = Annotated[str, Meta(pattern=r"^[0-9]{1,18}$", description="`cursor.next` of the answer before")]


class PredictedQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """As of which day, and of whom. Without a day it is the last refresh; without a condition it is everybody."""

    as_of: date | None = None
    condition: _Condition | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 500
    cursor: _After | None = None


class PredictedRows(Struct, frozen=True):
    """Customers in the order of their ids, each with what was predicted; ``as_of`` is when it was."""

    data: tuple[dict[str, Any], ...]
    cursor: Cursor
    as_of: datetime


@get(
    PREFIX + "/value", sync_to_thread=True, responses=NOT_PERMITTED | CONFLICT, tags=["value"],
    operation_id="value", opt=_SEES,
)  # fmt: skip
def value(shop: Shop) -> ValueReport:
    """Who holds the value, how sure that is, whether the model beats simple rules, and how predictions moved."""
    return shop.value()


@post(
    PREFIX + "/value/predicted", sync_to_thread=True, status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND | CONFLICT, tags=["value"], operation_id="predicted", opt=_SEES,
)  # fmt: skip
def predicted(shop: Shop, data: JSONBody[PredictedQuery]) -> PredictedRows:
    """What the last refresh at or before a day's end predicted of customers; no names."""
    found = shop.predicted(data.as_of, data.condition)
    told = {key.decode(): value.decode() for key, value in (found.schema.metadata or {}).items()}
    ids = found["customer"].to_numpy()
    start = 0 if data.cursor is None else int(ids.searchsorted(int(data.cursor), side="right"))
    rows = found.slice(start, data.limit).to_pylist()
    more = start + len(rows) < found.num_rows
    return PredictedRows(
        tuple({"id": f"c{row.pop('customer')}"} | row for row in rows),
        Cursor(str(ids[start + len(rows) - 1]) if more else None, more, data.limit),
        datetime.fromisoformat(told["as_of"]),
    )


@get(
    PREFIX + "/profiles/{identifier:str}/predictions", sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND, tags=["profiles"], operation_id="profile_predictions",
    opt={OPT: Permission.LOOK_UP},
)  # fmt: skip
def profile_predictions(shop: Shop, identifier: Who) -> Predicted:
    """What was predicted of one customer, refresh by refresh, the earliest first."""
    return shop.predictions(identifier)
