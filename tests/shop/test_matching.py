"""Who is this? Likely matches for a record typed in, or for a customer, ranked live by the linkage model."""

from __future__ import annotations

import copy
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.events import DAY, event, order, put
from tests.shop.test_linking import move_in, told

import shopkeeper
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted, StoreBusy, UnknownName
from shopkeeper.shop import Shop, matching


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, empty_shop: Path) -> tuple[Path, list[dict[str, str]]]:
    """The folder of a shop whose people are linked, to be copied, and the people."""
    folder = tmp_path_factory.mktemp("town") / "shop"
    with shopkeeper.open(shutil.copytree(empty_shop, folder)) as shop:
        everybody = move_in(shop)
        shop.link_people()
    return folder, everybody


@pytest.fixture
def linked(town: Any, tmp_path: Path) -> Iterator[Shop]:
    with shopkeeper.open(shutil.copytree(town[0], tmp_path / "linked")) as shop:
        yield shop


@pytest.fixture
def people(town: Any) -> list[dict[str, str]]:
    return copy.deepcopy(town[1])


def as_role(shop: Shop, role: str) -> Shop:
    return Shop(shop.places, Actor("u7", role))


def test_somebody_who_tells_a_name_and_a_birthday_is_found(linked: Shop, people: Any) -> None:
    right = 0
    for n in range(0, 200, 4):
        one = people[n]
        typed = {"first_name": one["first_name"].lower(), "last_name": one["last_name"][:-1] + "x"}
        found = linked.match(**typed, birthday=one["birthday"], postcode=one["postcode"])
        assert found.records == 267
        assert len(found.rows) <= 5
        assert [r.probability for r in found.rows] == sorted(
            (r.probability for r in found.rows), reverse=True
        )
        wanted = linked.customer(f"email:mailbox{n}@example.com").id
        right += bool(found.rows) and found.rows[0].id == wanted
        assert len({row.id for row in found.rows}) == len(found.rows), "a customer is listed once"
        for row in found.rows:
            bits = [x for bar in row.waterfall.bars for x in (bar.weight, bar.adjustment)]
            assert math.fsum(bits) == row.waterfall.weight
            assert row.waterfall.one is None
    assert right >= 47


def test_a_customer_is_compared_with_the_others_as_linkage_does(linked: Shop, people: Any) -> None:
    put(linked, told("a1", {"user_id": "901"}, people[1]), told("a2", {"user_id": "902"}, people[1]))
    found = linked.match("user_id:901")
    assert found.customer == linked.customer("user_id:901").id
    assert found.customer not in {row.id for row in found.rows}
    by = {row.waterfall.other.value: row for row in found.rows}
    assert {"902", "mailbox1@example.com"} <= by.keys()
    assert by["902"].waterfall.against == "they hold different accounts"
    assert by["902"].probability > 0.99
    linked.link_people(full=True)
    other = linked.customer("user_id:901").id
    again = next(row for row in linked.match("user_id:902").rows if row.id == other)
    why = linked.explain("user_id:901", "user_id:902").likeness
    assert why is not None
    assert again.waterfall.weight == pytest.approx(why.weight, abs=1e-9)


def test_what_is_told_later_is_known_at_once_and_who_is_erased_is_not(linked: Shop, people: Any) -> None:
    new = people[5] | {"first_name": "Zacharias", "last_name": "Quintero"}
    who = {"first_name": "Zacharias", "last_name": "Quintero", "birthday": new["birthday"]}
    assert linked.match(**who).rows == ()
    put(linked, told("new", {"loyalty_card": "LC77777"}, new))
    assert [row.waterfall.other.value for row in linked.match(**who).rows] == ["LC77777"]
    put(
        linked,
        told("moved", {"loyalty_card": "LC77777"}, {"first_name": "Theo", "last_name": "Quintero"}, DAY),
    )
    assert linked.match(**who).rows[0].waterfall.bars[1].level == "different"
    linked.erase("loyalty_card:LC77777")
    assert linked.match(**who).rows == ()
    held = linked.places.live_records.index
    assert not any("quintero" in row for row in held._rows)


