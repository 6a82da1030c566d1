"""What a web shop tells of orders, refunds and customers, whichever of its formats it comes in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct, field

from shopkeeper.collect.leniency import MOST_AMOUNT, MOST_QUANTITY
from shopkeeper.domain.clock import EPOCH, MICROSECOND
from shopkeeper.domain.errors import BadEvent, InvalidInput
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.money import exponent, to_minor

ZERO: Final = Decimal(0)
LONGEST: Final = 512
_Node = dict[str, Any]


class Sold(Struct, kw_only=True):
    """A line of an order. ``net`` is in minor units, after every discount and without tax."""

    id: str
    quantity: int
    net: int
    product_id: str = ""
    sku: str = ""
    name: str = ""
    variant: str = ""
    brand: str = ""
    gift: bool = False
    left: int | None = None
    """How many of it are left after edits and returns, where that is told."""


class Back(Struct, kw_only=True):
    """Part of a line that came back."""

    line: Sold
    quantity: int


class Refunded(Struct, kw_only=True):
    """A refund. ``more`` is what was given back beyond its lines, in minor units without tax; may be negative."""

    id: str
    order: str
    at: int
    lines: list[Back] = field(default_factory=list)
    more: int = 0
    currency: str


class Person(Struct, kw_only=True):
    """A customer as the web shop knows them."""

    id: str = ""
    identifiers: list[Identifier] = field(default_factory=list)
    told: _Node = field(default_factory=dict)
    updated: int = 0
    consents: list[Consent] = field(default_factory=list)


class Consent(Struct, kw_only=True, frozen=True):
    """What a customer agreed to or withdrew."""

    purpose: str
    given: bool
    level: str = ""
    at: int | None = None


class Ordered(Struct, kw_only=True):
    """An order as it stands, before what came back."""

    id: str
    at: int
    updated: int
    currency: str
    lines: list[Sold]
    cancelled: int | None = None
    test: bool = False
    edited: bool = False
    store: str = "web"
    coupon: str = ""
    country: str = ""
    total: Decimal | None = None
    tax: Decimal | None = None
    shipping: Decimal | None = None
    person: Person = field(default_factory=Person)
    refunds: list[Refunded] = field(default_factory=list)


def text(holder: _Node, *names: str) -> str:
    """The first of these members that is a text or a number, as text.

    >>> text({"id": 7, "sku": None}, "sku", "id")
    '7'
    """
    for name in names:
        value = holder.get(name)
        if type(value) is str and value.strip():
            return value.strip()[:LONGEST]
        if type(value) is int:
            return str(value)
    return ""


def number_of(gid: str) -> str:
    """The number within a global id.

    >>> number_of("gid://shopify/Order/450789469"), number_of("450789469"), number_of("gid://shopify/Order/4?key=x")
    ('450789469', '450789469', '4')
    """
    return gid.rpartition("/")[2].partition("?")[0]


def mapping(holder: _Node, name: str) -> _Node:
    """A member that is an object; an empty one where it is absent."""
    value = holder.get(name)
    return value if type(value) is dict else {}


def objects(holder: _Node, name: str) -> list[_Node]:
    """The objects of a member that is a list, or a connection (``nodes``, ``edges``). Raises BadEvent."""
    value = holder.get(name)
    if value is None:
        return []
    if type(value) is dict:
        value = value.get("nodes") or [
            edge.get("node") for edge in value.get("edges") or () if type(edge) is dict
        ]
    if type(value) is not list:
        raise BadEvent("bad_properties", f"{name!r} must be a list")
    return [one for one in value if type(one) is dict]


def decimal(value: Any, name: str) -> Decimal:
    """An amount in units of the currency; 0 where there is none. Raises BadEvent."""
    if value is None or value == "":
        return ZERO
    try:
        found = Decimal(value) if type(value) in (str, int, Decimal) else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite():
        raise BadEvent("bad_number", f"{name!r} is no amount")
    if not -MOST_AMOUNT < found < MOST_AMOUNT:
        raise BadEvent("too_large", f"{name!r} is beyond any price")
    return found


def whole(value: Any, name: str) -> int:
    """A count; 0 where there is none. Raises BadEvent."""
    if value is None:
        return 0
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if type(value) is not int or not -MOST_QUANTITY < value < MOST_QUANTITY:
        raise BadEvent("bad_number", f"{name!r} is no count")
    return value


def moment(value: Any, name: str) -> int | None:
    """Microseconds since 1970 of an ISO time; None where there is none. Raises BadEvent.

    >>> moment("1970-01-01T01:00:00+01:00", "created_at")
    0
    """
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(value)
        return ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND
    except (ValueError, TypeError, OverflowError):
        raise BadEvent("bad_time", f"{name!r} is no time", hint="expected ISO 8601") from None


def minor(value: Decimal, currency: str) -> int:
    """Minor units. Raises BadEvent where the currency is none."""
    try:
        return to_minor(value, currency)
    except InvalidInput as error:
        raise BadEvent("bad_currency", error.message) from None


def currency_of(code: str, default: str) -> str:
    """A currency's code, checked; the default where there is none. Raises BadEvent."""
    code = code.upper() or default
    try:
        exponent(code)
    except InvalidInput as error:
        raise BadEvent("bad_currency", error.message) from None
    return code


def identifiers(*pairs: tuple[str, str]) -> list[Identifier]:
    """Identifiers that say something, each once.

    >>> identifiers(("email", "a@example.com"), ("phone", ""), ("email", "a@example.com"))
    [Identifier(kind='email', value='a@example.com')]
    """
    return [Identifier(kind, value) for kind, value in dict.fromkeys(pairs) if value]


def leaves(value: Any, depth: int = 0) -> list[str]:
    """Texts and numbers anywhere in a document, so that an erasure finds what was refused by any of them.

    >>> leaves({"id": 1234, "customer": {"email": "a@example.com"}, "tags": ["x", "new"]})
    ['1234', 'a@example.com', 'new']
    """
    if type(value) is dict:
        value = list(value.values())
    if type(value) is list:
        return [leaf for one in value[:500] for leaf in leaves(one, depth + 1)] if depth < 20 else []
    found = str(value) if type(value) in (str, int) else ""
    return [found[:LONGEST]] if len(found) > 2 else []
