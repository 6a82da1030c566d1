"""Whatever the order in which events arrive, and however they are cut into batches: the same customers."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.collect.intake import Intake
from shopkeeper.domain.event import Event
from shopkeeper.know.fold import unpack
from shopkeeper.shop import Shop, living

_NAMES = (
    "Order Completed", "Order Refunded", "Product Viewed", "Identified", "Email Unsubscribed",
    "Consent Given", "Contact Opened", "Contact Closed", "Offer Shown", "Robot Waved",
)  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> list[Event]:
    """Six people who share cookies, cards and addresses more often than is good for them."""
    seed = draw(st.integers(0, 2**32))
    chance = random.Random(seed)
    found = []
    for i in range(draw(st.integers(1, 60))):
        person = chance.randrange(6)
        someone = [person, person, person, chance.randrange(6)]
        ids: dict[str, str] = {}
        for kind, share, letter in (
            ("user_id", 0.4, "u"), ("email", 0.3, "e"), ("anonymous_id", 0.5, "a"),
            ("payment_token", 0.3, "t"), ("loyalty_card", 0.2, "l"),
        ):  # fmt: skip
            if chance.random() < share:
                who = person if kind in ("user_id", "loyalty_card") else chance.choice(someone)
                ids[kind] = f"{letter}{who}@example.com" if kind == "email" else f"{letter}-{who}"
        at = -chance.randrange(30) * DAY // 3
        name = chance.choice(_NAMES)
        if name == "Order Completed":
            found.append(
                order(f"o{i}", at, price=f"{chance.randrange(1, 999)}.005", product=f"p{person}", ids=ids)
            )
        elif name == "Order Refunded":
            lines = [{"product_id": f"p{person}", "price": "1.25", "quantity": 2}]
            found.append(
                event(name, f"m{i}", at, ids=ids, order_id=f"o{chance.randrange(60)}", products=lines)
            )
        else:
            properties: dict[str, Any] = {
                "Product Viewed": {"product_id": f"p{person}"},
                "Identified": {"first_name": f"Name{person}", "country": f"Country {i}"},
                "Consent Given": {"purpose": "marketing_email"},
                "Contact Opened": {"contact_id": f"k{person}", "reason": "complaint"},
                "Contact Closed": {"contact_id": f"k{person}"},
            }.get(name, {})
            found.append(event(name, f"m{i}", at, ids=ids, **properties))
    return found


def customers(shop: Shop) -> dict[frozenset[Any], Any]:
    """Everybody, named by their identifiers instead of numbers: (pseudonym, shared) -> record."""
    with shop.places.ledger.read() as reader:
        members = [row for chunk in reader.all_members() for row in chunk]
        marks = {node: mark for node, (_, mark) in reader.marks([m[0] for m in members]).items()}
        records = {row.customer: unpack(row.body) for chunk in reader.all_records() for row in chunk}
    parts: dict[int, set[Any]] = {}
    for node, customer, _, shared in members:
        parts.setdefault(customer, set()).add((marks[node], shared))
    found: dict[frozenset[Any], Any] = {}
    for customer, part in parts.items():
        record = records.get(customer)
        if record is not None:
            record.standings = {
                purpose: {marks[node]: said for node, said in by_node.items()}  # type: ignore[misc]
                for purpose, by_node in record.standings.items()
            }
        plain = msgspec.to_builtins(record, builtin_types=(bytes,)) if record is not None else None
        found[frozenset(part)] = plain
    return found


def lived(events: list[Event], cuts: list[int], secret: bytes) -> dict[frozenset[Any], Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", now="2026-05-01T12:00:00Z") as shop,
    ):
        _with_secret(shop, secret)
        start = 0
        for cut in [*sorted(cuts), len(events)]:
            put(shop, *events[start:cut])
            start = cut
        live = customers(shop)
        shop.rebuild()
        assert customers(shop) == live, "a rebuild gives the identical records"
        return live


def _with_secret(shop: Shop, secret: bytes) -> None:
    """Pseudonyms must be comparable between shops."""
    from shopkeeper.stores.vault.aes import AesVault

    shop.places.vault = AesVault(secret)
    shop.places.intake = Intake(shop.places.vault, shop.places.keys, currency="GBP")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(worlds(), st.randoms(use_true_random=False), st.lists(st.integers(0, 60), max_size=4))
def test_any_order_and_any_cut_give_the_same_customers(
    events: list[Event], chance: random.Random, cuts: list[int]
) -> None:
    secret = bytes(32)
    expected = lived(events, [], secret)
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert lived(shuffled, [min(c, len(events)) for c in cuts], secret) == expected
    with mock.patch.object(living, "_EXTEND_UP_TO", 5):  # long backlogs are folded by customer, not by event
        assert lived(shuffled, cuts[:1], secret) == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_guards_do_bite_in_those_worlds(seed: int) -> None:
    """A property over worlds in which nothing is ever shared or merged would prove little."""
    chance = random.Random(seed)
    events = []
    for i in range(80):
        person = chance.randrange(6)
        address = f"e{chance.choice([person, person, chance.randrange(6)])}@example.com"
        ids = {"user_id": f"u-{person}", "loyalty_card": f"l-{person}", "email": address}
        events.append(event("Product Viewed", f"m{i}", -i, ids=ids))
    found = lived(events, [20, 50], bytes(32))
    assert any(shared for part in found for _, shared in part)
    assert any(len(part) > 1 for part in found)
