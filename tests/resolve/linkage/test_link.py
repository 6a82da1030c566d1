from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from shopkeeper.domain.errors import NotFound
from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import LiveIndex, Person, link, live, people_table, prepare, train, whole


def scores(person_of, truth):
    """F1 over pairs of records, and B-cubed F1."""
    both = Counter((person_of[r], truth[r]) for r in truth)
    persons, humans = Counter(person_of[r] for r in truth), Counter(truth.values())
    pairs = [sum(n * (n - 1) // 2 for n in counts.values()) for counts in (both, persons, humans)]
    precision, recall = pairs[0] / pairs[1], pairs[0] / pairs[2]
    b_precision = sum(n * n / persons[p] for (p, _), n in both.items()) / len(truth)
    b_recall = sum(n * n / humans[h] for (_, h), n in both.items()) / len(truth)
    return (
        2 * precision * recall / (precision + recall),
        2 * b_precision * b_recall / (b_precision + b_recall),
    )


def test_records_of_one_person_are_found(small, linked):
    pairs, b_cubed = scores(linked.person_of, small[1])
    assert pairs > 0.97
    assert b_cubed > 0.97


def test_the_order_of_rows_changes_no_person(small, linked, backend):
    people, _ = small
    shuffled = people.take(pa.array(np.random.default_rng(2).permutation(len(people))))
    ready = prepare(shuffled, Keys("GB"))
    again = link(ready, train(ready, backend), backend)
    assert again.person_of == linked.person_of
    assert again.refused == linked.refused


@pytest.mark.parametrize(("name", "pairs", "b_cubed"), [("fake_1000", 0.94, 0.95), ("febrl3", 0.998, 0.999)])
def test_published_data_without_labels(name, pairs, b_cubed, test_data, persons_of, backend):
    file = test_data / f"{name}.parquet"
    if not file.exists():
        pytest.skip(f"{file} is not there; set SHOPKEEPER_TEST_DATA to the folder with it")
    people, truth = persons_of(file)
    ready = prepare(people, Keys("GB"))
    linked = link(ready, train(ready, backend), backend)
    found = scores(linked.person_of, truth)
    assert found[0] >= pairs
    assert found[1] >= b_cubed


def test_live_weights_are_those_of_splink(ready, model, linked):
    index = LiveIndex(ready, model)
    checked = 0
    for one in linked.links[::3]:
        if one.by == "model":
            told = index.waterfall(one.a, one.b)
            assert told.weight == pytest.approx(one.weight, abs=1e-5)
            assert whole(told.bars) == told.weight, "the waterfall adds up exactly"
            assert [bar.name for bar in told.bars] == ["prior", *(c.name for c in model.comparisons)]
            checked += 1
    assert checked > 100


def test_live_finds_who_batch_finds(ready, model, linked, monkeypatch):
    monkeypatch.setattr(live, "BLOCK", len(ready))
    monkeypatch.setattr(live, "CANDIDATES", len(ready))
    index = LiveIndex(ready, model)
    found = {}
    places = [place for place in range(0, len(ready), 7) if ready.stands_for[place] == place]
    for place in places:
        for candidate in index.candidates(ready, best=len(ready), place=place):
            if candidate.weight >= 0:
                found[ready.ids[place], candidate.id] = candidate.weight
    asked = {ready.ids[place] for place in places}
    mates = [k for k in linked.links if k.by == "model"]
    batch = {pair: k.weight for k in mates for pair in ((k.a, k.b), (k.b, k.a)) if pair[0] in asked}
    assert found.keys() == batch.keys()
    assert all(found[pair] == pytest.approx(weight, abs=1e-5) for pair, weight in batch.items())


def test_live_takes_in_and_replaces_records(ready, model):
    index = LiveIndex(ready, model)
    people = [Person(id="new", first_name="Zeno", last_name="Quast", email="zeno@quast.example")]
    asked = prepare(people_table([Person(id="?", first_name="Zeno", last_name="Quast")]), Keys())
    assert not index.candidates(asked)
    index.add(prepare(people_table(people), Keys()))
    assert [c.id for c in index.candidates(asked)] == ["new"]
    index.add(prepare(people_table([Person(id="new", first_name="Otto", last_name="Other")]), Keys()))
    assert not index.candidates(asked)
    with pytest.raises(NotFound):
        index.waterfall("new", "nobody")


def test_live_says_why_two_stay_apart(ready, model):
    index = LiveIndex(ready, model)
    twins = [
        Person(id=i, first_name=f, last_name="Quast", email="quast@quast.example", strong={"loyalty_card": c})
        for i, f, c in (("t1", "Zeno", "11"), ("t2", "Klara", "11"))
    ]
    index.add(prepare(people_table(twins[:1]), Keys()))
    (found,) = index.candidates(prepare(people_table(twins[1:]), Keys()))
    assert found.strong == ("loyalty_card",)
    assert found.against == "first name"
    assert 0 < found.probability < 1


BAD = [
    {},
    {"first_name": "", "last_name": "", "email": "", "phone": ""},
    {"first_name": "x" * 10_000, "last_name": "Y" * 10_000, "street": "z" * 10_000},
    {"first_name": "🙂", "last_name": "🙃🙃", "email": "🙂@🙂"},
    {"first_name": "יעל", "last_name": "כהן", "city": "חיפה"},
    {"first_name": "Test", "last_name": "Test", "email": "test@test.com", "phone": "0000000000"},
    {"email": "test@test.com", "birthday": "0000-00-00"},
    {"phone": "00000", "postcode": "00000", "birthday": "99/99/9999"},
    {"first_name": "\x00\x1f", "last_name": "'; DROP TABLE people; --", "street": '"'},
]


def test_junk_makes_no_hairball(small, model, backend):
    people, truth = small
    mess = [Person(id=f"z{i:03d}-{k}", **BAD[i]) for i in range(len(BAD)) for k in range(20)]
    everybody = prepare(pa.concat_tables([people, people_table(mess)]), Keys("GB"))
    found = link(everybody, model, backend)
    sizes = Counter(found.person_of.values())
    told = {
        r for r in found.person_of if r[:4] in {"z002", "z004", "z008"}
    }  # these say something, 20 times the same
    assert max(n for person, n in sizes.items() if person not in told) <= 4
    assert scores({r: found.person_of[r] for r in truth}, truth)[0] > 0.95
    nothing = [r for r in found.person_of if r[:4] in {"z000", "z001", "z003", "z005", "z006", "z007"}]
    assert len({found.person_of[r] for r in nothing}) == len(nothing)


def test_an_equal_card_joins_and_a_family_on_one_card_does_not(model, backend):
    card = {"loyalty_card": "LC1"}
    people = [
        Person(id="a", first_name="Zeno", last_name="Quast", strong=card),
        Person(id="b", email="zq@mail.example", strong=card),
        Person(id="c", first_name="Klara", last_name="Quast", strong=card),
        Person(id="d", first_name="Zeno", last_name="Quast", strong={"loyalty_card": "LC2"}),
    ]
    found = link(prepare(people_table(people), Keys()), model, backend)
    assert found.person_of["a"] == found.person_of["b"]
    assert found.person_of["c"] != found.person_of["a"]
    assert found.person_of["d"] != found.person_of["a"]
