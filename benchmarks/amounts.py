"""What the two forms of amounts do in simulated shops of known make, beside each other and beside what was picked.

Run ``python benchmarks/amounts.py``: ``--shops N`` draws of each world (8), ``--json F`` writes rows as data. In each,
MBG/NBD foretells 26 weeks of orders from 78, the amounts are fitted in both forms, and the money foretold is scored.
Negative figures speak for amounts by order in error and loss, positive ones in value captured; the last column's
tournament sees 78 weeks only. Amounts and frequency are related in "often is more" and "often is less" alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.predict.value.candidates import MODELS
from shopkeeper.predict.value.choose import choose
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.score import Bootstrap
from shopkeeper.predict.value.spend import BY_ORDER, MODEL, SPENDS, Spend, fit_amounts, spend_figures
from shopkeeper.predict.value.summary import purchase_days

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEKS, AHEAD = 104, 26


def lives(n: int, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Draw who orders when (days), in order, and each customer's rate: Poisson, who may leave after a repeat order."""
    rate, leaves = rng.gamma(0.8, 1 / 12.0, n) / 7, rng.beta(0.8, 2.5, n)
    now, live = rng.integers(0, WEEKS * 4, n).astype(np.float64), np.arange(n)
    who, when = [live], [now.copy()]
    while live.size:
        now[live] += np.maximum(rng.exponential(1 / np.maximum(rate[live], 1e-9)), 1.0)
        live = live[now[live] < WEEKS * 7]
        who.append(live)
        when.append(now[live].copy())
        live = live[rng.random(live.size) > leaves[live]]
    everyone, at = np.concatenate(who), np.concatenate(when)
    order = np.lexsort((at, everyone))
    return everyone[order], at[order], rate


class Orders(NamedTuple):
    """Orders of which amounts are to be drawn, and plain ones: a size of the customer's own."""

    who: Ints
    weeks: Floats
    first: NDArray[np.bool_]
    often: Floats
    size: Floats
    plain: Floats
    some: Floats
    rng: np.random.Generator


def orders_of(who: Ints, when: Floats, rate: Floats, rng: np.random.Generator) -> Orders:
    """Draw what the worlds have in common: a size of each customer's own, a number between 0 and 1 for each order."""
    size = (112.5 / rng.gamma(3.5, 1.0, rate.size))[who]
    first = np.concatenate(([True], who[1:] != who[:-1]))
    since = (when - np.repeat(when[first], np.bincount(who, minlength=rate.size))) / 7
    plain = size * rng.gamma(4.0, 1 / 4.0, who.size)
    often = (rate / rate.mean() + 0.1)[who]
    return Orders(who, since, first, often, size, plain, rng.random(who.size), rng)


def own(one: Orders, spread: float) -> Floats:
    """Draw a normal number of each customer's own."""
    return one.rng.normal(0.0, spread, int(one.who.max()) + 1)[one.who]


WORLDS: dict[str, Callable[[Orders], Floats]] = {
    "unrelated": lambda one: one.plain,
    "often is more": lambda one: one.plain * one.often**0.35,
    "often is less": lambda one: one.plain * one.often**-0.35,
    "log-normal": lambda one: 30.0 * np.exp(own(one, 0.7) + one.rng.normal(0.0, 0.9, one.who.size)),
    "heavy tail": lambda one: one.size * one.rng.pareto(2.3, one.who.size),
    "wholesalers": lambda one: one.plain * np.where(one.who % 100 == 0, 80.0, 1.0),
    "lone giants": lambda one: one.plain * np.where(one.some < 0.01, 40.0, 1.0),
    "drift": lambda one: one.plain * np.exp(own(one, 0.02) * one.weeks),
    "price list": lambda one: one.rng.choice([19.0, 29.0, 49.0, 99.0], one.who.size, p=[0.4, 0.3, 0.2, 0.1]),
    "all alike": lambda one: one.rng.gamma(4.0, 30 / 4.0, one.who.size),
    "losses": lambda one: one.plain * np.where(one.some < 0.12, -0.5, 1.0),
    "first is dearer": lambda one: one.plain * np.where(one.first, 1.6, 1.0),
    "hardly varies": lambda one: one.size * one.rng.gamma(60.0, 1 / 60.0, one.who.size),
    "pennies": lambda one: np.where(one.some < 0.05, 0.01, one.plain),
}
"""Amounts of known make."""


def compare(world: str, shops: int, customers: int) -> list[float]:
    """Give beta, and by order less by means: MAE in %, value captured and loss in 1/10,000; how often it was picked."""
    found = []
    for seed in range(shops):
        rng = np.random.default_rng(seed)
        who, when, rate = lives(customers, rng)
        money = WORLDS[world](orders_of(who, when, rate, rng))
        day = np.datetime64("2022-01-03") + when.astype(np.int64)
        days = purchase_days(customer=who, occurred_at=day, amount=money)
        held = hold_out(days, end_day=int(days.day.max()), window_days=AHEAD * 7)
        orders = MODELS[0].fit(held.known, held.window).future.mean(held.window)
        spend = Spend(held.known, orders, held.window)
        bootstrap = Bootstrap.of(customers, 1)
        means, each = (
            {key: float(one[-1]) for key, one in spend_figures(SPENDS[name](spend), held, bootstrap).items()}
            for name in (MODEL, BY_ORDER)
        )
        choice = choose(days, end_day=held.known.end_day, horizon=float(AHEAD), entrants=MODELS[:1])
        found.append([
            fit_amounts(held.known, BY_ORDER).beta,
            100.0 * (each["mae"] / means["mae"] - 1.0),
            1e4 * (each["value_captured"] - means["value_captured"]),
            1e4 * (each["loss"] - means["loss"]),
            float(choice.spend is not None and choice.spend.pick == BY_ORDER),
        ])  # fmt: skip
    return [float(value) for value in np.mean(found, axis=0)]


def main() -> None:
    """Compare, print, and write the rows if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=8, metavar="N", help="draws of each world")
    parser.add_argument("--customers", type=int, default=1_500, metavar="N", help="customers of each shop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    began = time.process_time()
    print(f"{'':<18}{'beta':>7}{'MAE %':>8}{'captured':>10}{'loss':>7}{'picked':>8}")
    for world in WORLDS:
        beta, mae, captured, loss, picked = compare(world, given.shops, given.customers)
        print(f"{world:<18}{beta:>7.2f}{mae:>8.2f}{captured:>10.1f}{loss:>7.0f}{picked:>8.2f}", flush=True)
        rows.append({
            "name": f"amounts, {world}: loss by order less that by means", "value": round(loss / 1e4, 5), "unit": "ln",
            "better": "lower", "goal": None, "peer": None, "peer_value": None,
        })  # fmt: skip
    print(f"{time.process_time() - began:.0f} CPU s")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
