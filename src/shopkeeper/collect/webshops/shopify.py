"""Shopify's webhooks: orders, refunds, customers, consents, products, and the three privacy topics.

The topic says what a body is (https://shopify.dev/docs/api/webhooks). Topics that tell nothing new are passed over
knowingly. Of ``customers/redact`` and ``customers/data_request`` wishes are made; ``shop/redact`` asks for everything,
which a person has to decide: it goes to quarantine, where it is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import msgspec

from shopkeeper.collect.webshops.parts import Person, identifiers, leaves, mapping, moment, number_of, text
from shopkeeper.collect.webshops.rest import number as number_in
from shopkeeper.collect.webshops.rest import (
    read_consents,
    read_customer,
    read_order,
    read_product,
    read_refund,
)
from shopkeeper.collect.webshops.telling import Teller
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.delivery import Delivery, Settled, Understood, Wish
from shopkeeper.domain.errors import BadEvent

SHOP: Final = "shopify"
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_Body = dict[str, Any]


class _Reading:
    """One delivery being read."""

    def __init__(self, delivery: Delivery, settled: Settled) -> None:
        self.delivery = delivery
        self.settled = settled
        self.batch = Batch()
        self.wishes: list[Wish] = []
        self.teller = Teller(settled, shop=SHOP, source=delivery.source, received_at=delivery.received_at)

    def order(self, body: _Body, *, again: bool = False) -> None:
        """An order as it stands."""
        order = read_order(body, now=self.delivery.received_at, currency=self.settled.currency)
        self.teller.order(order, self.batch, again=again)

    def order_again(self, body: _Body) -> None:
        """An order that changed, perhaps only in what does not matter here."""
        self.order(body, again=True)

    def order_gone(self, body: _Body) -> None:
        """An order was deleted, as only orders that never counted can be."""
        self.teller.cancelled(number_in(body, "order"), self.delivery.received_at, self.batch)

    def refund(self, body: _Body) -> None:
        """A refund, which names no customer: the order's number does."""
        refund = read_refund(body, now=self.delivery.received_at, currency=self.settled.currency)
        if not refund.order:
            raise BadEvent("no_key", "a refund without the number of its order")
        self.teller.refund(refund, self.batch)

    def customer(self, body: _Body) -> None:
        """A customer's record."""
        self.teller.person(read_customer(body, now=self.delivery.received_at), self.batch)

    def consent(self, body: _Body) -> None:
        """What a customer said of marketing, alone."""
        own = number_of(text(body, "customer_id", "id", "admin_graphql_api_id"))
        email, phone = text(body, "email_address", "email"), text(body, "phone_number", "phone")
        person = Person(
            id=own,
            identifiers=identifiers(("user_id", own), ("email", email), ("phone", phone)),
            updated=moment(body.get("updated_at"), "updated_at") or self.delivery.received_at,
            consents=read_consents(body),
        )
        if not person.consents:
            self.batch.passing("nothing_said")
            return
        self.teller.person(person, self.batch)

    def product(self, body: _Body) -> None:
        """A product, for the catalogue."""
        self.batch.records.append(("product", read_product(body)))

    def data_request(self, body: _Body) -> None:
        """Somebody asks what is known of them."""
        asked = text(mapping(body, "data_request"), "id")
        self._wish("export", body, f"{SHOP}:data_request:{asked or _mark(body)}")

    def redact(self, body: _Body) -> None:
        """Somebody asks to be forgotten."""
        self._wish("erase", body, f"{SHOP}:redact:{_mark(body)}")

    def shop_redact(self, _body: _Body) -> None:
        """Everything of the shop is to be erased, 48 hours after it removed the app."""
        raise BadEvent(
            "asks_for_a_person",
            "the web shop asks that everything it ever told be erased",
            hint="decide whether it goes: archive or delete the shop",
        )

    def _wish(self, verb: str, body: _Body, reference: str) -> None:
        customer = mapping(body, "customer")
        who = identifiers(
            ("user_id", number_of(text(customer, "id"))),
            ("email", text(customer, "email")),
            ("phone", text(customer, "phone")),
        )
        if not who:
            raise BadEvent("names_nobody", "a privacy request that names nobody")
        self.wishes.append(Wish(verb=verb, identifiers=tuple(who), reference=reference))


