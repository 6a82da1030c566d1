"""How many identifiers may meet within which time, whose a number is, and values that name nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.events import DAY, event, order, put
from tests.resolve.test_graph import same

import shopkeeper
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import InvalidInput, NotPermitted, UnknownName
from shopkeeper.shop import Shop

YEAR = 365 * DAY


def login(number: int, at: int, **ids: str) -> shopkeeper.domain.event.Event:
    return event("Identified", f"login{number}", at, ids=ids)


def test_a_new_cookie_every_week_for_years_is_one_customer(shop: Shop) -> None:
    """Browsers forget: who signs in by e-mail alone gets a cookie a week, and stays one customer."""
    put(shop, *[login(n, -7 * n * DAY, email="anna@firm.com", anonymous_id=f"K{n}") for n in range(120)])
    assert same(shop, "email:anna@firm.com", "anonymous_id:K0", "anonymous_id:K60", "anonymous_id:K119")


def test_very_many_cookies_in_a_week_are_not_one_persons(shop: Shop) -> None:
    put(shop, *[login(n, -n * DAY // 4, email="desk@firm.com", anonymous_id=f"K{n}") for n in range(20)])
    assert not same(shop, "email:desk@firm.com", "anonymous_id:K0")


def test_payment_cards_are_replaced_every_few_years(shop: Shop) -> None:
    cards = [
        order(f"o{n}", -300 * n * DAY, ids={"loyalty_card": "LC1", "payment_token": f"T{n}"})
        for n in range(12)
    ]
    put(shop, *cards)
    assert same(shop, "loyalty_card:LC1", *(f"payment_token:T{n}" for n in range(12)))


def test_a_card_that_four_different_cards_are_shown_with_on_one_day_is_the_staffs(shop: Shop) -> None:
    put(shop, *[order(f"o{n}", -n, ids={"loyalty_card": "LC1", "payment_token": f"T{n}"}) for n in range(4)])
    assert len({shop.customer(f"payment_token:T{n}").id for n in range(4)}) == 4


def test_in_all_there_is_a_bound_too(shop: Shop) -> None:
    cards = [
        order(f"o{n}", -100 * n * DAY, ids={"loyalty_card": "LC1", "payment_token": f"T{n}"})
        for n in range(20)
    ]
    put(shop, *cards)
    assert not same(shop, "loyalty_card:LC1", "payment_token:T0")


def test_who_was_shared_since_all_came_at_once_is_not_when_it_turns_out_that_they_came_over_years(
    shop: Shop,
) -> None:
    """A till's export first tells the last year, and later the years before."""
    ids = [{"loyalty_card": "LC1", "payment_token": f"T{n}"} for n in range(8)]
    put(shop, *[order(f"new{n}", -n * 20 * DAY, ids=one) for n, one in enumerate(ids)])
    assert not same(shop, "loyalty_card:LC1", "payment_token:T0")
    put(shop, *[order(f"old{n}", -n * 250 * DAY, ids=one) for n, one in enumerate(ids)])
    assert same(shop, "loyalty_card:LC1", *(f"payment_token:T{n}" for n in range(8)))
    assert shop.customer("loyalty_card:LC1").traits["orders"] == 16


# Whose a number is.


def phones(*seen: tuple[str, int]) -> list[shopkeeper.domain.event.Event]:
    return [
        order(f"{account}{at}", at, ids={"user_id": account, "phone": "+447700900123"})
        for account, at in seen
    ]


def test_a_number_that_comes_to_somebody_else_after_a_long_silence_is_the_new_holders(shop: Shop) -> None:
    put(shop, *phones(("71", -9 * YEAR), ("71", -8 * YEAR), ("72", -3 * YEAR), ("72", -DAY)))
    assert same(shop, "phone:+447700900123", "user_id:72")
    assert not same(shop, "user_id:71", "user_id:72")
    assert shop.customer("user_id:71").traits["orders"] == 2
    assert not shop.explain("user_id:71", "phone:+447700900123").one


