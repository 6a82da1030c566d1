"""Unions that a guard refused are listed for people to settle, at the cost of what is new."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.domain.identity import Suspicion
from shopkeeper.shop import Shop, refusals


def listed(shop: Shop) -> list[Suspicion]:
    return [row for row in shop.review().rows if row.kind == "refused"]


def ends(row: Suspicion) -> set[str]:
    return {one.by.value for one in row.beside}


def chain(shop: Shop, name: str, at: int = 0) -> None:
    """Two accounts that a card and an address tie, neither of which both hold."""
    one, other, card, mail = f"1{name}", f"2{name}", f"LC000{name}", f"m{name}@example.com"
    put(
        shop,
        order(f"a{name}", at - 3 * DAY, ids={"user_id": one, "loyalty_card": card}),
        order(f"b{name}", at - 2 * DAY, ids={"user_id": other, "email": mail}),
        order(f"c{name}", at - DAY, ids={"loyalty_card": card, "email": mail}),
    )


def test_two_accounts_that_a_chain_ties_are_listed_and_settled_as_one(shop: Shop) -> None:
    assert listed(shop) == []
    chain(shop, "01")
    (row,) = listed(shop)
    assert "different accounts" in row.sentence
    assert ends(row) == {"101", "201"}
    assert {one.value for one in row.tie} == {"LC00001", "m01@example.com"}
    assert {one.id for one in row.beside} == {shop.customer(f"user_id:{n}").id for n in ("101", "201")}
    assert [one.orders for one in row.beside] in ([1, 2], [2, 1])
    shop.settle("same", row.reference, row.other)
    whole = {
        shop.customer(w).id for w in ("user_id:101", "user_id:201", "loyalty_card:LC00001", "m01@example.com")
    }
    assert len(whole) == 1, "all of what the chain ties is one customer's"
    assert listed(shop) == []


def test_said_to_be_two_they_are_listed_no_more_until_that_is_taken_back(shop: Shop) -> None:
    chain(shop, "01")
    (row,) = listed(shop)
    shop.settle("different", row.reference, row.other)
    assert listed(shop) == []
    shop.settle("undecide", row.reference, row.other)
    assert [ends(r) for r in listed(shop)] == [{"101", "201"}]


def test_left_as_they_are_they_are_listed_no_more(shop: Shop) -> None:
    chain(shop, "01")
    chain(shop, "02")
    row = next(r for r in listed(shop) if ends(r) == {"101", "201"})
    shop.settle("leave", row.reference)
    assert len(listed(shop)) == 2, "both must have been looked at"
    shop.settle("leave", row.reference, row.other)
    assert [ends(r) for r in listed(shop)] == [{"102", "202"}]


def test_what_together_is_too_much_for_a_person_is_listed(tmp_path: Path) -> None:
    with shopkeeper.create(tmp_path / "s", now="2026-05-01T12:00:00Z", identity_size=4) as shop:
        for who, card in (("anna", "LC1000"), ("bela", "LC2000")):
            ids = [{"email": f"{who}@example.com", "loyalty_card": f"{card}{n}"} for n in range(3)]
            put(shop, *[order(f"{who}{n}", -DAY - n, ids=two) for n, two in enumerate(ids)])
        put(shop, order("tie", ids={"loyalty_card": "LC10000", "payment_token": "T"}))
        put(shop, order("tie2", ids={"loyalty_card": "LC20000", "payment_token": "T"}))
        rows = listed(shop)
        assert rows
        assert all("more than a person has" in row.sentence for row in rows)
        for _ in range(4):
            for row in listed(shop):
                shop.settle("same", row.reference, row.other)
        everybody = ("anna@example.com", "bela@example.com", "payment_token:T")
        assert len({shop.customer(who).id for who in everybody}) == 1
        assert listed(shop) == []


def test_only_what_is_new_is_looked_at(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(shop, "01")
    assert len(listed(shop)) == 1

    def never(_: Any) -> Any:
        raise AssertionError("everything was looked through again")

    monkeypatch.setattr(refusals, "_sweep", never)
    chain(shop, "02")
    assert len(listed(shop)) == 2
    put(shop, event("Identified", "i", ids={"user_id": "101", "email": "family@example.com"}))
    shop.settle("unlink", "loyalty_card:LC00001")
    assert len(listed(shop)) == 2 or [ends(r) for r in listed(shop)] == [{"102", "202"}]


def test_a_refresh_keeps_what_it_found_for_every_process(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(shop, "01")
    shop.refresh()
    with shopkeeper.open(shop.places.folder) as another:
        monkeypatch.setattr(refusals, "_sweep", lambda _: pytest.fail("everything was looked through again"))
        assert [ends(r) for r in listed(another)] == [{"101", "201"}]
        chain(shop, "02")
        assert len(listed(another)) == 2


@pytest.mark.parametrize("seed", range(3))
def test_following_finds_what_looking_through_everything_finds(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    kinds = {"user_id": 8, "email": 12, "loyalty_card": 12, "payment_token": 12}

    def identifier(kind: str) -> str:
        n = chance.randrange(kinds[kind])
        return {"email": f"m{n}@example.com", "loyalty_card": f"LC1{n:04d}"}.get(kind, f"{kind[0]}70{n}")

    seen = 0
    for step in range(40):
        two = chance.sample(sorted(kinds), 2)
        put(shop, order(str(step), -step * DAY, ids={kind: identifier(kind) for kind in two}))
        known = shop.places.refusals
        with shop.places.ledger.read() as reader:
            found = {(r.one, r.other) for r in refusals.refused(shop.places, reader, 100)}
            shop.places.refusals = None
            anew = {(r.one, r.other) for r in refusals.refused(shop.places, reader, 100)}
        assert {tuple(sorted(p)) for p in found} == {tuple(sorted(p)) for p in anew}
        shop.places.refusals = known
        seen += len(found)
        if step % 9 == 8 and (rows := listed(shop)):
            shop.settle(chance.choice(["same", "different"]), rows[0].reference, rows[0].other)
    assert seen > 10


def test_who_was_erased_is_not_listed(shop: Shop) -> None:
    chain(shop, "01")
    assert len(listed(shop)) == 1
    shop.erase("user_id:101")
    assert listed(shop) == []
