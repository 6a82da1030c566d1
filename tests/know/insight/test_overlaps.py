"""Overlaps against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.overlaps import overlaps


@given(st.integers(1, 60), st.integers(1, 5), st.randoms(use_true_random=False))
def test_every_count_is_what_counting_gives(size, segments, chance):
    sets = {f"s{at}": {i for i in range(size) if chance.random() < 0.4} for at in range(segments)}
    masks = {name: np.array([i in members for i in range(size)]) for name, members in sets.items()}
    seen = overlaps(masks, values=np.arange(size, dtype=float), most=1000)
    assert sum(c.customers for c in seen.combinations) == size == seen.everybody
    for combination in seen.combinations:
        exactly = [
            i for i in range(size) if {name for name in sets if i in sets[name]} == set(combination.segments)
        ]
        assert (combination.customers, combination.value) == (len(exactly), float(sum(exactly)))
    for pair in seen.pairs:
        one, other = sets[pair.one], sets[pair.other]
        assert pair.both == len(one & other)
        assert pair.jaccard == pytest.approx(len(one & other) / len(one | other) if one | other else 0)
        if one and other:
            assert pair.lift == pytest.approx(len(one & other) * size / len(one) / len(other))
            assert pair.lift_low <= pair.lift + 1e-9
            assert pair.lift <= pair.lift_high + 1e-9
        else:
            assert pair.lift is None


def test_bounds_and_lengths():
    mask = np.ones(3, bool)
    with pytest.raises(InvalidInput, match="63 segments"):
        overlaps({str(at): mask for at in range(63)})
    with pytest.raises(InvalidInput, match="different customers"):
        overlaps({"a": mask, "b": np.ones(4, bool)})
    seen = overlaps({f"s{at}": np.arange(100) % (at + 2) == 0 for at in range(8)}, most=5)
    assert len(seen.combinations) == 5
    assert seen.left_out > 0
