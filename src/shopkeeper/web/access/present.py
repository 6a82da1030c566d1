"""Who looks at a page: known to templates from the moment the request was admitted."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shopkeeper.domain.actor import NOBODY, Actor, Permission

if TYPE_CHECKING:
    from shopkeeper.domain.access import User
    from shopkeeper.shop import Shop


class Seen(Struct, frozen=True, kw_only=True):
    """A request's caller, and the shop as that caller sees it."""

    actor: Actor = NOBODY
    user: User | None = None
    token: str = ""
    """The session's token; empty for a key and for nobody."""
    mark: str = ""
    """Against forged requests: goes into every form."""
    shop: Any = None
    secure: bool = False
    """Whether cookies are for https only."""


_NOBODY = Seen()


current: ContextVar[Seen] = ContextVar("current", default=_NOBODY)
"""The caller of the request that is being answered."""


class Room(Struct, frozen=True):
    """An entry of the navigation."""

    address: str
    label: str
    key: str
    needs: Permission


ROOMS: tuple[Room, ...] = (
    Room("/", "Overview", "overview", Permission.REPORT),
    Room("/customers", "Customers", "customers", Permission.LOOK_UP),
    Room("/value", "Value", "value", Permission.REPORT),
    Room("/segments", "Segments", "segments", Permission.REPORT),
    Room("/advocates", "Advocates", "advocates", Permission.REPORT),
    Room("/identities", "Identities", "identities", Permission.RESOLVE),
    Room("/flow", "Flow", "flow", Permission.REPORT),
    Room("/sources", "Sources", "sources", Permission.COLLECT),
    Room("/quarantine", "Quarantine", "quarantine", Permission.REPORT),
)
"""The rooms of the shop, in the order of the navigation."""

SETTINGS: tuple[Room, ...] = (
    Room("/settings/users", "Users", "users", Permission.ACCOUNTS),
    Room("/settings/keys", "API keys", "keys", Permission.ACCOUNTS),
    Room("/settings/audit", "Audit log", "audit", Permission.AUDIT),
)
"""What administrators see besides."""


def rooms(actor: Actor, of: tuple[Room, ...] = ROOMS) -> list[Room]:
    """The rooms that an actor may enter."""
    return [room for room in of if actor.may(room.needs)]


def home(actor: Actor) -> str:
    """Where somebody begins: the first room they may enter.

    >>> home(Actor("u1", "associate")), home(Actor("u2", "analyst"))
    ('/customers', '/')
    """
    return next((room.address for room in rooms(actor)), "/account")


def seen_shop() -> Shop:
    """The shop as the request's caller sees it."""
    shop: Shop = current.get().shop
    return shop
