"""A web shop's bulk export as a file: the same events as its webhooks', wherever its lines stand."""

from __future__ import annotations

import gzip
import random
from decimal import Decimal

import pytest
from tests.collect.shopify import Body, exported, lines_of, order, refund
from tests.collect.test_shopify import CUSTOMER, only, told

from shopkeeper.collect.files.door import guess


def test_the_bulk_export_tells_what_the_webhooks_told(bring) -> None:
    brought = bring(lines_of(*exported()), "orders.jsonl", now=1_777_636_800_000_000)
    assert brought.guess.kind == "shopify"
    heard = only(told("orders/create", order()))
    [event] = brought.events
    assert (event.message_id, event.properties, event.occurred_at) == (
        heard.message_id, heard.properties, heard.occurred_at,
    )  # fmt: skip
    assert event.identifiers == heard.identifiers


def test_a_refund_in_the_bulk_export_is_the_one_the_webhook_told(bring) -> None:
    told_ = {"id": "gid://shopify/Refund/900", "createdAt": "2026-04-25T07:00:00Z",
             "totalRefundedSet": {"shopMoney": {"amount": "18.0"}}}  # fmt: skip
    head, child = exported(refunds=[told_])
    brought = bring(
        lines_of(head, {**child, "currentQuantity": 2}), "orders.jsonl", now=1_777_636_800_000_000
    )
    [_, back] = brought.events
    heard = only(told("refunds/create", refund()), "Order Refunded")
    assert (back.message_id, back.properties, back.occurred_at) == (
        heard.message_id,
        heard.properties,
        heard.occurred_at,
    )
    head, child = exported()
    never = bring(lines_of(head, {**child, "currentQuantity": 2}), "edited.jsonl", now=1_777_636_800_000_000)
    assert [event.properties.amount for event in never.events] == [3600]


@pytest.mark.parametrize("packed", [False, True])
def test_lines_may_stand_anywhere_in_an_export(bring, packed) -> None:
    records: list[Body] = []
    for number in range(1, 51):
        head, child = exported(id=f"gid://shopify/Order/{number}")
        records += [
            head,
            {**child, "__parentId": head["id"]},
            {**child, "__parentId": head["id"], "quantity": number, "currentQuantity": number},
        ]
    random.Random(7).shuffle(records)
    raw = lines_of(*records)
    brought = bring(
        gzip.compress(raw) if packed else raw, "export.jsonl.gz" if packed else "export.jsonl", now=1 << 60
    )
    assert len(brought.events) == 50
    amounts = {event.properties.order_id: event.properties.amount for event in brought.events}
    assert amounts == {str(number): 5400 + 2000 * number - 600 for number in range(1, 51)}


def test_bad_lines_of_an_export_are_refused_with_their_numbers(bring) -> None:
    head, child = exported()
    orphan = {**child, "__parentId": "gid://shopify/Order/404"}
    no_price = exported(id="gid://shopify/Order/5")[0], {**child, "__parentId": "gid://shopify/Order/5"}
    del no_price[1]["originalUnitPriceSet"]
    long = b'{"id": "gid://shopify/Order/6", "note": "' + b"x" * 3_000_000 + b'"}\n'
    raw = (
        lines_of(head, child)
        + b"\n{broken\n"
        + lines_of(orphan, *no_price)
        + long
        + lines_of({"title": "no id"})
    )
    brought = bring(raw, "orders.jsonl", now=1 << 60)
    assert len(brought.events) == 1
    assert brought.reasons == {4: "bad_json", 5: "no_parent", 6: "no_amount", 8: "bad_json", 9: "bad_json"}


def test_customers_and_products_are_exported_too(bring) -> None:
    customer = {
        "id": "gid://shopify/Customer/7001", "firstName": "Ann", "lastName": "Lee",
        "createdAt": "2025-01-02T10:00:00+01:00", "updatedAt": "2026-04-20T12:00:00+02:00",
        "defaultEmailAddress": {"emailAddress": "ann.lee@example.com", "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "CONFIRMED_OPT_IN", "marketingUpdatedAt": "2026-01-05T09:00:00Z"},
        "defaultPhoneNumber": {"phoneNumber": "+4915112345678"},
        "defaultAddress": {"address1": "1 High Street", "city": "Berlin", "zip": "10115", "country": "Germany"},
    }  # fmt: skip
    events = bring(lines_of(customer), "customers.jsonl", now=1_777_636_800_000_000).events
    heard = told("customers/update", CUSTOMER).events
    assert [(e.name, e.message_id, e.properties) for e in events] == [
        (e.name, e.message_id, e.properties) for e in heard
    ]
    product = {
        "id": "gid://shopify/Product/501",
        "title": "Lamp",
        "productType": "Lighting",
        "vendor": "Halden",
    }
    variant = {"id": "gid://shopify/ProductVariant/1", "price": "20.00", "__parentId": product["id"]}
    [record] = bring(lines_of(product, variant), "products.jsonl").records
    assert (record.product_id, record.name, record.list_price) == ("501", "Lamp", Decimal("20.00"))


def test_a_file_of_tracking_calls_is_no_export(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        lines_of({"type": "track", "event": "Product Viewed", "userId": "1", "timestamp": "2026-01-01"})
    )
    assert guess(path).kind == "events"
