"""What a web shop's webhooks and its bulk export tell: the same, under the same message ids."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.collect.shopify import Body, hook, line, money, order, refund

from shopkeeper.collect.webshops.graphql import QUERY
from shopkeeper.collect.webshops.shopify import TOPICS
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.catalogue import Product
from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import Event
from shopkeeper.domain.identifier import Identifier

WHO = (
    Identifier("user_id", "7001"),
    Identifier("email", "ann.lee@example.com"),
    Identifier("phone", "+4915112345678"),
)


def told(topic: str, body: Body, **notes: str) -> Batch:
    batch = hook(topic, body, **notes).batch
    assert batch.refused == []
    return batch


def only(batch: Batch, name: str = "Order Completed") -> Event:
    [event] = [event for event in batch.events if event.name == name]
    return event


def test_an_order_is_told_in_the_shops_currency_after_discounts() -> None:
    event = only(told("orders/create", order()))
    sold = event.properties
    assert (sold.order_id, sold.currency, sold.store, sold.coupon, sold.country) == (
        "450789469", "EUR", "web", "SPRING", "Germany",
    )  # fmt: skip
    assert [(one.product_id, one.sku, one.variant, one.quantity, one.amount) for one in sold.products] == [
        ("501", "LAMP-R", "red", 3, 5400)
    ]
    assert (sold.amount, sold.total, sold.shipping) == (5400, Decimal("59.90"), Decimal("5.90"))
    assert event.identifiers == (*WHO, Identifier("order", "shopify:450789469"))
    assert instant(event.occurred_at).isoformat() == "2026-04-20T10:00:00+00:00"
    assert event.channel == "web"


def test_tax_that_is_in_the_prices_is_taken_off() -> None:
    body = order(taxes_included=True, line_items=[line(tax="8.62")])
    assert only(told("orders/create", body)).properties.amount == 5400 - 862
    assert only(told("orders/create", order(line_items=[line(tax="8.62")]))).properties.amount == 5400


def test_an_order_of_the_shops_till_is_a_store_order() -> None:
    event = only(told("orders/create", order(source_name="pos", location_id=655441491)))
    assert (event.properties.store, event.channel) == ("655441491", "store")


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "orders/updated", "orders/cancelled"])
def test_the_same_order_told_by_any_topic_is_the_same_order(topic: str) -> None:
    first = only(told("orders/create", order()))
    again = only(told(topic, order(updated_at="2026-04-22T12:00:00+02:00", fulfillment_status="fulfilled")))
    assert (again.message_id, again.properties, again.occurred_at) == (
        first.message_id, first.properties, first.occurred_at,
    )  # fmt: skip


def test_an_edited_order_is_another_telling_at_the_time_of_the_edit() -> None:
    edited = order(
        line_items=[line(), line(id=12, product_id=502, off="0.00")], updated_at="2026-04-22T12:00:00+02:00"
    )
    batch = told("orders/updated", edited)
    update = only(batch, "Order Updated")
    assert update.properties.amount == 5400 + 6000
    assert instant(update.occurred_at).isoformat() == "2026-04-22T10:00:00+00:00"
    assert only(batch).message_id != only(told("orders/create", order())).message_id


def test_a_cancelled_order_is_cancelled() -> None:
    batch = told("orders/cancelled", order(cancelled_at="2026-04-21T08:00:00Z"))
    off = only(batch, "Order Cancelled")
    assert (off.message_id, off.properties.order_id) == ("shopify:order:450789469:cancelled", "450789469")
    assert off.identifiers == WHO
    gone = only(told("orders/delete", {"id": 450789469}), "Order Cancelled")
    assert gone.message_id == off.message_id
    assert gone.identifiers == (Identifier("order", "shopify:450789469"),)


def test_a_refund_alone_and_within_its_order_is_the_same_event() -> None:
    alone = only(told("refunds/create", refund()), "Order Refunded")
    within = only(told("orders/updated", order(refunds=[refund()])), "Order Refunded")
    assert (alone.message_id, alone.properties) == (within.message_id, within.properties)
    assert alone.message_id == "shopify:refund:900"
    assert (alone.properties.amount, alone.properties.products[0].quantity) == (1800, 1)
    assert alone.identifiers == (Identifier("order", "shopify:450789469"),)
    assert within.identifiers == WHO


def test_a_refund_of_goods_with_tax_in_their_price_is_seen_by_what_was_paid_back() -> None:
    taxed = line(tax="8.62")
    part = refund(3, "54.00", "8.62")
    part["refund_line_items"][0]["line_item"] = taxed
    alone = only(told("refunds/create", part), "Order Refunded")
    within = only(
        told("orders/updated", order(taxes_included=True, line_items=[taxed], refunds=[part])),
        "Order Refunded",
    )
    assert alone.properties == within.properties
    assert alone.properties.amount == 5400 - 862


def test_money_given_back_without_goods_is_a_refund_and_shipping_is_none() -> None:
    goodwill = refund(refund_line_items=[], order_adjustments=[
        {"kind": "refund_discrepancy", "amount": "-10.00", "amount_set": money("-10.00"), "tax_amount": "0.00"},
        {"kind": "shipping_refund", "amount": "-5.90", "amount_set": money("-5.90"), "tax_amount": "0.00"},
    ])  # fmt: skip
    back = only(told("refunds/create", goodwill), "Order Refunded")
    assert (back.properties.amount, back.properties.products) == (1000, ())
    nothing = refund(refund_line_items=[], order_adjustments=goodwill["order_adjustments"][1:])
    assert told("refunds/create", nothing).passed == {"nothing_refunded": 1}


@pytest.mark.parametrize(
    ("topic", "body", "notes", "reason"),
    [
        ("orders/create", order(test=True), {}, "test_order"),
        ("orders/create", order(), {"test": "1"}, "test"),
        ("orders/fulfilled", order(), {}, "unused_topic"),
        ("orders/edited", {"order_edit": {"order_id": 1}}, {}, "unused_topic"),
        ("carts/update", {"id": "c"}, {}, "unused_topic"),
        ("orders/create", order(line_items=[line(gift_card=True)]), {}, "gift_card_sold"),
        ("customers_marketing_consent/update", {"id": 7, "sms_marketing_consent": {}}, {}, "nothing_said"),
    ],
)  # fmt: skip
def test_what_is_no_news_is_passed_over_and_counted(topic: str, body: Body, notes: Any, reason: str) -> None:
    batch = told(topic, body, **notes)
    assert batch.passed == {reason: 1}
    assert batch.events == []


CUSTOMER = {
    "id": 7001,
    "email": "ann.lee@example.com",
    "first_name": "Ann",
    "last_name": "Lee",
    "phone": "+4915112345678",
    "created_at": "2025-01-02T10:00:00+01:00",
    "updated_at": "2026-04-20T12:00:00+02:00",
    "default_address": {"address1": "1 High Street", "city": "Berlin", "zip": "10115", "country": "Germany"},
    "email_marketing_consent": {
        "state": "subscribed", "opt_in_level": "confirmed_opt_in", "consent_updated_at": "2026-01-05T09:00:00Z",
    },
    "sms_marketing_consent": {"state": "not_subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": None},
}  # fmt: skip


def test_a_customer_is_identified_with_what_they_agreed_to() -> None:
    batch = told("customers/create", CUSTOMER)
    person, consent = batch.events
    assert (person.properties.first_name, person.properties.city, person.properties.joined) == (
        "Ann", "Berlin", "2025-01-02",
    )  # fmt: skip
    assert person.identifiers == consent.identifiers == WHO
    assert (consent.name, consent.properties.purpose, consent.properties.method) == (
        "Consent Given", "marketing_email", "confirmed_opt_in",
    )  # fmt: skip
    assert instant(consent.occurred_at).isoformat() == "2026-01-05T09:00:00+00:00"


def test_a_withdrawal_is_told_alone_and_with_the_customer_under_one_id() -> None:
    said = {
        "state": "unsubscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": "2026-04-30T09:00:00Z",
    }
    alone = told(
        "customers_email_marketing_consent/update",
        {"customer_id": 7001, "email_address": "ann.lee@example.com", "email_marketing_consent": said},
    )
    within = told("customers/update", {**CUSTOMER, "email_marketing_consent": said})
    assert only(alone, "Consent Withdrawn").message_id == only(within, "Consent Withdrawn").message_id
    assert only(alone, "Consent Withdrawn").properties == only(within, "Consent Withdrawn").properties
    short = {"id": 7001, "phone": "+4915112345678", "sms_marketing_consent": {**said, "state": "subscribed"}}
    assert (
        only(told("customers_marketing_consent/update", short), "Consent Given").properties.purpose
        == "marketing_sms"
    )


def test_the_older_words_for_consent_are_understood() -> None:
    old = {k: v for k, v in CUSTOMER.items() if not k.endswith("_consent")}
    given = told("customers/update", {**old, "accepts_marketing": True, "accepts_marketing_updated_at": None})
    assert only(given, "Consent Given").properties.purpose == "marketing_email"
    never = told("customers/update", {**old, "accepts_marketing": False})
    assert [event.name for event in never.events] == ["Identified"]


def test_privacy_requests_are_wishes() -> None:
    who = {"id": 7001, "email": "ann.lee@example.com", "phone": "+4915112345678"}
    body = {"shop_id": 954889, "shop_domain": "lamps.example", "customer": who, "orders_to_redact": [1]}
    [erase] = hook("customers/redact", body).wishes
    assert (erase.verb, erase.identifiers) == ("erase", WHO)
    assert "7001" not in erase.reference
    assert hook("customers/redact", body).wishes == (erase,)
    [export] = hook("customers/data_request", {**body, "data_request": {"id": 9999}}).wishes
    assert (export.verb, export.identifiers, export.reference) == ("export", WHO, "shopify:data_request:9999")
    everything = hook("shop/redact", {"shop_id": 954889, "shop_domain": "lamps.example"})
    assert [row.reason for row in everything.batch.refused] == ["asks_for_a_person"]
    assert everything.wishes == ()


def test_a_product_is_a_record_of_the_catalogue() -> None:
    body = {"id": 501, "title": "Lamp", "vendor": "Halden", "product_type": "Lighting",
            "published_at": "2026-01-02T10:00:00Z", "variants": [{"id": 1, "price": "20.00"}]}  # fmt: skip
    assert told("products/update", body).records == [
        ("product", Product(product_id="501", name="Lamp", category="Lighting", brand="Halden",
                            list_price=Decimal("20.00"), launched="2026-01-02"))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("orders/create", {"line_items": []}, "no_key"),
        ("orders/create", order(line_items=[line(price="ten", price_set=None)]), "bad_number"),
        ("orders/create", order(line_items=[line(price="9e99", price_set=None)]), "too_large"),
        ("orders/create", order(line_items=[line(quantity="many")]), "bad_number"),  # type: ignore[arg-type]
        ("orders/create", order(line_items="none"), "bad_properties"),
        ("orders/create", order(currency="euros"), "bad_currency"),
        ("orders/create", order(processed_at="yesterday"), "bad_time"),
        ("refunds/create", {"id": 1, "refund_line_items": []}, "no_key"),
        ("customers/redact", {"customer": {}}, "names_nobody"),
    ],
)
def test_one_that_cannot_be_used_is_refused_as_it_came_and_found_by_its_values(
    topic: str, body: Body, reason: str
) -> None:
    understood = hook(topic, body)
    [row] = understood.batch.refused
    assert row.reason == reason
    assert msgspec.json.decode(row.raw) == msgspec.json.decode(msgspec.json.encode(body))
    assert understood.batch.events == []
    if "email" in body:
        assert "ann.lee@example.com" in row.cells


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 50_000])
def test_what_is_no_json_object_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadEvent):
        hook("orders/create", body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
def test_whatever_stands_in_a_member_is_told_or_refused(data: st.DataObject) -> None:
    hooks = {
        "orders/updated": order(refunds=[refund()]),
        "refunds/create": refund(),
        "customers/update": CUSTOMER,
    }
    topic = data.draw(st.sampled_from(sorted(hooks)))
    body = hooks[topic]
    body = msgspec.json.decode(msgspec.json.encode(body))
    holder: Any = body
    for _ in range(data.draw(st.integers(1, 3))):
        keys = (
            list(holder)
            if isinstance(holder, dict)
            else range(len(holder))
            if isinstance(holder, list)
            else []
        )
        if not keys:
            break
        key = data.draw(st.sampled_from(list(keys)))
        if data.draw(st.booleans()) or not isinstance(holder[key], dict | list):
            holder[key] = data.draw(VALUES)
            break
        holder = holder[key]
    batch = hook(topic, body).batch
    assert batch.read == len(batch.events) + len(batch.refused)
    assert len(batch.refused) <= 1
    for event in batch.events:
        assert event.message_id.startswith("shopify:")
        assert all(identifier.value for identifier in event.identifiers)


def test_the_documented_query_and_topics_are_those_that_are_read() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/connect-shopify.md").read_text(encoding="utf-8")
    assert QUERY in page
    named = {word.rstrip("`,. ") for word in re.findall(r"`([a-z_]+/[a-z_]+)`", page)}
    assert named <= set(TOPICS)
