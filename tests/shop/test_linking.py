"""The shop's people linked by what they told of themselves, below everything that was seen and decided."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.events import DAY, event, order, put

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.shop import Shop, linking

_FIRST = (
    "Anna",
    "Bert",
    "Clara",
    "David",
    "Emma",
    "Frank",
    "Grete",
    "Hugo",
    "Irene",
    "Jakob",
    "Karin",
    "Lothar",
)
_LAST = (
    "Ackermann",
    "Brandt",
    "Conrad",
    "Dietrich",
    "Engel",
    "Fuchs",
    "Graf",
    "Hansen",
    "Iwanow",
    "Jansen",
    "Kaiser",
)
_TOWNS = ("Leeds", "York", "Bath", "Derby", "Oxford", "Truro", "Exeter", "Luton")


def person(chance: random.Random, number: int) -> dict[str, str]:
    town = chance.randrange(len(_TOWNS))
    return {
        "first_name": chance.choice(_FIRST),
        "last_name": chance.choice(_LAST),
        "birthday": f"{chance.randrange(1940, 2005)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        "street": f"{chance.randrange(1, 200)} {chance.choice(('High', 'Mill', 'Park', 'Church'))} Street",
        "city": _TOWNS[town],
        "postcode": f"L{town} {chance.randrange(1, 9)}AB",
    }


def told(name: str, ids: dict[str, str], said: dict[str, str], at: int = 0) -> Any:
    return event("Identified", name, at, ids=ids, **said)


@pytest.fixture
def people(shop: Shop) -> list[dict[str, str]]:
    """Who moved into the shop."""
    return move_in(shop)


def move_in(shop: Shop) -> list[dict[str, str]]:
    """Two hundred people; every third is known by a newsletter and, mistyped, by a store, with nothing in common."""
    chance = random.Random(3)
    everybody = [person(chance, n) for n in range(200)]
    events = []
    for n, one in enumerate(everybody):
        events.append(told(f"m{n}", {"email": f"mailbox{n}@example.com"}, one, -5 * DAY))
        if n % 3 == 0:
            wrong = one | {
                "street": one["street"].replace("Street", "St"),
                "first_name": one["first_name"].upper(),
            }
            events.append(told(f"s{n}", {"loyalty_card": f"LC{n:05d}"}, wrong, -4 * DAY))
            events.append(order(f"o{n}", -3 * DAY, ids={"loyalty_card": f"LC{n:05d}"}))
    put(shop, *events)
    return everybody


def same(shop: Shop, *who: str) -> bool:
    return len({shop.customer(one).id for one in who}) == 1


def found(shop: Shop, numbers: range) -> list[bool]:
    return [same(shop, f"email:mailbox{n}@example.com", f"loyalty_card:LC{n:05d}") for n in numbers]


def test_people_with_nothing_but_their_particulars_in_common_are_found(shop: Shop, people: Any) -> None:
    numbers = range(0, 200, 3)
    assert not any(found(shop, numbers))
    before = shop.health()["customers"]
    made = shop.link_people()
    assert (made.trained, made.records, made.compared) == (True, 267, 267)
    share = sum(found(shop, numbers)) / len(numbers)
    assert share > 0.9
    assert shop.health()["customers"] == before - made.merged
    assert made.merged == sum(found(shop, numbers)), "and nobody else was"
    zero = shop.customer("email:mailbox0@example.com")
    assert zero.traits["orders"] == 1, "what was bought on the card is the customer's now"
    why = shop.explain("email:mailbox0@example.com", "loyalty_card:LC00000")
    assert [(s.why, s.weight is not None and s.weight > 5) for s in why.steps] == [("likeness", True)]
    assert shop.turns(zero.id)[0].why == "likeness"
    again = shop.link_people(full=True)
    assert (again.merged, again.split, again.likenesses) == (0, 0, made.likenesses), (
        "the same again changes nothing"
    )


def test_only_what_was_told_since_is_compared(shop: Shop, people: Any) -> None:
    shop.link_people()
    ids = {n: shop.customer(f"email:mailbox{n}@example.com").id for n in range(200)}
    assert shop.link_people().compared == 0
    put(shop, told("new", {"loyalty_card": "LC77777"}, people[1]))
    made = shop.link_people()
    assert (made.trained, made.compared, made.merged) == (False, 1, 1)
    assert same(shop, "loyalty_card:LC77777", "email:mailbox1@example.com")
    assert {n: shop.customer(f"email:mailbox{n}@example.com").id for n in range(200)} == ids


def test_what_people_decided_stands_above_the_model(shop: Shop, people: Any) -> None:
    shop.link_people()
    shop.settle("different", "email:mailbox0@example.com", "loyalty_card:LC00000")
    for full in (False, True):
        shop.link_people(full=full)
        assert not same(shop, "email:mailbox0@example.com", "loyalty_card:LC00000")


def test_two_accounts_that_look_like_one_person_wait_for_a_person(shop: Shop, people: Any) -> None:
    put(shop, told("a1", {"user_id": "901"}, people[1]), told("a2", {"user_id": "902"}, people[1]))
    shop.link_people()
    assert not same(shop, "user_id:901", "user_id:902")
    alike = [row for row in shop.review().rows if row.kind == "alike"]
    pair = next(row for row in alike if {b.by.value for b in row.beside} == {"901", "902"})
    shop.settle("same", pair.reference, pair.other)
    assert same(shop, "user_id:901", "user_id:902")
    assert all({b.by.value for b in row.beside} != {"901", "902"} for row in shop.review().rows)


def test_a_shop_that_knows_too_little_says_so(shop: Shop) -> None:
    put(shop, order("1", ids={"email": "anna@example.com"}))
    with pytest.raises(InvalidInput, match="cannot be linked yet"):
        shop.link_people()


def test_no_name_is_in_the_model(shop: Shop, people: Any) -> None:
    shop.link_people()
    kept = (shop.places.folder / "models" / "linkage.json").read_text("utf-8").casefold()
    assert not any(name.casefold() in kept for name in (*_FIRST, *_LAST, *_TOWNS))


def test_what_was_withdrawn_as_one_person_stays_withdrawn_when_the_model_changes_its_mind(
    shop: Shop, people: Any
) -> None:
    shop.link_people()
    put(
        shop,
        event(
            "Consent Given", "g", -2 * DAY, ids={"email": "mailbox0@example.com"}, purpose="marketing_email"
        ),
        event("Consent Withdrawn", "w", -DAY, ids={"loyalty_card": "LC00000"}, purpose="marketing_email"),
    )
    stranger = {
        "first_name": "Zacharias", "last_name": "Quintero", "birthday": "1931-02-03", "street": "1 Elsewhere Road",
        "city": "Truro", "postcode": "TR1 1AA",
    }  # fmt: skip
    put(shop, told("fix", {"loyalty_card": "LC00000"}, stranger))
    assert shop.link_people().split == 1
    assert not same(shop, "email:mailbox0@example.com", "loyalty_card:LC00000")
    for _ in range(2):
        assert [c.granted for c in shop.customer("email:mailbox0@example.com").consents] == [False]
        shop.rebuild()


def test_who_was_erased_meanwhile_stops_nothing(
    shop: Shop, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = linking._decide

    def late(*given: Any) -> Any:
        shop.erase("email:mailbox0@example.com")
        return decide(*given)

    monkeypatch.setattr(linking, "_decide", late)
    assert shop.link_people().merged > 50


def test_who_objects_to_profiling_is_not_linked_by_a_model(shop: Shop, people: Any) -> None:
    put(shop, event("Consent Withdrawn", "w", ids={"loyalty_card": "LC00000"}, purpose="profiling"))
    shop.link_people()
    assert not same(shop, "email:mailbox0@example.com", "loyalty_card:LC00000")
    assert same(shop, "email:mailbox3@example.com", "loyalty_card:LC00003")
