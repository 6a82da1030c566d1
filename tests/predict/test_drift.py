"""Drift: what moved is told, what did not is not, and chance is no news."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict import drift

seeds = st.integers(0, 2**32 - 1)


def test_the_index_is_the_sum_over_tenths_that_books_give():
    before = np.arange(1000.0)
    now = np.concatenate((np.arange(500.0), np.arange(500.0)))  # all in the lower half
    index, _ = drift.stability(before, now)
    lower, upper = 0.1 * np.log(0.2 / 0.1), (1e-4 - 0.1) * np.log(1e-4 / 0.1)
    assert index == pytest.approx(5 * (lower + upper), rel=0.02)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([300, 3000]))
def test_the_same_distribution_drawn_twice_is_no_news(seed, size):
    rng = np.random.default_rng(seed)
    before, now = rng.lognormal(3, 1, size), rng.lognormal(3, 1, size)
    before[: size // 2] = now[: size // 3] = 0.0  # ties are told apart from others
    now[size // 3 : size // 2] = 0.0
    assert not drift.shift("value", before, now).moved


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(1.5, 4.0))
def test_values_that_grow_by_half_are_told(seed, times):
    before = np.random.default_rng(seed).lognormal(3, 1, 2000)
    found = drift.shift("value", before, before * times)
    assert found.moved
    assert found.psi > found.noise
    assert found.now == pytest.approx(found.before * times)


def test_a_few_customers_are_too_few_to_tell():
    assert not drift.shift("value", np.arange(50.0), np.arange(50.0) * 9).moved


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(1, 40), st.floats(0, 1e4)),
    st.dictionaries(st.integers(1, 40), st.floats(0, 1e4)),
    seeds,
)
def test_the_parts_add_up_to_the_change(before, now, seed):
    columns = [
        {
            "customer": np.array(sorted(one), dtype=np.int64),
            "value": np.array([one[k] for k in sorted(one)], float),
        }
        for one in (before, now)
    ]
    bought = np.random.default_rng(seed).random(len(now)) < 0.5
    parts = drift.changes(*columns, bought)
    assert sum(part.value for part in parts) == pytest.approx(
        sum(now.values()) - sum(before.values()), abs=1e-6
    )
    assert sum(part.customers for part in parts[:3]) == len(now)
    assert parts[3].customers == len(before.keys() - now.keys())


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_orders_as_foretold_are_within_and_twice_as_many_are_not(seed):
    rng = np.random.default_rng(seed)
    mean = rng.gamma(2.0, 0.2, 1000)
    came = rng.poisson(mean)
    found = drift.kept(mean, mean, came, level=1 - 1e-9)
    assert found[0].within
    assert len(found) == 11
    assert sum(row.orders for row in found[1:]) == found[0].orders == came.sum()
    assert sum(row.expected for row in found[1:]) == pytest.approx(found[0].expected)
    assert [row.expected for row in found[1:]] == sorted((row.expected for row in found[1:]), reverse=True)
    doubled = drift.kept(mean, mean, came * 2)
    assert not doubled[0].within
    assert "more orders came" in drift.warnings((), doubled, ())[0]


def test_orders_that_stop_are_told_however_unsure_the_level_is():
    """A shop that is off by half at once on its own past still does not expect silence."""
    mean, silent = np.full(500, 0.5), np.zeros(500, dtype=np.int64)
    for together in (0.0, 0.2, 0.4, 0.8):
        found = drift.kept(mean, mean, silent, together=together)
        assert 0 < found[0].low < 250 < found[0].high
        assert "fewer orders came" in drift.warnings((), found, ())[0]
    half = drift.kept(mean, mean, silent + (np.arange(500) < 125), together=0.4)
    assert half[0].within


def test_moves_count_everybody_once_and_lengths_must_agree():
    found = drift.moves(["active", "active", "new"], ["active", "fading", "active"])
    assert {(one.before, one.now): one.customers for one in found} == {
        ("active", "active"): 1,
        ("active", "fading"): 1,
        ("new", "active"): 1,
    }
    with pytest.raises(InvalidInput, match="length"):
        drift.moves(["active"], [])
    with pytest.raises(InvalidInput, match="length"):
        drift.kept(np.ones(2), np.ones(2), np.ones(3, dtype=np.int64))


def test_parameters_are_compared_in_standard_errors_of_the_same_model_only():
    before = {"orders": {"model": "bgnbd", "r": 0.2, "a": 1.0, "standard_errors": {"r": 0.01, "a": None}}}
    now = {"orders": {"model": "bgnbd", "r": 0.25, "a": 1.0, "standard_errors": {"r": 0.02, "a": None}}}
    found = {one.name: one.errors for one in drift.parameters(before, now)}
    assert found == {"r": pytest.approx(5.0), "a": None}
    parameters = drift.parameters(before, now)
    assert drift.warnings((), (), parameters) == ()  # they trade off against each other
    doubled = drift.kept(np.ones(400), np.ones(400), np.full(400, 2))
    assert drift.warnings((), doubled, parameters)[1:] == ("r of bgnbd moved by 5.0 standard errors",)
    assert drift.parameters(before, {"orders": now["orders"] | {"model": "mbgnbd"}}) == ()
    assert drift.parameters(before, {"orders": now["orders"] | {"by_order": False}}) == parameters
    assert drift.parameters(before, {"orders": now["orders"] | {"by_order": True}}) == ()
