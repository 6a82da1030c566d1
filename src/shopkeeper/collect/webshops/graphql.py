"""Shopify's GraphQL shapes, as its bulk exports hold them, as the same parts that webhooks give.

Field names follow https://shopify.dev/docs/api/admin-graphql (Order, LineItem, Customer, Product). A bulk query cannot
ask for the lines of a refund: what came back is what is left of a line less than was ordered. Where an order has
several refunds their money is told one by one, and the goods by the first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

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
from shopkeeper.collect.webshops.rest import read_customer as read_flat_customer
from shopkeeper.collect.webshops.telling import share
from shopkeeper.domain.catalogue import Product
from shopkeeper.domain.errors import BadEvent

Body = dict[str, Any]
QUERY: Final = """{
  orders {
    edges { node {
      id createdAt processedAt updatedAt cancelledAt test edited currencyCode taxesIncluded sourceName email phone
      discountCodes
      totalPriceSet { shopMoney { amount } } totalTaxSet { shopMoney { amount } }
      totalShippingPriceSet { shopMoney { amount } }
      customer { id email phone } shippingAddress { country } billingAddress { country } retailLocation { id }
      refunds { id createdAt totalRefundedSet { shopMoney { amount } } }
      lineItems { edges { node {
        id title sku variantTitle vendor quantity currentQuantity isGiftCard product { id }
        originalUnitPriceSet { shopMoney { amount } }
        discountAllocations { allocatedAmountSet { shopMoney { amount } } }
        taxLines { priceSet { shopMoney { amount } } }
      } } }
    } }
  }
}"""
"""The bulk query whose export tells all that the webhooks tell."""


def read_order(body: Body, children: list[Body], *, now: int, currency: str) -> Ordered:
    """An order with its lines. Raises BadEvent."""
    order = number_of(text(body, "id"))
    code = currency_of(text(body, "currencyCode"), currency)
    included = body.get("taxesIncluded") is True
    lines = [_line(one, code, included=included) for one in (*objects(body, "lineItems"), *children)]
    at = moment(body.get("processedAt"), "processedAt") or moment(body.get("createdAt"), "createdAt") or now
    shipped = mapping(body, "shippingAddress") or mapping(body, "billingAddress")
    customer = mapping(body, "customer")
    own = number_of(text(customer, "id"))
    codes = body.get("discountCodes")
    place = number_of(text(mapping(body, "retailLocation"), "id"))
    found = Ordered(
        id=order,
        at=at,
        updated=moment(body.get("updatedAt"), "updatedAt") or at,
        currency=code,
        lines=lines,
        cancelled=moment(body.get("cancelledAt"), "cancelledAt"),
        test=body.get("test") is True,
        edited=body.get("edited") is True,
        store=place or "pos" if text(body, "sourceName") == "pos" else "web",
        coupon=str(codes[0])[:200] if type(codes) is list and codes else text(body, "discountCode"),
        country=text(shipped, "country"),
        total=_total(body, "totalPrice"),
        tax=_total(body, "totalTax"),
        shipping=_total(body, "totalShippingPrice"),
        person=Person(
            id=own,
            identifiers=identifiers(
                ("user_id", own),
                ("email", text(body, "email")),
                ("email", _email(customer)),
                ("phone", text(body, "phone")),
                ("phone", _phone(customer)),
            ),
            updated=at,
        ),
    )
    found.refunds = _refunds(body, found, now=now)
    return found


def read_customer(body: Body, *, now: int) -> Person:
    """A customer's record, by its REST names. Raises BadEvent."""
    address = mapping(body, "defaultAddress")
    flat: Body = {
        "id": text(body, "id"),
        "first_name": text(body, "firstName"),
        "last_name": text(body, "lastName"),
        "email": _email(body),
        "phone": _phone(body),
        "created_at": text(body, "createdAt"),
        "updated_at": text(body, "updatedAt"),
        "default_address": address,
    }
    person = read_flat_customer(flat, now=now)
    mail = mapping(body, "emailMarketingConsent") or mapping(body, "defaultEmailAddress")
    short = mapping(body, "smsMarketingConsent") or mapping(body, "defaultPhoneNumber")
    person.consents = _consent("marketing_email", mail) + _consent("marketing_sms", short)
    return person


