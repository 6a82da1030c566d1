from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import Person, link, link_again, people_table, prepare

KEYS = Keys("GB")


def groups(person_of):
    parts = {}
    for record, person in person_of.items():
        parts.setdefault(person, set()).add(record)
    return {frozenset(part) for part in parts.values()}


@pytest.fixture(scope="module")
def yesterday(small, model, backend):
    people, _ = small
    late = np.zeros(len(people), dtype=bool)
    late[::50] = True
    before = prepare(people.filter(pa.array(~late)), KEYS)
    fresh = prepare(people.filter(pa.array(late)), KEYS, junk=before.junk)
    return before, link(before, model, backend), fresh


def test_new_records_find_their_persons_and_nobody_else_moves(yesterday, model, backend, linked):
    before, known, fresh = yesterday
    later = link_again(before, known, fresh, model, backend)
    assert later.linked.person_of.keys() == known.person_of.keys() | set(fresh.ids)
    for record, person in known.person_of.items():
        now = later.linked.person_of[record]
        assert now == person or later.linked.became[person] == now
        assert now == person or person in later.touched
    # as if all had been linked at once: frequencies differ by the new records only
    together = groups(later.linked.person_of) & groups(linked.person_of)
    assert len(together) > 0.98 * len(groups(linked.person_of))
    assert len(later.touched) < len(set(known.person_of.values())) / 5


def test_nothing_new_changes_nothing(yesterday, model, backend):
    before, known, _ = yesterday
    nothing = prepare(people_table([]), KEYS)
    later = link_again(before, known, nothing, model, backend)
    assert later.linked.person_of == known.person_of
    assert not later.touched


def test_a_run_on_what_a_run_returned_is_the_same_as_one_for_both(yesterday, model, backend):
    before, known, fresh = yesterday
    at_once = link_again(before, known, fresh, model, backend)
    later = people_table([Person(id="other", first_name="Zeno", last_name="Quast")])
    then = link_again(at_once.ready, at_once.linked, prepare(later, KEYS, junk=before.junk), model, backend)
    assert then.linked.person_of == {**at_once.linked.person_of, "other": "other"}


def test_a_changed_record_leaves_its_person(model, backend):
    same = {
        "first_name": "Zeno",
        "last_name": "Quast",
        "email": "zeno@quast.example",
        "birthday": "1980-05-06",
    }
    before = prepare(people_table([Person(id=i, **same) for i in "abc"]), KEYS)
    known = link(before, model, backend)
    assert set(known.person_of.values()) == {"a"}
    changed = Person(id="a", first_name="Klara", last_name="Ott", email="klara@ott.example")
    later = link_again(before, known, prepare(people_table([changed]), KEYS), model, backend)
    found = later.linked.person_of
    assert found["b"] == found["c"] == "a"  # the id stays where most of its records are
    assert found["a"] not in {"a", "b", "c"} or found["a"] != found["b"]
    assert later.ready.ids == ["b", "c", "a"]
    assert later.ready.stands_for.tolist() == [0, 0, 2]


def test_decisions_hold_when_linking_again(small, model, backend):
    same = {"first_name": "Zeno", "last_name": "Quast", "email": "zeno@quast.example"}
    two = people_table([Person(id="a", **same), Person(id="b", first_name="Ina", last_name="Ott")])
    before = prepare(pa.concat_tables([small[0], two]), KEYS)
    known = link(before, model, backend)
    fresh = prepare(people_table([Person(id="c", **same)]), KEYS)
    assert link_again(before, known, fresh, model, backend).linked.person_of["c"] == "a"
    parted = link_again(before, known, fresh, model, backend, never=[("a", "c")], always=[("b", "c")])
    assert parted.linked.person_of["c"] == parted.linked.person_of["b"] == "b"
    assert parted.linked.person_of["a"] == "a"


def test_an_erased_record_is_gone_and_what_it_alone_joined_parts(small, model, backend):
    one = {"first_name": "Zeno", "last_name": "Quast", "birthday": "1980-05-06"}
    people = [
        Person(id="a1", email="zeno@quast.example", **one),
        Person(id="a2", email="zeno@quast.example", phone="07700 900123", first_name="Zeno"),
        Person(id="a3", phone="07700 900123", first_name="Zeno"),
    ]
    before = prepare(pa.concat_tables([small[0], people_table(people)]), KEYS)
    known = link(before, model, backend)
    assert known.person_of["a3"] == "a1"
    nothing = prepare(people_table([]), KEYS)
    later = link_again(before, known, nothing, model, backend, gone=["a2"])
    assert "a2" not in later.linked.person_of
    assert "a2" not in later.ready.ids
    assert not any("a2" in (k.a, k.b) for k in later.linked.links)
    assert later.linked.person_of["a1"] == "a1"
    assert later.linked.person_of["a3"] != "a1"
    assert later.touched == {"a1"}


def test_a_decision_that_was_withdrawn_is_looked_at_again(small, model, backend):
    before = prepare(small[0], KEYS)
    known = link(before, model, backend, always=[("r0000", "r0600")])
    assert known.person_of["r0600"] == "r0000"
    nothing = prepare(people_table([]), KEYS)
    later = link_again(before, known, nothing, model, backend, also=["r0000"])
    found = later.linked.person_of
    assert found["r0600"] != found["r0000"]
    assert "r0000" in {found["r0600"], found["r0000"]}  # the id stays where most of its records are


def test_persons_of_other_records_are_refused(yesterday, model, backend):
    _, known, fresh = yesterday
    with pytest.raises(InvalidInput, match="yesterday's persons are about"):
        link_again(fresh, known, fresh, model, backend)
