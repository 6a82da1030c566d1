"""Who is a regular, against customers drawn as regular, by chance, and gone."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.predict.advocacy import own_gaps, regulars


def crowd(shape: float, customers: int, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Customers with 1 to ``most`` gaps of Gamma shape, of a mean of their own; whole days."""
    draw = np.random.default_rng(seed)
    days, starts = [], []
    for _ in range(customers):
        gaps = draw.gamma(shape, draw.uniform(5, 60) / shape, draw.integers(1, most + 1))
        starts.append(sum(map(len, days)))
        days.append(np.cumsum(np.concatenate([[0.0], np.maximum(np.rint(gaps), 1)])))
    return np.array(starts), np.concatenate(days)


def share(shape: float) -> float:
    starts, days = crowd(shape, 3000, 30, 3)
    count, _, varied = own_gaps(starts, days)
    found = regulars(count=count, cv2=varied, active=np.ones(count.size, bool))
    return float(found[count >= 4].mean())


def test_who_comes_by_chance_is_seldom_taken_for_a_regular_and_who_comes_evenly_mostly_is() -> None:
    assert share(1.0) < 0.05
    assert share(8.0) > 0.9
    assert share(2.0) < share(4.0) < share(8.0)


def test_gaps_are_those_of_each_customer_whatever_their_length() -> None:
    starts, days = crowd(3.0, 200, 12, 5)
    count, mean, varied = own_gaps(starts, days)
    for row, begin in enumerate(starts.tolist()):
        own = np.diff(days[begin : begin + int(count[row]) + 1])
        assert mean[row] == pytest.approx(own.mean())
        assert varied[row] == pytest.approx(own.var(ddof=1) / own.mean() ** 2 if own.size > 1 else 0.0)
    again = own_gaps(starts, days * 7.0)
    assert again[2] == pytest.approx(varied), "weeks are as even as days"


def test_a_regular_has_gaps_enough_and_has_not_gone() -> None:
    assert not regulars(count=[3], cv2=[0.0], active=[True])[0]
    assert regulars(count=[4], cv2=[0.05], active=[True])[0]
    assert not regulars(count=[40], cv2=[0.05], active=[False])[0]
    assert own_gaps([], [])[0].size == 0