def test_who_objects_to_what_is_concluded_of_them_is_no_match(linked: Shop, people: Any) -> None:
    who = {k: people[1][k] for k in ("first_name", "last_name", "birthday", "street")}
    assert linked.match(**who).rows
    put(linked, event("Consent Withdrawn", "w", ids={"email": "mailbox1@example.com"}, purpose="profiling"))
    assert linked.customer("email:mailbox1@example.com").id not in {
        row.id for row in linked.match(**who).rows
    }


def test_who_is_merged_meanwhile_is_shown_as_one(linked: Shop, people: Any) -> None:
    put(linked, told("a1", {"user_id": "901"}, people[1]), told("a2", {"user_id": "902"}, people[1]))
    who = {k: people[1][k] for k in ("first_name", "last_name", "birthday", "street")}
    before = {row.id for row in linked.match(**who).rows}
    linked.settle("same", "user_id:901", "user_id:902")
    after = {row.id for row in linked.match(**who).rows}
    assert linked.customer("user_id:902").id in after
    assert len(after) == len(before) - 1


def test_a_model_trained_anew_is_followed(linked: Shop, people: Any) -> None:
    linked.match(last_name="Graf")
    before = linked.places.live_records.index
    linked.match(last_name="Graf")
    assert linked.places.live_records.index is before, "opened once"
    linked.link_people(full=True)
    linked.match(last_name="Graf")
    assert linked.places.live_records.index is not before


def test_what_cannot_be_looked_for_is_said(linked: Shop) -> None:
    with pytest.raises(InvalidInput, match="either a customer or particulars"):
        linked.match()
    with pytest.raises(InvalidInput, match="either a customer or particulars"):
        linked.match("user_id:1", first_name="Ann")
    with pytest.raises(InvalidInput, match="either a customer or particulars"):
        linked.match(first_name="  ")
    with pytest.raises(UnknownName, match="last_name"):
        linked.match(lastname="Graf")
    with pytest.raises(InvalidInput, match="too long"):
        linked.match(last_name="x" * 601)
    with pytest.raises(InvalidInput, match="limit"):
        linked.match(last_name="Graf", limit=0)
    with pytest.raises(NotFound):
        linked.match("user_id:nobody")
    put(linked, order("x", ids={"user_id": "5"}))
    with pytest.raises(InvalidInput, match="nothing was told"):
        linked.match("user_id:5")


def test_a_shop_that_never_linked_says_what_to_do(shop: Shop) -> None:
    with pytest.raises(Conflict, match="never linked") as refused:
        shop.match(first_name="Ann")
    assert "shop.link_people()" in str(refused.value)


def test_who_asks_while_all_records_are_being_opened_is_told_so(
    linked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.match(last_name="Graf")
    monkeypatch.setattr(matching, "PATIENCE", 0.01)
    with linked.places.live_records.held(), pytest.raises(StoreBusy, match="being opened"):
        linked.match(last_name="Graf")
    linked.match(last_name="Graf")


def test_odd_words_break_nothing(linked: Shop) -> None:
    for text in ("test@test.com", "🦊" * 50, "שלום", "a" * 600, "000000", "'; DROP TABLE x", "\x00"):
        who = dict.fromkeys(("last_name", "email", "phone", "birthday", "street", "gender"), text)
        assert len(linked.match(first_name="Anna", **who).rows) <= 5


def test_what_is_shown_is_what_the_role_sees_and_every_look_is_noted(linked: Shop, people: Any) -> None:
    who = {k: people[0][k] for k in ("first_name", "last_name", "birthday")}
    clear, masked = (
        as_role(linked, "agent").match(**who).rows[0],
        as_role(linked, "marketer").match(**who).rows[0],
    )
    assert masked.name != clear.name
    said = msgspec.json.encode(masked).decode().casefold()
    for value in (people[0]["last_name"], people[0]["birthday"], people[0]["street"], "mailbox0"):
        assert value.casefold() not in said
    with pytest.raises(NotPermitted):
        as_role(linked, "analyst").match(**who)
    lines = linked.audit(verb="look for likely matches")
    assert [line.outcome for line in lines] == ["refused", "done", "done"]
    assert people[0]["last_name"] not in msgspec.json.encode(lines).decode()
    assert clear.id in lines[-1].detail
