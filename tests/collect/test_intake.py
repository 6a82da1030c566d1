"""The one intake: nothing lost, nothing twice, nothing personal in the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.events import DAY, event, order, put

from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.errors import NotFound
from shopkeeper.shop import Shop
from shopkeeper.stores.contract.ledger import LedgerWriter


def test_the_same_event_twice_is_there_once(shop: Shop) -> None:
    ids = {"user_id": "1"}
    assert put(shop, order("1", ids=ids), order("1", ids=ids)).repeated == 1
    assert put(shop, order("1", ids=ids)).repeated == 1
    assert shop.customer("user_id:1").traits["orders"] == 1


def test_a_repeat_with_another_body_goes_to_quarantine_and_the_first_stays(shop: Shop) -> None:
    put(shop, order("1", price="10.00", ids={"user_id": "1"}))
    outcome = put(shop, order("1", price="99.00", ids={"user_id": "1"}))
    assert outcome.reasons == {"contradiction": 1}
    assert shop.customer("user_id:1").traits["revenue"] == 10.0
    assert [q.reason for q in shop.quarantine()] == ["contradiction"]


def test_a_bad_event_does_not_take_its_neighbours_along(shop: Shop) -> None:
    outcome = put(
        shop,
        order("1", ids={"user_id": "1"}),
        order("2", 2 * DAY, ids={"user_id": "1"}),
        order("3", ids={"user_id": "1"}),
    )
    assert (outcome.kept, outcome.reasons) == (2, {"in_the_future": 1})


def test_unknown_events_are_kept_and_counted(shop: Shop) -> None:
    put(shop, event("Robot Waved", "w", ids={"user_id": "1"}, mood="blue", times=3))
    exported = shop.export("user_id:1")
    assert exported["events"][0]["properties"] == {"mood": "blue", "times": 3}
    assert shop.timeline("user_id:1").entries[0].sentence == "robot waved"


def test_no_personal_value_stands_in_clear_in_any_file(shop: Shop) -> None:
    put(
        shop,
        event(
            "Identified", "i", ids={"user_id": "customer-4711", "email": "zaphod@example.com"},
            first_name="Zaphod", last_name="Beeblebrox", street="42 Galaxy Road", phone="+442079460958",
        ),
        event("Contact Opened", "k", ids={"user_id": "customer-4711"}, contact_id="K1", subject="My towel is missing"),
        event("Robot Waved", "r", ids={"user_id": "customer-4711"}, note="met at Milliways"),
        event("Product Viewed", "m", ids={"user_id": "customer-4711"}, product_id="p1", nickname="Zaph"),
    )  # fmt: skip
    shop.refresh()
    for file in Path(shop.places.folder).rglob("*"):
        if file.is_file():
            body = file.read_bytes()
            for value in (
                b"Zaphod",
                b"zaphod",
                b"Beeblebrox",
                b"Galaxy",
                b"7946",
                b"4711",
                b"towel",
                b"Milliways",
                b"Zaph",
            ):
                assert value not in body, f"{value!r} in {file.name}"
    assert shop.customer("zaphod@example.com").name == "Zaphod Beeblebrox"


def test_search_finds_by_beginnings_of_words_and_order_numbers(shop: Shop) -> None:
    put(
        shop,
        event(
            "Identified",
            "i",
            ids={"user_id": "1", "email": "zoe@example.com"},
            first_name="Zoë",
            last_name="O'Neill",
        ),
        order("489434", ids={"user_id": "1"}),
    )
    for text in ("zoe", "Zoë", "neil", "NEILL zo", "zoe@example.com", "489434"):
        assert [row.name for row in shop.find(text).rows] == ["Zoë O'Neill"], text
    assert shop.find("nobody").rows == ()


def test_what_was_erased_does_not_come_back_by_replay(shop: Shop) -> None:
    told = event(
        "Identified", "i", -DAY, ids={"user_id": "1", "email": "anna@example.com"}, first_name="Anna"
    )
    bought = order("1", -DAY, ids={"user_id": "1"})
    put(shop, told, bought)
    receipt = shop.erase("anna@example.com")
    assert (receipt.events_removed, receipt.orders_kept) == (1, 1)
    assert put(shop, told, bought).repeated == 2
    late = put(
        shop,
        event("Identified", "i2", -DAY // 2, ids={"user_id": "1"}, first_name="Anna"),
        order("2", -DAY // 2, ids={"user_id": "1"}),
    )
    assert late.reasons == {"erased": 1}
    assert late.kept == 1, "the order stays in the books, without the person"
    for who in ("anna@example.com", "user_id:1"):
        with pytest.raises(NotFound):
            shop.customer(who)


def test_who_comes_back_after_an_erasure_is_somebody_new(shop: Shop) -> None:
    put(shop, order("1", -DAY, ids={"user_id": "1"}))
    shop.erase("user_id:1")
    put(shop, order("2", 60_000_000, ids={"user_id": "1"}))
    assert shop.customer("user_id:1").traits["orders"] == 1


def test_amounts_are_stamped_half_even_per_line(shop: Shop) -> None:
    put(
        shop,
        order("1", price="0.125", quantity=3, ids={"user_id": "1"}),
        order("2", price="0.105", ids={"user_id": "1"}),
    )
    assert shop.customer("user_id:1").traits["revenue"] == 0.48


def test_what_names_nobody_makes_no_customer_and_is_kept(shop: Shop) -> None:
    """An order under customer number 0 and a review from nowhere count, but there is nobody behind them."""
    put(
        shop,
        order("1", ids={"user_id": "0"}),
        event("Review Submitted", "r", rating=4, review_body="Fine, says Zaphod"),
    )
    shop.refresh()
    assert shop.health()["customers"] == 0
    assert shop.report().trade.orders == 1
    assert shop.report().people.identities == 0
    with shop.places.ledger.read() as reader:
        kept = reader.session.rows(
            "SELECT s.name, s.sealed, n.salt FROM sealed s JOIN node n ON n.node = s.node"
        )  # type: ignore[attr-defined]
    told = {name: shop.places.vault.unseal(salt, sealed) for name, sealed, salt in kept}
    assert told == {
        "Order Completed": {"unusable_identifiers": [["user_id", "0"]]},
        "Review Submitted": {"review_body": "Fine, says Zaphod"},
    }


def test_a_write_that_was_undone_gives_its_numbers_to_nobody_else(shop: Shop) -> None:
    """A node number learned in an undone transaction is given again: remembering it would swap two people."""
    intake, ledger = shop.places.intake, shop.places.ledger

    def fail(tx: LedgerWriter) -> None:
        intake.append(tx, [order("lost", ids={"user_id": "anna"})], Outcome())
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        ledger.write(fail)
    put(shop, order("b", ids={"user_id": "bert"}))
    put(shop, order("a", ids={"user_id": "anna"}))
    assert shop.timeline("user_id:bert").entries[0].details["order_id"] == "b"
    assert shop.timeline("user_id:anna").entries[0].details["order_id"] == "a"


def test_a_bad_row_brought_twice_is_kept_once(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "order_id,date,product_id,quantity,unit_price\n1,2026-04-01,p1,1,1.00\n2,2026-04-01,p1,many,1.00\n"
    )
    for _ in range(2):
        assert shop.collect(file).quarantined == 1
    assert len(shop.quarantine()) == 1


def test_quarantined_rows_of_an_erased_person_go_however_they_were_spelled_and_stay_away(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "order_id,date,product_id,quantity,unit_price,phone,loyalty_card\n"
        "1,2026-04-01,p1,many,1.00,020 7946 0958,lc 47-11\n"
        "2,2026-04-01,p1,1,1.00,020 7946 0958,\n"
    )
    shop.collect(file)
    assert len(shop.quarantine()) == 1
    shop.erase("phone:+442079460958")
    assert shop.quarantine() == []
    shop.collect(file)
    assert shop.quarantine() == []


def test_another_persons_events_on_a_shared_device_outlive_an_erasure(shop: Shop) -> None:
    put(shop, event("Identified", "i", -3 * DAY, ids={"user_id": "anna", "anonymous_id": "tablet"}))
    shop.erase("user_id:anna")
    late = event(
        "Product Viewed", "late", -4 * DAY, ids={"user_id": "bert", "anonymous_id": "tablet"}, product_id="p1"
    )
    assert put(shop, late).kept == 1
    assert shop.customer("user_id:bert").traits["products_viewed"] == 1


def test_a_contradiction_of_an_erased_person_is_not_kept(shop: Shop) -> None:
    put(shop, event("Identified", "i", -3 * DAY, ids={"user_id": "anna"}, first_name="Anna"))
    shop.erase("user_id:anna")
    again = event("Identified", "i", -3 * DAY, ids={"user_id": "anna"}, first_name="Anna Maria")
    assert put(shop, again).reasons == {"erased": 1}
    assert shop.quarantine() == []
