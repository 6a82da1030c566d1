"""Regulars, those who bring others, and brand fit, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from litestar import get
from litestar.params import QueryParameter

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.advocacy import Advocate, Advocates, Regulars
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import (
    CONFLICT,
    INVALID,
    NOT_FOUND,
    NOT_PERMITTED,
    PREFIX,
    TOO_LONG,
    After,
    Limit,
    Who,
)

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_SEES = {OPT: Permission.REPORT}
Sort = Annotated[Literal["value", "score", "customers"], QueryParameter(description="what comes first")]


@get(
    PREFIX + "/insight/regulars", sync_to_thread=True, responses=NOT_PERMITTED | CONFLICT | TOO_LONG, tags=["insight"],
    operation_id="regulars", opt=_SEES,
)  # fmt: skip
def regulars(shop: Shop) -> Regulars:
    """Who comes back regularly, what sets them apart, and what is open to action; all of it is association."""
    return shop.regulars()


@get(
    PREFIX + "/insight/advocates", sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | CONFLICT | TOO_LONG, tags=["insight"], operation_id="advocates", opt=_SEES,
)  # fmt: skip
def advocates(shop: Shop, sort: Sort = "value", limit: Limit = 25, cursor: After = None) -> Advocates:
    """Who brings others with the value they brought, what goes before it, and what brand fit foretold. ``next`` is the
    cursor of the following page.
    """
    return shop.advocates(sort=sort, most=limit, cursor=cursor)


@get(
    PREFIX + "/profiles/{identifier:str}/advocacy", sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND, tags=["profiles"], operation_id="advocacy_of",
    opt={OPT: Permission.LOOK_UP},
)  # fmt: skip
def advocacy_of(shop: Shop, identifier: Who) -> Advocate:
    """One customer's advocacy and brand fit with their parts, whom they brought and who brought them."""
    return shop.advocate(identifier)
