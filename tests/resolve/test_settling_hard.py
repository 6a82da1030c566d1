"""Settling where it is easy to get wrong: consents, ids, strangers' cookies, erasures, and very many identifiers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.domain.errors import Conflict
from shopkeeper.shop import Shop


def same(shop: Shop, *who: str) -> bool:
    return len({shop.customer(one).id for one in who}) == 1


def consents(shop: Shop, who: str) -> dict[str, bool]:
    return {c.purpose: c.granted for c in shop.customer(who).consents}


def stays_withdrawn(shop: Shop, who: str) -> bool:
    """Live, and after everybody was folded anew."""
    live = consents(shop, who)
    shop.rebuild()
    return live == consents(shop, who) == {"marketing_email": False}


def family(shop: Shop) -> None:
    for account in ("71", "72"):
        put(shop, order(account, -9 * DAY, ids={"user_id": account, "email": "family@firm.com"}))


def said(shop: Shop) -> None:
    """One member agreed; then the family's address was taken off the list."""
    put(shop, event("Consent Given", "g", -2 * DAY, ids={"user_id": "72"}, purpose="marketing_email"))
    put(
        shop,
        event("Consent Withdrawn", "w", -DAY, ids={"email": "family@firm.com"}, purpose="marketing_email"),
    )


@pytest.mark.parametrize(
    "settlement",
    [("different", "user_id:72", "email:family@firm.com"), ("same", "user_id:71", "email:family@firm.com")],
    ids=["different", "same"],
)
def test_what_was_withdrawn_on_a_shared_address_is_not_given_back(
    shop: Shop, settlement: tuple[str, str, str]
) -> None:
    family(shop)
    said(shop)
    assert consents(shop, "user_id:72") == {"marketing_email": False}
    assert shop.settle(*settlement).carried == 1
    assert stays_withdrawn(shop, "user_id:72")


def test_what_was_withdrawn_on_an_address_counts_for_all_once_it_is_shared_again(shop: Shop) -> None:
    family(shop)
    shop.settle("different", "user_id:72", "email:family@firm.com")
    said(shop)
    assert consents(shop, "user_id:72") == {"marketing_email": True}
    shop.settle("undecide", "user_id:72", "email:family@firm.com")
    assert stays_withdrawn(shop, "user_id:72")


def test_a_withdrawal_is_carried_twice_where_it_is_needed_twice(shop: Shop) -> None:
    put(shop, order("1", ids={"email": "anna@firm.com", "loyalty_card": "LC1"}))
    put(
        shop, event("Consent Withdrawn", "w", -DAY, ids={"email": "anna@firm.com"}, purpose="marketing_email")
    )
    assert shop.unlink("email:anna@firm.com").carried == 1
    shop.settle("undecide", "email:anna@firm.com", "LC1")
    put(shop, event("Consent Given", "g", 1, ids={"loyalty_card": "LC1"}, purpose="marketing_email"))
    assert shop.unlink("email:anna@firm.com").carried == 1
    assert stays_withdrawn(shop, "LC1")


def test_an_objection_on_a_shared_address_keeps_third_parties_out_from_then_on(shop: Shop) -> None:
    family(shop)
    enriched = {"provider": "panel", "as_of": "2026-04-01", "attributes": {"segment": "rich"}}
    ids = {"user_id": "71", "email": "family@firm.com"}
    put(
        shop, event("Consent Withdrawn", "w", -3 * DAY, ids={"email": "family@firm.com"}, purpose="profiling")
    )
    put(shop, event("Profile Enriched", "e", -2 * DAY, ids={"user_id": "71"}, **enriched))
    put(shop, event("Consent Given", "g", -DAY, ids=ids, purpose="profiling"))
    live = shop.customer("user_id:71").attributes
    shop.rebuild()
    assert live == shop.customer("user_id:71").attributes == {}
    put(shop, event("Profile Enriched", "e2", -1, ids={"user_id": "71"}, **enriched))
    assert shop.customer("user_id:71").attributes == {"segment": "rich"}


def test_a_cookie_that_calls_itself_a_customers_id_is_nobody_else(shop: Shop) -> None:
    put(shop, order("1", ids={"email": "anna@firm.com"}), order("2", ids={"email": "bert@firm.com"}))
    anna, bert = (shop.customer(f"{name}@firm.com").id for name in ("anna", "bert"))
    put(shop, event("Product Viewed", "v", ids={"anonymous_id": anna}, product_id="p1"))
    with pytest.raises(Conflict, match="another customer's identifier"):
        shop.settle("same", anna, bert)
    shop.settle("same", f"customer:{anna}", bert)
    assert same(shop, "anna@firm.com", "bert@firm.com")
    assert not same(shop, "anna@firm.com", f"anonymous_id:{anna}")


