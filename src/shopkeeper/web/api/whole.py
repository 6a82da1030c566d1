"""What concerns the whole shop: health, the report, and what the traits mean."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from litestar import get

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.report import Report
from shopkeeper.web.access.declared import ANYONE, OPT, SIGNED_IN
from shopkeeper.web.access.present import current
from shopkeeper.web.api.shapes import (
    NOT_PERMITTED,
    NOT_SIGNED_IN,
    PREFIX,
    Declarations,
    Declared,
    Health,
    Me,
)

if TYPE_CHECKING:
    from shopkeeper.shop import Shop


@get(PREFIX + "/health", sync_to_thread=True, tags=["shop"], operation_id="health", opt={OPT: ANYONE})
def health(shop: Shop) -> Health:
    """Whether the shop answers, which anybody may ask; ``lag`` is the number of events that wait to be folded."""
    found = shop.health()
    if not current.get().actor.may(Permission.REPORT):
        return Health(status=str(found["status"]))
    return Health(
        status=str(found["status"]), events=found["events"], lag=found["lag"], version=version("shopkeeper")
    )


@get(
    PREFIX + "/me",
    sync_to_thread=False,
    responses=NOT_SIGNED_IN,
    tags=["shop"],
    operation_id="me",
    opt={OPT: SIGNED_IN},
)
def me() -> Me:
    """Who asks, and what they may."""
    actor = current.get().actor
    return Me(
        id=actor.name, role=actor.role, may=tuple(p for p in Permission if actor.may(p)),
        sees=tuple(sorted(actor.sees)),
    )  # fmt: skip


@get(
    PREFIX + "/report",
    sync_to_thread=True,
    responses=NOT_PERMITTED,
    tags=["shop"],
    operation_id="report",
    opt={OPT: Permission.REPORT},
)
def report(shop: Shop) -> Report:
    """The report of the whole shop, as data."""
    return shop.report()


@get(
    PREFIX + "/traits",
    sync_to_thread=True,
    responses=NOT_SIGNED_IN,
    tags=["shop"],
    operation_id="traits",
    opt={OPT: SIGNED_IN},
)
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
                day=trait.day,
                values=trait.values,
                bounds=trait.bounds,
            )
            for trait in shop.traits()
        )
    )
