"""What people settle: joined, parted, unlinked and split, told why, and taken back."""

from __future__ import annotations

import pytest
from tests.events import DAY, event, order, put
from tests.journey.test_any_order import customers

from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted, UnknownName
from shopkeeper.shop import Shop


def same(shop: Shop, *who: str) -> bool:
    return len({shop.customer(one).id for one in who}) == 1


def anna_and_bert(shop: Shop) -> None:
    """Two people whose orders were once paid with one card: one customer, wrongly."""
    put(
        shop,
        order("1", -3 * DAY, ids={"loyalty_card": "LC1", "email": "anna@example.com"}, price="10.00"),
        order("2", -2 * DAY, ids={"email": "anna@example.com", "payment_token": "T"}, price="20.00"),
        order("3", -DAY, ids={"payment_token": "T", "phone": "+447700900123"}, price="40.00"),
    )
    assert same(shop, "loyalty_card:LC1", "phone:+447700900123")


def test_an_unlinked_identifier_leaves_with_its_orders_and_nothing_is_lost(shop: Shop) -> None:
    anna_and_bert(shop)
    anna = shop.customer("loyalty_card:LC1")
    assert (anna.traits["orders"], anna.traits["revenue"]) == (3, 70.0)
    made = shop.unlink("phone:+447700900123")
    assert not same(shop, "loyalty_card:LC1", "phone:+447700900123")
    assert shop.customer("loyalty_card:LC1").id == anna.id, "who stays keeps the id"
    assert [(t.kind, t.customer) for t in made.turned] == [("split", anna.id)]
    assert made.turned[0].other == shop.customer("phone:+447700900123").id
    amounts = {
        who: shop.customer(who).traits["revenue"] for who in ("loyalty_card:LC1", "phone:+447700900123")
    }
    assert sum(amounts.values()) == 70.0, "every order is somebody's"
    before = customers(shop)
    shop.rebuild()
    assert customers(shop) == before


def test_what_was_unlinked_stays_apart_whatever_is_seen_later_until_it_is_taken_back(shop: Shop) -> None:
    anna_and_bert(shop)
    shop.unlink("phone:+447700900123")
    put(shop, order("4", ids={"phone": "+447700900123", "email": "anna@example.com"}))
    put(shop, event("Identified", "i", ids={"loyalty_card": "LC1", "phone": "+447700900123"}))
    assert not same(shop, "loyalty_card:LC1", "phone:+447700900123")
    for other in ("loyalty_card:LC1", "email:anna@example.com", "payment_token:T"):
        shop.settle("undecide", "phone:+447700900123", other)
    assert same(shop, "loyalty_card:LC1", "phone:+447700900123")
    with pytest.raises(InvalidInput, match="nothing was decided"):
        shop.settle("undecide", "phone:+447700900123", "email:anna@example.com")


def test_a_split_parts_what_is_named_from_what_is_not(shop: Shop) -> None:
    anna_and_bert(shop)
    shop.split("loyalty_card:LC1", "payment_token:T", "phone:+447700900123")
    assert same(shop, "payment_token:T", "phone:+447700900123")
    assert same(shop, "loyalty_card:LC1", "email:anna@example.com")
    assert not same(shop, "loyalty_card:LC1", "payment_token:T")


def test_two_accounts_are_one_person_once_somebody_says_so(shop: Shop) -> None:
    for account in ("1", "2"):
        put(shop, order(account, ids={"user_id": account, "email": "anna@example.com"}))
    assert not same(shop, "user_id:1", "user_id:2")
    made = shop.settle("same", "user_id:1", "user_id:2")
    assert same(shop, "user_id:1", "user_id:2", "email:anna@example.com"), (
        "nor is their address shared any more"
    )
    assert {t.kind for t in made.turned} == {"merge"}
    assert shop.customer("user_id:1").traits["orders"] == 2
    gone = made.turned[0].other
    assert shop.customer(gone).id == shop.customer("user_id:1").id, "an old id leads to the present one"
    shop.settle("undecide", "user_id:1", "user_id:2")
    assert not same(shop, "user_id:1", "user_id:2")
    assert not same(shop, "user_id:1", "email:anna@example.com"), "the address is shared again"


def test_a_shared_address_given_to_one_account_is_that_accounts(shop: Shop) -> None:
    for account in ("1", "2"):
        put(shop, order(account, ids={"user_id": account, "email": "family@example.com"}))
    shop.settle("different", "user_id:2", "email:family@example.com")
    assert same(shop, "user_id:1", "email:family@example.com")
    assert not same(shop, "user_id:2", "email:family@example.com")


