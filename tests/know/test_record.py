"""What a customer's record says after what happened."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.events import DAY, event, order, put

from shopkeeper.domain.errors import BadEvent
from shopkeeper.shop import Shop

ANNA = {"user_id": "anna"}


def traits(shop: Shop, who: str = "user_id:anna") -> dict:
    return shop.customer(who).traits


def file(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_a_return_is_taken_off_where_the_order_was_placed(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, price="10.00", quantity=3, ids=ANNA, channel="store", store="S1"))
    lines = [{"product_id": "p1", "price": "10.00", "quantity": 1}]
    put(shop, event("Order Refunded", "r", -8 * DAY, ids=ANNA, order_id="1", products=lines))
    seen = shop.customer("user_id:anna")
    assert (seen.traits["orders"], seen.traits["returns"], seen.traits["revenue"]) == (1, 1, 20.0)
    assert seen.traits["returned"] == 10.0
    assert [(p.key, p.amount) for p in seen.places] == [("S1", 20.0)]


def test_a_cancelled_order_counts_for_nothing(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=ANNA), order("2", -8 * DAY, price="7.00", ids=ANNA))
    put(shop, event("Order Cancelled", "c", -7 * DAY, ids=ANNA, order_id="1"))
    assert (traits(shop)["orders"], traits(shop)["revenue"]) == (1, 7.0)


def test_lines_added_later_belong_to_the_same_order(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=ANNA))
    lines = [{"product_id": "p2", "price": "5.00", "quantity": 1}]
    put(shop, event("Order Lines Added", "more", -9 * DAY, ids=ANNA, order_id="1", products=lines))
    assert (traits(shop)["orders"], traits(shop)["order_days"], traits(shop)["revenue"]) == (1, 1, 15.0)


def test_an_orders_discount_is_taken_off_amount_and_margin(shop: Shop, tmp_path: Path) -> None:
    shop.collect(file(tmp_path, "products.csv", "product_id,name,unit_cost\np1,Lamp,4.00\n"))
    lines = [{"product_id": "p1", "price": "10.00", "quantity": 1}]
    put(shop, event("Order Completed", "o", ids=ANNA, order_id="1", products=lines, discount="2.50"))
    assert (traits(shop)["revenue"], traits(shop)["margin"], traits(shop)["assumed_margin_on"]) == (
        7.5,
        3.5,
        0.0,
    )


def test_a_cost_that_arrives_later_changes_the_margin_of_what_was_sold(shop: Shop, tmp_path: Path) -> None:
    put(shop, order("1", -DAY, price="10.00", ids=ANNA))
    assert (traits(shop)["margin"], traits(shop)["assumed_margin_on"]) == (4.0, 10.0)
    shop.collect(
        file(tmp_path, "products.csv", "product_id,name,category,unit_cost\np1,Lamp,Lighting,3.00\n")
    )
    shop.advance()
    assert (traits(shop)["margin"], traits(shop)["assumed_margin_on"]) == (7.0, 0.0)
    assert traits(shop)["favourite_category"] == "Lighting"


def test_foreign_amounts_are_converted_by_the_rate_of_their_day(shop: Shop, tmp_path: Path) -> None:
    shop.collect(
        file(tmp_path, "exchange_rates.csv", "date,currency,rate\n2026-01-01,EUR,0.80\n2026-04-20,EUR,0.90\n")
    )
    put(
        shop,
        order("1", -60 * DAY, price="10.00", currency="EUR", ids=ANNA),
        order("2", -2 * DAY, price="10.00", currency="EUR", ids=ANNA),
        order("3", -DAY, price="10.00", ids=ANNA),
    )
    assert traits(shop)["revenue"] == 8.0 + 9.0 + 10.0


def test_the_most_restrictive_identity_decides_and_a_new_consent_that_names_it_lifts_it(shop: Shop) -> None:
    put(
        shop,
        event(
            "Consent Given",
            "c1",
            -9 * DAY,
            ids={"user_id": "anna", "email": "anna@example.com"},
            purpose="marketing_email",
        ),
        event("Email Unsubscribed", "u", -8 * DAY, ids={"email": "anna@example.com"}),
        event("Consent Given", "c2", -7 * DAY, ids=ANNA, purpose="marketing_email"),
    )
    assert traits(shop)["marketing_email"] is False, "the address said no after it had said yes"
    again = {"user_id": "anna", "email": "anna@example.com"}
    put(shop, event("Consent Given", "c3", -6 * DAY, ids=again, purpose="marketing_email"))
    assert traits(shop)["marketing_email"] is True
    put(shop, event("Email Marked as Spam", "s", -5 * DAY, ids={"email": "anna@example.com"}))
    assert traits(shop)["marketing_email"] is False


def test_an_unsubscription_reaches_the_customer_it_turns_out_to_belong_to(shop: Shop) -> None:
    put(shop, event("Consent Given", "c", -9 * DAY, ids=ANNA, purpose="marketing_email"))
    put(shop, event("Email Unsubscribed", "u", -8 * DAY, ids={"email": "anna@example.com"}))
    assert traits(shop)["marketing_email"] is True
    put(shop, event("Identified", "i", -DAY, ids={"user_id": "anna", "email": "anna@example.com"}))
    assert traits(shop)["marketing_email"] is False


def test_opens_made_by_machines_count_as_nothing(shop: Shop) -> None:
    put(
        shop,
        event("Email Opened", "o1", -3 * DAY, ids=ANNA, machine=True),
        event("Email Link Clicked", "k1", -2 * DAY, ids=ANNA, machine=True),
        event("Email Link Clicked", "k2", -DAY, ids=ANNA),
    )
    assert traits(shop)["emails_clicked"] == 1


def test_what_was_looked_at_and_not_bought_since(shop: Shop) -> None:
    put(
        shop,
        event("Product Viewed", "v1", -9 * DAY, ids=ANNA, product_id="p1"),
        event("Product Viewed", "v2", -8 * DAY, ids=ANNA, product_id="p2"),
        order("1", -7 * DAY, product="p1", ids=ANNA),
        event("Product Viewed", "v3", -6 * DAY, ids=ANNA, product_id="p3"),
    )
    assert traits(shop)["looked_not_bought"] == ["p3", "p2"]
    assert traits(shop)["sessions"] == 3


@pytest.mark.parametrize("late", [False, True])
def test_a_case_is_open_until_it_is_closed_whichever_message_comes_first(shop: Shop, *, late: bool) -> None:
    opened = event("Contact Opened", "k1", -3 * DAY, ids=ANNA, contact_id="K", reason="complaint")
    closed = event("Contact Closed", "k2", -2 * DAY, ids=ANNA, contact_id="K", outcome="sent")
    put(shop, closed if late else opened)
    assert traits(shop)["open_cases"] == (0 if late else 1)
    put(shop, opened if late else closed)
    assert (traits(shop)["open_cases"], traits(shop)["complaints"], traits(shop)["contacts"]) == (0, 1, 1)


def test_of_third_party_attributes_the_later_description_counts(shop: Shop) -> None:
    put(
        shop,
        event(
            "Profile Enriched",
            "e1",
            -2 * DAY,
            ids=ANNA,
            provider="x",
            as_of="2026-01-01",
            attributes={"age": "30-39"},
        ),
        event(
            "Profile Enriched",
            "e2",
            -DAY,
            ids=ANNA,
            provider="y",
            as_of="2025-01-01",
            attributes={"age": "20-29"},
        ),
    )
    assert shop.customer("user_id:anna").attributes == {"age": "30-39"}


def test_goods_written_off_are_nobodys_return(shop: Shop, tmp_path: Path) -> None:
    shop.collect(file(tmp_path, "products.csv", "product_id,name,unit_cost\np1,Lamp,4.00\n"))
    shop.collect(
        file(tmp_path, "orders.csv", "order_id,date,product_id,quantity,unit_price\nW1,2026-04-01,p1,-5,0\n")
    )
    put(shop, order("1", -DAY, price="10.00", ids=ANNA))
    shop.refresh()
    assert shop.report().trade.margin == 6.0


def test_one_bad_event_does_not_stop_the_shop(shop: Shop) -> None:
    put(shop, order("1", -2 * DAY, price="10.00", currency="JPY", ids=ANNA))
    put(shop, order("2", -DAY, price="5.00", ids=ANNA))
    assert (traits(shop)["orders"], traits(shop)["revenue"]) == (2, 5.0)
    assert traits(shop)["unconverted"] == ["JPY 10"]
    shop.refresh()
    trade = shop.report().trade
    assert (trade.orders, trade.amount) == (2, 5.0)


def test_points_no_programme_grants_are_refused_at_the_door() -> None:
    with pytest.raises(BadEvent, match="points"):
        event("Reward Granted", "r", ids=ANNA, points=2**63)


def test_an_updated_and_then_cancelled_order_whichever_comes_first(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=ANNA), order("2", -8 * DAY, price="7.00", ids=ANNA))
    lines = [{"product_id": "p2", "price": "3.00", "quantity": 1}]
    put(shop, event("Order Updated", "u", -7 * DAY, ids=ANNA, order_id="1", products=lines))
    assert (traits(shop)["orders"], traits(shop)["revenue"]) == (2, 10.0)
    assert [p.key for p in shop.customer("user_id:anna").products if p.amount] == ["p1", "p2"]
    put(shop, event("Order Cancelled", "c", -6 * DAY, ids=ANNA, order_id="2"))
    seen = traits(shop)
    assert (seen["orders"], seen["revenue"], seen["order_days"], seen["units"]) == (1, 3.0, 1, 1)
    put(shop, event("Order Refunded", "r", -5 * DAY, ids=ANNA, order_id="2", products=lines))
    assert (traits(shop)["returns"], traits(shop)["revenue"]) == (0, 3.0)


def test_an_unknown_purpose_in_a_file_is_refused_and_a_withdrawal_in_any_words_counts(
    shop: Shop, tmp_path: Path
) -> None:
    text = (
        "email,purpose,status,occurred_at\n"
        "anna@example.com,Newsletter,given,2026-01-01T00:00:00Z\n"
        "anna@example.com,whatever,given,2026-01-01T00:00:00Z\n"
    )
    summary = shop.collect(file(tmp_path, "consents.csv", text))
    assert (summary.kept, summary.quarantined) == (1, 1)
    shop.advance()
    assert traits(shop, "anna@example.com")["marketing_email"] is True
    more = "email,purpose,status,occurred_at\nanna@example.com,all of it,withdrawn,2026-02-01T00:00:00Z\n"
    assert shop.collect(file(tmp_path, "consents_2.csv", more)).kept == 1
    shop.advance()
    assert traits(shop, "anna@example.com")["marketing_email"] is False


def test_who_unsubscribes_a_familys_address_unsubscribes_everybody_written_to_there(shop: Shop) -> None:
    for n, person in enumerate(("ann", "bob")):
        ids = {"user_id": person, "email": "family@example.com"}
        put(shop, order(person, -(20 - n) * DAY, ids=ids))
        put(
            shop,
            event(
                "Consent Given",
                f"c{person}",
                -(18 - n) * DAY,
                ids={"user_id": person},
                purpose="marketing_email",
            ),
        )
    assert traits(shop, "user_id:ann")["marketing_email"] is True
    put(shop, event("Email Unsubscribed", "u", -9 * DAY, ids={"email": "family@example.com"}))
    for person in ("ann", "bob"):
        assert traits(shop, f"user_id:{person}")["marketing_email"] is False
        assert traits(shop, f"user_id:{person}")["events"] == 2, "what others did there is not theirs"
    put(shop, order("cleo", -8 * DAY, ids={"user_id": "cleo", "email": "family@example.com"}))
    put(shop, event("Consent Given", "cc", -7 * DAY, ids={"user_id": "cleo"}, purpose="marketing_email"))
    assert traits(shop, "user_id:cleo")["marketing_email"] is False, "the address said no before she came"
    again = {"user_id": "ann", "email": "family@example.com"}
    put(shop, event("Consent Given", "again", -6 * DAY, ids=again, purpose="marketing_email"))
    assert traits(shop, "user_id:ann")["marketing_email"] is True
    assert traits(shop, "user_id:bob")["marketing_email"] is False
    live = [shop.customer(f"user_id:{p}") for p in ("ann", "bob", "cleo")]
    shop.rebuild()
    assert [shop.customer(f"user_id:{p}") for p in ("ann", "bob", "cleo")] == live


def test_how_somebody_began_is_the_first_order_that_stands_whenever_it_is_heard(shop: Shop) -> None:
    began = ("first_place", "first_staff", "first_coupon", "first_discounted")
    at_the_till = {"ids": ANNA, "channel": "store", "store": "S1", "staff_id": "st-4"}
    put(shop, order("2", -5 * DAY, **at_the_till))
    assert tuple(map(traits(shop).get, began)) == ("S1", "st-4", "", False)
    put(shop, order("1", -9 * DAY, ids=ANNA, coupon="SPRING", discount="1.00"))  # late
    assert tuple(map(traits(shop).get, began)) == ("web", "", "SPRING", True)
    assert (traits(shop)["discount_share"], traits(shop)["coupon_share"]) == (0.5, 0.5)
    put(shop, event("Order Cancelled", "c", -8 * DAY, ids=ANNA, order_id="1"))
    assert tuple(map(traits(shop).get, began)) == ("S1", "st-4", "", False)
    lines = [{"product_id": "p1", "price": "9.00", "quantity": 1}]
    put(shop, event("Order Updated", "u", -4 * DAY, ids=ANNA, order_id="2", products=lines, discount="2.00"))
    assert tuple(map(traits(shop).get, began)) == ("S1", "st-4", "", True), "who served stays"
