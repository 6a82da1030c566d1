"""Telephone numbers and shared things at their worst: the same people, in whichever order and pieces it is told."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events import DAY, NOW, event, order, put
from tests.journey.test_any_order import _with_secret, customers
from tests.journey.test_years_any_order import cut

import shopkeeper
from shopkeeper.domain.clock import instant, micros
from shopkeeper.domain.event import Event
from shopkeeper.resolve import afresh, rules
from shopkeeper.resolve.graph import recompute

_NAMES = (
    "Identified",
    "Contact Opened",
    "Order Completed",
    "Order Refunded",
    "Email Unsubscribed",
    "Consent Given",
)


def moments(chance: random.Random) -> int:
    """Times that a careless comparison gets wrong: equal ones, edges of months, the years around 1970."""
    year = chance.choice([1965, 1969, 1970, *range(2016, 2026)])
    start = micros(instant(0).replace(year=year, month=chance.randrange(1, 13), day=1))
    return start + chance.choice([0, 0, -1, 1, 5 * DAY, 14 * DAY])


def world(chance: random.Random, size: int) -> list[Event]:
    """Few accounts and numbers, most events on a number with an account or on the number alone."""
    found = []
    times = [moments(chance) for _ in range(max(3, size // 2))]
    for i in range(size):
        at = chance.choice(times) - NOW
        person = chance.randrange(4)
        ids = {
            "user_id": f"u-{person}",
            "phone": f"+4477009001{chance.randrange(3):02}",
            "email": f"mm{chance.choice([person, person, 9])}@example.com",
            "loyalty_card": f"l-{chance.choice([person, 7])}",
            "payment_token": f"t-{chance.randrange(12)}",
            "anonymous_id": f"c-{chance.randrange(12)}",
            "social": f"net:{person}",
        }
        kinds = chance.choice([
            ["user_id", "phone"], ["user_id", "phone"], ["user_id", "phone"], ["phone"], ["phone", "anonymous_id"],
            ["email", "phone"], ["phone", "payment_token"], ["loyalty_card", "payment_token"],
            ["user_id", "email"], ["email", "anonymous_id"], ["loyalty_card", "phone", "anonymous_id"],
            ["user_id", "social"],
        ])  # fmt: skip
        if kinds[0] == "phone" and chance.random() < 0.6:
            kinds = ["user_id", "phone"]
        told = {kind: ids[kind] for kind in kinds}
        name = chance.choice(_NAMES)
        if name == "Order Completed":
            number = {"order": f"w:{i}"} if chance.random() < 0.6 else {}
            found.append(order(f"o{i}", at, ids=told | number))
        elif name == "Order Refunded":
            lines, of = [{"product_id": "p1", "price": "1.25", "quantity": 1}], chance.randrange(size)
            told = chance.choice([told, {"order": f"w:{of}"}, told | {"order": f"w:{of}"}])
            found.append(event(name, f"r{i}", at, ids=told, order_id=f"o{of}", products=lines))
        else:
            more = {"Contact Opened": {"reason": "other"}, "Consent Given": {"purpose": "marketing_email"}}
            found.append(event(name, f"m{i}", at, ids=told, **more.get(name, {})))
    return found


def lived(parts: list[list[Event]], ruled: dict[str, Any]) -> Any:
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", now="2026-05-01T12:00:00Z", **ruled) as shop,
    ):
        _with_secret(shop, bytes(32))
        for part in parts:
            put(shop, *part)
        live = customers(shop)

        def whole(tx: Any) -> list[int]:
            everybody = [node for chunk in tx.all_members() for node, *_ in chunk]
            change = recompute(tx, everybody, afresh=everybody)
            return [turn.customer for turn in change.turned]

        shop.rebuild()
        assert customers(shop) == live, "a rebuild gives the same records"
        with shop.places.ledger.read() as reader:
            everybody = [node for chunk in reader.all_members() for node, *_ in chunk]
            marks = reader.marks(everybody)
            unshared = {m.node for m in reader.members(everybody) if not m.shared}
            moved = {
                marks[node][1]: since for node, since in reader.moved(everybody).items() if node in unshared
            }
        assert shop.places.ledger.write(whole) == [], "deciding everything anew changes nobody"
        assert set(customers(shop)) == set(live)
    return live, moved


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.integers(2, 60))
def test_the_worst_times_in_any_order_are_the_same_customers(chance: random.Random, size: int) -> None:
    events = world(chance, size)
    ruled = chance.choice([{}, {}, {"identity_size": 4}, {"identity_most": {"phone": 2, "loyalty_card": 3}},
                           {"identity_silence_days": 60}])  # fmt: skip
    with mock.patch.object(rules, "FAR", 5), mock.patch.object(afresh, "_LOOKED_AT", 30):
        in_time = sorted(events, key=lambda one: (one.occurred_at, one.message_id))
        first = lived([in_time], ruled)
        assert lived(cut(chance, events), ruled) == first
        assert lived([[one] for one in reversed(in_time)], ruled) == first
        assert lived([[one] for one in in_time], ruled) == first
