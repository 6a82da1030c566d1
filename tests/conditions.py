"""Random conditions for property tests: any tree that can be written, and those that mean something."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

import shopkeeper.domain.events  # noqa: F401 - fills EVENTS
from shopkeeper.domain.catalogue import Catalogue, Goods
from shopkeeper.domain.condition import check, functions, tree
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.facts import EventFacts, event_facts
from shopkeeper.domain.errors import BadCondition
from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.money import Rates
from shopkeeper.domain.traits import Trait
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD

TRAITS: dict[str, Trait] = {trait.name: trait for trait in (*KNOWN, *FORETOLD)}
NAMES = sorted(EVENTS)

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")) | st.sampled_from("'%_\\\"();-"),
    min_size=1,
    max_size=12,
)
whole = st.integers(-(10**6), 10**6)
fractions = st.integers(-(10**9), 10**9).map(lambda n: n / 1000)
numbers = (whole | fractions).map(tree.number)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(lambda d: tree.Day(d.isoformat()))
times = st.integers(-(10**15), 4 * 10**15).map(tree.Time)
spans = st.builds(
    tree.Span, st.integers(0, 100), st.sampled_from(["minute", "hour", "day", "week", "month", "year"])
)
moments = st.builds(tree.Now) | st.builds(
    tree.Today, st.sampled_from(["day", "week", "month", "quarter", "year"])
)
literals = (
    numbers
    | texts.map(tree.Text)
    | st.booleans().map(tree.Truth)
    | st.just(tree.Null())
    | days
    | times
    | spans
    | moments
    | st.sampled_from(["orders", "state", "x", "_y2", "events", "last"]).map(tree.TraitRef)
)


def filters(deed: str) -> st.SearchStrategy[tree.Filter]:
    facts = st.sampled_from([fact.name for fact in functions.FACTS.values() if deed in fact.deeds])
    scalars = texts | whole | fractions.filter(lambda x: x != int(x)) | st.booleans()
    one = st.builds(
        tree.Filter, facts, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), st.tuples(scalars)
    )
    listed = st.lists(scalars, min_size=1, max_size=3).map(tuple)
    return one | st.builds(tree.Filter, facts, st.sampled_from(["in", "not in"]), listed)


def windows(ends: st.SearchStrategy[Any]) -> st.SearchStrategy[tree.Window]:
    return (
        st.just(tree.Window())
        | st.integers(1, 400).map(lambda n: tree.Window(days=n))
        | st.integers(1, 400).map(lambda n: tree.Window(hours=n))
        | st.builds(lambda a, b: tree.Window(since=a, before=b), ends | st.none(), ends | st.none())
    )


names = st.sampled_from([*NAMES, "Robot Waved", "it's"])
thens = st.none() | st.builds(
    lambda name, tests, never, days, amount: tree.Then(
        name, tests, never, amount if days else None, None if days else amount
    ),
    names,
    st.lists(filters("events"), max_size=2).map(tuple),
    st.booleans(),
    st.booleans(),
    st.integers(1, 100),
)


@st.composite
def behaviours(draw: Any) -> tree.Behaviour:
    """Any behaviour that can be written, sense or not."""
    deed = draw(st.sampled_from(["events", "first", "last", "orders", "spend"]))
    heard = deed not in ("orders", "spend")
    return tree.Behaviour(
        deed,
        tuple(draw(st.lists(names, min_size=1, max_size=2))) if heard else (),
        tuple(draw(st.lists(filters(deed), max_size=2))),
        draw(windows(days | times | moments | st.builds(tree.Arithmetic, st.just("-"), moments, spans))),
        draw(thens) if deed == "events" else None,
    )


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    calls = st.sampled_from(sorted(functions.CALLS)).flatmap(
        lambda name: st.lists(
            inner, min_size=functions.CALLS[name].least, max_size=min(3, functions.CALLS[name].most)
        ).map(lambda found: tree.Call(name, tuple(found)))
    )
    return (
        st.builds(tree.AllOf, several)
        | st.builds(tree.AnyOf, several)
        | st.builds(tree.Not, inner)
        | st.builds(tree.Compare, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), inner, inner)
        | st.builds(tree.Between, inner, inner, inner)
        | st.builds(tree.In, inner, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(tree.Like, inner, texts, st.booleans())
        | st.builds(tree.Is, inner, st.sampled_from(["null", "true", "false"]))
        | st.builds(tree.Arithmetic, st.sampled_from(["+", "-", "*", "/"]), inner, inner)
        | st.builds(tree.Negative, inner)
        | calls
    )


trees = st.recursive(literals | behaviours() | texts.map(tree.Segment), _grown, max_leaves=12)
"""Any tree that can be written."""


# Conditions that mean something -------------------------------------------------------------------------------------

TODAY = 20_179
"""2025-04-01: two days after clocks were put forward in Europe."""
DAY = 86_400_000_000
EVENTS_USED = (
    "Product Viewed",
    "Product Added",
    "Store Visited",
    "Email Opened",
    "Contact Opened",
    "Robot Waved",
)
CATEGORIES, STORES, CHANNELS = (
    ("Lighting", "Garden", ""),
    ("S1", "S2", "web", ""),
    ("web", "store", "app", ""),
)

small = st.integers(0, 5).map(tree.Number)
near_days = st.integers(TODAY - 60, TODAY + 30).map(
    lambda n: tree.Day((date(1970, 1, 1) + timedelta(n)).isoformat())
)
near_times = st.integers((TODAY - 60) * DAY, (TODAY + 30) * DAY).map(tree.Time)
fixed = st.builds(tree.Span, st.integers(0, 40), st.sampled_from(["minute", "hour", "day", "week"]))
calendar = st.builds(tree.Span, st.integers(0, 6), st.sampled_from(["day", "week", "month", "year"]))
signs = st.sampled_from(["+", "-"])
traits_of: dict[str, list[str]] = {}
for _trait in TRAITS.values():
    _kind = (
        "day"
        if _trait.day
        else {"int": "number", "float": "number", "money": "number"}.get(_trait.kind, _trait.kind)
    )
    traits_of.setdefault(_kind, []).append(_trait.name)


def _refs(kind: str, *chosen: str) -> st.SearchStrategy[tree.TraitRef]:
    return st.sampled_from(chosen or traits_of[kind]).map(tree.TraitRef)


moving_days = st.builds(
    tree.Arithmetic, st.just("-"), st.builds(tree.Today, st.sampled_from(["day", "week", "month"])), calendar
)
moving_times = st.builds(tree.Arithmetic, signs, st.builds(tree.Now), fixed)
ends = (
    near_days
    | near_times
    | moving_days
    | st.builds(tree.Arithmetic, st.just("-"), st.builds(tree.Now), fixed)
)


def _facts(*facts: str) -> st.SearchStrategy[tuple[tree.Filter, ...]]:
    values = {"category": CATEGORIES, "store": STORES, "channel": CHANNELS}
    one = st.sampled_from(facts).flatmap(
        lambda fact: (
            st.builds(
                tree.Filter,
                st.just(fact),
                st.sampled_from(["=", "<>"]),
                st.tuples(st.sampled_from(values[fact][:-1])),
            )
            | st.builds(
                tree.Filter,
                st.just(fact),
                st.sampled_from(["in", "not in"]),
                st.lists(st.sampled_from(values[fact][:-1]), min_size=1, max_size=2).map(tuple),
            )
        )
    )
    return st.lists(one, max_size=2).map(tuple)


amounts = st.builds(
    tree.Filter,
    st.just("amount"),
    st.sampled_from(["<", ">=", "="]),
    st.tuples(st.integers(0, 6).map(lambda n: n * 5)),
)


@st.composite
def sensible(draw: Any, *deeds: str) -> tree.Behaviour:
    """A behaviour that means something."""
    deed = draw(st.sampled_from(deeds))
    window = draw(
        st.just(tree.Window())
        | st.integers(1, 40).map(lambda n: tree.Window(days=n))
        | st.integers(1, 100).map(lambda n: tree.Window(hours=n))
        | st.builds(lambda a: tree.Window(since=a), ends)
        | st.builds(lambda a: tree.Window(before=a), ends)
        | st.builds(lambda a, b: tree.Window(since=a, before=b), moving_days | moving_times, moving_days)
    )
    if deed in ("orders", "spend"):
        tests = draw(_facts("category", "store", "channel"))
        if deed == "orders" and draw(st.booleans()):
            tests = (*tests, draw(amounts))
        return tree.Behaviour(deed, (), tests, window)
    name = draw(st.sampled_from([*EVENTS_USED, "Order Completed", "Order Refunded"]))
    facts = {"Product Viewed": ("category", "store", "channel"), "Order Completed": ("category", "store")}
    tests = draw(_facts(*facts.get(name, ("channel",))))
    then = None
    if deed == "events" and draw(st.booleans()):
        then = tree.Then(
            draw(st.sampled_from(["Order Completed", name])),
            draw(_facts("channel")),
            draw(st.booleans()),
            *draw(st.sampled_from([(3, None), (None, 5), (20, None)])),
        )
    return tree.Behaviour(deed, (name,), tests, window, then)


def values(depth: int) -> dict[str, st.SearchStrategy[Any]]:
    """Values of each kind, so deep."""
    number = small | _refs("number", "orders", "revenue", "p_alive", "days_since_order", "mean_gap") | numbers
    text = _refs("text", "country", "state", "favourite_category")
    day = (
        near_days
        | _refs("day", "last_order", "first_order", "fading_since")
        | moving_days
        | st.builds(tree.Today)
    )
    time = near_times | _refs("time") | moving_times | st.builds(tree.Now)
    number |= sensible("events", "orders", "spend")
    time |= sensible("first", "last")
    span = fixed
    if depth > 0:
        less = values(depth - 1)
        n, d, t = less["number"], less["day"], less["time"]
        number |= st.builds(tree.Arithmetic, st.sampled_from(["+", "-", "*", "/"]), n, n)
        number |= st.builds(tree.Arithmetic, st.just("-"), d, d)
        number |= st.builds(
            lambda f, args: tree.Call(f, tuple(args)),
            st.sampled_from(["least", "greatest", "coalesce"]),
            st.lists(n, min_size=2, max_size=3),
        )
        number |= st.builds(lambda x, k: tree.Call("round", (x, tree.Number(k))), n, st.integers(0, 3))
        number |= n.map(lambda x: tree.Call("abs", (x,)))
        number |= _refs("texts").map(lambda x: tree.Call("size", (x,)))
        text |= text.map(lambda x: tree.Call("lower", (x,)))
        day |= st.builds(tree.Arithmetic, signs, d, calendar) | t.map(lambda x: tree.Call("day", (x,)))
        time |= st.builds(tree.Arithmetic, signs, t, fixed)
        span |= st.builds(tree.Arithmetic, st.just("-"), t, t)
    return {"number": number, "text": text, "day": day, "time": time, "span": span}


_PRODUCTS = (tree.Text("p1"), tree.Text("p2"))
compares = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def _leaves(depth: int) -> st.SearchStrategy[Any]:
    of = values(depth)
    words = st.sampled_from(["France", "france", "Lighting", "Fran%", "%"])
    pairs = [of[kind] for kind in ("number", "day", "time", "span")]
    found = st.one_of(
        [st.builds(tree.Compare, compares, one, one) for one in pairs]
        + [st.builds(tree.Compare, compares, of["time"], of["day"])]
        + [st.builds(tree.Between, one, one, one) for one in pairs]
        + [st.builds(lambda x: tree.Is(x, "null"), one) for one in (*pairs, of["text"])]
    )
    found |= st.builds(
        tree.In, of["number"], st.lists(small | st.just(tree.Null()), min_size=1, max_size=3).map(tuple)
    )
    found |= st.builds(
        tree.Compare, st.sampled_from(["=", "<>"]), _refs("text", "country"), words.map(tree.Text)
    )
    found |= st.builds(tree.In, _refs("text", "state"), st.just((tree.Text("new"), tree.Text("fading"))))
    found |= st.builds(tree.Like, of["text"], words, st.booleans())
    some = st.sampled_from([("has", 1), ("has_any", 2), ("has_all", 2)])
    found |= some.map(
        lambda one: tree.Call(one[0], (tree.TraitRef("looked_not_bought"), *_PRODUCTS[: one[1]]))
    )
    found |= st.builds(
        lambda a, b: tree.Call("coalesce", (a, b)),
        _refs("bool"),
        st.booleans().map(tree.Truth) | _refs("bool"),
    )
    return found | _refs("bool") | sensible("events", "orders") | st.just(tree.Segment("vip"))


def _joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return (
        st.builds(tree.AllOf, several)
        | st.builds(tree.AnyOf, several)
        | st.builds(tree.Not, inner)
        | st.builds(tree.Is, inner, st.sampled_from(["true", "false"]))
    )


def _means(node: Any) -> bool:
    try:
        check(node, TRAITS)
    except BadCondition:
        return False
    return True


conditions = st.recursive(_leaves(1), _joined, max_leaves=4).filter(_means)
"""Conditions that mean something, about what the customers below did."""

nowadays = st.integers((TODAY - 5) * DAY, (TODAY + 5) * DAY)
"""Instants at which to ask."""


@st.composite
def customers(draw: Any) -> tuple[dict[str, Any], list[EventFacts]]:
    """Traits (some unknown) and events of a customer, in no order; some are dated ahead."""
    chance = Random(draw(st.integers(0, 10**6)))
    traits: dict[str, Any] = {}
    for name, trait in TRAITS.items():
        if chance.random() < 0.3:
            continue
        if trait.kind in ("int", "float", "money"):
            traits[name] = chance.choice([0, 1, 2, 3, 5, 0.5, 2.25, 100.0])
        elif trait.kind == "text":
            traits[name] = chance.choice(trait.values or ("France", "Lighting", ""))
        elif trait.kind == "bool":
            traits[name] = chance.random() < 0.5
        elif trait.kind == "time":
            at = chance.randint((TODAY - 50) * DAY, TODAY * DAY)
            traits[name] = at // DAY * DAY if trait.day else at
        else:
            traits[name] = chance.sample(["p1", "p2"], chance.randint(0, 2))
    return traits, draw(st.lists(_events(), max_size=12, unique_by=lambda event: event.at))


@st.composite
def _events(draw: Any) -> EventFacts:
    at = draw(st.integers((TODAY - 50) * 24, (TODAY + 5) * 24)) * DAY // 24 + draw(st.integers(0, 3))
    name = draw(
        st.sampled_from(
            [
                *EVENTS_USED,
                *["Order Completed"] * 3,
                "Order Updated",
                "Order Lines Added",
                "Order Refunded",
                "Order Cancelled",
            ]
        )
    )
    payload: dict[str, Any] = {"store": draw(st.sampled_from(STORES))}
    if name.startswith("Order"):
        payload["order_id"] = draw(st.sampled_from(["o1", "o2", "o3", ""]))
        payload["currency"] = draw(st.sampled_from(["", "EUR", "GBP", "XXX"]))
        lines = draw(st.lists(st.tuples(st.sampled_from(CATEGORIES), st.integers(0, 2000)), max_size=2))
        payload["products"] = [
            {"product_id": f"p{n}", "category": category, "amount": amount}
            for n, (category, amount) in enumerate(lines)
        ]
        payload["amount"] = sum(amount for _, amount in lines) - draw(st.integers(0, 1)) * 5
    else:
        payload |= {
            "product_id": draw(st.sampled_from(["p0", "p1", ""])),
            "category": draw(st.sampled_from(CATEGORIES)),
        }
        payload["machine"] = name == "Email Opened" and draw(st.booleans())
    return event_facts(
        name,
        at,
        json.dumps(payload).encode(),
        key=at.to_bytes(8, "big"),
        channel=draw(st.sampled_from(CHANNELS)),
    )


CATALOGUE = Catalogue(
    goods={"p0": Goods("Lighting", "", None, tangible=True), "p1": Goods("Garden", "", None, tangible=True)},
    rates=Rates("GBP", [("EUR", TODAY - 40, 0.8), ("EUR", TODAY - 10, 0.9)]),
    zone="Europe/Berlin",
)


class Someone:
    """A customer's facts, from traits and events, for a predicate."""

    def __init__(
        self, predicate: Predicate, traits: dict[str, Any], events: Iterable[EventFacts], segments: Any = ()
    ) -> None:
        self.traits = traits
        self.states = {term.key: term.new() for term in predicate.terms}
        self.segments = segments
        for event in events:
            for term in predicate.terms:
                term.add(self.states[term.key], event)

    def trait(self, name: str) -> Any:
        return self.traits.get(name)

    def state(self, key: str) -> Any:
        return self.states[key]

    def member(self, segment: str) -> bool:
        return segment in self.segments