def test_a_number_that_two_use_in_turn_is_shared(shop: Shop) -> None:
    put(shop, *phones(("71", -9 * YEAR), ("71", -9 * YEAR + 40 * DAY), ("72", -3 * YEAR), ("71", -2 * YEAR)))
    assert not same(shop, "phone:+447700900123", "user_id:72")
    assert not same(shop, "phone:+447700900123", "user_id:71")


def test_when_the_first_holder_turns_up_with_it_again_it_is_shared(shop: Shop) -> None:
    put(shop, *phones(("71", -9 * YEAR), ("71", -9 * YEAR + 40 * DAY), ("72", -3 * YEAR)))
    assert same(shop, "phone:+447700900123", "user_id:72")
    put(shop, *phones(("71", -DAY)))
    assert not same(shop, "phone:+447700900123", "user_id:72")


def test_calls_of_the_first_holder_never_become_the_second_ones(shop: Shop) -> None:
    call = event("Contact Opened", "call", -9 * YEAR, ids={"phone": "+447700900123"}, reason="complaint")
    put(shop, *phones(("71", -9 * YEAR), ("71", -9 * YEAR + 40 * DAY), ("72", -3 * YEAR)))
    assert same(shop, "phone:+447700900123", "user_id:72")
    put(shop, call)  # told late
    assert not same(shop, "phone:+447700900123", "user_id:72")
    assert shop.customer("user_id:72").traits["contacts"] == 0


def test_calls_since_then_are_the_new_holders(shop: Shop) -> None:
    put(shop, *phones(("71", -9 * YEAR), ("71", -9 * YEAR + 40 * DAY), ("72", -3 * YEAR)))
    put(shop, event("Contact Opened", "call", -DAY, ids={"phone": "+447700900123"}, reason="complaint"))
    assert shop.customer("user_id:72").traits["contacts"] == 1


def test_a_number_that_was_told_once_by_each_is_still_both_s(shop: Shop) -> None:
    """Husband and wife register two years apart and give one landline."""
    put(shop, *phones(("71", -9 * YEAR), ("72", -3 * YEAR)))
    assert not same(shop, "phone:+447700900123", "user_id:72")
    assert not same(shop, "phone:+447700900123", "user_id:71")


def test_a_third_holder_gets_what_two_had_shared(shop: Shop) -> None:
    put(shop, *phones(*((one, -9 * YEAR + at * DAY) for one in ("71", "72") for at in (0, 40))))
    assert not same(shop, "phone:+447700900123", "user_id:72")
    put(shop, *phones(("73", -DAY)))
    assert same(shop, "phone:+447700900123", "user_id:73")
    assert len({shop.customer(f"user_id:{n}").id for n in (71, 72, 73)}) == 3


# Set aside.


def test_an_identifier_that_is_set_aside_names_nobody_until_it_is_restored(shop: Shop) -> None:
    put(
        shop,
        *[
            order(f"o{n}", -9 * n * DAY, ids={"phone": "+447700900123", "email": f"p{n}@firm.com"})
            for n in range(3)
        ],
    )
    assert same(shop, "email:p0@firm.com", "email:p2@firm.com")
    rehearsed = shop.settle("set_aside", "phone:+447700900123", dry_run=True)
    assert [turn.kind for turn in rehearsed.turned] == ["split", "split", "split"]
    assert same(shop, "email:p0@firm.com", "email:p2@firm.com")
    shop.settle("set_aside", "phone:+447700900123")
    assert len({shop.customer(f"email:p{n}@firm.com").id for n in range(3)}) == 3
    put(shop, order("later", -30 * DAY, ids={"phone": "+447700900123", "email": "p3@firm.com"}))
    assert not same(shop, "email:p3@firm.com", "phone:+447700900123")
    shop.settle("restore", "phone:+447700900123")
    assert same(shop, *(f"email:p{n}@firm.com" for n in range(4)))
    with pytest.raises(InvalidInput, match="not set aside"):
        shop.settle("restore", "phone:+447700900123")


