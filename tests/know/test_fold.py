"""What one odd event does to a record: nothing worse than being counted."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.catalogue import Catalogue, Goods
from shopkeeper.domain.consent import MARKETING, PURPOSES, purpose_of
from shopkeeper.domain.customer import Customer, consents, plain
from shopkeeper.domain.money import Rates
from shopkeeper.domain.ordering import place
from shopkeeper.know.fold import fold, pack, unpack
from shopkeeper.know.memory import to_row
from shopkeeper.know.reducers.shape import Retold
from shopkeeper.stores.contract.rows import Folded

DAY = 86_400_000_000
SHOP = Catalogue(
    goods={"a": Goods("Lamps", "Halden", 200.0, tangible=True)},
    rates=Rates("GBP", [("EUR", 0, 0.5)]),
    zone="Europe/London",
)


def told(name: str, at: int, key: bytes = b"k", node: int = 1, **facts: Any) -> Folded:
    return Folded(1, at, key, name, 1, "web", "test", node, "", msgspec.json.encode(facts))


def order(name: str, at: int, amount: int, key: bytes = b"k", **facts: Any) -> Folded:
    line = {"product_id": "a", "quantity": 1, "amount": amount}
    return told(
        name, at, key, **{"order_id": "1", "products": [line], "amount": amount, "currency": "GBP"} | facts
    )


def in_order(events: list[Folded]) -> list[Folded]:
    return sorted(events, key=lambda e: (e.occurred_at, place(e.name, e.key)))


def folded(*events: Folded) -> Customer:
    return fold(in_order(list(events)), SHOP)


def without_traces(c: Customer) -> dict[str, Any]:
    """Everything but what counts events as such."""
    return {
        k: v
        for k, v in plain(c).items()
        if k not in ("events", "channels", "first_seen", "last_seen", "last", "marks")
    }


def test_points_beyond_all_bounds_are_counted_as_failed() -> None:
    events = [told("Reward Granted", DAY, bytes([i]), points=2**63) for i in range(2)]
    c = folded(*events, told("Reward Granted", DAY, b"z", points=100))
    assert (c.points, c.failed, c.events) == (100, {"Reward Granted": 2}, 3)
    assert unpack(pack(c)).points == 100


def test_amounts_beyond_all_bounds_are_counted_as_failed() -> None:
    c = folded(order("Order Completed", DAY, 2**63), order("Order Completed", DAY, 500, b"l", order_id="2"))
    assert (c.orders, c.amount, c.failed) == (1, 500, {"Order Completed": 1})


def test_figures_no_store_can_keep_are_kept_within_bounds() -> None:
    dear = Catalogue(goods={"a": Goods("", "", 1e300, tangible=True)}, rates=Rates("GBP"))
    record = fold([order("Order Completed", DAY, 500)], dear)
    assert to_row(1, record, dear).margin == -(2**63 - 1)


def test_an_order_in_a_currency_without_a_rate_counts_without_its_amount() -> None:
    c = folded(
        order("Order Completed", DAY, 1000, currency="JPY"),
        order("Order Refunded", 2 * DAY, 400, b"r", currency="JPY"),
        order("Order Completed", 3 * DAY, 1000, b"e", order_id="2", currency="EUR"),
    )
    assert (c.orders, c.returns, c.amount, c.margin, len(c.days)) == (2, 1, 500, 300.0, 2)
    assert (c.unconverted, c.failed) == ({"JPY": 600}, {})
    assert c.unpriced == [c.days[0]]
    assert unpack(pack(c)).unpriced == c.unpriced


def test_a_withdrawal_stands_whichever_of_one_instant_has_the_later_key() -> None:
    for yes, no in permutations([b"1", b"2"]):
        for name in ("Consent Withdrawn", "Email Unsubscribed", "Email Marked as Spam"):
            c = folded(
                told("Consent Given", DAY, yes, purpose="marketing_email"),
                told(
                    name, DAY, no, **({"purpose": "marketing_email"} if name == "Consent Withdrawn" else {})
                ),
            )
            assert consents(c)["marketing_email"].granted is False


@pytest.mark.parametrize("spelling", ["Marketing Email", "email", "e-mail", "NEWSLETTER", "marketing-e-mail"])
def test_a_purpose_is_understood_however_it_is_spelled(spelling: str) -> None:
    assert purpose_of(spelling) == "marketing_email"
    c = folded(
        told("Consent Given", DAY, purpose="marketing_email"),
        told("Consent Withdrawn", 2 * DAY, purpose=spelling),
    )
    assert {name: s.granted for name, s in consents(c).items()} == {"marketing_email": False}


def test_a_purpose_nobody_knows_permits_nothing_and_withdraws_all_marketing() -> None:
    assert all(purpose_of(name) == name for name in PURPOSES)
    c = folded(told("Consent Given", DAY, purpose="whatever you like"))
    assert (consents(c), c.failed) == ({}, {"Consent Given": 1})
    c = folded(told("Consent Withdrawn", DAY, purpose="leave me alone"))
    assert {name for name, s in consents(c).items() if not s.granted} == set(MARKETING)


FIRST = order("Order Completed", DAY, 700, b"f", order_id="0", coupon="C")
SECOND = order("Order Completed", 5 * DAY, 1000, coupon="SPRING", country="France", products=[
    {"product_id": "new", "category": "Mugs", "brand": "X", "quantity": 2, "amount": 1000}
])  # fmt: skip


@pytest.mark.parametrize("times", list(permutations([5, 6, 7])), ids=str)
def test_cancelling_leaves_no_trace_whatever_the_times(times: tuple[int, ...]) -> None:
    sold, back, off = (at * DAY for at in times)
    c = folded(
        FIRST,
        SECOND._replace(occurred_at=sold),
        order("Order Refunded", back, 400, b"r"),
        told("Order Cancelled", off, b"c", order_id="1"),
    )
    assert without_traces(c) == without_traces(folded(FIRST))
    assert c.marks["1"].cancelled


def test_an_update_replaces_the_order_on_its_day() -> None:
    c = folded(
        FIRST,
        SECOND,
        order("Order Lines Added", 5 * DAY, 50, b"l"),
        order("Order Refunded", 6 * DAY, 100, b"r"),
        order("Order Updated", 8 * DAY, 900, b"u"),
        order("Order Lines Added", 9 * DAY, 70, b"m"),
        told("Order Updated", 10 * DAY, b"n", order_id="1", country="Spain"),
    )
    again = folded(
        FIRST,
        order("Order Completed", 5 * DAY, 900),
        order("Order Refunded", 6 * DAY, 100, b"r"),
        order("Order Lines Added", 9 * DAY, 70, b"m"),
    )
    assert without_traces(c) == without_traces(again)
    assert (c.orders, c.amount, c.days) == (2, 700 + 900 - 100 + 70, [1, 5])


def test_an_order_heard_through_two_doors_counts_once() -> None:
    c = folded(SECOND, SECOND._replace(key=b"other door", occurred_at=5 * DAY + 1))
    assert (c.orders, c.amount, c.units, c.coupons) == (1, 1000, 2, 1)


def test_a_record_that_cannot_be_carried_on_says_so() -> None:
    for event in (told("Order Cancelled", 9 * DAY, order_id="1"), order("Order Updated", 9 * DAY, 5)):
        with pytest.raises(Retold):
            fold([event], SHOP, folded(FIRST, SECOND))


@pytest.mark.parametrize("keys", list(permutations([b"1", b"2", b"3"])), ids=str)
def test_of_one_instant_an_order_comes_before_its_lines_and_its_return(keys: tuple[bytes, ...]) -> None:
    sold, more, back = keys
    c = folded(
        FIRST,
        order("Order Completed", 5 * DAY, 1000, sold, store="S1"),
        order("Order Lines Added", 5 * DAY, 500, more, store="S1"),
        order("Order Refunded", 5 * DAY, 300, back),
    )
    assert {name: tally.amount for name, tally in c.places.items()} == {"web": 700, "S1": 1200}
    assert sum(c.day_margin) == pytest.approx(c.margin)


def test_lines_added_later_earn_on_the_day_of_their_order() -> None:
    c = folded(SECOND, FIRST._replace(occurred_at=6 * DAY), order("Order Lines Added", 8 * DAY, 500, b"m"))
    assert (c.days, c.day_margin) == ([5, 6], [400.0 + 300.0, 500.0])


def test_days_are_the_shops() -> None:
    late = 170 * DAY + 23 * DAY // 24 + DAY // 48  # 23:30 in UTC, in summer
    assert folded(order("Order Completed", late, 500)).days == [171]
    west = fold([order("Order Completed", late, 500)], Catalogue(zone="America/New_York"))
    assert west.days == [170]


EVENT = st.tuples(
    st.sampled_from(
        [
            "Order Completed",
            "Order Updated",
            "Order Lines Added",
            "Order Refunded",
            "Order Cancelled",
            "Product Viewed",
        ]
    ),
    st.integers(1, 6),
    st.sampled_from(["1", "2", "3", ""]),
    st.integers(0, 900),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENT, max_size=14), st.integers(0, 14))
def test_folding_in_two_parts_is_folding_at_once(rows: list[tuple[str, int, str, int]], cut: int) -> None:
    events = in_order(
        [
            order(name, at * DAY, amount, bytes([i]), order_id=id_)
            for i, (name, at, id_, amount) in enumerate(rows)
        ]
    )
    whole = fold(events, SHOP)
    assert not whole.failed
    try:
        parts = fold(events[cut:], SHOP, unpack(pack(fold(events[:cut], SHOP))))
    except Retold:
        return  # then the customer is folded anew
    assert plain(parts) == plain(whole)


def test_what_third_parties_say_goes_with_an_objection_and_stays_away_until_it_is_taken_back() -> None:
    def panel(at: int, key: bytes) -> Folded:
        return told(
            "Profile Enriched", at, key, provider="panel", as_of="2020-01-01", attributes={"age": "35-44"}
        )

    objection = told("Consent Withdrawn", 2 * DAY, b"b", purpose="profiling")
    assert folded(panel(DAY, b"a")).attributes == {"age": ("35-44", "panel", "2020-01-01")}
    assert folded(panel(DAY, b"a"), objection).attributes == {}
    assert folded(panel(DAY, b"a"), objection, panel(3 * DAY, b"c")).attributes == {}
    again = told("Consent Given", 4 * DAY, b"d", purpose="profiling")
    assert folded(objection, again, panel(5 * DAY, b"e")).attributes != {}
    other = told("Consent Withdrawn", 2 * DAY, b"f", purpose="marketing_email")
    assert folded(panel(DAY, b"a"), other).attributes != {}
