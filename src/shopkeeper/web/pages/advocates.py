"""Regulars and advocates: who comes back and what sets them apart, who brings others, who fits the brand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from litestar import MediaType, Request, get
from litestar.params import QueryParameter
from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.domain.advocacy import Advocate, Advocates, OddsOf, Regulars
    from shopkeeper.shop import Shop

SORTS = {"value": "by value brought", "score": "by score", "customers": "by customers brought"}
"""Orders of the list, in words."""
_SHOWN = 20
_WIDEST = 8.0
"""Odds ratios are drawn up to this, and down to its inverse."""


class Odds(Struct, frozen=True):
    """An odds ratio with positions in its picture, fractions of the width; one half is no difference."""

    told: OddsOf
    at: float
    low: float
    high: float


@get(
    "/advocates", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False,
    opt={OPT: Permission.REPORT},
)  # fmt: skip
def advocates_page(
    request: Request[Any, Any, Any],
    shop: Shop,
    sort: Annotated[Literal["value", "score", "customers"], QueryParameter()] = "value",
    cursor: Annotated[str | None, QueryParameter(max_length=400)] = None,
) -> str:
    """The page; with a cursor, its list goes on where a page ended."""
    regulars: Regulars | None = None
    found: Advocates | None = None
    wrong: Conflict | None = None
    try:
        regulars, found = shop.regulars(), shop.advocates(sort=sort, most=_SHOWN, cursor=cursor)
    except Conflict as error:  # before a refresh that knows of them
        wrong = error
    told = (*regulars.apart, *regulars.levers) if regulars else ()
    return render(
        request.app, "advocates.html", here="advocates", regulars=regulars, found=found, wrong=wrong, sort=sort,
        sorts=SORTS, reach=max((max(abs(fact.low), abs(fact.high)) for fact in told), default=1.0) or 1.0,
        fit_reach=max((max(abs(f.low or 0), abs(f.high or 0)) for f in found.fits), default=0) or 1.0 if found else 1.0,
        odds=[drawn(one) for one in found.brings.odds] if found else (),
        teller=teller(found) if found and not cursor else None, cursor=cursor,
    )  # fmt: skip


def drawn(one: OddsOf) -> Odds:
    """Positions on a logarithmic scale."""
    at, low, high = (0.5 + math.log(min(max(x, 1 / _WIDEST), _WIDEST)) / (2 * math.log(_WIDEST))
                     for x in (one.ratio, one.low, one.high))  # fmt: skip
    return Odds(one, at, low, high)


def teller(found: Advocates) -> Advocate | None:
    """Whoever shows best that somebody may be worth more than they spend: the most brought beyond their own worth."""
    more = [one for one in found.rows if one.brought_value > max(one.own, 0.0)]
    return max(more, key=lambda one: one.brought_value / (one.own + one.brought_value + 1.0), default=None)
