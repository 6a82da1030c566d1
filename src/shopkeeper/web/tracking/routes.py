"""The table of addresses for machines."""

from __future__ import annotations

from typing import Final

from shopkeeper.web.tracking.calls import drop_metrics, take_call, take_pixel
from shopkeeper.web.tracking.door import Route
from shopkeeper.web.tracking.signed import take_poslog, take_webhook
from shopkeeper.web.tracking.startup import rudder_settings, segment_settings

_GET: Final = ("GET",)
_POST: Final = ("POST",)
_SHORT: Final = {
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "batch",
}
"""Segment's one-letter addresses."""
_CALLS: Final = (*_SHORT.values(), "import")

ROUTES: Final[dict[str, Route]] = (
    {f"/v1/{topic}": Route(take_call, _POST, topic) for topic in _CALLS}
    | {f"/v1/{letter}": Route(take_call, _POST, topic) for letter, topic in _SHORT.items()}
    | {f"/pixel/v1/{topic}": Route(take_pixel, _GET, topic) for topic in ("track", "page")}
    | {
        "/beacon/v1/batch": Route(take_call, _POST, "batch"),
        "/sourceConfig": Route(rudder_settings, _GET),
        "/v1/m": Route(drop_metrics, _POST),
    }
)
"""Every address without a name in it."""

PREFIXES: Final[tuple[tuple[str, str, Route], ...]] = (
    ("/v1/projects/", "/settings", Route(segment_settings, _GET)),
    ("/v1/webhooks/", "", Route(take_webhook, _POST)),
    ("/v1/poslog/", "", Route(take_poslog, _POST)),
)
"""Addresses with a name: what stands before it, and after."""
