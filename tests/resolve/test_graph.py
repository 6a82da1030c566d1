"""Who is one person, and who is not."""

from __future__ import annotations

from tests.events import event, order, put

from shopkeeper.shop import Shop


def same(shop: Shop, *who: str) -> bool:
    return len({shop.customer(one).id for one in who}) == 1


def test_a_card_shown_in_the_store_and_a_login_on_the_web_are_one_customer(shop: Shop) -> None:
    put(shop, order("1", ids={"loyalty_card": "LC1", "payment_token": "TOK1"}, channel="store", store="S1"))
    put(shop, event("Product Viewed", "v1", ids={"anonymous_id": "cookie"}, product_id="p2"))
    assert not same(shop, "loyalty_card:LC1", "anonymous_id:cookie")
    put(
        shop, event("Identified", "i1", ids={"user_id": "7", "loyalty_card": "LC1", "anonymous_id": "cookie"})
    )
    assert same(shop, "loyalty_card:LC1", "anonymous_id:cookie", "user_id:7", "payment_token:TOK1")
    assert shop.customer("user_id:7").traits["orders"] == 1
    assert shop.customer("user_id:7").traits["products_viewed"] == 1


def test_an_old_customer_id_leads_to_the_present_customer(shop: Shop) -> None:
    put(shop, order("1", ids={"loyalty_card": "LC1"}), order("2", ids={"email": "anna@example.com"}))
    old = shop.customer("email:anna@example.com").id
    put(shop, event("Identified", "i", ids={"loyalty_card": "LC1", "email": "anna@example.com"}))
    assert shop.customer(old).id == shop.customer("loyalty_card:LC1").id != old


def test_a_family_address_merges_nobody(shop: Shop) -> None:
    for person in ("1", "2"):
        put(shop, order(person, ids={"user_id": person, "email": "family@example.com"}))
    assert not same(shop, "user_id:1", "user_id:2")
    assert not same(shop, "user_id:1", "email:family@example.com")


def test_a_tablet_in_the_store_merges_nobody(shop: Shop) -> None:
    for person in range(8):
        ids = {"email": f"p{person}@example.com", "anonymous_id": "tablet"}
        put(shop, order(str(person), ids=ids))
    assert len({shop.customer(f"email:p{person}@example.com").id for person in range(8)}) == 8


def test_a_staff_card_merges_nobody(shop: Shop) -> None:
    for person in range(12):
        ids = {"loyalty_card": "STAFF", "payment_token": f"T{person}"}
        put(shop, order(str(person), ids=ids, channel="store", store="S1"))
    assert len({shop.customer(f"payment_token:T{person}").id for person in range(12)}) == 12


def test_browsing_alone_says_nothing_of_who_it_is(shop: Shop) -> None:
    """An e-mail opened on a device is no login on it."""
    put(
        shop,
        event(
            "Email Opened", "o", ids={"email": "anna@example.com", "anonymous_id": "cookie"}, campaign_id="c"
        ),
    )
    assert not same(shop, "email:anna@example.com", "anonymous_id:cookie")


def test_a_chain_never_joins_two_accounts(shop: Shop) -> None:
    put(
        shop,
        order("1", ids={"user_id": "1", "email": "a@example.com"}),
        order("2", ids={"user_id": "2", "payment_token": "T"}),
        order("3", ids={"email": "a@example.com", "payment_token": "T"}),
    )
    assert not same(shop, "user_id:1", "user_id:2")


def test_an_address_that_turns_out_to_be_shared_leaves_its_customer(shop: Shop) -> None:
    put(shop, order("1", ids={"user_id": "1", "email": "family@example.com"}))
    first = shop.customer("user_id:1").id
    assert same(shop, "user_id:1", "email:family@example.com")
    put(shop, order("2", ids={"user_id": "2", "email": "family@example.com"}))
    assert not same(shop, "user_id:1", "email:family@example.com")
    assert shop.customer("user_id:1").id == first, "the account keeps the customer's id"


def test_junk_links_nobody(shop: Shop) -> None:
    put(
        shop,
        order("1", ids={"user_id": "1", "email": "test@test.com", "phone": "0000000000"}),
        order("2", ids={"user_id": "2", "email": "test@test.com", "phone": "0000000000"}),
    )
    assert not same(shop, "user_id:1", "user_id:2")
    assert [i.kind for i in shop.customer("user_id:1").identifiers] == ["user_id"]
