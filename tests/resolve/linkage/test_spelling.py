from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.resolve.linkage import spelling
from shopkeeper.resolve.linkage.nicknames import USUAL, may_be_one, usual


@given(st.text(max_size=80))
def test_any_text_is_read_and_reading_it_twice_changes_nothing(text):
    for read in (spelling.name, spelling.place, spelling.code):
        once = read(text)
        assert once is None or (once and read(once) == once)
    day = spelling.day(text)
    assert day is None or (len(day) == 8 and spelling.day(day) == day)
    spelling.sound(spelling.name(text))
    spelling.street(text)


@pytest.mark.parametrize("text", ["x" * 10_000, "🙂" * 5_000, "Ana " * 3_000, "אבגד " * 2_000])
def test_long_text_is_cut(text):
    name = spelling.name(text)
    assert name is None or len(name) <= spelling.LONGEST
    house, street = spelling.street(text)
    assert len(house or "") <= 20
    assert len(street or "") <= spelling.LONGEST


def test_right_to_left_names_are_kept():
    assert spelling.name("  יעל כהן ") == "יעל כהן"
    assert spelling.name("محمد") == "محمد"


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "unknown", "Test", "xxx", "Mr", "🙂", "000", None])
def test_what_says_nothing_is_no_name(text):
    assert spelling.name(text) is None


def test_one_street_is_spelled_one_way():
    lines = ["12 High Street", "12, High St.", "HIGH ST 12", " 12  high  str"]
    assert {spelling.street(line) for line in lines} == {("12", "high street")}


def test_accents_and_case_do_not_tell_people_apart():
    assert spelling.name("MÜLLER") == spelling.name("muller")
    assert spelling.name("O'Neil") == spelling.name("ONeil")


def test_the_table_of_names_has_some_hundred_and_every_form_leads_to_a_usual_one():
    assert len({name for forms in USUAL.values() for name in forms}) > 200
    assert all(usual(head) == head for forms in USUAL.values() for head in forms)
    assert may_be_one("liz", "betty")
    assert not may_be_one("alexander", "alexandra")
