"""From a till's file to the customer: what was paid is what is remembered, in any order of arrival."""

from __future__ import annotations

import itertools

import pytest
from tests.collect.test_poslog import FOLDER, sale, transaction
from tests.events import NOW

from shopkeeper.collect.intake import Outcome
from shopkeeper.collect.tills.poslog import read
from shopkeeper.domain.delivery import Delivery, Settled
from shopkeeper.domain.errors import NotFound
from shopkeeper.shop import Shop

CARD = "<LoyaltyAccount><LoyaltyAccountID>LC0012</LoyaltyAccountID></LoyaltyAccount>"


def hear(shop: Shop, *bodies: bytes) -> Outcome:
    """Take documents in, one transaction of the ledger each."""
    outcome = Outcome()
    for body in bodies:
        delivery = Delivery(source="tills", format="poslog", received_at=NOW, body=body)
        settled = Settled(now=NOW, zone="Europe/London", currency="GBP", region="GB")
        batch = read(delivery, settled).batch
        assert batch.refused == []
        shop.places.ledger.write(
            lambda tx, events=batch.events: shop.places.intake.append(tx, events, outcome)
        )
        shop.advance()
    return outcome


def figures(shop: Shop, who: str) -> dict[str, object]:
    traits = shop.customer(who).traits
    return {name: traits[name] for name in ("orders", "revenue", "returns", "units")}


def test_a_day_of_a_till_is_what_the_customer_bought_less_what_came_back_and_was_voided(shop: Shop) -> None:
    summary = shop.collect(FOLDER / "day.xml")
    assert (summary.kind, summary.read, summary.kept, summary.quarantined) == ("poslog", 6, 6, 0)
    assert (summary.orders, summary.returns) == (3, 1)
    shop.advance()
    # 32.00 net for receipt 41, less one light for 9.00 returned on receipt 45; receipt 46 was voided
    traits = shop.customer("loyalty_card:LC0012").traits
    assert traits["orders"] == 1
    assert traits["revenue"] == pytest.approx(23.00)
    assert traits["returns"] == 1
    assert shop.customer("email:ann.lee@example.com").id == shop.customer("payment_token:tok_8fJ3kQ29ab").id


def test_the_same_day_again_by_file_or_by_request_adds_nothing(shop: Shop) -> None:
    shop.collect(FOLDER / "day.xml")
    again = shop.collect(FOLDER / "day.xml", source="other")
    assert (again.kept, again.repeated, again.quarantined) == (0, 6, 0)
    outcome = hear(shop, (FOLDER / "day.xml").read_bytes())
    assert (outcome.kept, outcome.repeated, outcome.refused) == (0, 6, 0)


DAY = "<BusinessDayDate>2026-04-20</BusinessDayDate>"
LINK = "<TransactionLink {}><SequenceNumber>{}</SequenceNumber>" + DAY + "</TransactionLink>"
PARTS = [
    transaction(CARD + sale("30.00", 3), sequence=1),
    transaction(CARD + sale("12.00"), sequence=2),
    transaction(sale("10.00", 1, LINK.format("", 1), kind="Return"), sequence=3),
    transaction(LINK.format('ReasonCode="PostVoid"', 2), sequence=4),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3], ids=str)
def test_returns_and_voids_that_name_nobody_find_whoever_bought_in_any_order_of_arrival(
    shop: Shop, order: tuple[int, ...]
) -> None:
    hear(shop, *(PARTS[i].encode() for i in order))
    assert figures(shop, "loyalty_card:LC0012") == {"orders": 1, "revenue": 20.0, "returns": 1, "units": 2}
    assert [i.kind for i in shop.customer("loyalty_card:LC0012").identifiers] == ["loyalty_card"]


def test_a_loyal_customer_of_many_receipts_stays_one_customer(shop: Shop) -> None:
    hear(shop, *(transaction(CARD + sale("1.00"), sequence=n).encode() for n in range(30)))
    many = (
        "<POSLog>"
        + "".join(transaction(CARD + sale("1.00"), sequence=n) for n in range(30, 300))
        + "</POSLog>"
    )
    hear(shop, many.encode())
    assert shop.customer("loyalty_card:LC0012").traits["orders"] == 300


def test_a_return_whose_receipt_is_another_customers_joins_nobody(shop: Shop) -> None:
    other = CARD.replace("LC0012", "LC7777")
    hear(shop, PARTS[0].encode(), transaction(other + sale("5.00"), sequence=9).encode())
    hear(shop, transaction(other + sale("10.00", 1, LINK.format("", 1), kind="Return"), sequence=10).encode())
    assert shop.customer("loyalty_card:LC7777").traits["returns"] == 1
    assert shop.customer("loyalty_card:LC0012").traits["returns"] == 0
    assert shop.customer("loyalty_card:LC0012").id != shop.customer("loyalty_card:LC7777").id


def test_who_was_erased_does_not_come_back_by_the_number_of_a_receipt(shop: Shop) -> None:
    hear(shop, PARTS[0].encode())
    shop.erase("loyalty_card:LC0012")
    outcome = hear(shop, PARTS[2].encode(), PARTS[0].encode())
    assert outcome.kept == 1  # the return stays, without a person: the books must add up
    with pytest.raises(NotFound):
        shop.customer("loyalty_card:LC0012")
    with pytest.raises(NotFound):
        shop.customer("order:S1/1/2026-04-20/1")
