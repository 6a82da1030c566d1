"""How live collection flows: what came in by the hour, what waits, whether somebody works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get

from shopkeeper.domain.actor import Permission
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop
    from shopkeeper.shop.flowing import Flow

_HOURS = 24


@get(
    "/flow",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt={OPT: Permission.REPORT},
)
def flow(request: Request[Any, Any, Any], shop: Shop) -> str:
    """The page; it asks for itself again while it is open."""
    found = shop.flow()
    return render(
        request.app,
        "flow.html",
        here="flow",
        flow=found,
        hours=hours(found, shop.clock.now()),
        kept=sum(one.kept for one in found.sources),
        refused=sum(one.refused for one in found.sources),
        quarantined=sum(sum(reasons.values()) for reasons in found.quarantined.values()),
        turned_away=sorted(request.app.state.door.turned_away.items(), key=lambda item: -item[1])[:20],
    )


def hours(flow: Flow, now: datetime) -> list[dict[str, Any]]:
    """Events kept and refused in each of the last hours, the present one last; heights as shares of the greatest."""
    present = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    sums: dict[datetime, list[int]] = {
        present - timedelta(hours=back): [0, 0] for back in range(_HOURS - 1, -1, -1)
    }
    for source in flow.sources:
        for hour, kept, refused in source.by_hour:
            if hour in sums:
                sums[hour][0] += kept
                sums[hour][1] += refused
    most = max((kept + refused for kept, refused in sums.values()), default=0) or 1
    return [
        {
            "at": hour,
            "kept": kept,
            "refused": refused,
            "kept_share": kept / most,
            "refused_share": refused / most,
        }
        for hour, (kept, refused) in sums.items()
    ]
