"""Withdrawals on an identifier that several share: a record that was extended is the record folded anew."""

from __future__ import annotations

from typing import Any

from tests.events import event, put

import shopkeeper.know.fold as folding
from shopkeeper.domain.event import Event
from shopkeeper.shop import Shop

EMAIL, CARD = "family@example.com", "977001234"


def tied(message: str, at: int, **ids: str) -> Event:
    return event("Identified", message, at, ids=ids)


def left(message: str, at: int) -> Event:
    return event("Email Unsubscribed", message, at, ids={"email": EMAIL})


def records(shop: Shop) -> dict[int, Any]:
    with shop.places.ledger.read() as reader:
        return {row.customer: folding.unpack(row.body) for some in reader.all_records() for row in some}


def test_a_withdrawal_counts_for_whom_a_refused_union_kept_apart_once_the_address_is_shared(
    shop: Shop,
) -> None:
    put(shop, tied("1", -90, user_id="1", email=EMAIL))
    put(shop, tied("2", -80, user_id="2", loyalty_card=CARD))
    put(shop, tied("3", -70, loyalty_card=CARD, email=EMAIL))
    put(shop, left("4", -60))
    assert not shop.customer(f"loyalty_card:{CARD}").traits.get("standings")
    put(shop, tied("5", -50, user_id="3", email=EMAIL))
    before = records(shop)
    shop.rebuild()
    assert records(shop) == before
    assert sum(bool(record.standings.get("marketing_email")) for record in before.values()) == 4


def test_an_identifier_that_becomes_shared_heeds_its_neighbours_no_more(shop: Shop) -> None:
    put(shop, tied("1", -90, user_id="1", email=EMAIL), tied("2", -80, user_id="2", email=EMAIL))
    put(shop, left("3", -70))
    put(shop, tied("4", -60, loyalty_card=CARD, email=EMAIL))
    put(shop, tied("5", -50, user_id="1", loyalty_card=CARD), tied("6", -40, user_id="2", loyalty_card=CARD))
    before = records(shop)
    shop.rebuild()
    assert records(shop) == before
