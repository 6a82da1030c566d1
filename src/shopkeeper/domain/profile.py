"""What is shown of one customer: the answer to "who is this?" in the library, the API and on the screen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from msgspec import Struct, field

from shopkeeper.domain.segment import InSegment


class IdentifierShown(Struct, frozen=True):
    """One identifier of a customer. ``value`` is masked for those who may not see it."""

    kind: str
    value: str
    first_seen: datetime | None = None


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One event as people read it."""

    seq: int
    occurred_at: datetime
    name: str
    sentence: str
    channel: str
    amount: float | None = None
    """In units of ``currency``; negative for what was given back."""
    currency: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Timeline(Struct, frozen=True):
    """A page of a timeline, latest first. ``next`` is the cursor of the following page, None at the end."""

    entries: tuple[TimelineEntry, ...]
    next: str | None = None


class Consent(Struct, frozen=True):
    """Where one purpose stands, in words."""

    purpose: str
    label: str
    granted: bool
    since: datetime
    basis: str
    source: str


class Share(Struct, frozen=True):
    """A part of what a customer bought: a place, a category, a product."""

    key: str
    name: str
    orders: int
    amount: float
    margin: float
    last: datetime | None = None


class OpenCase(Struct, frozen=True):
    """A contact still open."""

    case: str
    reason: str
    medium: str
    sentiment: str
    opened_at: datetime


class Looked(Struct, frozen=True):
    """A product looked at and not bought since."""

    product_id: str
    name: str
    views: int
    last: datetime


class Profile(Struct, frozen=True, kw_only=True):
    """One customer, in full. ``traits`` holds every declared trait and, once refreshed, every prediction."""

    id: str
    name: str
    currency: str
    as_of: datetime
    identifiers: tuple[IdentifierShown, ...] = ()
    personal: dict[str, str] = field(default_factory=dict)
    """Latest sealed values told of the person: names, address, birth date; masked where not permitted."""
    traits: dict[str, Any] = field(default_factory=dict)
    places: tuple[Share, ...] = ()
    categories: tuple[Share, ...] = ()
    products: tuple[Share, ...] = ()
    looked_not_bought: tuple[Looked, ...] = ()
    open_cases: tuple[OpenCase, ...] = ()
    consents: tuple[Consent, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    segments: tuple[InSegment, ...] = ()
    """Segments in use that the customer is in, the latest first."""
    months: tuple[tuple[str, float], ...] = ()
    """Margin by month of purchase, oldest first, for a small picture."""
    order_days: tuple[date, ...] = ()
    """Days with an order, oldest first: what rhythm and silence are told from. A day so long before all others of the
    shop that it cannot be right is not among them.
    """


class CustomerRow(Struct, frozen=True, kw_only=True):
    """One line of a list of customers."""

    id: str
    name: str
    country: str = ""
    orders: int = 0
    amount: float = 0.0
    margin: float = 0.0
    last_order: datetime | None = None
    clv_12m: float | None = None
    clv_low: float | None = None
    """With ``clv_high``, the 80 % range of what is expected."""
    clv_high: float | None = None
    p_alive: float | None = None
    state: str = ""
    state_since: datetime | None = None
    next_order: datetime | None = None
    """By when half of those who are like this customer would have ordered again."""
    channels: tuple[str, ...] = ()
    """Where they bought, by id: stores, and ``web``."""
    places: tuple[str, ...] = ()
    """The first of these as people call them."""


class CustomerPage(Struct, frozen=True):
    """A page of a list of customers."""

    rows: tuple[CustomerRow, ...]
    total: int
    next: str | None = None
    as_of: datetime | None = None
