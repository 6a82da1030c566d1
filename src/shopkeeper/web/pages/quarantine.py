"""What was refused, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get
from litestar.params import QueryParameter

from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop


@get("/quarantine", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False)
def quarantine(
    request: Request[Any, Any, Any], shop: Shop, limit: Annotated[int, QueryParameter(ge=1, le=5000)] = 100
) -> str:
    """The latest refused rows and events."""
    rows = shop.quarantine(limit=limit)
    reasons = Counter(row.reason for row in rows).most_common()
    return render(request.app, "quarantine.html", here="quarantine", rows=rows, reasons=reasons, limit=limit)
