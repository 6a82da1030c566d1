"""Segments within conditions, asked of everybody: by the lake, and by the ledger for those it does not know yet."""

from __future__ import annotations

from tests.events import DAY, order, put


def test_a_segment_in_a_condition_holds_for_the_lake_and_for_what_came_since(shop):
    for number in range(6):
        put(shop, order(f"a{number}", -DAY, ids={"user_id": f"u{number}"}))
    put(shop, *[order(f"b{number}", -DAY // 2, ids={"user_id": f"u{number}"}) for number in range(3)])
    shop.refresh()
    shop.save_segment("twice", "orders >= 2")
    shop.save_segment("lately", "segment('twice') and events('Order Completed', days => 30) >= 2")
    assert shop.size("segment('lately')").customers == shop.segment("lately").segment.size == 3
    put(shop, order("c3", ids={"user_id": "u3"}), order("c9", ids={"user_id": "u9"}))
    assert shop.size("segment('lately')").customers == shop.segment("lately").segment.size == 4
    assert shop.size("segment('twice') and not segment('lately')").customers == 0
    inside = shop.customers("segment('lately')", columns=["orders"])
    assert sorted(inside["orders"].to_pylist()) == [2, 2, 2, 2]
