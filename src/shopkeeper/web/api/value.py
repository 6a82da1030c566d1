"""What customers are worth, for programs: who holds the value, over any horizon, and what was predicted when.

Tables come as JSON in pages, or whole as a Parquet file to who says ``Accept: application/vnd.apache.parquet``.
"""

from __future__ import annotations

from datetime import date, datetime
from math import inf
from typing import TYPE_CHECKING, Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.value import Predicted, ValueReport
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.features import PARQUET, as_file
from shopkeeper.web.api.negotiating import preferred
from shopkeeper.web.api.shapes import (
    CONFLICT,
    INVALID,
    NOT_FOUND,
    NOT_PERMITTED,
    PREFIX,
    TOO_LONG,
    Cursor,
    Who,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from shopkeeper.shop import Shop

_SEES = {OPT: Permission.REPORT}
_ANSWERS = INVALID | NOT_PERMITTED | NOT_FOUND | CONFLICT | TOO_LONG
_Condition = Annotated[str, Meta(max_length=20_000, description="see the reference of conditions")]
_After = Annotated[str, Meta(pattern=r"^[0-9]{1,18}$", description="`cursor.next` of the answer before")]
_Most = Annotated[int, Meta(ge=1, le=10_000, description="most customers in one answer")]
_Weeks = Annotated[float, Meta(gt=0, description="weeks from the end of `as_of`")]
_Asks = Request[Any, Any, Any]


class PredictedQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """As of which day, and of whom. Without a day it is the last refresh; without a condition it is everybody."""

    as_of: date | None = None
    condition: _Condition | None = None
    limit: _Most = 500
    cursor: _After | None = None


class PredictedRows(Struct, frozen=True):
    """Customers in the order of their ids, each with what was predicted; ``as_of`` is when it was."""

    data: tuple[dict[str, Any], ...]
    cursor: Cursor
    as_of: datetime


class WorthQuery(PredictedQuery, frozen=True, forbid_unknown_fields=True):
    """Over which horizon, as of which day, and of whom. ``inf`` as horizon asks for the residual value.

    Without a horizon or a discount those of the last refresh count.
    """

    horizon: _Weeks | Literal["inf"] | None = None
    discount: Annotated[float, Meta(ge=0, lt=1, description="yearly rate as a share, such as 0.1")] | None = (
        None
    )


class WorthRows(Struct, frozen=True, kw_only=True):
    """Customers in the order of their ids, and all whom the condition found together, on whichever page they are.

    ``level`` is that of every range; ``together`` the share by which all customers may be off at once; ``tested_weeks``
    how far ahead the model was tested on the shop's own past, 0 where it could not be.
    """

    data: tuple[dict[str, Any], ...]
    cursor: Cursor
    as_of: date
    customers: int
    total: float
    total_low: float
    total_high: float
    currency: str
    horizon_weeks: float | Literal["inf"]
    discount: float
    level: float
    together: float
    model: str
    tested_weeks: float
    run: int
    notes: tuple[str, ...]


@get(
    PREFIX + "/value", sync_to_thread=True, responses=NOT_PERMITTED | CONFLICT | TOO_LONG, tags=["value"],
    operation_id="value", opt=_SEES,
)  # fmt: skip
def value(shop: Shop) -> ValueReport:
    """Who holds the value, how sure that is, whether the model beats simple rules, and how predictions moved."""
    return shop.value()


@post(
    PREFIX + "/value/predicted", sync_to_thread=True, status_code=200,
    responses=_ANSWERS, tags=["value"], operation_id="predicted", opt=_SEES,
)  # fmt: skip
def predicted(shop: Shop, request: _Asks, data: JSONBody[PredictedQuery]) -> Response[PredictedRows]:
    """What the last refresh at or before a day's end predicted of customers; no names. JSON, or a Parquet file."""
    found = shop.predicted(data.as_of, data.condition)
    if _as_file(request):
        return as_file(found, "predicted")
    rows, cursor = _page(found, data)
    return Response(PredictedRows(rows, cursor, datetime.fromisoformat(_told(found)["as_of"])))


@post(
    PREFIX + "/value/worth", sync_to_thread=True, status_code=200,
    responses=_ANSWERS, tags=["value"], operation_id="worth", opt=_SEES,
)  # fmt: skip
def worth(shop: Shop, request: _Asks, data: JSONBody[WorthQuery]) -> Response[WorthRows]:
    """Orders and contribution margin expected of customers over any horizon, as of any day; no names.

    JSON, or a Parquet file: of many customers ask for the file, since each page is worked out anew.
    """
    found = shop.worth(
        data.condition,
        horizon=inf if data.horizon == "inf" else data.horizon,
        as_of=data.as_of,
        discount=data.discount,
    )
    if _as_file(request):
        return as_file(found, "worth")
    (rows, cursor), told = _page(found, data), _told(found)
    weeks = float(told["horizon_weeks"])
    return Response(
        WorthRows(
            data=rows, cursor=cursor, as_of=date.fromisoformat(told["as_of"]), customers=found.num_rows,
            total=float(told["total"]), total_low=float(told["total_low"]), total_high=float(told["total_high"]),
            currency=told["currency"], horizon_weeks="inf" if weeks == inf else weeks,
            discount=float(told["discount"]), level=float(told["level"]), together=float(told["together"]),
            model=told["model"], tested_weeks=float(told["tested_weeks"]), run=int(told["run"]),
            notes=tuple(told["notes"].splitlines()),
        )
    )  # fmt: skip


@get(
    PREFIX + "/profiles/{identifier:str}/predictions", sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND, tags=["profiles"], operation_id="profile_predictions",
    opt={OPT: Permission.LOOK_UP},
)  # fmt: skip
def profile_predictions(shop: Shop, identifier: Who) -> Predicted:
    """What was predicted of one customer, refresh by refresh, the earliest first."""
    return shop.predictions(identifier)


def _as_file(request: _Asks) -> bool:
    return preferred(request.headers.getall("accept", ["*/*"]), ["application/json", PARQUET]) == PARQUET


def _told(found: pa.Table) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (found.schema.metadata or {}).items()}


def _page(found: pa.Table, asked: PredictedQuery) -> tuple[tuple[dict[str, Any], ...], Cursor]:
    """The customers of one answer, by ascending id, and where the next begins."""
    ids = found["customer"].to_numpy()
    start = 0 if asked.cursor is None else int(ids.searchsorted(int(asked.cursor), side="right"))
    rows = found.slice(start, asked.limit).to_pylist()
    more = start + len(rows) < found.num_rows
    cursor = Cursor(str(ids[start + len(rows) - 1]) if more else None, more, asked.limit)
    return tuple({"id": f"c{row.pop('customer')}"} | row for row in rows), cursor
