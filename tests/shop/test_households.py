"""Households: found by an address and a family name, or by what families share; never merged."""

from __future__ import annotations

from tests.events import event, order, put

from shopkeeper.domain.actor import Actor
from shopkeeper.shop import Shop

ANOTHER_WAY = {"street": "1, High St.", "postcode": "ls11aa"}
HOME = {"last_name": "Berg", "postcode": "LS1 1AA", "street": "1 High Street"}


def told(name: str, ids: dict[str, str], **said: str):
    return event("Identified", name, ids=ids, **said)


def others(shop: Shop, who: str) -> dict[str, tuple[str, ...]]:
    return {member.name: member.by for member in shop.household(who).members}


def test_one_family_name_at_one_address_is_a_household_of_several_customers(shop: Shop) -> None:
    put(
        shop,
        told("1", {"user_id": "71"}, first_name="Anna", **HOME),
        told(
            "2",
            {"email": "bert@example.com"},
            first_name="Bert",
            **HOME | {"street": "1, High St.", "postcode": "ls11aa"},
        ),
        told("3", {"user_id": "73"}, first_name="Clara", **HOME | {"last_name": "Cole"}),
        told("4", {"user_id": "74"}, first_name="Dora", **HOME | {"street": "11 High Street"}),
        order("o", ids={"email": "bert@example.com"}),
    )
    assert others(shop, "user_id:71") == {"Bert Berg": ("address",)}
    assert others(shop, "bert@example.com") == {"Anna Berg": ("address",)}
    assert others(shop, "user_id:73") == others(shop, "user_id:74") == {}
    assert shop.customer("user_id:71").id != shop.customer("bert@example.com").id
    assert shop.household("user_id:71").members[0].orders == 1


def test_who_shares_a_telephone_is_of_one_household_unless_very_many_do(shop: Shop) -> None:
    put(shop, *[order(f"o{n}", ids={"user_id": f"7{n}", "phone": "+441134960001"}) for n in range(3)])
    put(shop, *[order(f"p{n}", ids={"user_id": f"8{n}", "phone": "+441134960002"}) for n in range(10, 40)])
    assert [m.by for m in shop.household("user_id:70").members] == [("phone",), ("phone",)]
    assert shop.household("user_id:810").members == ()


def test_an_erased_person_is_of_no_household(shop: Shop) -> None:
    put(
        shop,
        told("1", {"user_id": "71"}, first_name="Anna", **HOME),
        told("2", {"user_id": "72"}, first_name="Bert", **HOME),
    )
    assert others(shop, "user_id:72") == {"Anna Berg": ("address",)}
    shop.erase("user_id:71")
    assert others(shop, "user_id:72") == {}


def test_names_are_masked_for_those_who_may_not_see_them(shop: Shop) -> None:
    put(
        shop,
        told("1", {"user_id": "71"}, first_name="Anna", **HOME),
        told("2", {"user_id": "72"}, first_name="Bert", **HOME),
    )
    seen = shop.as_actor(Actor("u1", "marketer")).household("user_id:71")
    assert [m.name for m in seen.members] == ["B. B."]
