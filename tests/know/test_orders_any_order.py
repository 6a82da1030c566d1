"""Orders told twice, updated, added to, given back and cancelled, in any order of arrival: the same record."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events import DAY, event
from tests.journey.test_any_order import lived

EVENT = st.tuples(
    st.sampled_from(
        [
            "Order Completed",
            "Order Completed",
            "Order Updated",
            "Order Lines Added",
            "Order Refunded",
            "Order Cancelled",
        ]
    ),
    st.integers(-4, -1),
    st.integers(0, 3),
    st.integers(1, 99),
    st.sampled_from(
        [{"user_id": "anna"}, {"user_id": "anna", "email": "anna@example.com"}, {"user_id": "bo"}]
    ),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(EVENT, min_size=2, max_size=16),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 16), max_size=3),
)
def test_orders_told_in_any_order_give_the_same_record(
    rows: list[tuple[str, int, int, int, dict[str, str]]], chance: Any, cuts: list[int]
) -> None:
    events = []
    for i, (name, day, number, price, ids) in enumerate(rows):
        lines = [{"product_id": f"p{price % 3}", "price": str(price), "quantity": 1}]
        facts = {"order_id": f"o{number}"} | ({} if name == "Order Cancelled" else {"products": lines})
        events.append(event(name, f"m{i}", day * DAY, ids=ids, **facts))
    shuffled = list(events)
    chance.shuffle(shuffled)
    expected = lived(events, [], bytes(32))
    assert lived(shuffled, [min(cut, len(events)) for cut in cuts], bytes(32)) == expected
