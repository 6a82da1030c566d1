"""A simulated shop of buyers who come back and drop out, as the arrays of ``world.py``: what forecasts are measured on.

Everybody joins within two years and buys at once; then orders come by a rate of their own until they leave, both
gamma distributed over customers (the Pareto/NBD), so that four in ten never come back and few order weekly. What an
order is worth hangs on the customer, one in twenty-five comes back, and between orders one looks at some products. All
of it is drawn at random and says nothing of any real shop; repeat rates lie between those of CDNOW and of Online
Retail II (3 and 7 order days a customer).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import world as worlds
from world import World

RATE: Final = (0.45, 7.5)
"""Orders a year while somebody is a customer: shape and mean of the gamma distribution."""
LEAVING: Final = (0.7, 1.1)
"""Of leaving, a year."""
_LOOKS: Final = 0.15
"""Products looked at for each order."""
_BACK: Final = 0.04
_TASTE: Final = 0.6
"""Correlation of the worth of two orders of one customer."""
_YEARS: Final = worlds.SPAN.total_seconds() / (365.25 * 86_400)


def draw(customers: int, _events: int = 0, seed: int = 1) -> World:
    """Draw buyers; how many events there are follows from them, whatever was asked for."""
    rng = np.random.default_rng(seed)
    joined = np.sort(rng.random(customers)) * 0.995
    left = (0.999 - joined) * _YEARS
    rate = rng.gamma(RATE[0], RATE[1] / RATE[0], customers)
    stays = rng.exponential(1.0, customers) / rng.gamma(LEAVING[0], LEAVING[1] / LEAVING[0], customers)
    there = np.minimum(left, stays)
    repeats = np.minimum(rng.poisson(rate * there), 400)
    looks = rng.poisson(_LOOKS * (repeats + 1))
    back = rng.binomial(repeats + 1, _BACK)
    count = 2 + repeats + looks + back
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    total = int(start[-1])
    owner = np.repeat(np.arange(customers, dtype=np.int32), count)
    kinds = np.tile(np.array([3, 1, 5], np.uint8), customers)
    each = np.column_stack([repeats, looks, back]).ravel()
    rest = np.repeat(kinds, each)
    first = np.zeros(total, np.bool_)
    first[start[:-1]] = True
    second = np.zeros(total, np.bool_)
    second[start[:-1] + 1] = True
    kind = np.empty(total, np.uint8)
    kind[first], kind[second] = 0, 3
    kind[~first & ~second] = rest
    end = int(worlds.END.timestamp() * 1e6)
    span = int(worlds.SPAN.total_seconds() * 1e6)
    life = joined[owner] + rng.random(total) * (there / _YEARS)[owner]
    life[first] = joined
    life[second] = joined + 60e6 / span
    at = end - span + (life * span).astype(np.int64)
    order = np.lexsort((at, owner))
    at, kind = at[order], kind[order]
    while len(same := np.flatnonzero((np.diff(at) <= 0) & (np.diff(owner) == 0)) + 1):
        at[same] = at[same - 1] + 1
    at_till = (kind == 3) & (rng.random(total) < 0.25)
    kind[at_till] = 4
    about = worlds.referring(kind, start, owner)
    by_seq = np.argsort(at, kind="stable").astype(np.int32)
    seq = np.empty(total, np.int32)
    seq[by_seq] = np.arange(1, total + 1, dtype=np.int32)
    has = ((rng.random(customers) < 0.4) + 2 * (rng.random(customers) < 0.7)).astype(np.uint8)
    first_node = np.concatenate([[1], 1 + np.cumsum(2 + (has & 1) + (has >> 1))]).astype(np.int64)
    pick = rng.integers(0, worlds.PICKS, total).astype(np.uint16)
    taste = rng.normal(size=customers)
    for number in (3, 4):
        some = np.flatnonzero(kind == number)
        pick[some] = _picks(number, taste[owner[some]], rng)
    return World(customers, total, start, owner, at, kind, pick, about, seq, by_seq, first_node, has)


def _picks(kind: int, taste: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Orders dear or cheap by the customer's taste (standard normal) and by chance."""
    from scipy.special import ndtr

    worth = [
        sum(float(line["price"]) * line["quantity"] for line in worlds.properties(kind, pick)["products"])
        for pick in range(worlds.PICKS)
    ]
    mixed = np.sqrt(_TASTE) * taste + np.sqrt(1.0 - _TASTE) * rng.normal(size=taste.size)
    return np.argsort(worth)[np.minimum((ndtr(mixed) * worlds.PICKS).astype(np.int64), worlds.PICKS - 1)]