@st.composite
def timely(draw: Any) -> tuple[tree.Value, list[EventFacts], int]:
    """A condition that time changes, a customer with events it counts, and an instant among them."""
    behaviour = draw(sensible("events", "events", "orders", "spend", "first", "last"))
    chance = Random(draw(st.integers(0, 10**6)))
    names = [*behaviour.names, behaviour.then.name] if behaviour.then else [*behaviour.names]
    names = names or [
        "Order Completed",
        "Order Completed",
        "Order Refunded",
        "Order Updated",
        "Order Cancelled",
    ]
    events = []
    for n in range(draw(st.integers(1, 6))):
        at = (TODAY * 24 + chance.randint(-24 * 45, 24 * 3)) * DAY // 24 + chance.randint(0, 2)
        payload: dict[str, Any] = {
            "category": "Lighting",
            "product_id": "p0",
            "store": chance.choice(["S1", "web"]),
        }
        if (name := chance.choice(names)).startswith("Order"):
            line = {"category": chance.choice(["Lighting", "Garden"]), "amount": 500}
            payload = {
                "order_id": f"o{chance.randint(1, 4)}",
                "amount": 500,
                "products": [line],
                "store": "S1",
            }
        events.append(
            event_facts(
                name,
                at,
                json.dumps(payload).encode(),
                key=bytes([n]),
                channel=chance.choice(["web", "store"]),
            )
        )
    if behaviour.deed in ("first", "last"):
        other = draw(moving_times | near_times | st.just(tree.Null()))
        node: Any = tree.Is(behaviour, "null")
        if not isinstance(other, tree.Null):
            node = tree.Compare(draw(compares), behaviour, other)
    else:
        most = 10 if behaviour.deed == "spend" else 2
        node = tree.Compare(draw(compares), behaviour, tree.Number(chance.randint(0, most)))
    now = chance.choice(events).at + chance.choice([0, 1, -1, 5, 60, 24, 72, 480]) * DAY // 24
    if chance.random() < 0.3:
        node = chance.choice([tree.AllOf, tree.AnyOf])(
            (node, tree.Compare("<", tree.TraitRef("last_order"), draw(moving_days)))
        )
    return node, events, now
