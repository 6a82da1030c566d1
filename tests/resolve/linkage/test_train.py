from __future__ import annotations

import json

import pytest

from shopkeeper.domain.errors import InvalidInput, StoreDamaged, StoreTooNew
from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import Model, Person, link, people_table, prepare, train
from shopkeeper.resolve.linkage.blocking import choose_rules, pairs_of


def test_training_twice_gives_the_same_model(ready, model, backend):
    assert train(ready, backend) == model


def test_the_model_tells_matches_from_strangers(model, small):
    _, truth = small
    for one in model.comparisons:
        assert one.m[0] > 10 * one.u[0] or one.name == "place"
        assert one.u[-1] > 3 * one.m[-1]
        assert sum(one.m) == pytest.approx(1, abs=1e-4)
        assert sum(one.u) == pytest.approx(1, abs=1e-4)
    humans = list(truth.values())
    pairs = sum(n * (n - 1) // 2 for n in (humans.count(h) for h in set(humans)))
    found = model.prior * model.records * (model.records - 1) / 2
    assert pairs / 2 < found < pairs * 2


def test_a_saved_model_predicts_the_same(tmp_path, ready, model, linked, backend):
    checksum = model.save(tmp_path / "model.json")
    loaded = Model.load(tmp_path / "model.json")
    assert loaded == model
    assert loaded.checksum() == checksum
    again = link(ready, loaded, backend)
    assert sorted(again.links) == sorted(linked.links)
    assert again.person_of == linked.person_of


def test_a_saved_model_holds_no_value_of_any_record(tmp_path, model, ready):
    model.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text("utf-8")
    for column in ("last_name", "email", "phone", "birthday", "street"):
        for value in ready.rows[column].drop_null().to_pylist():
            assert value not in text


def test_a_changed_model_is_refused(tmp_path, model):
    file = tmp_path / "model.json"
    model.save(file)
    kept = json.loads(file.read_text("utf-8"))
    kept["model"]["prior"] = 0.25
    file.write_text(json.dumps(kept), "utf-8")
    with pytest.raises(StoreDamaged, match="checksum"):
        Model.load(file)
    kept["model"]["format"] = 99
    file.write_text(json.dumps(kept), "utf-8")
    with pytest.raises(StoreTooNew):
        Model.load(file)
    file.write_text("{}", "utf-8")
    with pytest.raises(StoreDamaged, match="Train again"):
        Model.load(file)


def test_too_little_to_learn_from_is_said(backend):
    few = prepare(people_table([Person(id="1", last_name="Lee")]), Keys())
    with pytest.raises(InvalidInput, match="at least ten records"):
        train(few, backend)


def test_rules_are_as_loose_as_the_budget_allows(ready, monkeypatch):
    from shopkeeper.resolve.linkage import blocking

    wide = choose_rules(ready.rows)
    assert ("last_name",) in wide
    monkeypatch.setattr(blocking, "LEAST_PAIRS", 100)
    monkeypatch.setattr(blocking, "PAIRS_PER_RECORD", 1)
    narrow = choose_rules(ready.rows)
    assert ("last_name",) not in narrow
    assert ("email",) in narrow
    assert all(pairs_of(ready.rows, rule) <= len(ready) for rule in narrow)


def test_an_engine_without_memory_fails_without_telling_of_anybody(ready):
    from shopkeeper.domain.errors import StoreFailure
    from shopkeeper.stores.lake.linkage import splink_backend

    with pytest.raises(StoreFailure, match="more memory") as told:
        train(ready, lambda: splink_backend(memory_limit="2MB", threads=1))
    assert told.value.__cause__ is None
    assert "SELECT" not in str(told.value)
