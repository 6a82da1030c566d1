"""Why a model takes two records for one person's, and why not: the waterfall, by the saved model, in process."""

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
from shopkeeper.domain.identity import Waterfall
from shopkeeper.shop import Shop, linking

PARTS = ["prior", "first name", "last name", "birthday"]


def adds_up(found: Waterfall) -> bool:
    bits = [x for bar in found.bars for x in (bar.weight, bar.adjustment)]
    return math.fsum(bits) == found.weight


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, empty_shop: Path) -> tuple[Path, list[dict[str, str]]]:
    """The folder of a shop whose people are linked, to be copied, and the people."""
    folder = tmp_path_factory.mktemp("town") / "shop"
    with shopkeeper.open(shutil.copytree(empty_shop, folder)) as shop:
        everybody = move_in(shop)
        put(shop, told("k1", {"user_id": "801"}, everybody[1]), told("k2", {"user_id": "802"}, everybody[2]))
        shop.link_people()
    return folder, everybody


@pytest.fixture
def linked(town: Any, tmp_path: Path) -> Iterator[Shop]:
    with shopkeeper.open(shutil.copytree(town[0], tmp_path / "linked")) as shop:
        yield shop


@pytest.fixture
def people(town: Any) -> list[dict[str, str]]:
    return copy.deepcopy(town[1])


def test_a_likeness_is_explained_by_a_waterfall_that_adds_up_to_what_linkage_found(linked: Shop) -> None:
    seen = 0
    for n in range(0, 200, 3):
        why = linked.explain(f"email:mailbox{n}@example.com", f"loyalty_card:LC{n:05d}")
        for step in why.steps:
            if step.why == "likeness":
                told_so = step.waterfall
                assert told_so is not None
                assert adds_up(told_so)
                assert step.weight == pytest.approx(told_so.weight, abs=0.006), "rounded to two digits"
                assert [bar.name for bar in told_so.bars][:4] == PARTS
                assert told_so.bars[0].level == "two records at random"
                assert any(bar.adjustment for bar in told_so.bars)
                seen += 1
    assert seen > 50


def test_the_weight_is_still_that_of_linkage_after_only_some_were_linked_anew(
    linked: Shop, people: Any
) -> None:
    put(linked, told("later", {"loyalty_card": "LC77777"}, people[4]))
    assert linked.link_people().trained is False
    why = linked.explain("loyalty_card:LC77777", "email:mailbox4@example.com")
    step = next(s for s in why.steps if s.why == "likeness")
    assert step.waterfall is not None
    assert step.weight is not None
    if step.waterfall.rule:
        assert (step.weight, step.waterfall.rule[:15]) == (1000.0, "the two records")
    else:
        assert step.weight == pytest.approx(step.waterfall.weight, abs=0.006)


def test_two_customers_are_told_what_the_model_would_say(linked: Shop) -> None:
    strangers = linked.explain("user_id:801", "user_id:802")
    assert not strangers.one
    assert strangers.likeness is not None
    assert strangers.likeness.weight < 0
    assert strangers.likeness.odds.startswith("1")
    assert adds_up(strangers.likeness)
    assert {bar.level for bar in strangers.likeness.bars[1:]} & {"different"}


def test_accounts_kept_apart_are_weighed_by_their_records_most_alike(linked: Shop, people: Any) -> None:
    put(linked, told("a1", {"user_id": "901"}, people[7]), told("a2", {"user_id": "902"}, people[7]))
    told_so = linked.explain("user_id:901", "user_id:902").likeness
    assert told_so is not None
    assert (told_so.weight > 5, told_so.odds[-2:]) == (True, ":1") or told_so.odds.startswith("over")
    assert told_so.against == "they hold different accounts"


def test_only_the_records_in_question_are_opened(linked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: set[int] = set()
    real = linking.told

    def noted(places: Any, reader: Any, nodes: Any, *more: Any) -> Any:
        opened.update(nodes)
        return real(places, reader, nodes, *more)

    monkeypatch.setattr(linking, "told", noted)
    why = linked.explain("email:mailbox0@example.com", "loyalty_card:LC00000")
    assert [s.waterfall is not None for s in why.steps] == [True]
    assert len(opened) == 2


def test_a_waterfall_holds_no_value_of_anybody(linked: Shop, people: Any) -> None:
    blind = Shop(linked.places, Actor("k1", "key", frozenset({"look_up"})))
    for one, other in (
        ("email:mailbox0@example.com", "loyalty_card:LC00000"),
        ("user_id:801", "user_id:802"),
    ):
        said = msgspec.json.encode(blind.explain(one, other)).decode().casefold()
        assert '"bars"' in said
        for value in (*people[0].values(), *people[1].values(), "mailbox0", "LC00000"):
            assert value.casefold() not in said


def test_without_a_model_nothing_is_said_of_likeness(shop: Shop) -> None:
    put(shop, order("1", ids={"user_id": "1"}), order("2", ids={"user_id": "2"}))
    assert shop.explain("user_id:1", "user_id:2").likeness is None


def test_of_who_told_nothing_or_objects_nothing_is_said(linked: Shop) -> None:
    put(linked, order("x", ids={"loyalty_card": "LC99999"}))
    assert linked.explain("user_id:801", "loyalty_card:LC99999").likeness is None
    assert linked.explain("user_id:801", "user_id:802").likeness is not None
    put(linked, event("Consent Withdrawn", "w", -DAY, ids={"user_id": "802"}, purpose="profiling"))
    assert linked.explain("user_id:801", "user_id:802").likeness is None


def test_what_is_kept_of_frequencies_survives_neither_damage_nor_its_model(linked: Shop) -> None:
    file = linked.places.folder / "models" / linking.FREQUENCIES
    file.write_bytes(b"not a file of ours")
    told_so = linked.explain("user_id:801", "user_id:802").likeness
    assert told_so is not None
    assert adds_up(told_so)
    assert not any(bar.adjustment for bar in told_so.bars), "then every value counts as usual"
    linked.link_people(full=True)
    again = linked.explain("user_id:801", "user_id:802").likeness
    assert again is not None
    assert again.bars[0].weight == pytest.approx(told_so.bars[0].weight, abs=1)
