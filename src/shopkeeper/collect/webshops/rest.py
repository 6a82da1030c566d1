"""Shopify's REST shapes, as its webhooks send them, as parts.

Field names follow https://shopify.dev/docs/api/admin-rest (Order, Refund, Customer, Product). Amounts are taken in the
shop's currency (``shop_money``), never in the buyer's. Members that a version of the API leaves out are done without.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from shopkeeper.collect.person import person_of
from shopkeeper.collect.webshops.parts import (
    ZERO,
    Back,
    Consent,
    Ordered,
    Person,
    Refunded,
    Sold,
    currency_of,
    decimal,
    identifiers,
    mapping,
    minor,
    moment,
    number_of,
    objects,
    text,
    whole,
)
from shopkeeper.domain.catalogue import Product
from shopkeeper.domain.errors import BadEvent

Body = dict[str, Any]
PURPOSES: Final = {"email_marketing_consent": "marketing_email", "sms_marketing_consent": "marketing_sms"}
_STATES: Final = {"subscribed": True, "unsubscribed": False}
"""States that were said by the customer; ``not_subscribed``, ``pending`` and ``redacted`` say nothing."""
_TILL: Final = "pos"


def number(body: Body, what: str, *names: str) -> str:
    """The number of a record. Raises BadEvent."""
    found = number_of(text(body, *(names or ("id", "admin_graphql_api_id"))))
    if not found:
        raise BadEvent("no_key", f"a record of the web shop without the number of its {what}")
    return found


def read_order(body: Body, *, now: int, currency: str) -> Ordered:
    """An order as it stands. Raises BadEvent."""
    order = number(body, "order")
    code = currency_of(text(body, "currency"), currency)
    included = body.get("taxes_included") is True
    lines = [read_line(line, code, included=included) for line in objects(body, "line_items")]
    at = (
        moment(body.get("processed_at"), "processed_at")
        or moment(body.get("created_at"), "created_at")
        or now
    )
    shipped = mapping(body, "shipping_address") or mapping(body, "billing_address")
    codes = [text(one, "code") for one in objects(body, "discount_codes")]
    found = Ordered(
        id=order,
        at=at,
        updated=moment(body.get("updated_at"), "updated_at") or at,
        currency=code,
        lines=lines,
        cancelled=moment(body.get("cancelled_at"), "cancelled_at"),
        test=body.get("test") is True,
        store=text(body, "location_id") or "pos" if text(body, "source_name") == _TILL else "web",
        coupon=next((code for code in codes if code), ""),
        country=text(shipped, "country"),
        total=_total(body, "total_price"),
        tax=_total(body, "total_tax"),
        shipping=_total(body, "total_shipping_price"),
        person=_buyer(body, at),
    )
    by_id = {line.id: line for line in lines}
    found.refunds = [
        read_refund(one, now=now, currency=code, order=order, lines=by_id, included=included)
        for one in objects(body, "refunds")
    ]
    return found


def read_line(body: Body, currency: str, *, included: bool) -> Sold:
    """A line of an order: its price times its quantity, less its share of every discount, less tax in the price."""
    quantity = whole(body.get("quantity"), "quantity")
    gross = _shop(body, "price") * quantity
    if body.get("discount_allocations") is None:
        off = _shop(body, "total_discount")
    else:
        off = sum((_shop(one, "amount") for one in objects(body, "discount_allocations")), ZERO)
    tax = sum((_shop(one, "price") for one in objects(body, "tax_lines")), ZERO) if included else ZERO
    return Sold(
        id=text(body, "id"),
        quantity=quantity,
        net=minor(gross, currency) - minor(off, currency) - minor(tax, currency),
        product_id=text(body, "product_id"),
        sku=text(body, "sku"),
        name=text(body, "title", "name"),
        variant=text(body, "variant_title"),
        brand=text(body, "vendor"),
        gift=body.get("gift_card") is True,
    )


def read_refund(
    body: Body,
    *,
    now: int,
    currency: str,
    order: str = "",
    lines: dict[str, Sold] | None = None,
    included: bool | None = None,
) -> Refunded:
    """A refund, within its order or alone.

    Alone it does not say whether prices include tax: that is seen by what was paid back. Raises BadEvent.
    """
    parts = objects(body, "refund_line_items")
    code = currency
    for part in parts:
        code = text(mapping(mapping(part, "subtotal_set"), "shop_money"), "currency_code") or code
    code = currency_of(code, currency)
    if included is None:
        included = _seems_included(body, parts)
    adjusted = objects(body, "order_adjustments")
    given = sum((_shop(one, "amount") for one in adjusted if text(one, "kind") != "shipping_refund"), ZERO)
    back = []
    for part in parts:
        line = (lines or {}).get(text(part, "line_item_id"))
        if line is None:
            line = read_line(mapping(part, "line_item"), code, included=included)
        back.append(Back(line=line, quantity=whole(part.get("quantity"), "quantity")))
    return Refunded(
        id=number(body, "refund"),
        order=order or number_of(text(body, "order_id")),
        at=moment(body.get("processed_at"), "processed_at")
        or moment(body.get("created_at"), "created_at")
        or now,
        lines=back,
        more=-minor(given, code),
        currency=code,
    )


def _seems_included(body: Body, parts: list[Body]) -> bool:
    """Whether what was paid back is the lines alone, their tax being in them, rather than lines and tax."""
    lines = sum((_shop(part, "subtotal") for part in parts), ZERO)
    tax = sum((_shop(part, "total_tax") for part in parts), ZERO)
    paid = sum(
        (
            decimal(one.get("amount"), "amount")
            for one in objects(body, "transactions")
            if text(one, "kind") == "refund"
        ),
        ZERO,
    )
    for one in objects(body, "order_adjustments"):
        paid += _shop(one, "amount") + _shop(one, "tax_amount")
    return bool(tax) and bool(paid) and abs(paid - lines) < abs(paid - lines - tax)


def read_customer(body: Body, *, now: int) -> Person:
    """A customer's record, with what they agreed to. Raises BadEvent."""
    customer = number(body, "customer")
    told = person_of(
        {
            "first_name": body.get("first_name"),
            "last_name": body.get("last_name"),
            "email": body.get("email"),
            "phone": body.get("phone"),
            **_address(mapping(body, "default_address")),
        }
    )
    created = text(body, "created_at")
    if created:
        told["joined"] = created[:10]
    updated = moment(body.get("updated_at"), "updated_at") or moment(created, "created_at") or now
    return Person(
        id=customer,
        identifiers=identifiers(
            ("user_id", customer), ("email", text(body, "email")), ("phone", text(body, "phone"))
        ),
        told=told,
        updated=updated,
        consents=read_consents(body),
    )


