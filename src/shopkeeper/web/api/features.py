"""The table of features for programs, as a Parquet file: a row a customer is too much for JSON."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from shopkeeper.domain.actor import Permission
from shopkeeper.shop.sheets import as_csv
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import INVALID, NOT_PERMITTED, PREFIX, TOO_LONG

if TYPE_CHECKING:
    import pyarrow as pa

    from shopkeeper.shop import Shop

PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"


@get(
    PREFIX + "/features",
    sync_to_thread=True,
    media_type=PARQUET,
    responses=INVALID | NOT_PERMITTED | TOO_LONG,
    tags=["customers"],
    operation_id="features",
    opt={OPT: Permission.REPORT},
)
def features(
    shop: Shop,
    *,
    as_of: Annotated[date, QueryParameter(description="the last day that may be known")],
    horizon: Annotated[
        int | None, QueryParameter(ge=1, le=1040, description="weeks; adds the labels")
    ] = None,
    known: Annotated[bool, QueryParameter(description="leave out what was received later")] = False,
) -> Response[bytes]:
    """What was known of every customer at the end of a day, for models of your own; a Parquet file, no names."""
    found = shop.features(as_of=as_of, horizon=horizon, known=known)
    return as_file(found, f"features-{as_of.isoformat()}")


def as_file(found: pa.Table, name: str, kind: str = PARQUET) -> Response[Any]:
    """A table as a Parquet file, or as CSV."""
    import pyarrow as pa
    import pyarrow.parquet

    if kind == CSV:
        body, ending = as_csv(found), "csv"
    else:
        out = pa.BufferOutputStream()
        pyarrow.parquet.write_table(found, out)
        body, ending = out.getvalue().to_pybytes(), "parquet"
    return Response(
        body,
        media_type=kind,
        headers={"content-disposition": f'attachment; filename="{name}.{ending}"'},
    )
