"""What was refused, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from shopkeeper.domain.actor import Permission
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.pages.sources import again
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop


@get(
    "/quarantine",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt={OPT: Permission.REPORT},
)
def quarantine(
    request: Request[Any, Any, Any],
    shop: Shop,
    limit: Annotated[int, QueryParameter(ge=1, le=5000)] = 100,
    done: Annotated[str, QueryParameter(max_length=40)] = "",
) -> str:
    """The latest refused rows and events."""
    rows = shop.quarantine(limit=limit)
    reasons = Counter(row.reason for row in rows).most_common()
    live = any("/" in row.kind for row in rows)  # what a file told is mended in the file
    return render(
        request.app, "quarantine.html", here="quarantine", rows=rows, reasons=reasons, limit=limit, live=live, done=done
    )  # fmt: skip


@post("/quarantine/replay", sync_to_thread=True, include_in_schema=False, opt={OPT: Permission.COLLECT})
def replay(shop: Shop, data: Form) -> Redirect:
    """Read again what live sources told and was refused."""
    again(shop, source=text(data, "source") or None, reason=text(data, "reason") or None)
    return Redirect("/quarantine?done=replay", status_code=303)
