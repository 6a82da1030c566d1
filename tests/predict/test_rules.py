"""The rules as rivals: by hand, and as distributions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.predict.value import Hiatus, LastPeriod, RepeatRate
from shopkeeper.predict.value.rules import SteadyFuture, hiatus_limit

HISTORY = {"frequency": [4, 4, 0], "recency": [7.0, 2.0, 0.0], "T": [8.0, 8.0, 3.0]}


def test_each_rule_by_hand() -> None:
    assert RepeatRate(observed=8.0).future(**HISTORY).mean(4.0).tolist() == [2.0, 2.0, 0.0]
    assert LastPeriod(period=4.0).of_counts([3, 0, 1]).mean(4.0).tolist() == [3.0, 0.0, 1.0]
    assert Hiatus(limit=5.0, observed=8.0).future(**HISTORY).mean(4.0).tolist() == [2.0, 0.0, 0.0]


@settings(deadline=None, max_examples=25)
@given(
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=5),
    observed=st.floats(0.5, 200),
    t=st.floats(0.1, 100),
)
def test_a_rule_is_a_full_distribution(counts: list[int], observed: float, t: float) -> None:
    future = SteadyFuture(np.array(counts, dtype=np.float64), observed)
    mean, square = future.mean(t), future.square(t)
    top = int((mean + 8 * np.sqrt(np.maximum(square - mean**2, 0.0))).max()) + 40
    tails = [future.at_least(float(k), t) for k in range(1, min(top, 1000))]
    assert all((later <= before + 1e-12).all() for before, later in pairwise(tails))
    if top < 1000:
        np.testing.assert_allclose(np.sum(tails, axis=0), mean, rtol=1e-3, atol=1e-6)
    assert (square >= mean**2).all()
    part = future.take(np.array([0]))
    assert part.mean(t)[0] == mean[0]
    assert (future.discounted(t, 0.01) <= mean + 1e-12).all()


def test_a_shop_that_was_not_observed_expects_nothing() -> None:
    assert RepeatRate(observed=0.0).future(frequency=[0], recency=[0], T=[0]).mean(10.0).tolist() == [0.0]


def test_the_limit_of_a_hiatus_tells_those_who_came_back() -> None:
    rng = np.random.default_rng(0)
    silence = np.concatenate([rng.uniform(0, 10, 50), rng.uniform(8, 40, 450)])
    back = np.arange(500) < 50
    limit = hiatus_limit(silence, back)
    assert 7.0 < limit < 12.0  # few came back: the share of all told right would take everybody as gone
    assert hiatus_limit(np.empty(0), np.empty(0, dtype=bool)) == 0.0


@pytest.mark.parametrize("back", [True, False])
def test_a_hiatus_with_one_kind_only(*, back: bool) -> None:
    assert np.isfinite(hiatus_limit(np.array([1.0, 2.0, 3.0]), np.full(3, back)))
