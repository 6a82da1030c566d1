"""How well ranges of orders hold in simulated shops whose customers speed up and slow down together.

Run ``python benchmarks/value_worlds.py`` (about two minutes): eleven kinds of shop (nothing, a trend, a shock, a step,
a Christmas, seasons, a walk, a drift, a Christmas that moves seldom buyers four times as much; customers who buy four
times as often, and such who also buy regularly while their own rates walk), five lengths of history, one of which is
asked for as much again; ``--shops N`` of each. In each MBG/NBD is fitted, ranges are learned inside the past, and what
comes is counted. Customers buy as MBG/NBD says, in a time that runs by the shop's level; the level is drawn without
the processes that the method takes it for.

With ``--weekly`` (some twenty minutes of CPU a shop of each) it counts instead how often the pick turns when the
tournament of all entries is held week by week, with and without knowing the pick of the week before.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.value.calibration import Case, coverage_of
from shopkeeper.predict.value.candidates import MODELS
from shopkeeper.predict.value.choose import choose
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days

Floats = NDArray[np.float64]
Rng = np.random.Generator
PLANS = ((45, 26), (52, 52), (66, 39), (79, 26), (92, 13))
"""Weeks seen and weeks ahead."""


def christmas(year: Floats, rng: Rng) -> Floats:  # noqa: ARG001
    def around(at: float, weeks: float) -> Floats:
        return np.asarray(np.exp(-0.5 * (((year - at + 0.5) % 1.0 - 0.5) * 52.0 / weeks) ** 2))

    found = 0.7 * around(47 / 52, 3.0) - 0.35 * around(3.5 / 52, 3.0) - 0.15 * around(30 / 52, 4.0)
    return found - found.mean()


def seasons(year: Floats, rng: Rng) -> Floats:
    turns = (2.0 * np.pi * k * year for k in (1, 2, 3))
    waves = (rng.normal(0, 0.115) * np.cos(turn) + rng.normal(0, 0.115) * np.sin(turn) for turn in turns)
    return np.asarray(sum(waves))


def shock(year: Floats, rng: Rng) -> Floats:
    part, begins = np.linspace(0.0, 1.0, year.size), rng.uniform(0.2, 0.8)
    lasts = rng.uniform(42, 70) / year.size
    return np.asarray(rng.choice([-0.5, 0.6]) * ((part > begins) & (part < begins + lasts)))


def step(year: Floats, rng: Rng) -> Floats:
    return np.asarray(rng.choice([-0.4, 0.4]) * (np.linspace(0.0, 1.0, year.size) > rng.uniform(0.3, 0.9)))


def trend(year: Floats, rng: Rng) -> Floats:
    return np.asarray(rng.choice([-0.5, 0.3]) * np.arange(year.size) / 365.0)


def walk(year: Floats, rng: Rng) -> Floats:
    return np.repeat(np.cumsum(rng.normal(0.0, 0.04, year.size // 7 + 1)), 7)[: year.size]


def drift(year: Floats, rng: Rng) -> Floats:
    level, keep = [rng.normal(0.0, 0.15)], float(np.exp(-1 / 26))
    for _ in range(year.size // 7):
        level.append(level[-1] * keep + rng.normal(0.0, 0.15 * np.sqrt(1.0 - keep**2)))
    return np.repeat(level, 7)[: year.size]


KINDS: dict[str, Callable[[Floats, Rng], Floats]] = {
    "nothing": lambda year, _: 0.0 * year,
    "uneven": christmas, "trend": trend, "shock": shock, "step": step, "christmas": christmas, "seasons": seasons,
    "walk": walk, "drift": drift, "often": lambda year, _: 0.0 * year, "wander": lambda year, _: 0.0 * year,
}  # fmt: skip
WEEKLY = 10
PATHS = 60
"""Where customers' own rates walk, so many walks are drawn, and each customer goes one of them."""


