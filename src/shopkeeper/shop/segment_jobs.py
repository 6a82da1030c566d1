"""Changes of segments as jobs of the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopkeeper.domain.protocols import Progress

if TYPE_CHECKING:
    from shopkeeper.shop.facade import Shop


def change_segment(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    """Save, activate, pause or archive one."""
    name = told["name"]
    match told["what"]:
        case "save":
            return shop.save_segment(
                name,
                told["condition"],
                title=told.get("title"),
                sentence=told.get("sentence"),
                activate=bool(told.get("activate", True)),
                progress=progress,
            )
        case "activate":
            return shop.activate_segment(name, progress=progress)
        case "pause":
            return shop.pause_segment(name)
        case _:
            return shop.archive_segment(name)


def recount_segments(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    """Recount some, or all."""
    return shop.recount(*told["names"], progress=progress)
