from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.resolve.linkage import Facts, Link, unite
from shopkeeper.resolve.linkage.union import NOBODY

ANN = Facts("ann", "lee", "19710624", None, {})


def united(facts, *links, **more):
    return unite(facts, [Link(*one) for one in links], facts.__getitem__, **more)


def test_twins_share_all_but_a_first_name_and_stay_two():
    facts = {"a": ANN, "b": ANN._replace(first_name="tim"), "c": ANN}
    found = united(facts, ("a", "b", 30.0), ("b", "c", 29.0), ("a", "c", 28.0))
    assert found.person_of == {"a": "a", "b": "b", "c": "a"}
    assert [r.reason for r in found.refused] == ["first name", "first name"]


def test_a_bridge_without_a_first_name_does_not_join_two_people():
    facts = {"a": ANN, "b": NOBODY, "c": ANN._replace(first_name="tim")}
    found = united(facts, ("a", "b", 9.0), ("b", "c", 8.0))
    assert found.person_of == {"a": "a", "b": "a", "c": "c"}


def test_two_of_one_name_are_not_joined_by_a_third_of_whom_only_the_name_is_known():
    bert = Facts("bert", "lee", None, None, {}, ("bert@lee.example", None, None, None))
    other = bert._replace(contacts=("other@lee.example", "077", None, None))
    facts = {"a": bert, "b": bert, "c": other, "d": other, "x": bert._replace(contacts=(None,) * 4)}
    links = [("a", "b", 30.0), ("c", "d", 30.0), ("a", "x", 5.0), ("c", "x", 4.0)]
    found = united(facts, *links)
    assert found.person_of == {"a": "a", "b": "a", "c": "c", "d": "c", "x": "a"}
    assert found.refused[0].reason == "bridge"
    facts["x"] = bert._replace(contacts=("bert@lee.example", "077", None, None))
    assert len(set(united(facts, *links).person_of.values())) == 1


def test_father_and_son_of_one_name_stay_two():
    facts = {"a": ANN, "b": ANN._replace(birthday="20021109")}
    assert united(facts, ("a", "b", 30.0)).refused[0].reason == "birthday"


def test_one_wrong_name_among_many_keeps_nobody_away():
    facts = dict.fromkeys("abcd", ANN) | {"x": ANN._replace(first_name="zyx"), "e": ANN}
    found = united(
        facts, *[("a", n, 30.0) for n in "bcd"], ("a", "x", 20.0), ("a", "e", 10.0), always=[("a", "x")]
    )
    assert set(found.person_of.values()) == {"a"}


def test_different_strong_identifiers_veto_and_equal_ones_do_not():
    card = {"loyalty_card": "1"}
    facts = {
        "a": ANN._replace(strong=card),
        "b": ANN._replace(strong=card),
        "c": ANN._replace(strong={"loyalty_card": "2"}),
    }
    found = united(facts, ("a", "b", 9.0), ("a", "c", 99.0), ("b", "c", 98.0))
    assert len(set(found.person_of.values())) == 2
    assert "loyalty_card" in {r.reason for r in found.refused}


def test_never_holds_across_a_detour_and_wins_over_always():
    facts = dict.fromkeys("abc", ANN)
    found = united(facts, ("a", "b", 9.0), ("b", "c", 9.0), never=[("a", "c")])
    assert found.person_of["a"] != found.person_of["c"]
    found = united(facts, always=[("a", "c")], never=[("c", "a")])
    assert found.person_of["a"] != found.person_of["c"]
    assert [r.reason for r in found.refused] == ["never"]


def test_always_joins_who_differ():
    facts = {"a": ANN, "b": ANN._replace(first_name="tim", birthday="20021109")}
    assert united(facts, always=[("b", "a")]).person_of == {"a": "a", "b": "a"}


def test_links_below_the_least_weight_are_not_followed():
    assert united({"a": ANN, "b": ANN}, ("a", "b", 1.0), least=2.0).person_of == {"a": "a", "b": "b"}


some_facts = st.builds(
    Facts,
    st.sampled_from([None, "ann", "anna", "tim", "t", "bob", "robert"]),
    st.just("lee"),
    st.sampled_from([None, "19710624", "19710642", "20021109"]),
    st.sampled_from([None, "77", "78"]),
    st.sampled_from([{}, {"card": "1"}, {"card": "2"}]),
    st.tuples(
        st.sampled_from([None, "a@b.example", "c@b.example"]),
        st.none(),
        st.sampled_from([None, "1"]),
        st.none(),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_partition_does_not_depend_on_the_order_of_rows(data):
    names = "abcdefgh"
    facts = {name: data.draw(some_facts) for name in names}
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda p: p[0] != p[1])
    weights = st.sampled_from([-1.0, 0.5, 1.0, 1.0, 7.0])
    links = [Link(a, b, w) for (a, b), w in data.draw(st.lists(st.tuples(pair, weights), max_size=20))]
    always, never = data.draw(st.lists(pair, max_size=2)), data.draw(st.lists(pair, max_size=2))
    first = unite(names, links, facts.__getitem__, always=always, never=never)
    chance = random.Random(data.draw(st.integers(0, 99)))
    turned = [one._replace(a=one.b, b=one.a) if chance.random() < 0.5 else one for one in links]
    chance.shuffle(turned)
    mixed = chance.sample(names, len(names))
    again = unite(mixed, turned, facts.__getitem__, always=always[::-1], never=[(b, a) for a, b in never])
    assert again.person_of == first.person_of
    assert [r.reason for r in again.refused] == [r.reason for r in first.refused]
    for a, b in never:
        assert first.person_of[a] != first.person_of[b]