def read_consents(body: Body) -> list[Consent]:
    """What a customer's record says of marketing, in today's words or in those of before 2022. Raises BadEvent."""
    found = []
    for name, purpose in PURPOSES.items():
        said = mapping(body, name)
        given = _STATES.get(text(said, "state").lower())
        if given is not None:
            at = moment(said.get("consent_updated_at"), "consent_updated_at")
            found.append(
                Consent(purpose=purpose, given=given, level=text(said, "opt_in_level").lower(), at=at)
            )
    if not any(name in body for name in PURPOSES) and type(body.get("accepts_marketing")) is bool:
        at = moment(body.get("accepts_marketing_updated_at"), "accepts_marketing_updated_at")
        level = text(body, "marketing_opt_in_level").lower()
        if body["accepts_marketing"] or at is not None:
            given = body["accepts_marketing"]
            found.append(Consent(purpose="marketing_email", given=given, level=level, at=at))
    return found


def read_product(body: Body) -> Product:
    """A product as a record of the catalogue. Raises BadEvent."""
    variants = objects(body, "variants")
    price = text(variants[0], "price") if variants else ""
    return Product(
        product_id=number(body, "product"),
        name=text(body, "title"),
        category=text(body, "product_type"),
        brand=text(body, "vendor"),
        list_price=decimal(price, "price") if price else None,
        launched=(text(body, "published_at") or text(body, "created_at"))[:10],
    )


def _buyer(body: Body, at: int) -> Person:
    customer = mapping(body, "customer")
    own = number_of(text(customer, "id"))
    return Person(
        id=own,
        identifiers=identifiers(
            ("user_id", own),
            ("email", text(body, "email", "contact_email")),
            ("email", text(customer, "email")),
            ("phone", text(body, "phone")),
            ("phone", text(customer, "phone")),
        ),
        updated=at,
    )


def _address(address: Body) -> Body:
    street = " ".join(part for part in (text(address, "address1"), text(address, "address2")) if part)
    return {
        "street": street,
        "city": text(address, "city"),
        "state": text(address, "province"),
        "postcode": text(address, "zip"),
        "country": text(address, "country"),
        "company": text(address, "company"),
    }


def _shop(body: Body, name: str) -> Decimal:
    """An amount in the shop's currency."""
    money = mapping(mapping(body, f"{name}_set"), "shop_money")
    return decimal(money["amount"] if "amount" in money else body.get(name), name)


def _total(body: Body, name: str) -> Decimal | None:
    told = f"{name}_set" in body or body.get(name) is not None
    return _shop(body, name) if told else None
