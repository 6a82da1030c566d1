"""What concerns the whole shop: health, the report, and what the traits mean."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from litestar import get

from shopkeeper.domain.report import Report
from shopkeeper.web.api.shapes import NOT_PERMITTED, PREFIX, Declarations, Declared, Health

if TYPE_CHECKING:
    from shopkeeper.shop import Shop


@get(PREFIX + "/health", sync_to_thread=True, tags=["shop"], operation_id="health")
def health(shop: Shop) -> Health:
    """Whether the shop answers; ``lag`` is the number of events that wait to be folded."""
    found = shop.health()
    return Health(
        status=str(found.get("status", "ok")),
        events=int(found.get("events", 0)),
        lag=int(found.get("lag", 0)),
        version=version("shopkeeper"),
    )


@get(PREFIX + "/report", sync_to_thread=True, responses=NOT_PERMITTED, tags=["shop"], operation_id="report")
def report(shop: Shop) -> Report:
    """The report of the whole shop, as data."""
    return shop.report()


@get(PREFIX + "/traits", sync_to_thread=True, tags=["shop"], operation_id="traits")
def traits(shop: Shop) -> Declarations:
    """What every trait of a customer means."""
    return Declarations(
        tuple(
            Declared(
                name=trait.name,
                kind=trait.kind,
                label=trait.label,
                sentence=trait.sentence,
                unit=trait.unit,
                personal=str(trait.personal),
                clock=trait.clock,
            )
            for trait in shop.traits()
        )
    )