def test_a_later_word_goes_before_an_earlier_one(shop: Shop) -> None:
    put(shop, order("o", ids={"phone": "+447700900123", "email": "p0@firm.com"}))
    put(shop, order("p", ids={"email": "p1@firm.com"}))
    shop.settle("same", "phone:+447700900123", "email:p1@firm.com")
    assert same(shop, "email:p0@firm.com", "email:p1@firm.com")
    shop.settle("set_aside", "phone:+447700900123")
    assert not same(shop, "email:p0@firm.com", "email:p1@firm.com")
    shop.settle("same", "phone:+447700900123", "email:p1@firm.com")
    assert same(shop, "phone:+447700900123", "email:p1@firm.com")


def families(count: int, phone: str = "+447700900123", first: int = 0) -> list[shopkeeper.domain.event.Event]:
    names = ("Berg", "Larsen", "Novak", "Rossi", "Dubois", "Weber", "Tanaka", "Okafor", "Kowalski", "Murphy")
    return [
        event(
            "Identified",
            f"i{first + n}-{phone}",
            -200 * (first + n) * DAY,
            ids={"email": f"p{first + n}@firm.com", "phone": phone},
            last_name=names[first + n],
        )
        for n in range(count)
    ]


def test_a_value_that_very_many_families_share_is_found_rehearsed_and_set_aside(shop: Shop) -> None:
    put(shop, *families(9), *families(2, "+447700900999"))
    assert same(shop, "email:p0@firm.com", "email:p8@firm.com"), (
        "nine in five years are not too many by number"
    )
    found = shop.junk_identifiers()
    assert [(row.identifier.kind, row.names, row.back) for row in found.rows] == [("phone", 9, False)]
    assert (found.applied, found.known, found.split > 0, found.events) == (False, 0, True, 0)
    assert same(shop, "email:p0@firm.com", "email:p8@firm.com")
    made = shop.junk_identifiers(apply=True)
    assert made.applied
    assert (made.split, made.merged) == (found.split, found.merged)
    assert len({shop.customer(f"email:p{n}@firm.com").id for n in range(2, 9)}) == 7
    again = shop.junk_identifiers()
    assert (again.rows, again.known) == ((), 1)


def test_what_was_learned_comes_back_only_below_half(tmp_path: Path) -> None:
    with shopkeeper.create(tmp_path / "s", now="2026-05-01T12:00:00Z", identity_junk_names=5) as shop:
        put(shop, *families(5))
        assert shop.junk_identifiers(apply=True).applied
        for n, rows in ((0, 0), (1, 0), (2, 1)):
            shop.erase(f"email:p{n}@firm.com")
            assert len(shop.junk_identifiers().rows) == rows
        made = shop.junk_identifiers(apply=True)
        assert [(row.names, row.back) for row in made.rows] == [(2, True)]
        assert same(shop, "email:p3@firm.com", "email:p4@firm.com")


def test_what_a_person_restored_is_not_learned_again(shop: Shop) -> None:
    put(shop, *families(9))
    shop.junk_identifiers(apply=True)
    shop.settle("restore", "phone:+447700900123")
    assert shop.junk_identifiers(apply=True).rows == ()
    assert same(shop, "email:p0@firm.com", "email:p8@firm.com")


# Rules.


def changed(folder: Path, **values: object) -> None:
    file = folder / "shop.toml"
    lines = [line for line in file.read_text().splitlines() if line.split(" =")[0] not in values]
    file.write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in values.items())]) + "\n")