def read_product(body: Body, children: list[Body]) -> Product:
    """A product with its variants. Raises BadEvent."""
    variants = [*objects(body, "variants"), *children]
    prices = [text(one, "price") for one in variants if text(one, "price")]
    return Product(
        product_id=number_of(text(body, "id")),
        name=text(body, "title"),
        category=text(body, "productType"),
        brand=text(body, "vendor"),
        list_price=decimal(prices[0], "price") if prices else None,
        launched=(text(body, "publishedAt") or text(body, "createdAt"))[:10],
    )


def _line(body: Body, currency: str, *, included: bool) -> Sold:
    quantity = whole(body.get("quantity"), "quantity")
    unit = _money(body, "originalUnitPriceSet", "originalUnitPrice")
    if unit is None:
        raise BadEvent(
            "no_amount", "a line without originalUnitPriceSet", hint="ask for it in the bulk query"
        )
    off = sum((_amount(one, "allocatedAmountSet") for one in objects(body, "discountAllocations")), ZERO)
    tax = sum((_amount(one, "priceSet") for one in objects(body, "taxLines")), ZERO) if included else ZERO
    left = body.get("currentQuantity")
    return Sold(
        id=number_of(text(body, "id")),
        quantity=quantity,
        net=minor(unit * quantity, currency) - minor(off, currency) - minor(tax, currency),
        product_id=number_of(text(mapping(body, "product"), "id")),
        sku=text(body, "sku"),
        name=text(body, "title", "name"),
        variant=text(body, "variantTitle"),
        brand=text(body, "vendor"),
        gift=body.get("isGiftCard") is True,
        left=None if left is None else whole(left, "currentQuantity"),
    )


def _refunds(body: Body, order: Ordered, *, now: int) -> list[Refunded]:
    told = objects(body, "refunds")
    back = [
        Back(line=line, quantity=line.quantity - line.left)
        for line in order.lines
        if line.left is not None and line.left < line.quantity
    ]
    if not told:
        # taken off by an edit before anything was paid: it was never sold
        for part in back:
            line = part.line
            line.net, line.quantity = share(line, line.left or 0) if line.left else 0, line.left or 0
        order.lines = [line for line in order.lines if line.quantity]
        return []
    first = min(range(len(told)), key=lambda i: text(told[i], "createdAt"))
    found = []
    for place, one in enumerate(told):
        lines = back if place == first else []
        given = minor(_amount(one, "totalRefundedSet"), order.currency)
        found.append(
            Refunded(
                id=number_of(text(one, "id")),
                order=order.id,
                at=moment(one.get("createdAt"), "createdAt") or now,
                lines=lines,
                # the goods of a later refund were told by the first
                more=given if not back else 0,
                currency=order.currency,
            )
        )
    return found


def _consent(purpose: str, said: Body) -> list[Consent]:
    state = text(said, "marketingState").lower()
    if state not in ("subscribed", "unsubscribed"):
        return []
    at = text(said, "consentUpdatedAt", "marketingUpdatedAt")
    return [
        Consent(
            purpose=purpose,
            given=state == "subscribed",
            level=text(said, "marketingOptInLevel").lower(),
            at=moment(at, "consentUpdatedAt"),
        )
    ]


def _email(body: Body) -> str:
    return text(body, "email") or text(mapping(body, "defaultEmailAddress"), "emailAddress")


def _phone(body: Body) -> str:
    return text(body, "phone") or text(mapping(body, "defaultPhoneNumber"), "phoneNumber")


def _money(body: Body, *names: str) -> Decimal | None:
    for name in names:
        value = body.get(name)
        if type(value) is dict:
            value = mapping(value, "shopMoney").get("amount", value.get("amount"))
        if value is not None:
            return decimal(value, name)
    return None


def _amount(body: Body, name: str) -> Decimal:
    return _money(body, name) or ZERO


def _total(body: Body, name: str) -> Decimal | None:
    return _money(body, f"{name}Set", name)
