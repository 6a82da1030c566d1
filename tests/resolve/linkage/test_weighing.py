"""Two records weighed alone, by what is kept of all the others: no value, and the same weight as Splink's."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import (
    Bar,
    Frequencies,
    JunkValues,
    LiveIndex,
    Person,
    Weights,
    people_table,
    prepare,
    rows_of,
    whole,
)


def hashed(kind, value):
    return blake2b(f"{kind}\0{value}".encode(), key=b"the key of this shop", digest_size=16).digest()


@pytest.fixture(scope="module")
def kept(ready, model, tmp_path_factory):
    file = tmp_path_factory.mktemp("kept") / "frequencies.npz"
    Frequencies.of(ready, model, hashed).save(file)
    return file


def test_two_records_alone_weigh_what_they_weigh_among_all(small, kept, model, linked):
    told = Frequencies.load(kept, hashed)
    assert told.model == model.checksum()
    people = {row["id"]: row for row in small[0].to_pylist()}
    weights, checked, adjusted = Weights(model, told.share), 0, 0
    for one in [k for k in linked.links if k.by == "model"][::5]:
        pair = people_table([]).from_pylist([people[one.a], people[one.b]], schema=small[0].schema)
        rows = rows_of(prepare(pair, Keys("GB"), junk=JunkValues({})))
        a, b = (told.cleaned(row) for row in rows)
        bars = weights.bars(a, b)
        assert whole(bars) == pytest.approx(one.weight, abs=1e-5)
        assert weights.weight(a, b) == pytest.approx(whole(bars), abs=1e-9)
        checked, adjusted = checked + 1, adjusted + any(bar.adjustment for bar in bars)
    assert checked > 50
    assert adjusted > 50, "how rare a value is counts"


def test_nobody_is_in_the_file_nor_can_be_looked_for_without_the_key(small, kept):
    said = kept.read_bytes().lower()
    for row in small[0].to_pylist():
        for field in ("last_name", "email", "street"):
            assert len(row[field] or "") < 6 or row[field].lower().encode() not in said
    stranger = Frequencies.load(kept, lambda kind, value: blake2b(f"{kind}{value}".encode()).digest())
    ours = Frequencies.load(kept, hashed)
    names = {row["city"].casefold() for row in small[0].to_pylist() if row["city"]}
    assert {stranger.share("city", name) for name in names} == {1 / ours.known["city"]}
    assert sum(ours.share("city", name) for name in names) == pytest.approx(1)


def test_what_cannot_be_read_is_as_if_it_was_not_there(kept, tmp_path):
    assert Frequencies.load(tmp_path / "none.npz", hashed) is None
    for cut in (0, 10, 200):
        (tmp_path / "cut.npz").write_bytes(kept.read_bytes()[:cut])
        assert Frequencies.load(tmp_path / "cut.npz", hashed) is None


def test_junk_is_no_evidence_for_two_records_alone(model):
    desk = [Person(id=str(n), first_name="Ann", last_name=name, email="desk@shop.example", strong={"user_id": "7"})
            for n, name in enumerate(("Lee", "Berg", "Smith", "Wolf", "Fox", "Katz", "Hahn"))]  # fmt: skip
    everybody = prepare(people_table(desk), Keys("GB"))
    told = Frequencies.of(everybody, model, hashed)
    alone = prepare(people_table(desk[:2]), Keys("GB"), junk=JunkValues({}))
    for row, as_prepared in zip(rows_of(alone), rows_of(everybody), strict=False):
        assert "desk@shop.example" in row
        assert told.cleaned(row) == as_prepared
    assert told.cleaned_strong({"user_id": "7"}) == {}
    assert told.cleaned_strong({"user_id": "8"}) == {"user_id": "8"}


def test_a_record_taken_out_of_the_index_leaves_nothing_of_its_own(ready, model):
    index = LiveIndex(ready, model)
    gone = index.candidates(ready, place=3, best=1)[0].id
    place = ready.ids.index(gone)
    values = {v for v in rows_of(ready)[place] if v and "@" in v}
    others = {v for n, row in enumerate(rows_of(ready)) if n != place for v in row if v}
    index.remove(gone)
    assert gone not in {c.id for c in index.candidates(ready, place=3, best=50)}
    held = {v for row in index._rows for v in row} | {
        v for shares in index._frequencies.values() for v in shares
    }
    assert not (values - others) & held


@given(st.lists(st.tuples(st.floats(-60, 60), st.floats(-20, 20)), max_size=12), st.randoms())
def test_a_waterfall_adds_up_in_any_order(bits, chance):
    bars = [Bar(str(n), "", weight, adjustment) for n, (weight, adjustment) in enumerate(bits)]
    total = whole(tuple(bars))
    chance.shuffle(bars)
    assert whole(tuple(bars)) == total
    assert total == pytest.approx(sum(w + a for w, a in bits), abs=1e-9)
