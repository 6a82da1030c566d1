"""Simulated customers for what is said of silence, drawn by other means than the models assume. Days are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

START = 18_262
"""2020-01-01."""
YEARS = 4


class World(NamedTuple):
    """Purchase days, one entry each: who and when; and the day each customer left, ``FOREVER`` for who never does."""

    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    left: NDArray[np.int64]


FOREVER = 1 << 30


def _world(lives: Iterator[list[float]], left: list[int] | None = None) -> World:
    customers: list[int] = []
    days: list[int] = []
    n = 0
    for n, life in enumerate(lives, 1):
        kept = sorted({int(day) for day in life if START <= day < START + 365 * YEARS})
        customers += [n - 1] * len(kept)
        days += kept
    gone = np.asarray(left if left is not None else [FOREVER] * n, dtype=np.int64)
    return World(np.asarray(customers), np.asarray(days), gone)


def heterogeneous(n: int, seed: int, *, shape: float = 1.0) -> World:
    """Nobody ever leaves: gaps of means between a week and half a year (log-normal), as irregular as ``shape`` says."""
    rng = np.random.default_rng(seed)

    def lives() -> Iterator[list[float]]:
        for mean in np.clip(np.exp(rng.normal(3.6, 0.8, n)), 7, 180):
            begin = START + rng.uniform(0, 365)
            gaps = rng.gamma(shape, mean / shape, int(365 * YEARS / mean * 1.5) + 5)
            yield [begin, *(begin + np.cumsum(gaps))]

    return _world(lives())


def clumpy(n: int, seed: int) -> World:
    """Nobody ever leaves: bursts of some purchases within days, weeks to months apart."""
    rng = np.random.default_rng(seed)

    def lives() -> Iterator[list[float]]:
        for mean in rng.uniform(30, 120, n):
            at, life = START + rng.uniform(0, 200), list[float]()
            while at < START + 365 * YEARS:
                life += [at + burst for burst in rng.uniform(0, 6, rng.integers(1, 4))]
                at += 7 + rng.gamma(2, mean / 2)
            yield life

    return _world(lives())


def yearly(n: int, seed: int, *, spread: float = 6.0, skips: float = 0.0) -> World:
    """Gift buyers: one to three days around the middle of every December, now and then a year left out."""
    rng = np.random.default_rng(seed)

    def lives() -> Iterator[list[float]]:
        for _ in range(n):
            begin = rng.uniform(330, 352)
            yield [
                START + 365.25 * year + rng.normal(begin, spread) + more
                for year in range(YEARS)
                if rng.random() >= skips
                for more in rng.integers(0, 8, rng.integers(1, 4))
            ]

    return _world(lives())


def scattered(n: int, seed: int, *, december: float = 0.0) -> World:
    """Two to five purchases anywhere within the years, a share of them in December like everybody's."""
    rng = np.random.default_rng(seed)

    def lives() -> Iterator[list[float]]:
        for _ in range(n):
            few = rng.integers(2, 6)
            whole = START + 365.25 * rng.integers(0, YEARS, few)
            day = np.where(rng.random(few) < december, rng.uniform(334, 365, few), rng.uniform(0, 365, few))
            yield list(whole + day)

    return _world(lives())


def dying(n: int, seed: int) -> World:
    """Regular customers, every ten to sixty days, of whom each leaves for good on a day of the last two years."""
    rng = np.random.default_rng(seed)
    left: list[int] = []

    def lives() -> Iterator[list[float]]:
        for mean in rng.uniform(10, 60, n):
            gone = START + rng.uniform(365 * 2, 365 * YEARS - 200)
            begin = START + rng.uniform(0, 200)
            life = begin + np.concatenate(
                ([0.0], np.cumsum(rng.gamma(6, mean / 6, int(365 * YEARS / mean * 2))))
            )
            kept = life[life < gone]
            left.append(int(kept[-1]))
            yield list(kept)

    found = _world(lives())
    return World(found.customer, found.day, np.asarray(left))
