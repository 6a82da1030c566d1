"""A web shop's order told twice: as webhooks send it and as the bulk export holds it."""

from __future__ import annotations

from typing import Any

import msgspec

from shopkeeper.collect.webshops.shopify import read
from shopkeeper.domain.delivery import Delivery, Settled, Understood

NOW = 1_777_636_800_000_000
Body = dict[str, Any]


def money(amount: str) -> Body:
    """An amount in the shop's currency and another in the buyer's."""
    return {
        "shop_money": {"amount": amount, "currency_code": "EUR"},
        "presentment_money": {"amount": f"1{amount.lstrip('-')}", "currency_code": "USD"},
    }


LAMP = {
    "id": 11,
    "product_id": 501,
    "sku": "LAMP-R",
    "title": "Lamp",
    "variant_title": "red",
    "vendor": "Halden",
}


def line(
    price: str = "20.00", quantity: int = 3, *, off: str = "6.00", tax: str = "0.00", **more: Any
) -> Body:
    return {
        **LAMP,
        "quantity": quantity,
        "price": price,
        "price_set": money(price),
        "discount_allocations": [{"amount": off, "amount_set": money(off)}] if off != "0.00" else [],
        "tax_lines": [{"price": tax, "price_set": money(tax), "title": "VAT"}],
        "gift_card": False,
        **more,
    }


def order(**more: Any) -> Body:
    return {
        "id": 450789469,
        "admin_graphql_api_id": "gid://shopify/Order/450789469",
        "name": "#1001",
        "created_at": "2026-04-20T12:00:00+02:00",
        "processed_at": "2026-04-20T12:00:00+02:00",
        "updated_at": "2026-04-20T12:00:05+02:00",
        "cancelled_at": None,
        "test": False,
        "currency": "EUR",
        "presentment_currency": "USD",
        "taxes_included": False,
        "source_name": "web",
        "location_id": None,
        "email": "ann.lee@example.com",
        "phone": None,
        "total_price": "59.90",
        "total_tax": "0.00",
        "total_shipping_price_set": money("5.90"),
        "discount_codes": [{"code": "SPRING", "amount": "6.00", "type": "fixed_amount"}],
        "shipping_address": {"country": "Germany", "zip": "10115"},
        "note_attributes": [{"name": "gift", "value": "For my aunt"}],
        "customer": {"id": 7001, "email": "ann.lee@example.com", "phone": "+4915112345678"},
        "line_items": [line()],
        "refunds": [],
        **more,
    }


def refund(quantity: int = 1, subtotal: str = "18.00", tax: str = "0.00", **more: Any) -> Body:
    return {
        "id": 900,
        "order_id": 450789469,
        "created_at": "2026-04-25T09:00:00+02:00",
        "processed_at": "2026-04-25T09:00:00+02:00",
        "refund_line_items": [
            {
                "id": 1,
                "line_item_id": 11,
                "quantity": quantity,
                "subtotal": subtotal,
                "subtotal_set": money(subtotal),
                "total_tax": tax,
                "line_item": line(),
            }
        ],
        "transactions": [{"kind": "refund", "amount": subtotal}],
        "order_adjustments": [],
        **more,
    }


def exported(**more: Any) -> list[Body]:
    """The same order and its line, from the bulk export."""
    parent = "gid://shopify/Order/450789469"
    return [
        {
            "id": parent,
            "createdAt": "2026-04-20T10:00:00Z",
            "processedAt": "2026-04-20T10:00:00Z",
            "updatedAt": "2026-04-20T10:00:05Z",
            "cancelledAt": None,
            "test": False,
            "edited": False,
            "currencyCode": "EUR",
            "taxesIncluded": False,
            "sourceName": "web",
            "email": "ann.lee@example.com",
            "phone": None,
            "discountCodes": ["SPRING"],
            "totalPriceSet": {"shopMoney": {"amount": "59.9"}},
            "totalTaxSet": {"shopMoney": {"amount": "0.0"}},
            "totalShippingPriceSet": {"shopMoney": {"amount": "5.9"}},
            "customer": {
                "id": "gid://shopify/Customer/7001",
                "email": "ann.lee@example.com",
                "phone": "+4915112345678",
            },
            "shippingAddress": {"country": "Germany"},
            "refunds": [],
            **more,
        },
        {
            "id": "gid://shopify/LineItem/11",
            "title": "Lamp",
            "sku": "LAMP-R",
            "variantTitle": "red",
            "vendor": "Halden",
            "quantity": 3,
            "currentQuantity": 3,
            "isGiftCard": False,
            "product": {"id": "gid://shopify/Product/501"},
            "originalUnitPriceSet": {"shopMoney": {"amount": "20.0"}},
            "discountAllocations": [{"allocatedAmountSet": {"shopMoney": {"amount": "6.0"}}}],
            "taxLines": [{"priceSet": {"shopMoney": {"amount": "0.0"}}}],
            "__parentId": parent,
        },
    ]


def lines_of(*records: Body) -> bytes:
    return b"".join(msgspec.json.encode(one) + b"\n" for one in records)


def hook(topic: str, body: Body | bytes, *, channel: str = "", **notes: str) -> Understood:
    """What a webhook is understood to say."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    delivery = Delivery(source="shop", format="shopify", received_at=NOW, body=raw, topic=topic, notes=notes)
    return read(delivery, Settled(now=NOW, zone="UTC", currency="EUR", region="DE", channel=channel))
