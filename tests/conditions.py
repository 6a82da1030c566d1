"""Random conditions for property tests: any tree that can be written, and those that mean something."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from shopkeeper.domain.condition import functions, tree
from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.traits import Trait
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD

TRAITS: dict[str, Trait] = {trait.name: trait for trait in (*KNOWN, *FORETOLD)}
NAMES = sorted(EVENTS)

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("'%_\\\"();-"), min_size=1, max_size=12
)
whole = st.integers(-(10**6), 10**6)
fractions = st.integers(-(10**9), 10**9).map(lambda n: n / 1000)
numbers = (whole | fractions).map(tree.number)
days = st.dates().filter(lambda d: d.year > 1000).map(lambda d: tree.Day(d.isoformat()))
times = st.integers(-(10**15), 4 * 10**15).map(tree.Time)
spans = st.builds(
    tree.Span, st.integers(0, 1000), st.sampled_from(["minute", "hour", "day", "week", "month", "year"])
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
    | st.sampled_from(["orders", "state", "x", "_y2", "events", "last", "date", "interval"]).map(
        tree.TraitRef
    )
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
