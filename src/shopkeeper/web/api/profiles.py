"""One customer, looked up by any identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import get

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.identity import Household
from shopkeeper.domain.profile import Profile
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import (
    INVALID,
    NOT_FOUND,
    NOT_PERMITTED,
    PREFIX,
    After,
    Cursor,
    Events,
    Identifiers,
    Limit,
    Traits,
    Who,
)

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_ONE = PREFIX + "/profiles/{identifier:str}"
_LOOK = {OPT: Permission.LOOK_UP}
_ANSWERS = INVALID | NOT_PERMITTED | NOT_FOUND


@get(_ONE, sync_to_thread=True, responses=_ANSWERS, tags=["profiles"], operation_id="profile", opt=_LOOK)
def profile(shop: Shop, identifier: Who) -> Profile:
    """Everything known of one customer: identifiers, traits, predictions, purchases, consents, open cases."""
    return shop.customer(identifier)


@get(
    _ONE + "/traits",
    sync_to_thread=True,
    responses=_ANSWERS,
    tags=["profiles"],
    operation_id="profile_traits",
    opt=_LOOK,
)
def profile_traits(shop: Shop, identifier: Who) -> Traits:
    """Every trait and prediction of one customer."""
    found = shop.customer(identifier)
    return Traits(found.id, found.as_of, found.traits, shop.settings.currency)


@get(
    _ONE + "/identifiers",
    sync_to_thread=True,
    responses=_ANSWERS,
    tags=["profiles"],
    operation_id="profile_identifiers",
    opt=_LOOK,
)
def profile_identifiers(shop: Shop, identifier: Who) -> Identifiers:
    """All identifiers of one customer, masked where the role does not allow them in clear."""
    found = shop.customer(identifier)
    return Identifiers(found.id, found.identifiers)


@get(
    _ONE + "/household",
    sync_to_thread=True,
    responses=_ANSWERS,
    tags=["profiles"],
    operation_id="profile_household",
    opt=_LOOK,
)
def profile_household(shop: Shop, identifier: Who) -> Household:
    """The other customers of one customer's household, who stay customers of their own."""
    return shop.household(identifier)


@get(
    _ONE + "/events",
    sync_to_thread=True,
    responses=_ANSWERS,
    tags=["profiles"],
    operation_id="profile_events",
    opt=_LOOK,
)
def profile_events(shop: Shop, identifier: Who, cursor: After = None, limit: Limit = 50) -> Events:
    """The events of one customer, latest first."""
    page = shop.timeline(identifier, cursor=cursor, limit=limit)
    return Events(page.entries, Cursor(page.next, page.next is not None, limit))
