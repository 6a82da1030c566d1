"""Flows against following each customer by hand."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.flows import flows

SEGMENTS = ["champion", "loyal", "new"]
PASSINGS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([*SEGMENTS, "other"]), st.integers(0, 40), st.booleans()),
    max_size=40,
)


def asked(rows, boundaries):
    who, what, when, into = zip(*rows, strict=True) if rows else ((), (), (), ())
    return flows(
        customer=who, segment=np.array(what, dtype=object), at=when, entered=into,
        boundaries=[instant(at) for at in boundaries], segments=SEGMENTS,
    )  # fmt: skip


@given(PASSINGS, st.lists(st.integers(1, 45), min_size=2, max_size=5, unique=True).map(sorted))
def test_flows_are_what_following_each_customer_gives(rows, boundaries):
    rows = sorted(rows, key=lambda row: row[2])  # in the order in which they happened
    seen = asked(rows, boundaries)
    people = {who for who, what, at, _ in rows if what in SEGMENTS and at <= boundaries[-1]}

    def members(who, until):
        inside = set()
        for customer, what, at, into in rows:
            if customer == who and at <= until and what in SEGMENTS:
                (inside.add if into else inside.discard)(what)
        return inside

    def stands(who, until):
        return next((name for name in SEGMENTS if name in members(who, until)), "")

    expected = Counter()
    for period, (start, end) in enumerate(pairwise(boundaries)):
        for who in people:
            expected[period, stands(who, start), stands(who, end)] += 1
    assert {(f.period, f.source, f.target): f.customers for f in seen.flows} == dict(expected)
    for told in seen.traffic:
        start, end = boundaries[told.period], boundaries[told.period + 1]
        assert told.at_start == sum(told.segment in members(who, start) for who in people)
        assert told.at_end == sum(told.segment in members(who, end) for who in people)
        assert told.at_start + told.entered - told.left == told.at_end
    assert seen.customers == len(people)
    for period, source in {(f.period, f.source) for f in seen.flows}:
        shares = [f.share for f in seen.flows if (f.period, f.source) == (period, source)]
        assert sum(shares) == pytest.approx(1)


def test_the_picture_joins_up():
    rows = [(1, "new", 0, True), (2, "new", 0, True), (1, "new", 15, False), (1, "loyal", 15, True)]
    picture = asked(rows, [10, 20, 30]).sankey()
    names = {node["name"] for node in picture["nodes"]}
    assert names == {"new@0", "new@1", "loyal@1", "new@2", "loyal@2"}
    assert {"source": "new@0", "target": "loyal@1", "value": 1} in picture["links"]
    assert sum(link["value"] for link in picture["links"]) == 4


def test_what_is_refused():
    with pytest.raises(InvalidInput, match="two or more boundaries"):
        asked([], [5])
    with pytest.raises(InvalidInput, match="differ in length"):
        flows(
            customer=[1, 2],
            segment=["a"],
            at=[1],
            entered=[True],
            boundaries=[instant(1), instant(2)],
            segments=["a"],
        )
    assert asked([], [5, 6]).flows == ()
