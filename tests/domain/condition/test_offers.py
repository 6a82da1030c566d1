"""What a builder offers can be asked: every operand, every event with every fact, and none is forgotten."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from tests.conditions import conditions

from shopkeeper.domain.condition import check, sql
from shopkeeper.domain.condition.builder import from_builder, to_builder
from shopkeeper.domain.condition.offers import OTHER, kind_of, offers
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD

TRAITS = (*KNOWN, *FORETOLD)
OFFERED = offers(TRAITS)
VALUES = {"text": "x", "money": 10, "bool": True}
BEGINNINGS = {
    "number": (">=", 1), "money": (">=", 1), "share": (">=", 0.5), "text": ("=", "new"), "bool": ("yes", None),
    "day": (">=", {"sql": "today() - interval '30 days'"}), "time": (">=", {"sql": "now() - interval '30 days'"}),
    "list": ("is known", None),
}  # fmt: skip


def row(operand, operator, value=None):
    return {"operand": operand, "operator": operator, "value": value}


def test_every_trait_is_offered_once_under_a_heading_of_its_own():
    assert sorted(one["name"] for one in OFFERED["traits"]) == sorted(trait.name for trait in TRAITS)
    assert OTHER not in {one["group"] for one in OFFERED["traits"]}
    groups = [one["group"] for one in OFFERED["traits"]]
    assert len({*groups}) == 1 + sum(one != other for one, other in pairwise(groups)), "a heading comes once"


@pytest.mark.parametrize("trait", TRAITS, ids=lambda trait: trait.name)
def test_every_trait_can_be_asked_in_the_way_a_row_begins(trait):
    operator, value = BEGINNINGS[kind_of(trait)]
    if trait.name == "rhythm_basis":
        value = trait.values[0]
    told = check(from_builder(row({"trait": trait.name}, operator, value)), TRAITS)
    assert told.traits


def test_every_event_can_be_asked_with_every_fact_that_is_offered_and_no_other():
    facts = {one["name"]: one["kind"] for one in OFFERED["facts"]}
    for event in OFFERED["events"]:
        for fact, kind in facts.items():
            asked = {"fact": fact, "test": "=", "values": [VALUES[kind]]}
            built = row({"deed": "events", "names": [event["name"]], "filters": [asked]}, "happened")
            if fact in event["facts"]:
                check(from_builder(built), TRAITS)
            else:
                with pytest.raises(ValueError, match="does not tell"):
                    check(from_builder(built), TRAITS)


def test_orders_and_spend_take_the_facts_offered_for_them():
    facts = {one["name"]: one["kind"] for one in OFFERED["facts"]}
    for deed in OFFERED["deeds"]:
        if deed["name"] in {"orders", "spend"}:
            for fact in deed["facts"]:
                asked = {"fact": fact, "test": "=", "values": [VALUES[facts[fact]]]}
                check(from_builder(row({"deed": deed["name"], "filters": [asked]}, ">=", 1)), TRAITS)


@given(conditions)
def test_rows_and_text_say_the_same_and_back(condition):
    text = sql(condition)
    assert sql(from_builder(to_builder(condition))) == text
