"""What customers are worth, for programs: who holds the value, over any horizon, and what was predicted when.

Tables come as JSON in pages, or whole as a file to who says ``Accept: application/vnd.apache.parquet`` or
``text/csv``.
"""

from __future__ import annotations

from datetime import date
from math import inf
from typing import TYPE_CHECKING, Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.expected import PredictedAll, Worths, predicted_all, worths
from shopkeeper.domain.value import Predicted, ValueReport
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.features import CSV, PARQUET, as_file
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

_FILES = (PARQUET, CSV)
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
    """A day of the shop's zone, all of which counts; the latest where left out."""
    condition: _Condition | None = None
    limit: _Most = 500
    cursor: _After | None = None


class PredictedRows(PredictedAll, frozen=True, kw_only=True):
    """A page of what a refresh predicted of customers, in the order of their ids."""

    cursor: Cursor


class WorthQuery(PredictedQuery, frozen=True, forbid_unknown_fields=True):
    """Over which horizon, as of which day, and of whom. ``inf`` as horizon asks for the residual value.

    Without a horizon, a last day or a discount those of the last refresh count.
    """

    horizon: _Weeks | Literal["inf"] | None = None
    """Weeks from the end of ``as_of``, above 0, or ``"inf"`` for the residual value."""
    until: date | None = None
    """The last day of the horizon, after ``as_of``, instead of ``horizon``."""
    discount: Annotated[float, Meta(ge=0, lt=1, description="yearly rate as a share, such as 0.1")] | None = (
        None
    )


class WorthRows(Worths, frozen=True, kw_only=True):
    """A page of what is expected of customers, in the order of their ids, and all of them together."""

    cursor: Cursor


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
    """What the last refresh at or before a day's end predicted of customers; no names. JSON, or a file.

    The file has all customers: say ``Accept: application/vnd.apache.parquet`` or ``text/csv``.
    """
    found = shop.predicted(data.as_of, data.condition)
    if (kind := _kind(request)) in _FILES:
        return as_file(found, "predicted", kind)
    start, cursor = _page(found, data)
    return Response(PredictedRows(cursor=cursor, **predicted_all(found, start, data.limit)))


@post(
    PREFIX + "/value/worth", sync_to_thread=True, status_code=200,
    responses=_ANSWERS, tags=["value"], operation_id="worth", opt=_SEES,
)  # fmt: skip
def worth(shop: Shop, request: _Asks, data: JSONBody[WorthQuery]) -> Response[WorthRows]:
    """Orders and contribution margin expected of customers over any horizon, as of any day; no names.

    JSON, or a file with ``Accept: application/vnd.apache.parquet`` or ``text/csv``: of many customers ask for the file,
    since each page is worked out anew.
    """
    found = shop.worth(
        data.condition,
        horizon=inf if data.horizon == "inf" else data.horizon,
        until=data.until,
        as_of=data.as_of,
        discount=data.discount,
    )
    if (kind := _kind(request)) in _FILES:
        return as_file(found, "worth", kind)
    start, cursor = _page(found, data)
    return Response(WorthRows(cursor=cursor, **worths(found, start, data.limit)))


@get(
    PREFIX + "/profiles/{identifier:str}/predictions", sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND, tags=["profiles"], operation_id="profile_predictions",
    opt={OPT: Permission.LOOK_UP},
)  # fmt: skip
def profile_predictions(shop: Shop, identifier: Who) -> Predicted:
    """What was predicted of one customer, refresh by refresh, the earliest first."""
    return shop.predictions(identifier)


def _kind(request: _Asks) -> str:
    """The form that is asked for."""
    return preferred(request.headers.getall("accept", ["*/*"]), ["application/json", *_FILES])


def _page(found: pa.Table, asked: PredictedQuery) -> tuple[int, Cursor]:
    """Where the customers of one answer begin, by ascending id, and where the next does."""
    ids = found["customer"].to_numpy()
    start = 0 if asked.cursor is None else int(ids.searchsorted(int(asked.cursor), side="right"))
    end = start + asked.limit
    more = end < found.num_rows
    return start, Cursor(str(ids[end - 1]) if more else None, more, asked.limit)
