from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.resolve.linkage.expectation import maximise


def mixture(share, m, u, n=200_000, seed=5):
    """Comparison vectors of pairs drawn from a known mixture, counted."""
    chance = np.random.default_rng(seed)
    matches = chance.random(n) < share
    columns = [
        np.where(matches, chance.choice(len(a), n, p=a), chance.choice(len(a), n, p=b))
        for a, b in zip(m, u, strict=True)
    ]
    vectors, counts = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    return vectors, counts.astype(float)


M = [(0.8, 0.15, 0.05), (0.9, 0.1), (0.7, 0.3)]
U = [(0.01, 0.09, 0.9), (0.02, 0.98), (0.05, 0.95)]
START = [(0.9, 0.05, 0.05), (0.9, 0.1), (0.9, 0.1)]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_what_made_the_pairs_is_found_again(share):
    found, m = maximise(*mixture(share, M, U), START, U)
    assert found == pytest.approx(share, rel=0.1)
    for levels, true in zip(m, M, strict=True):
        assert levels == pytest.approx(true, abs=0.03)


def test_what_is_not_known_teaches_nothing():
    vectors, counts = mixture(0.3, M, U)
    blind = np.concatenate([vectors, np.full((1, 3), -1)])
    found, m = maximise(blind, np.append(counts, 50_000.0), START, U)
    assert all(
        abs(a - b) < 0.05
        for levels, true in zip(m, M, strict=True)
        for a, b in zip(levels, true, strict=True)
    )
    assert 0 < found < 1


def test_no_probability_falls_to_zero():
    vectors, counts = np.array([[0, 0], [1, 1]]), np.array([1e6, 1e6])
    share, m = maximise(vectors, counts, [(0.9, 0.1)] * 2, [(1e-9, 1 - 1e-9)] * 2)
    assert 0 < share < 1
    assert all(0 < level < 1 for levels in m for level in levels)
