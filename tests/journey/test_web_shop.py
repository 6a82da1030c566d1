"""From a web shop's webhooks and its history to the customer: nothing twice, whichever comes first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.collect.shopify import Body, exported, hook, line, lines_of, order, refund

import shopkeeper
from shopkeeper.collect.intake import Outcome
from shopkeeper.shop import Shop

WHO = "email:ann.lee@example.com"
HOOKS: list[tuple[str, Body]] = [
    ("orders/create", order()),
    (
        "orders/updated",
        order(line_items=[line(quantity=2, off="4.00")], updated_at="2026-04-22T12:00:00+02:00"),
    ),
    ("refunds/create", refund()),
    ("orders/create", order(id=5, line_items=[line("50.00", 1, off="0.00")])),
    ("orders/delete", {"id": 5}),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that reckons in the web shop's currency."""
    with shopkeeper.create(tmp_path / "shop", currency="EUR", now="2026-05-01T12:00:00+00:00") as fresh:
        yield fresh


def hear(shop: Shop, *hooks: tuple[str, Body]) -> Outcome:
    outcome = Outcome()
    for topic, body in hooks:
        batch = hook(topic, body).batch
        assert batch.refused == []
        shop.places.ledger.write(
            lambda tx, events=batch.events: shop.places.intake.append(tx, events, outcome)
        )
        shop.advance()
    return outcome


@pytest.mark.parametrize("turn", list(itertools.permutations(range(5)))[::17], ids=str)
def test_orders_edits_refunds_and_deletions_give_one_customer_in_any_order_of_arrival(
    shop: Shop, turn: tuple[int, ...]
) -> None:
    outcome = hear(shop, *(HOOKS[i] for i in turn))
    assert outcome.refused == 0
    traits = shop.customer(WHO).traits
    # two lamps at 20.00 less 4.00 after the edit, one of three returned at 18.00; the other order is off
    assert (traits["orders"], traits["returns"]) == (1, 1)
    assert traits["revenue"] == pytest.approx(18.00)
    assert shop.customer("user_id:7001").id == shop.customer(WHO).id


@pytest.mark.parametrize("first", ["hooks", "history"])
def test_history_and_webhooks_of_the_same_orders_do_not_double(
    shop: Shop, tmp_path: Path, first: str
) -> None:
    told = {"id": "gid://shopify/Refund/900", "createdAt": "2026-04-25T07:00:00Z",
            "totalRefundedSet": {"shopMoney": {"amount": "18.0"}}}  # fmt: skip
    head, child = exported(refunds=[told])
    path = tmp_path / "orders.jsonl"
    path.write_bytes(lines_of(head, {**child, "currentQuantity": 2}))
    hooks = [
        ("orders/create", order()),
        ("orders/updated", order(refunds=[refund()])),
        ("refunds/create", refund()),
    ]
    if first == "hooks":
        hear(shop, *hooks)
    summary = shop.collect(path)
    assert summary.quarantined == 0
    assert (summary.kind, summary.kept, summary.repeated) == (
        "shopify",
        *((0, 2) if first == "hooks" else (2, 0)),
    )
    shop.advance()
    if first == "history":
        hear(shop, *hooks)
    traits = shop.customer(WHO).traits
    assert (traits["orders"], traits["returns"]) == (1, 1)
    assert traits["revenue"] == pytest.approx(36.00)


def test_a_webhook_sent_again_adds_nothing(shop: Shop) -> None:
    hear(shop, *HOOKS[:3])
    again = hear(shop, *HOOKS[:3])
    assert (again.kept, again.repeated) == (0, 4)


def test_a_products_file_describes_the_catalogue(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    product = {
        "id": "gid://shopify/Product/501",
        "title": "Lamp",
        "productType": "Lighting",
        "vendor": "Halden",
    }
    path.write_bytes(msgspec.json.encode(product) + b"\n")
    summary = shop.collect(path)
    assert (summary.kind, summary.kept) == ("shopify", 1)
    assert shop.collect(path).repeated == 1