def test_decisions_that_contradict_each_other_are_refused(shop: Shop) -> None:
    put(shop, *[order(n, ids={"user_id": n}) for n in "123"])
    shop.settle("same", "user_id:1", "user_id:2")
    shop.settle("same", "user_id:2", "user_id:3")
    with pytest.raises(Conflict, match="contradicts"):
        shop.settle("different", "user_id:1", "user_id:3")
    shop.settle("different", "user_id:1", "user_id:2")
    assert not same(shop, "user_id:1", "user_id:2")
    assert same(shop, "user_id:2", "user_id:3")


def test_a_dry_run_says_what_it_would_do_and_does_nothing(shop: Shop) -> None:
    anna_and_bert(shop)
    before = customers(shop)
    would = shop.unlink("phone:+447700900123", dry_run=True)
    assert would.dry_run
    assert [t.kind for t in would.turned] == ["split"]
    assert would.events >= 3
    assert customers(shop) == before
    assert shop.turns() == shop.turns("loyalty_card:LC1")
    assert shop.unlink("phone:+447700900123").events == would.events


def test_what_was_withdrawn_before_a_split_stays_withdrawn_on_both_sides(shop: Shop) -> None:
    anna_and_bert(shop)
    put(shop, event("Consent Given", "c", -DAY, ids={"phone": "+447700900123"}, purpose="marketing_email"))
    put(shop, event("Consent Withdrawn", "w", ids={"loyalty_card": "LC1"}, purpose="marketing_email"))
    made = shop.unlink("phone:+447700900123")
    assert made.carried == 1
    for who in ("loyalty_card:LC1", "phone:+447700900123"):
        (consent,) = shop.customer(who).consents
        assert (consent.purpose, consent.granted) == ("marketing_email", False), who
    shop.rebuild()
    assert shop.customer("phone:+447700900123").consents[0].granted is False


def test_it_says_why_two_identifiers_are_one_customer(shop: Shop) -> None:
    anna_and_bert(shop)
    found = shop.explain("loyalty_card:LC1", "phone:+447700900123")
    assert found.one
    told = [(s.one.kind, s.other.kind, s.why, s.source) for s in found.steps]
    assert told == [
        ("loyalty_card", "email", "Order Completed", "test"),
        ("email", "payment_token", "Order Completed", "test"),
        ("payment_token", "phone", "Order Completed", "test"),
    ]
    assert found.steps[0].one.value == "LC1"


def test_it_says_why_not(shop: Shop) -> None:
    for account in ("1", "2"):
        put(shop, order(account, ids={"user_id": account, "email": "family@example.com"}))
    put(shop, order("3", ids={"email": "ann@example.com", "payment_token": "T", "user_id": "3"}))
    put(shop, order("4", ids={"payment_token": "T2", "user_id": "4"}))
    put(shop, order("5", ids={"email": "ann@example.com", "payment_token": "T2"}))

    def guards(one: str, other: str) -> list[tuple[str, list[str]]]:
        found = shop.explain(one, other)
        assert not found.one
        assert all(reason.sentence for reason in found.reasons)
        return [(r.guard, sorted(i.value for i in r.about)) for r in found.reasons]

    assert guards("user_id:1", "user_id:2") == [("shared", ["family@example.com"])]
    assert guards("user_id:3", "user_id:4") == [("accounts", ["3", "4"])]
    assert guards("user_id:1", "user_id:3") == [("unrelated", [])]
    shop.settle("different", "user_id:1", "user_id:3")
    assert guards("user_id:1", "user_id:3") == [("decided", ["1", "3"])]


def test_merges_and_splits_are_kept_with_their_cause(shop: Shop) -> None:
    put(shop, order("1", ids={"loyalty_card": "LC1"}), order("2", ids={"email": "anna@example.com"}))
    assert shop.turns() == ()
    put(shop, event("Identified", "i", ids={"loyalty_card": "LC1", "email": "anna@example.com"}))
    (merge,) = shop.turns()
    assert (merge.kind, merge.why, merge.by) == ("merge", "Identified", "")
    assert {i.value for i in merge.about} == {"LC1", "anna@example.com"}
    shop.as_actor(Actor("u7", "administrator")).unlink("email:anna@example.com")
    split, _ = shop.turns(merge.customer)
    assert (split.kind, split.why, split.by) == ("split", "unlink", "u7")
    put(
        shop,
        order("3", ids={"user_id": "1", "phone": "+447700900123"}),
        order("4", -1, ids={"user_id": "2", "phone": "+447700900123"}),
    )
    put(shop, order("5", ids={"user_id": "8", "email": "xena@example.com"}))
    put(shop, order("6", ids={"user_id": "9", "email": "xena@example.com"}))
    parted = shop.turns(limit=1)[0]
    assert (parted.kind, parted.why) == ("split", "shared")
    assert [i.value for i in parted.about] == ["xena@example.com"]