def shop(kind: str, weeks: int, ahead: int, seed: int, n: int = 1500) -> tuple[PurchaseDays, int]:
    """Draw the purchases of a shop over ``weeks + ahead``; gives them and the day after which is looked ahead."""
    rng = np.random.default_rng(seed)
    days = 7 * (weeks + ahead)
    start = 18_262 + int(rng.integers(0, 365))
    grid = np.arange(days + 1, dtype=np.float64)
    level = KINDS[kind]((start + grid[:-1]) % 365.25 / 365.25, rng)
    first = rng.uniform(0.0, 7.0 * (weeks if rng.random() < 0.5 else min(weeks, 13)), n)
    rate, leaves = rng.gamma(0.8, 1 / 12.0, n) / 7.0, rng.beta(0.8, 3.5, n)
    rate *= 4.0 if kind in ("often", "wander") else 1.0
    regular = 3.0 if kind == "wander" else 1.0
    path, levels = np.zeros(n, dtype=np.int64), [level]
    if kind == "uneven":
        path, levels = (rate < np.median(rate)).astype(np.int64), [0.4 * level, 1.6 * level]
    if kind == "wander":
        path, levels = rng.integers(0, PATHS, n), [2.5 * walk(level, rng) for _ in range(PATHS)]
    who, when = [np.arange(n)], [first]
    for place, own in enumerate(levels):
        told = np.concatenate([[0.0], np.cumsum(np.exp(own))])
        now, live = np.interp(first, grid, told), np.flatnonzero(path == place)
        live = live[rng.random(live.size) > leaves[live]]
        while live.size:
            now[live] += rng.gamma(regular, 1.0 / np.maximum(regular * rate[live], 1e-12))
            live = live[now[live] < told[-1]]
            who.append(live)
            when.append(np.interp(now[live], told, grid))
            live = live[rng.random(live.size) > leaves[live]]
    day = (start + np.floor(np.concatenate(when))).astype("datetime64[D]")
    return purchase_days(customer=np.concatenate(who), occurred_at=day), start + 7 * weeks - 1


def coverage(kind: str, weeks: int, ahead: int, seed: int) -> dict[str, float]:
    """Give the expected coverage of ranges of 80 % by group of frequency."""
    days, end = shop(kind, weeks, ahead, seed)
    learned = choose(days, end_day=end, horizon=float(ahead), entrants=MODELS[:1]).learned
    held = hold_out(days, end_day=end + 7 * ahead, window_days=7 * ahead)
    future = MODELS[0].fit(held.known, held.window).future
    case = Case(
        future, exact=True, frequency=held.known.past.frequency, orders=held.orders, window=held.window
    )
    return {one.group: one.expected for one in coverage_of(case, learned)}


def turns(kind: str, weeks: int, seed: int) -> dict[str, int]:
    """Hold the tournament at ten weekly ends and count how often the pick is another than the week before."""
    days, end = shop(kind, weeks, 36, seed)
    found: dict[str, int] = {}
    for way in ("each by itself", "knowing the one before"):
        before, turned = None, 0
        for week in range(WEEKLY):
            made = choose(days, end_day=end + 7 * week, incumbent=before if way != "each by itself" else None)
            turned += before is not None and made.pick != before.pick
            before = made
        found[way] = turned
    return found


def weekly(shops: int) -> None:
    """Print how often picks turn in ten weekly tournaments."""
    every: list[dict[str, int]] = []
    for kind in ("nothing", "trend", "christmas", "walk", "often", "wander"):
        own = [turns(kind, weeks, 7000 + seed) for seed in range(shops) for weeks in (52, 79)]
        every += own
        print(f"{kind:<10} {own}", flush=True)
    for way in every[0]:
        print(f"{way}: {np.mean([one[way] for one in every]) * 10 / (WEEKLY - 1):.2f} turns in ten weeks")


def main() -> None:
    """Draw shops of each kind and print what their ranges cover."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=4, metavar="N", help="of each kind and length")
    parser.add_argument("--weekly", action="store_true", help="count how often the pick turns week by week")
    given = parser.parse_args()
    shops: int = given.shops
    if given.weekly:
        weekly(shops)
        return
    every: list[dict[str, float]] = []
    for place, kind in enumerate(KINDS):
        seeds = range(1000 * place, 1000 * place + shops)
        own = [coverage(kind, weeks, ahead, seed) for weeks, ahead in PLANS for seed in seeds]
        every += own
        print(f"{kind:<10} {told(own)}", flush=True)
    print(f"{'all':<10} {told(every)}")


def told(seen: list[dict[str, float]]) -> str:
    names = sorted({group for one in seen for group in one}, key=lambda name: (int(name[0]), name))
    by_group = (f"{name}: {np.mean([one[name] for one in seen if name in one]):.3f}" for name in names)
    within = np.mean([all(0.75 <= share <= 0.85 for share in one.values()) for one in seen])
    return f"{', '.join(by_group)}; all groups within .75 to .85: {within:.2f} of {len(seen)}"


if __name__ == "__main__":
    main()