@pytest.mark.parametrize("undo", ["undecide", "unlink"])
def test_who_is_merged_and_parted_again_has_the_old_id_and_no_predictions_of_another(
    shop: Shop, undo: str
) -> None:
    put(shop, *[order(f"a{n}", -n * DAY, ids={"email": "anna@firm.com"}) for n in range(5)])
    put(shop, order("b", ids={"loyalty_card": "LC1"}))
    anna, card = shop.customer("anna@firm.com").id, shop.customer("LC1").id
    shop.settle("same", "anna@firm.com", "LC1")
    assert shop.customer(card).id == shop.customer(anna).id
    with shop.places.ledger.read() as reader:
        merged = int(shop.customer(anna).id[1:])
    if undo == "undecide":
        shop.settle("undecide", "anna@firm.com", "LC1")
    else:
        shop.unlink("LC1")
    assert (shop.customer("anna@firm.com").id, shop.customer("LC1").id) == (anna, card)
    assert shop.customer(anna).traits["orders"] == 5
    with shop.places.ledger.read() as reader:
        assert reader.predictions([merged]) == {}
        assert reader.alias(int(card[1:])) is None


def test_an_erasure_reaches_turns_of_ids_that_are_no_more(shop: Shop) -> None:
    put(
        shop,
        *[
            order(n, ids=ids)
            for n, ids in (("1", {"email": "anna@firm.com"}), ("2", {"loyalty_card": "LC1"}))
        ],
    )
    put(shop, order("3", ids={"payment_token": "T1"}))
    put(shop, event("Identified", "i1", ids={"loyalty_card": "LC1", "payment_token": "T1"}))
    put(shop, event("Identified", "i2", ids={"loyalty_card": "LC1", "email": "anna@firm.com"}))
    assert len(shop.turns()) == 2
    shop.erase("email:anna@firm.com")
    assert shop.turns() == ()


def test_the_list_of_what_needs_a_look_outlives_erasures(shop: Shop) -> None:
    family(shop)
    put(shop, order("3", ids={"email": "family@firm.com", "order": "W3"}))
    shop.erase("user_id:71")
    shop.review()
    shop.erase("user_id:72")
    assert all("family" not in str(row) for row in shop.review().rows)


def test_a_named_cookie_goes_along_with_a_split(shop: Shop) -> None:
    put(
        shop,
        event("Identified", "a", ids={"user_id": "71", "email": "xena@firm.com"}),
        event("Identified", "b", ids={"user_id": "71", "anonymous_id": "K"}),
        event("Identified", "c", ids={"email": "xena@firm.com", "anonymous_id": "K"}),
    )
    shop.split("user_id:71", "email:xena@firm.com", "anonymous_id:K")
    assert same(shop, "email:xena@firm.com", "anonymous_id:K")
    assert not same(shop, "user_id:71", "anonymous_id:K")


def test_an_address_leaves_a_customer_of_whom_only_a_device_stays(shop: Shop) -> None:
    put(shop, event("Identified", "a", ids={"email": "anna@firm.com", "anonymous_id": "K"}))
    assert same(shop, "email:anna@firm.com", "anonymous_id:K")
    shop.unlink("email:anna@firm.com")
    assert not same(shop, "email:anna@firm.com", "anonymous_id:K")


def test_no_number_of_identifiers_is_too_many_for_a_persons_word(tmp_path: Path) -> None:
    with shopkeeper.create(tmp_path / "s", now="2026-05-01T12:00:00Z", identity_size=8) as shop:
        for account in ("71", "72"):
            handles = [{"user_id": account, "social": f"network{n}:{account}"} for n in range(5)]
            put(shop, *[order(f"{account}-{n}", ids=ids) for n, ids in enumerate(handles)])
        before = {
            i.value for account in ("71", "72") for i in shop.customer(f"user_id:{account}").identifiers
        }
        shop.settle("same", "user_id:71", "user_id:72")
        assert len(before) == 12
        assert {i.value for i in shop.customer("user_id:71").identifiers} == before


def test_orders_are_no_identifiers_to_be_counted(shop: Shop) -> None:
    put(shop, *[order(f"o{n}", ids={"email": "anna@firm.com", "order": f"W{n}"}) for n in range(70)])
    assert shop.review().rows == ()


def test_a_copy_of_everything_holds_what_was_decided_of_the_person_and_names_nobody_else(shop: Shop) -> None:
    put(shop, order("1", ids={"email": "anna@firm.com"}), order("2", ids={"email": "bert@firm.com"}))
    shop.settle("different", "anna@firm.com", "bert@firm.com")
    copy = shop.export("anna@firm.com")
    assert [(d["one_person"], d["by"]) for d in copy["identity"]["decisions"]] == [(False, "owner")]
    assert "bert" not in str(copy)
