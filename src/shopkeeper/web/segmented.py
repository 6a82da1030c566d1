"""Changes segments from a door: here, or by the worker where one holds the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopkeeper.domain.segment import Recounted, Segment

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_PATIENCE: Final = 20.0
"""Seconds that a request waits for the worker, which may be at something longer."""


def segmented(shop: Shop, what: str, **told: Any) -> Segment:
    """Save, activate, pause or archive; what came of it."""
    if not shop.worked():
        verb = getattr(shop, f"{what}_segment")
        return verb(**told)  # type: ignore[no-any-return]
    job = shop.hand_over("segment", what=what, **told)
    return msgspec.convert(shop.follow(job, patience=_PATIENCE), Segment)


def recounted(shop: Shop, names: list[str]) -> Recounted:
    """What a recount found."""
    if not shop.worked():
        return shop.recount(*names)
    job = shop.hand_over("recount", names=names)
    return msgspec.convert(shop.follow(job, patience=_PATIENCE), Recounted)