def test_a_change_of_the_rules_is_rehearsed_and_holds_once_it_is_applied(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00Z") as shop:
        put(shop, *[order(f"o{n}", -20 * n * DAY, ids={"phone": "+447700900123", "email": f"p{n}@firm.com"})
                    for n in range(5)])  # fmt: skip
        before = shop.identity_rules()
        assert before.in_force == before.wanted
        assert before.in_force["most.phone"] == 6
    changed(folder, identity_most="{ phone = 3 }")
    with shopkeeper.open(folder) as shop:
        assert same(shop, "email:p0@firm.com", "email:p4@firm.com")
        rehearsed = shop.identity_rules()
        assert (rehearsed.wanted["most.phone"], rehearsed.in_force["most.phone"]) == (3, 6)
        assert (rehearsed.applied, rehearsed.shared, rehearsed.split) == (False, 1, 5)
        put(shop, order("o5", ids={"phone": "+447700900123", "email": "p5@firm.com"}))
        assert same(shop, "email:p0@firm.com", "email:p5@firm.com"), "not applied, not in force"
        assert shop.identity_rules(lately=True).split == 5, "not rehearsed again so soon"
        assert shop.identity_rules().split == 6
        assert shop.identity_rules(lately=True).split == 6
        made = shop.identity_rules(apply=True)
        assert (made.applied, made.shared, made.split) == (True, 1, 6)
        assert made.events == 6
        assert len({shop.customer(f"email:p{n}@firm.com").id for n in range(6)}) == 6
        assert shop.identity_rules() == shop.identity_rules(apply=True)
    changed(folder, identity_most="{ phone = 9 }")
    with shopkeeper.open(folder) as shop:
        made = shop.identity_rules(apply=True)
        assert (made.freed, made.merged) == (1, 6)
        assert same(shop, *(f"email:p{n}@firm.com" for n in range(6)))


def test_a_new_shop_lives_by_its_settings_from_the_start(tmp_path: Path) -> None:
    with shopkeeper.create(tmp_path / "s", now="2026-05-01T12:00:00Z", identity_size=5) as shop:
        put(shop, *[order(f"a{n}", ids={"email": "a1@firm.com", "social": f"n{n}:a"}) for n in range(3)])
        put(shop, *[order(f"b{n}", ids={"email": "b1@firm.com", "social": f"n{n}:b"}) for n in range(3)])
        put(shop, event("Identified", "i", ids={"email": "a1@firm.com", "social": "n0:b"}))
        everybody = [
            "email:a1@firm.com",
            "email:b1@firm.com",
            *(f"social:n{n}:{x}" for n in range(3) for x in "ab"),
        ]
        sizes = [len(shop.customer(one).identifiers) for one in everybody]
        assert 4 <= max(sizes) <= 5, (
            "eight identifiers of two people, and five are the most that one may have"
        )


@pytest.mark.parametrize(
    ("value", "error"),
    [({"identity_most": {"fone": 3}}, UnknownName), ({"identity_most_a_day": {"phone": 0}}, InvalidInput),
     ({"identity_size": 1}, InvalidInput), ({"identity_junk_names": 2}, InvalidInput)],
)  # fmt: skip
def test_rules_without_sense_are_refused(
    tmp_path: Path, value: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        shopkeeper.create(tmp_path / "s", **value)


def test_only_who_administers_the_shop_changes_what_holds_for_all(shop: Shop) -> None:
    agent = shop.as_actor(Actor("u1", "agent"))
    assert agent.identity_rules().merged == 0
    for verb in (agent.identity_rules, agent.junk_identifiers):
        with pytest.raises(NotPermitted):
            verb(apply=True)


def test_a_card_that_is_swiped_in_many_stores_on_a_day_is_listed(shop: Shop) -> None:
    put(
        shop,
        *[
            order(f"o{n}", -n * 60_000_000, ids={"loyalty_card": "LC1"}, channel="store", store=f"S{n % 4}")
            for n in range(8)
        ],
        *[
            order(f"p{n}", -n * DAY, ids={"loyalty_card": "LC2"}, channel="store", store="S1")
            for n in range(8)
        ],
    )
    shop.refresh()
    (row,) = [row for row in shop.review().rows if row.kind == "busy"]
    assert row.sentence.startswith("One loyalty card with 8 orders on one day and 4 stores on one day")
    shop.settle("set_aside", row.reference)
    assert all(one.kind != "busy" for one in shop.review().rows)
