from __future__ import annotations

import pyarrow as pa
import pytest

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import Person, people_table, prepare

KEYS = Keys("GB")


def ready(*people):
    return prepare(people_table(people), KEYS)


def test_the_order_of_rows_changes_nothing(small):
    table, _ = small
    one = prepare(table, KEYS)
    other = prepare(table.take(pa.array(range(len(table) - 1, -1, -1))), KEYS)
    assert one.ids == other.ids
    assert one.rows.equals(other.rows)
    assert one.stands_for.tolist() == other.stands_for.tolist()


def test_records_that_say_the_same_and_who_it_is_fold_into_one():
    same = {"first_name": "Ann", "last_name": "Lee", "email": "ann@lee.example"}
    found = ready(
        Person(id="a", **same), Person(id="b", **same), Person(id="c", first_name="Ann", last_name="Lee")
    )
    assert found.stands_for.tolist() == [0, 0, 2]


def test_records_that_say_little_are_alike_and_stay_apart():
    people = [Person(id=f"n{i}", first_name="Ann", last_name="Lee") for i in range(5)]
    people += [Person(id=f"e{i}") for i in range(5)]
    people += [Person(id=f"m{i}", email="ann@lee.example") for i in range(5)]
    assert ready(*people).stands_for.tolist() == list(range(15))


def test_records_under_two_strong_identifiers_never_fold():
    same = {"first_name": "Ann", "last_name": "Lee", "email": "ann@lee.example"}
    a = Person(id="a", strong={"loyalty_card": "1234"}, **same)
    b = Person(id="b", strong={"loyalty_card": "1235"}, **same)
    assert ready(a, b).stands_for.tolist() == [0, 1]


def test_a_value_that_many_families_share_is_junk():
    names = [
        "Amsel",
        "Brandt",
        "Curtius",
        "Dorn",
        "Eberle",
        "Falk",
        "Gruber",
        "Huber",
        "Ihde",
        "Jahn",
        "Keller",
        "Ott",
    ]
    crowd = [
        Person(
            id=str(i),
            last_name=n,
            email="desk@shop.example",
            birthday="1980-01-01",
            strong={"user_id": "till"},
        )
        for i, n in enumerate(names)
    ]
    family = [
        Person(id=f"f{i}", first_name=f, last_name="Lee", email="lee@lee.example")
        for i, f in enumerate("xyz")
    ]
    family += [Person(id=f"d{i}", last_name="Lee", birthday=f"1980-02-{i + 10}") for i in range(8)]
    found = ready(*crowd, *family)
    assert found.junk.counts() == {"email": 1, "birthday": 1, "strong": 1}
    assert found.rows["email"].drop_null().to_pylist() == ["lee@lee.example"] * 3
    assert found.rows["mailbox"].drop_null().to_pylist() == ["lee"] * 3
    assert not any(found.strong)


def test_junk_learned_before_is_used_for_new_records():
    from shopkeeper.resolve.linkage import JunkValues

    learned = JunkValues({"phone": frozenset({"+447700900123"})})
    one = people_table([Person(id="1", phone="07700 900123", email="ann@lee.example")])
    found = prepare(one, KEYS, junk=learned)
    assert found.rows["phone"].to_pylist() == [None]
    assert found.rows["email"].to_pylist() == ["ann@lee.example"]


def test_a_table_without_ids_is_refused_and_says_what_it_needs():
    with pytest.raises(InvalidInput, match="expected 'id'"):
        prepare(pa.table({"name": ["Ann"]}), KEYS)
    with pytest.raises(InvalidInput, match="1 of 2 records have no id of their own"):
        prepare(pa.table({"id": ["a", "a"]}), KEYS)


def test_no_records_are_no_trouble():
    found = ready()
    assert len(found) == 0
    assert found.stands_for.tolist() == []
