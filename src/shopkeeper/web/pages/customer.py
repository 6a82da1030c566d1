"""One customer in full: the 360° view with its timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Permission
from shopkeeper.web import timeline
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.standing import standing
from shopkeeper.web.pages.tones import TONES
from shopkeeper.web.render import render
from shopkeeper.web.show import Show

if TYPE_CHECKING:
    from shopkeeper.domain.profile import Profile
    from shopkeeper.shop import Shop

_ONE = {OPT: Permission.LOOK_UP}
_CARD = (
    *("title", "first_name", "last_name", "name", "company"),
    *("email", "phone", "street", "postcode", "city", "country"),
)
Cursor = Annotated[str | None, QueryParameter(max_length=400)]


@get(
    "/customers/{who:str}", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_ONE
)
def customer_page(
    request: Request[Any, Any, Any],
    shop: Shop,
    who: FromPath[str],
    cursor: Cursor = None,
    kind: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> Response[Any]:
    """The page; an older id or an identifier leads to the customer's own address."""
    profile = shop.customer(who)
    if profile.id != who:
        return Redirect(f"/customers/{profile.id}", status_code=302)
    show = _show(shop)
    page = render(
        request.app,
        "customer.html",
        here="customer",
        profile=profile,
        name=profile.name or "No name known",
        view=standing(profile, show),
        months=_months(profile, show),
        traits=_traits(shop, profile, show),
        personal=_in_order(profile.personal),
        household=shop.household(profile.id),
        advocate=shop.advocate(profile.id),
        tones=TONES,
        piece=timeline.piece(shop, profile.id, show, cursor=cursor, kind=_known(kind), after=after),
        who=profile.id,
        kind=_known(kind),
        after=after,
        kinds=timeline.KINDS,
    )
    return Response(page, media_type=MediaType.HTML)


@get(
    "/customers/{who:str}/timeline",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt=_ONE,
)
def customer_timeline(
    request: Request[Any, Any, Any],
    shop: Shop,
    who: FromPath[str],
    cursor: Cursor = None,
    kind: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> str:
    """A further piece of the timeline."""
    kind = _known(kind)
    piece = timeline.piece(shop, who, _show(shop), cursor=cursor, kind=kind, after=after)
    return render(
        request.app, "parts/days.html", here="customer", piece=piece, who=who, kind=kind, after=after
    )


def _show(shop: Shop) -> Show:
    return Show(shop.settings.currency, shop.settings.time_zone)


def _in_order(personal: dict[str, str]) -> list[tuple[str, str]]:
    """Personal values as one reads them on a card: who, how to reach, where, the rest."""
    place = {name: i for i, name in enumerate(_CARD)}
    return sorted(personal.items(), key=lambda kv: (place.get(kv[0], len(place)), kv[0]))


def _known(kind: str) -> str:
    return kind if any(kind == known.name for known in timeline.KINDS) else ""


def _months(profile: Profile, show: Show) -> dict[str, Any]:
    """Margin by month without gaps, from the first month with an order to the present one."""
    known = dict(profile.months)
    if not known:
        return {"currency": profile.currency, "months": [], "margin": []}
    months = [min(known)]
    last = max(f"{show.local(profile.as_of):%Y-%m}", *known)
    while months[-1] < last:
        year, month = map(int, months[-1].split("-"))
        months.append(f"{year + month // 12}-{month % 12 + 1:02d}")
    return {
        "currency": profile.currency,
        "months": months,
        "margin": [round(known.get(month, 0.0), 2) for month in months],
    }


def _traits(shop: Shop, profile: Profile, show: Show) -> list[dict[str, str]]:
    """Every trait with a value, by the label it was declared with."""
    return [
        {
            "label": trait.label,
            "sentence": trait.sentence,
            "value": show.value(trait.kind, trait.unit, profile.traits[trait.name]),
        }
        for trait in shop.traits()
        if profile.traits.get(trait.name) is not None
    ]
