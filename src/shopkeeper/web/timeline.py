"""A timeline for the eye: kinds of events with their icons, and the entries of a page by day."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from shopkeeper.domain import events as _declared  # noqa: F401 - fills the table of events
from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.segment import AUDIENCE

if TYPE_CHECKING:
    from shopkeeper.domain.profile import TimelineEntry
    from shopkeeper.shop import Shop
    from shopkeeper.web.show import Show

PAGE = 40


class Kind(Struct, frozen=True):
    """A group of events people filter by; ``starts`` are beginnings of event names."""

    name: str
    label: str
    icon: str
    starts: tuple[str, ...]


KINDS: tuple[Kind, ...] = (
    Kind("orders", "Orders", "bag", ("Order ", "Coupon ")),
    Kind(
        "browsing",
        "Browsing",
        "eye",
        ("Product", "Page ", "Cart ", "Checkout ", "Payment ", "Promotion ", "Wishlist "),
    ),
    Kind("email", "E-mail", "mail", ("Email ",)),
    Kind("service", "Service", "headset", ("Contact ",)),
    Kind("store", "In store", "store", ("Store ", "Beacon ", "Answer ")),
    Kind("social", "Social", "heart", ("Social ", "Review ", "Customer Referred")),
    Kind("offers", "Offers", "tag", ("Offer ", "Reward ")),
    Kind("segments", "Segments", "group", ("Audience ",)),
    Kind("profile", "Profile", "person", ("Identified", "Identify", "Profile ", "Consent ")),
)
"""The order is that of the filter; an event goes to the first kind that fits."""

OTHER = Kind("other", "Other", "dot", ())


def kind_of(event: str) -> Kind:
    """The kind an event belongs to.

    >>> kind_of("Order Completed").name, kind_of("Products Searched").name, kind_of("Robot Waved").name
    ('orders', 'browsing', 'other')
    """
    return next((kind for kind in KINDS if event.startswith(kind.starts)), OTHER)


class Shown(Struct, frozen=True):
    """An entry with its kind."""

    entry: TimelineEntry
    kind: Kind


class Day(Struct, frozen=True):
    """The entries of one local day; ``again`` when an earlier piece of the page showed the same day."""

    date: str
    title: str
    entries: tuple[Shown, ...]
    again: bool = False


class Piece(Struct, frozen=True):
    """A page of a timeline, by day. ``next`` continues it."""

    days: tuple[Day, ...]
    next: str | None


def piece(
    shop: Shop, who: str, show: Show, *, cursor: str | None = None, kind: str = "", after: str = ""
) -> Piece:
    """The next page of a customer's timeline, of one kind or of all; ``after`` is the day shown last."""
    page = shop.timeline(who, cursor=cursor, limit=PAGE, names=names_of(kind))
    shown = [Shown(entry, kind_of(entry.name)) for entry in page.entries]
    days = []
    for date, group in groupby(shown, key=lambda s: f"{show.local(s.entry.occurred_at):%Y-%m-%d}"):
        entries = tuple(group)
        days.append(Day(date, show.week_day(entries[0].entry.occurred_at), entries, date == after))
    return Piece(tuple(days), page.next)


def names_of(kind: str) -> tuple[str, ...]:
    """The names of all declared events of a kind; none for an unknown kind, which filters nothing.

    >>> names_of("service"), names_of("")
    (('Contact Closed', 'Contact Opened'), ())
    """
    return tuple(sorted(name for name in (*EVENTS, *AUDIENCE) if kind and kind_of(name).name == kind))
