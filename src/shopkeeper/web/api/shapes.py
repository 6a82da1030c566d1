"""What the API adds to the nouns of ``domain``: pages with a cursor, declarations without code, health."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from shopkeeper.domain.profile import CustomerRow, IdentifierShown, TimelineEntry
from shopkeeper.web.status import ErrorBody

PREFIX = "/api/v1"

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="most entries in one answer, 1 to 500")]
After = Annotated[
    str | None,
    QueryParameter(max_length=400, description="`cursor.next` of the answer before; leave out to begin"),
]
Who = Annotated[
    str,
    PathParameter(
        description="customer id, or `kind:value` with kind user_id, email, phone, loyalty_card, "
        "payment_token, e_receipt, gift_card, external_id, social, device_id or anonymous_id; percent-encode what an "
        "address may not hold"
    ),
]

NOT_FOUND = {404: ResponseSpec(ErrorBody, description="nobody is known by that", generate_examples=False)}
INVALID = {400: ResponseSpec(ErrorBody, description="a parameter is not valid", generate_examples=False)}
CONFLICT = {409: ResponseSpec(ErrorBody, description="not possible as things are", generate_examples=False)}
BUSY = {503: ResponseSpec(ErrorBody, description="busy; ask again in a moment", generate_examples=False)}
TOO_LONG = {
    504: ResponseSpec(ErrorBody, description="it took too long and was stopped", generate_examples=False)
}
NOT_SIGNED_IN = {
    401: ResponseSpec(ErrorBody, description="no session, and no key that works", generate_examples=False)
}
NOT_PERMITTED = NOT_SIGNED_IN | {
    403: ResponseSpec(ErrorBody, description="the role does not allow it", generate_examples=False)
}


class Cursor(Struct, frozen=True):
    """Where the next page begins. ``next`` is opaque: hand it back as ``cursor``."""

    next: str | None
    has_more: bool
    limit: int


class Customers(Struct, frozen=True):
    """A page of customers; ``total`` counts all that the search found."""

    data: tuple[CustomerRow, ...]
    cursor: Cursor
    total: int
    as_of: datetime | None


class Events(Struct, frozen=True):
    """A page of a customer's events, latest first."""

    data: tuple[TimelineEntry, ...]
    cursor: Cursor


class Identifiers(Struct, frozen=True):
    """All identifiers of a customer."""

    id: str
    data: tuple[IdentifierShown, ...]


class Traits(Struct, frozen=True):
    """Every trait and prediction of a customer, by name; ``/api/v1/traits`` says what they mean."""

    id: str
    as_of: datetime
    data: dict[str, Any]
    currency: str = ""
    """Of every amount of money."""


class Declared(Struct, frozen=True, kw_only=True):
    """What a trait means: its type, unit, class of personal data, and what changes it."""

    name: str
    kind: str
    label: str
    sentence: str
    unit: str
    personal: str
    clock: str
    day: bool = False
    """Whether a time is a day of the shop's, written as midnight UTC: read the date and leave the hour."""
    values: tuple[str, ...] = ()
    """Every value that a text may have, where these are known."""
    bounds: tuple[float, float] | None = None
    """Between which values, both included, a number lies."""


class Declarations(Struct, frozen=True):
    """All declared traits."""

    data: tuple[Declared, ...]


class Health(Struct, frozen=True):
    """Whether the shop answers; who may see reports is also told how many events it holds and how many wait."""

    status: str
    events: int | None = None
    lag: int | None = None
    version: str | None = None


class Me(Struct, frozen=True, kw_only=True):
    """Who asks, and what they may: permissions, and classes of personal data shown in clear."""

    id: str
    role: str
    may: tuple[str, ...]
    sees: tuple[str, ...]
