"""How long the value models take: CPU seconds of fits and forecasts, and how they grow with the number of customers.

Run ``python benchmarks/value.py`` (``--quick`` leaves the million out; ``--json FILE`` writes the rows as data). The
customers are simulated from BG/NBD with the parameters of CDNOW, two years, days as in a real log. The first call is a
warm-up: importing SciPy is timed as a row of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
WEEKS = 104


def simulate(n: int, seed: int = 1) -> dict[str, Any]:
    """Draw ``n`` customers who start on a random day of two years: frequency, recency and T in weeks."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(0.2426, 1 / 4.4136, n), rng.beta(0.7929, 2.4259, n)
    age = rng.integers(1, WEEKS * 7 + 1, n) / 7
    x, last, now, live = np.zeros(n), np.zeros(n), np.zeros(n), np.arange(n)
    while live.size:
        now[live] += rng.exponential(1 / np.maximum(rate[live], 1e-300))
        live = live[now[live] < age[live]]
        x[live] += 1
        last[live] = now[live]
        live = live[rng.random(live.size) > leaves[live]]
    recency = np.where(x > 0, np.minimum(np.maximum(np.ceil(last * 7) / 7, 1 / 7), age), 0.0)
    return {"frequency": x, "recency": recency, "T": age}


def cpu(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Give the least CPU seconds of all threads in ``repeats`` runs, and the last result."""
    best, result = math.inf, None
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def row(name: str, value: float, unit: str, goal: float | None = None) -> Row:
    """Give one line of the result; less is better. Peers are measured elsewhere."""
    return {
        "name": name, "value": round(value, 4), "unit": unit, "better": "lower",
        "goal": goal, "peer": None, "peer_value": None,
    }  # fmt: skip


def measure(sizes: list[int]) -> list[Row]:
    """Time imports, fits at each size, and the projection of all customers."""
    start = time.process_time()
    import scipy.optimize
    import scipy.special  # noqa: F401

    rows = [row("import of scipy.optimize and scipy.special", time.process_time() - start, "CPU s")]
    from shopkeeper.predict.value import BGNBD, MBGNBD, GammaGamma, project

    BGNBD().fit(**simulate(1000))
    for model in (BGNBD, MBGNBD):
        times = []
        for n in sizes:
            data = simulate(n)
            seconds, fit = cpu(partial(model().fit, **data))
            times.append(seconds)
            if not fit.converged:
                raise SystemExit(f"{fit.name} did not converge at {n:,} customers: {fit.notes}")
            rows.append(
                row(f"{fit.name} fit, {n:,} customers", seconds, "CPU s", 1.0 if n == 1_000_000 else None)
            )
        if len(sizes) > 1:
            grown = math.log(times[-1] / times[0]) / math.log(sizes[-1] / sizes[0])
            rows.append(row(f"{fit.name} fit, growth (time ~ n^value)", grown, "exponent", 1.0))
    rng = np.random.default_rng(2)
    for n in [6_000, *sizes]:
        data = simulate(n)
        count = data["frequency"] + 1
        margin = rng.gamma(6.0 * count) / count / rng.gamma(4.0, 1 / 15.0, n)
        orders = MBGNBD().fit(**data)
        seconds, amounts = cpu(partial(GammaGamma().fit, frequency=count, monetary=margin), 1)
        rows.append(row(f"Gamma-Gamma fit, {n:,} customers", seconds, "CPU s"))
        seconds, _ = cpu(
            partial(
                project,
                **data,
                margin=margin,
                margin_count=count,
                orders=orders,
                alive=orders,
                amounts=amounts,
            ),
            1,
        )
        rows.append(row(f"projection with ranges, {n:,} customers", seconds, "CPU s"))
    return rows


def log_of_orders(n: int) -> dict[str, Any]:
    """Draw a simulated log of orders of ``n`` customers over two years."""
    rng = np.random.default_rng(3)
    data = simulate(n)
    count = data["frequency"].astype(int) + 1
    who = np.repeat(np.arange(n), count)
    first = np.repeat(WEEKS * 7 - np.rint(data["T"] * 7), count)
    reach = np.repeat(np.rint(data["recency"] * 7), count)
    at = np.floor(rng.random(who.size) * reach)
    ends = np.cumsum(count)
    at[ends - count] = 0
    at[ends[count > 1] - 1] = reach[ends[count > 1] - 1]
    when = np.datetime64("2022-01-01") + (first + at).astype(int)
    return {"customer": who, "occurred_at": when, "margin": rng.gamma(3.0, 10.0, who.size)}


def measure_forecast(sizes: list[int]) -> list[Row]:
    """Time the whole of what the shop calls: summary, test inside the past, fits, projection; and fading."""
    from shopkeeper.predict.fading import fading, gaps
    from shopkeeper.predict.value import forecast

    rows = []
    for n in sizes:
        orders = log_of_orders(n)
        seconds, _ = cpu(partial(forecast, **orders), 1)
        rows.append(
            row(f"forecast from orders, {n:,} customers", seconds, "CPU s", 1.5 if n == 6_000 else None)
        )

        def fade(o: dict[str, Any] = orders) -> Any:
            own = gaps(customer=o["customer"], occurred_at=o["occurred_at"])
            silence = (own.last.max() - own.last).astype(float)
            return fading(count=own.count, mean_gap=own.mean, cv2=own.cv2, silence=silence, last=own.last)

        seconds, _ = cpu(fade, 1)
        rows.append(row(f"fading from orders, {n:,} customers", seconds, "CPU s"))
    return rows


def main() -> None:
    """Measure, print, and write the rows if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the million customers out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    given = parser.parse_args()
    sizes = [23_570, 100_000] if given.quick else [23_570, 100_000, 1_000_000]
    rows = measure(sizes) + measure_forecast([6_000, *sizes[1:]])
    for one in rows:
        goal = "" if one["goal"] is None else f"   (goal: at most {one['goal']})"
        print(f"{one['name']:<55} {one['value']:>9.3f} {one['unit']}{goal}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