def test_what_needs_a_look_is_listed_settled_and_gone(shop: Shop) -> None:
    for account in ("1", "2"):
        put(shop, order(account, ids={"user_id": account, "email": "family@example.com"}))
    for person in range(12):
        ids = {"loyalty_card": "STAFF", "payment_token": f"T{person}"}
        put(shop, order(f"s{person}", ids=ids, channel="store", store="S1"))
    rows = shop.review().rows
    assert {(r.identifier.value, r.of_kind, r.count) for r in rows if r.identifier} == {
        ("family@example.com", "user_id", 2),
        ("STAFF", "payment_token", 12),
    }
    family = next(r for r in rows if r.identifier and r.identifier.kind == "email")
    assert {b.by.value for b in family.beside} == {"1", "2"}
    assert "family" in family.sentence
    assert len(shop.review(limit=1).rows) == 1
    following = shop.review(cursor=shop.review(limit=1).next, limit=1)
    assert (len(following.rows), following.next) == (1, None)
    staff = next(r for r in rows if r.identifier and r.identifier.kind == "loyalty_card")
    shop.settle("leave", staff.reference)
    shop.settle("same", "user_id:1", "user_id:2")
    assert shop.review().rows == ()


def test_who_may_not_settle_does_not(shop: Shop) -> None:
    anna_and_bert(shop)
    for role in ("associate", "marketer", "analyst"):
        with pytest.raises(NotPermitted):
            shop.as_actor(Actor("u1", role)).unlink("phone:+447700900123")
    masked = shop.as_actor(Actor("u1", "marketer")).explain("loyalty_card:LC1", "phone:+447700900123")
    assert "+447700900123" not in str(masked)


@pytest.mark.parametrize(
    ("what", "identifiers", "error"),
    [
        ("sane", ("a", "b"), UnknownName),
        ("same", ("loyalty_card:LC1",), InvalidInput),
        ("same", ("loyalty_card:LC1", "loyalty_card:LC1"), InvalidInput),
        ("same", ("loyalty_card:LC1", "nobody@example.com"), NotFound),
        ("split", ("loyalty_card:LC1",), InvalidInput),
        ("unlink", ("node:999999",), NotFound),
        ("unlink", ("node:²",), NotFound),
        ("unlink", ("",), InvalidInput),
    ],
)
def test_what_cannot_be_settled_says_what_to_do(
    shop: Shop, what: str, identifiers: tuple[str, ...], error: type[Exception]
) -> None:
    anna_and_bert(shop)
    before = customers(shop)
    with pytest.raises(error):
        shop.settle(what, *identifiers)
    assert customers(shop) == before


def test_an_erased_person_is_in_no_decision_and_no_audit(shop: Shop) -> None:
    anna_and_bert(shop)
    shop.unlink("phone:+447700900123")
    shop.settle("same", "payment_token:T", "loyalty_card:LC1")
    shop.erase("loyalty_card:LC1")
    with shop.places.ledger.read() as reader:
        assert not reader.standing().verdicts
        assert reader.turns([], None, 50) == []


def test_all_that_was_decided_of_one_identifier_is_taken_back_at_once(shop: Shop) -> None:
    anna_and_bert(shop)
    before = customers(shop)
    shop.unlink("phone:+447700900123")
    tried = shop.settle("undecide", "phone:+447700900123", dry_run=True)
    assert tried.dry_run
    assert [turn.kind for turn in tried.turned] == ["merge"]
    assert not same(shop, "loyalty_card:LC1", "phone:+447700900123"), "it was only tried"
    made = shop.settle("undecide", "phone:+447700900123")
    assert made.turned == tried.turned
    assert same(shop, "loyalty_card:LC1", "phone:+447700900123", "payment_token:T")
    assert customers(shop) == before
    with pytest.raises(InvalidInput, match="nothing was decided of that identifier"):
        shop.settle("undecide", "phone:+447700900123")


def test_taking_back_what_was_decided_of_one_identifier_leaves_other_decisions(shop: Shop) -> None:
    anna_and_bert(shop)
    put(shop, order("9", ids={"user_id": "71"}), order("10", ids={"user_id": "72"}))
    shop.settle("same", "user_id:71", "user_id:72")
    shop.unlink("phone:+447700900123")
    shop.settle("undecide", "phone:+447700900123")
    assert same(shop, "user_id:71", "user_id:72")


def test_a_withdrawal_made_as_one_person_survives_taking_everything_back(shop: Shop) -> None:
    put(shop, order("1", ids={"user_id": "71"}), order("2", ids={"user_id": "72"}))
    shop.settle("same", "user_id:71", "user_id:72")
    given = event("Consent Given", "g", -DAY, ids={"user_id": "71"}, purpose="marketing_email")
    put(shop, given, event("Consent Withdrawn", "w", ids={"user_id": "72"}, purpose="marketing_email"))
    made = shop.settle("undecide", "user_id:71")
    assert not same(shop, "user_id:71", "user_id:72")
    assert made.carried == 1
    assert [c.granted for c in shop.customer("user_id:71").consents] == [False]
