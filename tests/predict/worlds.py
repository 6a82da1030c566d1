"""Simulated shops of known make, for tests of what is chosen and foretold in them. They know nothing of the models."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

START = np.datetime64("2022-01-03")


class World(NamedTuple):
    """Orders: who, which day, how much."""

    customer: NDArray[np.int64]
    occurred_at: NDArray[np.datetime64]
    amount: NDArray[np.float64]


def chance(n: int = 700, weeks: int = 90, seed: int = 1) -> World:
    """Customers who buy at random, some often and some seldom, and may leave after a repeat purchase (BG/NBD)."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(1.0, 1 / 10.0, n) / 7, rng.beta(0.8, 2.5, n)
    now, live = rng.integers(0, weeks * 5, n).astype(np.float64), np.arange(n)
    who, when = [live], [now.copy()]
    while live.size:
        now[live] += rng.exponential(1 / np.maximum(rate[live], 1e-9))
        live = live[now[live] < weeks * 7]
        who.append(live)
        when.append(now[live].copy())
        live = live[rng.random(live.size) > leaves[live]]
    return _world(np.concatenate(who), np.concatenate(when), rng)


def clockwork(n: int = 300, weeks: int = 90, seed: int = 2) -> World:
    """Customers who all begin in the first weeks, buy every so many days, and never leave."""
    rng = np.random.default_rng(seed)
    gap, first = rng.integers(7, 60, n), rng.integers(0, 7, n)
    orders = [np.arange(start, weeks * 7, step) for start, step in zip(first, gap, strict=True)]
    who = np.repeat(np.arange(n), [own.size for own in orders])
    return _world(who, np.concatenate(orders).astype(np.float64), rng)


def regular(n: int = 40, weeks: int = 40, seed: int = 7) -> World:
    """Customers with a rhythm of their own, kept with some play, who never leave."""
    rng = np.random.default_rng(seed)
    gap = rng.uniform(7, 40, n)
    steps = gap[:, None] * rng.uniform(0.2, 1.8, (n, weeks))
    at = rng.uniform(0, 7, n)[:, None] + np.cumsum(steps, axis=1)
    who, order = np.nonzero(at < weeks * 7)
    return _world(who, at[who, order], rng)


def once(n: int = 200, weeks: int = 60, seed: int = 3) -> World:
    """Everybody buys once and never again."""
    rng = np.random.default_rng(seed)
    return _world(np.arange(n), rng.integers(0, weeks * 7, n).astype(np.float64), rng)


def tiny(n: int = 4, weeks: int = 30, seed: int = 4) -> World:
    """A handful of customers."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), 3)
    return _world(who, rng.integers(0, weeks * 7, who.size).astype(np.float64), rng)


def one(weeks: int = 80) -> World:
    """One customer, every other week."""
    days = np.arange(0, weeks * 7, 14)
    return _world(np.zeros(days.size, np.int64), days.astype(np.float64), np.random.default_rng(5))


def daily(n: int = 120, days: int = 90) -> World:
    """Everybody buys every day, so that nobody is left in a group of few purchases."""
    at = np.repeat(np.arange(days, dtype=np.float64), n)
    return _world(np.tile(np.arange(n), days), at, np.random.default_rng(8))


def wholesalers(n: int = 400, weeks: int = 90, seed: int = 6) -> World:
    """The world of chance, in which 1 in 100 spends a hundred times as much, and some orders come back as a loss."""
    world = chance(n, weeks, seed)
    rng = np.random.default_rng(seed)
    amount = np.where(world.customer % 100 == 0, 100.0, 1.0) * world.amount
    return world._replace(amount=np.where(rng.random(amount.size) < 0.03, -amount, amount))


def _world(who: NDArray[np.int64], at: NDArray[np.float64], rng: np.random.Generator) -> World:
    size = rng.gamma(5.0, 1 / 5.0, int(who.max()) + 1)
    return World(
        who.astype(np.int64),
        START + at.astype(np.int64),
        20.0 * size[who] * rng.gamma(8.0, 1 / 8.0, who.size),
    )
