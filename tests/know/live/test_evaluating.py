"""What is kept up step by step is what a look at everything says, whatever happens and however time passes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conditions import CATALOGUE, TODAY, TRAITS, Someone, conditions, customers
from tests.usual_segments import HOUR, happenings, usual

from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition import check, tree
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.facts import EventFacts, event_facts
from shopkeeper.domain.condition.orderbook import NAMES as ORDER_NAMES
from shopkeeper.domain.condition.profiling import of_those_who_do_not_object
from shopkeeper.know.live.evaluating import Evaluator
from shopkeeper.know.live.hearing import ORDERS
from shopkeeper.know.live.held import Held, bits, numbers, pack, unpack
from shopkeeper.know.live.masks import Bounded, Worded, stepped, worded
from shopkeeper.know.live.network import InForce, Network
from shopkeeper.know.live.operands import key_of
from shopkeeper.know.live.person import Values

VIP = check("orders >= 2 and not events('Store Visited', days => 3)", TRAITS)


class Drawn(Values):
    """Traits as they are drawn, instead of those of a record."""

    def __init__(self, names: list[str]) -> None:
        self.foretold = tuple(names)
        self.nobody = dict.fromkeys(names)


def alone(network: Network) -> list[tuple[Any, Predicate]]:
    """Each condition by itself, with nothing that it shares with others."""
    return [(rule, Predicate(rule.condition, TRAITS, CATALOGUE)) for rule in network.rules]


def truth(
    rules: list[tuple[Any, Predicate]], traits: dict[str, Any], events: list[EventFacts], now: int
) -> set[int]:
    """The segments somebody is in, from everything, one condition after another."""
    inside: set[int] = set()
    names: set[str] = set()
    for rule, predicate in rules:
        if predicate.holds(Someone(predicate, traits, events, names), now):
            inside.add(rule.segment)
            names.add(rule.name)
    return inside


def network_of(trees: list[tree.Value]) -> Network:
    told = [InForce(1, "vip", 1, VIP)]
    found = [check(one, TRAITS) for one in trees]
    found[::2] = [of_those_who_do_not_object(one) for one in found[::2]]  # as a shop has them
    told += [InForce(n, f"s{n}", 1, one) for n, one in enumerate(found, 2)]
    return Network(told, TRAITS, CATALOGUE, 1.0, {one.name: one.segment for one in told})


def life(network: Network, moves: Iterator[tuple[str, Any]]) -> int:
    """Keep a customer up through what happens and compare after each step; returns how many answers were compared."""
    names = sorted({name for rule in network.rules for name in rule.condition.traits})
    values = Drawn(names)
    now = (TODAY - 40) * DAY
    old: dict[str, Any] = dict(values.nobody)
    rules = alone(network)
    held = Evaluator(network, values, now, {}).fresh(7)
    assert held.inside == bits(truth(rules, old, [], now))
    heard: list[EventFacts] = []
    clock = network.next_for_all(now)
    compared = 0
    for what, told in moves:
        new, news = old, []
        if what == "time":
            now += told
        elif what == "traits":
            new = {name: told.get(name) for name in names}
        elif what == "events":
            keys = {event.key for event in heard}
            news = [event for event in told if event.key not in keys]
        heard += news
        evaluator = Evaluator(network, values, now, {})
        held = unpack(pack(held))
        if what == "whole" or (clock and clock[0] <= now) or held.following.get(ORDERS, now + 1) <= now:
            evaluator.whole(7, held, new, heard)
            clock = network.next_for_all(now)
        elif what != "time" or held.next() <= now:
            ids = [event.told.order_id for event in heard if event.name in ORDER_NAMES]
            again = any(
                e.told.order_id and ids.count(e.told.order_id) > 1 for e in news if e.name in ORDER_NAMES
            )
            orders = [event for event in heard if event.name in ORDER_NAMES] if again else None
            evaluator.changed(7, held, old, new, news, orders)
        old = new
        assert held.inside == bits(truth(rules, old, heard, now)), what
        assert held.next() > now
        compared += len(network.rules)
    return compared


steps = st.one_of(
    st.tuples(st.just("events"), customers().map(lambda drawn: drawn[1][:4])),
    st.tuples(st.just("traits"), customers().map(lambda drawn: drawn[0])),
    st.tuples(st.just("time"), st.integers(0, 20 * 24).map(lambda hours: hours * DAY // 24)),
    st.tuples(st.just("whole"), st.none()),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(conditions, min_size=1, max_size=4), st.lists(steps, min_size=2, max_size=8))
def test_any_conditions_and_any_customers(trees: list[tree.Value], happens: list[Any]) -> None:
    life(network_of(trees), iter(happens))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_step_by_step_is_all_at_once(seed: int) -> None:
    """About what segments are usually about, so that nearly every step changes some answer."""
    chance = Random(seed)
    network = network_of([check(usual(chance), TRAITS).tree for _ in range(6)])
    assert life(network, happenings(chance, 40)) == 7 * 40


def test_what_is_not_known_meets_no_comparison_however_it_is_negated() -> None:
    """Nothing, an empty text, a number that is none: read past the values that conditions are compiled with."""
    france, many = "country = 'France'", "orders > 2"
    texts = [f"{what}({one})" for one in (france, many, "state in ('new')") for what in ("not ", "not not ")]
    texts += [f"({one}) is {what}" for one in (france, many) for what in ("not true", "false", "not false")]
    texts += [f"{one} is null" for one in ("country", "orders", "omnichannel", "looked_not_bought")]
    texts += [
        "country <> 'France'",
        "country not in ('France', 'X')",
        "not omnichannel",
        "omnichannel is not true",
    ]
    texts += ["not has(looked_not_bought, 'p1')", f"not ({france}) and orders > 1"]
    chance = Random(1)
    values: dict[str, tuple[Any, ...]] = {
        "country": (None, "", "France", "X"), "orders": (None, 0, 2, 3, float("nan")), "state": (None, "", "new"),
        "omnichannel": (None, True, False), "looked_not_bought": (None, [], ["p1"], ["p1", "p2"]),
        "objects_to_profiling": (None, True, False, False),
    }  # fmt: skip
    drawn = [("traits", {name: chance.choice(some) for name, some in values.items()}) for _ in range(150)]
    network = network_of([check(text, TRAITS).tree for text in texts])
    assert life(network, iter(drawn)) == 150 * len(network.rules)


def test_conditions_are_asked_only_where_something_between_their_bounds_changed() -> None:
    """With an objection in every one of them, as ``definitions`` hands them over."""
    told = [
        InForce(n, f"s{n}", 1, of_those_who_do_not_object(check(f"orders >= {n} and revenue > {n}", TRAITS)))
        for n in range(1, 201)
    ]
    network = Network(told, TRAITS, CATALOGUE, 1.0, {one.name: one.segment for one in told})
    asked: list[int] = []
    for rule in network.rules:

        def answer(person: Any, now: int, rule: Any = rule) -> Any:
            asked.append(rule.segment)
            return rule.predicate.answer(person, now)

        rule.answer = answer
    now = TODAY * DAY
    before: dict[str, Any] = {"orders": 100, "revenue": 150.5, "objects_to_profiling": False}
    evaluator = Evaluator(network, Drawn(sorted(before)), now, {})
    held = evaluator.fresh(7)
    evaluator.whole(7, held, before, ())
    asked.clear()
    evaluator.changed(7, held, before, before | {"orders": 101, "revenue": 160.0})
    assert held.inside == bits(range(1, 102))
    assert not asked
    evaluator.changed(
        7, held, before | {"orders": 101, "revenue": 160.0}, before | {"objects_to_profiling": True}
    )
    assert not held.inside


def test_what_was_kept_in_one_before_is_kept_in_two() -> None:
    """Bodies of before: segments as a set, and what was to follow with each behaviour that it was to follow."""
    old = {
        "at": 5,
        "inside": [3, 9],
        "states": {7: {"k": 2, "times": [1, 2], "then": [4]}, 8: {"k": 2, "times": [], "then": [4, 5]}},
        "following": {7: 11},
        "due": 11,
    }
    held = unpack(msgspec.msgpack.encode(old), {7: (70, 100), 8: (80, 100)})
    assert numbers(held.inside) == [3, 9]
    assert (held.at, held.following, held.due) == (5, {7: 11}, 11)
    assert {key: state.times for key, state in held.states.items()} == {70: [1, 2], 100: [4, 5]}
    assert unpack(pack(held)) == held


def test_what_followed_before_goes_on_to_count() -> None:
    text = "events('Store Visited', then => 'Order Completed', within_hours => 24)"
    network = network_of([check(text, TRAITS).tree])
    (key,) = [key_of(term.key) for term in network.known.values() if term.key in network.then_keys]
    now = TODAY * DAY
    body = msgspec.msgpack.encode({"states": {key: {"k": 2, "times": [now - HOUR], "then": []}}})
    held = unpack(body, network.moved)
    values = Drawn([])
    ordered = event_facts("Order Completed", now, b'{"order_id": "o"}', key=b"k")
    Evaluator(network, values, now, {}).changed(7, held, {}, {}, [ordered])
    assert held.inside >> 2 & 1


def test_an_order_found_by_two_of_its_lines_is_heard_once() -> None:
    """And an event named twice, and a value named twice."""
    texts = [
        f"{deed}, category => ('A', 'B'){window}) >= 2"
        for deed, window in (("events('Order Completed'", ", days => 30"), ("orders(store => 'S1'", ""))
    ]
    texts += [
        "events('Order Completed', 'Order Completed') >= 2",
        "events('Order Completed', store => ('S1', 'S1'), days => 30) >= 2",
        "spend(category => ('A', 'B')) > 5",
    ]
    network = network_of([check(text, TRAITS).tree for text in texts])
    lines = (
        b'{"order_id": "o", "store": "S1", "net": 300, "products": ['
        b'{"product_id": "p", "category": "A", "net": 200}, {"product_id": "q", "category": "B", "net": 100}]}'
    )
    values = Drawn(["objects_to_profiling", "orders"])
    now = TODAY * DAY
    held = Evaluator(network, values, now, {}).fresh(7)
    told = event_facts("Order Completed", now, lines, key=b"k")
    Evaluator(network, values, now, {}).changed(7, held, values.nobody, values.nobody, [told])
    rules = alone(network)
    assert held.inside == bits(truth(rules, values.nobody, [told], now))
    again = event_facts("Order Completed", now + 1, lines.replace(b'"o"', b'"oo"'), key=b"kk")
    Evaluator(network, values, now + 1, {}).changed(7, held, values.nobody, values.nobody, [again])
    assert held.inside == bits(truth(rules, values.nobody, [told, again], now + 1))
    assert numbers(held.inside) == [2, 3, 4, 5]


def test_many_segments_are_kept_in_the_shorter_way() -> None:
    for inside in (0, bits([1]), bits([5, 90_000]), bits(range(1, 2_000)), bits([600])):
        body = pack(Held(1, inside))
        assert unpack(body).inside == inside
        assert len(body) < 300


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=3)),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_places_between_bounds_allow_what_comparisons_say(drawn: list[Any]) -> None:
    rules = {1 << n: [Bounded(wanted, tuple(bounds))] for n, (wanted, bounds) in enumerate(drawn)}
    full = (1 << 6) - 1
    masks = stepped(full, rules, 7)
    for place, mask in enumerate(masks):
        for n, (wanted, bounds) in enumerate(drawn):
            true = all((bound < place) is rises for bound, rises in bounds)
            assert bool(mask >> n & 1) is (true is wanted)
        assert mask >> len(drawn) == full >> len(drawn)


def test_words_allow_what_comparisons_say() -> None:
    rules = {
        1: [Worded(True, frozenset("ab")), Worded(False, frozenset("b"))],
        2: [Worded(False, frozenset("a"))],
    }
    other, of = worded(0b111, rules)
    assert (other, of) == (0b110, {"a": 0b101, "b": 0b110})
