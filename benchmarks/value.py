"""What the value models take beside their peers: CPU seconds and memory of fits and predictions, and their growth.

    uv run python benchmarks/value.py [--quick] [--no-peers] [--sizes N ...] [--limit CPU_S] [--memory GB] [--json FILE]

The customers are simulated from BG/NBD with the parameters of CDNOW, two years, days as in a real log. Every library
runs in a process of its own (``value_run.py``), on the same arrays, after a fit of a thousand customers that is not
counted; CPU seconds are those of all its threads and children. *lifetimes* and *pymc-marketing* (fits by MAP, its
fastest) live in environments of their own, made by uv on the first run, in SHOPKEEPER_BENCHMARKS or
~/.cache/shopkeeper-benchmarks. A peer that is not done within the limit of CPU seconds or memory is reported as that,
and not asked for more customers. Beneath each fit stands how much of the log-likelihood the peer's parameters lose
against ours: 0 is the same optimum (pymc-marketing's priors move it a little).

Then come Gamma-Gamma, the projection with ranges, and the whole of what the shop calls, timed in this process.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Row = dict[str, Any]
WEEKS = 104
PEERS = ("lifetimes", "pymc-marketing")
MODELS = {"bg": "BG/NBD", "mbg": "MBG/NBD", "pareto": "Pareto/NBD"}
GOALS = {("bg", 1_000_000): 1.0, ("bg", 10_000_000): 2.5, ("mbg", 1_000_000): 1.0, ("pareto", 1_000_000): 4.0}
TEN_TIMES = 0.1
"""Of the CPU seconds of lifetimes: at most this share, for BG/NBD at a million customers."""
RUN = Path(__file__).with_name("value_run.py")


_BUSY = 10.0
"""A machine with other work gives a process at least a tenth of its time."""


class Most(NamedTuple):
    """CPU seconds and gigabytes that a library may take per model and size."""

    cpu: float
    memory: float


class Done(NamedTuple):
    """What one library did with one model and size: CPU seconds by step, MB, parameters, and why it stopped."""

    cpu: dict[str, float]
    memory: float | None
    params: dict[str, float]
    stopped: str


NOTHING = Done({}, None, {}, "")


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


def row(
    name: str, value: float, unit: str, goal: float | None = None, peer: str | None = None,
    peer_value: float | None = None,
) -> Row:  # fmt: skip
    """Give one line of the result; less is better."""
    return {
        "name": name, "value": round(value, 4), "unit": unit, "better": "lower", "goal": goal,
        "peer": peer, "peer_value": None if peer_value is None else round(peer_value, 4),
    }  # fmt: skip


def environment(peer: str) -> Path:
    """The Python of the environment of a peer, made where it is missing; RuntimeError says why it cannot be."""
    given = os.environ.get("SHOPKEEPER_BENCHMARKS")
    folder = (Path(given) if given else Path.home() / ".cache" / "shopkeeper-benchmarks").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"value-{peer}"
    python = place / "bin" / "python"
    ready = place / "ready"
    if not ready.exists():
        try:
            for words in (["venv", "--clear", str(place)], ["pip", "install", "--python", str(python), peer]):
                # elsewhere than in the project, so that its pins do not hold
                subprocess.run(["uv", *words], cwd=folder, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as failed:
            told = failed.stderr.strip().splitlines() or [f"exit status {failed.returncode}"]
            raise RuntimeError(told[-1]) from failed
        except OSError as failed:
            raise RuntimeError(str(failed)) from failed
        ready.touch()
    return python


def run(python: Path, library: str, model: str, folder: Path, most: Most) -> Done:
    """Run one library in its own process; what it told before a stop counts."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as cried:
        command = [str(python), str(RUN), library, model, str(folder), str(most.cpu), str(most.memory)]
        stopped = ""
        try:
            ended = subprocess.run(command, stdout=said, stderr=cried, timeout=_BUSY * most.cpu, check=False)
            if ended.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
                stopped = f"not done in {most.cpu:.0f} CPU s"
            elif ended.returncode:
                cried.seek(0)
                stopped = (cried.read().strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
        except subprocess.TimeoutExpired:
            stopped = f"not done in {_BUSY * most.cpu:.0f} s"
        said.seek(0)
        steps = [json.loads(line) for line in said if line.startswith("{")]
    cpu = {one["step"]: one["cpu_s"] for one in steps if "cpu_s" in one}
    memory = next((one["mb"] for one in steps if one["step"] == "memory"), None)
    params = next((one["params"] for one in steps if one["step"] == "found"), {})
    return Done(cpu, memory, params, stopped)


def lost(model: str, data: dict[str, Any], ours: Done, theirs: Done) -> float:
    """How much less the log-likelihood is at the parameters of the peer."""
    from shopkeeper.predict.value.dropout import DropoutEnds
    from shopkeeper.predict.value.history import checked, collapse
    from shopkeeper.predict.value.pareto_ends import ParetoEnds
    from shopkeeper.predict.value.twoends import Likelihood

    ends = ParetoEnds() if model == "pareto" else DropoutEnds(at_first=model == "mbg")
    likelihood = Likelihood(ends, collapse(checked(**data)))
    best, other = (likelihood(np.log(list(one.params.values())))[0] for one in (ours, theirs))
    return (other - best) * likelihood.total


def side_by_side(sizes: list[int], peers: dict[str, Path], most: Most, models: tuple[str, ...]) -> list[Row]:
    """Fit and predict at every size with every library, and print what it took."""
    rows: list[Row] = []
    fits: dict[tuple[str, str], list[tuple[int, float]]] = {}
    left = {(model, peer) for model in models for peer in peers}
    for n in sizes:
        data = simulate(n)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for name, values in data.items():
                np.save(folder / f"{name}.npy", values)
            for model in models:
                title = f"{MODELS[model]}, {n:,} customers"
                ours = run(Path(sys.executable), "shopkeeper", model, folder, most)
                if ours.stopped:
                    raise SystemExit(f"{title}: {ours.stopped}")
                told("Shopkeeper", title, ours)
                beside = {p: run(peers[p], p, model, folder, most) for p in peers if (model, p) in left}
                left -= {(model, peer) for peer, done in beside.items() if done.stopped}
                for peer, done in beside.items():
                    told(peer, title, done)
                    if done.params:
                        worse = lost(model, data, ours, done)
                        print(f"    its parameters lose {worse:.3f} of the log-likelihood")
                for library, done in {"Shopkeeper": ours, **beside}.items():
                    if "fit" in done.cpu:
                        fits.setdefault((model, library), []).append((n, done.cpu["fit"]))
                rows += compared(title, GOALS.get((model, n)), ours, beside)
                if (model, n) == ("bg", 1_000_000) and "fit" in beside.get("lifetimes", NOTHING).cpu:
                    share = ours.cpu["fit"] / beside["lifetimes"].cpu["fit"]
                    rows.append(row(f"{title}: share of the CPU of lifetimes", share, "share", TEN_TIMES))
    return rows + growth(fits)


def growth(fits: dict[tuple[str, str], list[tuple[int, float]]]) -> list[Row]:
    """How the CPU seconds of fits grow with customers."""
    rows = []
    for (model, library), times in fits.items():
        if len(times) > 1:
            (n, first), (m, last) = times[0], times[-1]
            grown = math.log(last / first) / math.log(m / n)
            name = f"{MODELS[model]} fit, growth (time ~ n^value), {n:,} to {m:,}, {library}"
            rows.append(row(name, grown, "exponent", 1.0 if library == "Shopkeeper" else None))
    return rows


def told(library: str, title: str, done: Done) -> None:
    """Print one run."""
    steps = "  ".join(f"{name} {seconds:.3f}" for name, seconds in done.cpu.items())
    memory = "" if done.memory is None else f"  {done.memory:,.0f} MB"
    print(f"{title:<34} {library:<15} CPU s: {steps}{memory}  {done.stopped}", flush=True)


def compared(title: str, goal: float | None, ours: Done, beside: dict[str, Done]) -> list[Row]:
    """Rows of all steps and of memory, each peer beside them."""
    rows = []
    for peer, theirs in beside.items() or [(None, None)]:
        name = peer if theirs is None or not theirs.stopped else f"{peer} ({theirs.stopped})"
        for step, seconds in ours.cpu.items():
            value = None if theirs is None else theirs.cpu.get(step)
            rows.append(
                row(f"{title}: {step}", seconds, "CPU s", goal if step == "fit" else None, name, value)
            )
        memory = None if theirs is None else theirs.memory
        rows.append(row(f"{title}: peak memory", ours.memory or 0.0, "MB", None, name, memory))
    return rows


def measure_amounts(sizes: list[int]) -> list[Row]:
    """Time Gamma-Gamma and the projection of all customers with ranges."""
    from shopkeeper.predict.value import MBGNBD, GammaGamma, project

    rows = []
    rng = np.random.default_rng(2)
    for n in sizes:
        data = simulate(n)
        count = data["frequency"] + 1
        margin = rng.gamma(6.0 * count) / count / rng.gamma(4.0, 1 / 15.0, n)
        orders = MBGNBD().fit(**data)
        seconds, amounts = cpu(partial(GammaGamma().fit, frequency=count, monetary=margin), 1)
        rows.append(row(f"Gamma-Gamma fit, {n:,} customers", seconds, "CPU s"))
        work = partial(
            project, **data, margin=margin, margin_count=count, orders=orders, alive=orders, amounts=amounts
        )
        rows.append(row(f"projection with ranges, {n:,} customers", cpu(work, 1)[0], "CPU s"))
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
    again = partial(forecast, **log_of_orders(sizes[0]))
    loading = cpu(again, 1)[0] - cpu(again, 1)[0]
    rows.append(row("first forecast of a process: LightGBM and what it loads", loading, "CPU s"))
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer customers, below three minutes")
    parser.add_argument("--no-peers", action="store_true", help="only Shopkeeper")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of customers")
    parser.add_argument("--limit", type=float, help="CPU seconds a library may take per model and size")
    parser.add_argument("--memory", type=float, default=12.0, help="gigabytes a library may take")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    given = parser.parse_args()
    usual = [23_570] if given.quick else [23_570, 100_000, 1_000_000, 10_000_000]
    sizes = given.sizes or usual
    most = Most(given.limit or (30.0 if given.quick else 200.0), given.memory)
    peers: dict[str, Path] = {}
    for peer in () if given.no_peers else PEERS:
        try:
            peers[peer] = environment(peer)
        except RuntimeError as why:
            print(f"{peer}: left out, its environment cannot be made: {why}")
    models = ("bg", "pareto") if given.quick else ("bg", "mbg", "pareto")
    rows = side_by_side(sizes, peers, most, models)
    if given.quick:
        rows += side_by_side([1_000_000], {}, most, models)
    largest = [6_000, 100_000] if given.quick else [6_000, 100_000, 1_000_000]
    if given.sizes is None:
        rows += measure_amounts(largest) + measure_forecast(largest)
    for one in rows:
        goal = "" if one["goal"] is None else f"   (goal: at most {one['goal']})"
        beside = "" if one["peer"] is None else f"   {one['peer']}: {one['peer_value']}"
        print(f"{one['name']:<70} {one['value']:>9.3f} {one['unit']}{goal}{beside}")
    spin = time.process_time()
    sum(range(20_000_000))
    print(f"this machine, now: 20 million additions take {time.process_time() - spin:.2f} CPU seconds")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