_TOPICS: Final[dict[str, Callable[[_Reading, _Body], None]]] = {
    "orders/create": _Reading.order,
    "orders/paid": _Reading.order,
    "orders/updated": _Reading.order_again,
    "orders/cancelled": _Reading.order_again,
    "orders/delete": _Reading.order_gone,
    "refunds/create": _Reading.refund,
    "customers/create": _Reading.customer,
    "customers/update": _Reading.customer,
    "customers/enable": _Reading.customer,
    "customers/disable": _Reading.customer,
    "customers_email_marketing_consent/update": _Reading.consent,
    "customers/email_marketing_consent_update": _Reading.consent,
    "customers_marketing_consent/update": _Reading.consent,
    "customers/marketing_consent_update": _Reading.consent,
    "products/create": _Reading.product,
    "products/update": _Reading.product,
    "customers/data_request": _Reading.data_request,
    "customers/redact": _Reading.redact,
    "shop/redact": _Reading.shop_redact,
}
"""What is done with a topic; every other is passed over and counted."""

TOPICS: Final = tuple(_TOPICS)
"""Topics to subscribe to."""


def read(delivery: Delivery, settled: Settled) -> Understood:
    """What a webhook tells. Raises BadEvent where its body is no JSON object.

    >>> from shopkeeper.domain.delivery import Delivery, Settled
    >>> body = b'''{"id": 7, "currency": "EUR", "created_at": "2024-05-03T12:00:00+02:00", "email": "a@example.com",
    ...   "line_items": [{"id": 1, "product_id": 85048, "quantity": 2, "price": "6.95"}]}'''
    >>> delivery = Delivery(source="web", format="shopify", received_at=0, body=body, topic="orders/create")
    >>> [event] = read(delivery, Settled(now=0, zone="UTC", currency="EUR", region="DE")).batch.events
    >>> event.name, event.properties.amount, [i.kind for i in event.identifiers]
    ('Order Completed', 1390, ['email', 'order'])
    """
    reading = _Reading(delivery, settled)
    batch = reading.batch
    work = _TOPICS.get(delivery.topic.strip().lower())
    if work is None:
        batch.passing("unused_topic")
    elif delivery.notes.get("test") == "1":
        batch.passing("test")
    else:
        body = _body(delivery.body)
        try:
            work(reading, body)
        except BadEvent as error:
            # what it told before it was found wanting does not count either
            batch = Batch(refused=[_refused(delivery.body, body, error)])
    batch.read = len(batch.events) + len(batch.records) + len(batch.refused)
    return Understood(batch=batch, wishes=tuple(reading.wishes))


def _body(raw: bytes) -> _Body:
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadEvent("bad_json", "the body is no JSON") from None
    if type(found) is dict and len(found) == 1 and type(inner := next(iter(found.values()))) is dict:
        found = inner  # {"order": {...}}, as the REST API answers
    if type(found) is not dict:
        raise BadEvent("not_an_object", "the body is JSON but no object")
    return found


def _refused(raw: bytes, body: _Body, error: BadEvent) -> Refused:
    return Refused(
        line=1,
        reason=error.reason,
        detail=error.message,
        raw=raw.decode("utf-8", "replace"),  # whole, however long: a part of it could not be read again
        cells=tuple(dict.fromkeys(leaves(body))),
    )


def _mark(body: _Body) -> str:
    """A number of the request that repeats with it and names nobody."""
    return blake2b(msgspec.json.encode(body, order="deterministic"), digest_size=12).hexdigest()
