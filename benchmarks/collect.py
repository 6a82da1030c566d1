"""Live collection: events a second that are on disk when they are answered, how long they wait, and how reads fare.

    uv run python benchmarks/collect.py [--quick] [--engines sqlite,postgres] [--sizes 0,1000000,...] [--json FILE]

The server is ``shopkeeper serve`` as a user starts it, disk syncs on; the load comes from a process of its own on the
same machine (its CPU time is shown apart) over gzip batches of 100 events, and over single calls. First with the worker
taking everything into identities and records, then only accepting (the worker is stopped meanwhile), which leaves
hundreds of thousands of events to fold. The delay is the age of the oldest delivery that is not in its customer's
record yet. Shops that are not empty are made by ``bulk.py``.

Beside it stands what RudderStack published (about 2019): 1,700 requests/s at 4.2 ms on 2 cores, its database elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bulk
from load import Plan, Result
from serving import Load, Server, cpu_seconds, empty_shop, memory_mib, stolen, with_source

import shopkeeper
from shopkeeper.shop import Shop

HERE = Path(__file__).parent
PEER = "RudderStack as published: 2 cores, database elsewhere, about 2019"
PEER_REQUESTS, PEER_MS = 1_700.0, 4.2
EVENTS_A_CUSTOMER = 20
STEPS = (2_500, 5_000, 7_500, 10_000, 12_500, 15_000, 20_000, 30_000)
"""Events a second that are offered, one after another, until the delay passes a second."""
MOST_DELAY = 1.0

Row = dict[str, Any]


def row(
    name: str,
    value: float,
    unit: str,
    better: str,
    goal: float | None = None,
    peer_value: float | None = None,
) -> Row:
    return {
        "name": name, "value": round(value, 3), "unit": unit, "better": better, "goal": goal,
        "peer": PEER if peer_value is not None else None, "peer_value": peer_value,
    }  # fmt: skip


class Bench:
    """One served shop, measured."""

    def __init__(self, label: str, where: str | Path, key: str, customers: int, seconds: float) -> None:
        self.label = label
        self.where = where
        self.key = key
        self.customers = customers
        self.seconds = seconds
        self.server = Server(where)
        self.number = 0
        self.rows: list[Row] = []

    def plan(self, **values: Any) -> Plan:
        """A plan whose requests nobody sent before."""
        plan = Plan(port=self.server.port, key=self.key, customers=self.customers, **values)
        plan.first, self.number = self.number, self.number + plan.requests
        plan.run = self.label[-8:].replace(" ", "-")
        return plan

    def load(self, **values: Any) -> tuple[Result, dict[str, float]]:
        """Send, and what CPU it took: seconds of the server, its worker and the generator."""
        load = Load(self.plan(**values)).ready()
        worker = self.server.worker()
        before = cpu_seconds(self.server.pid), cpu_seconds(worker)
        result = load.go().result()
        spent = {
            "server": cpu_seconds(self.server.pid) - before[0],
            "worker": cpu_seconds(worker) - before[1],
            "generator": result.cpu_seconds,
        }
        if set(result.answers) - {"200"}:
            print(f"  answers: {result.answers}")
        return result, spent

    def note(self, name: str, value: float, unit: str, better: str = "higher", **more: Any) -> None:
        """Keep and print a figure."""
        found = row(f"{self.label}: {name}", value, unit, better, **more)
        self.rows.append(found)
        goal = "" if found["goal"] is None else f"   (goal {found['goal']:,})"
        beside = (
            "" if found["peer_value"] is None else f"   (published by RudderStack: {found['peer_value']:,})"
        )
        print(f"  {name:<58} {found['value']:>12,.1f} {unit}{goal}{beside}", flush=True)

    def accepting(self, *, large: bool) -> None:
        """How much is taken onto disk while the worker stands still."""
        with self.server.worker_paused():
            batches, cpu = self.load(requests=int(self.seconds * 600), seconds=self.seconds, connections=16)
            self.note("append only, batches of 100", batches.events / batches.seconds, "events/s",
                      goal=20_000 if large else 40_000)  # fmt: skip
            self.note("append only, batches of 100, p50", batches.latency["p50"], "ms", "lower")
            self.note("append only, batches of 100, p99", batches.latency["p99"], "ms", "lower")
            self._cpu("append only, batches of 100", cpu, batches)
            singles, cpu = self.load(
                requests=int(self.seconds * 9_000), seconds=self.seconds, batch=1, connections=64
            )
            self.note("append only, single calls", singles.events / singles.seconds, "requests/s",
                      goal=3_000 if large else 6_000, peer_value=PEER_REQUESTS)  # fmt: skip
            self.note("append only, single calls, p50", singles.latency["p50"], "ms", "lower")
            self.note("append only, single calls, p99", singles.latency["p99"], "ms", "lower")
            self._cpu("append only, single calls", cpu, singles)

    def _cpu(self, name: str, cpu: dict[str, float], result: Result) -> None:
        for who, spent in cpu.items():
            if spent:
                self.note(f"{name}, CPU of the {who}", spent / result.events * 1e6, "µs an event", "lower")

    def folding(self, watch: Watch) -> None:
        """What waits is folded: how fast when nothing else is asked of the machine."""
        waiting = watch.events()
        began = time.perf_counter()
        worker = self.server.worker()
        cpu = cpu_seconds(worker)
        until = began + max(20.0, 4 * self.seconds)
        while watch.events() and time.perf_counter() < until:
            time.sleep(0.05)
        done = waiting - watch.events()
        if done > 1_000:
            spent = time.perf_counter() - began
            self.note("taken in and folded, backlog, no requests", done / spent, "events/s")
            self.note("taken in and folded, CPU of the worker", (cpu_seconds(worker) - cpu) / done * 1e6,
                      "µs an event", "lower")  # fmt: skip
        watch.drained()

    def paced(self, watch: Watch) -> None:
        """1,000 single requests a second, with the worker at work."""
        watch.begin()
        result, _ = self.load(
            requests=int(self.seconds * 1_000), seconds=self.seconds, batch=1, rate=1_000, connections=64
        )
        delay = watch.end()
        self.note(
            "1,000 single requests/s with folding, p50",
            result.latency["p50"],
            "ms",
            "lower",
            peer_value=PEER_MS,
        )
        self.note("1,000 single requests/s with folding, p99", result.latency["p99"], "ms", "lower", goal=50)
        self.note("1,000 single requests/s, longest delay to the record", delay, "s", "lower", goal=1)
        watch.drained()

    def sustained(self, watch: Watch, steps: tuple[int, ...]) -> None:
        """The largest offered load at which nothing waits for a second; one that fails is tried once more."""
        best: tuple[float, dict[str, float], float] | None = None
        for offered in steps:
            found = self._held(watch, offered) or self._held(watch, offered)
            if found is None:
                break
            best = found
        self.note(
            "sustained with folding, delay below 1 s", best[0] if best else 0.0, "events/s", goal=10_000
        )
        if best is not None:
            self.note("point reads at that load, p50", best[1]["p50"], "ms", "lower")
            self.note("point reads at that load, p99", best[1]["p99"], "ms", "lower", goal=5)
            self.note("share of the machine that others on its host took meanwhile", best[2], "%", "lower")

    def _held(self, watch: Watch, offered: int) -> tuple[float, dict[str, float], float] | None:
        """Offer a load: events a second, point reads, per cent of the machine lost; None where it fell behind."""
        with reading(self.where, self.customers, self.seconds) as looked:
            watch.begin()
            before = stolen()
            result, cpu = self.load(
                requests=int(self.seconds * offered / 100),
                seconds=self.seconds,
                rate=offered / 100,
                connections=32,
            )
            delay = watch.end()
            after = stolen()
        rate = result.events / result.seconds
        lost = 100 * (after[0] - before[0]) / (after[1] - before[1])
        spent = ", ".join(f"{who} {seconds / self.seconds:.2f}" for who, seconds in cpu.items())
        print(f"    offered {offered:>6,}/s: {rate:>9,.0f}/s accepted, p99 {result.latency['p99']:.1f} ms, "
              f"longest delay {delay:.2f} s, {watch.events():,} left, reads p50 {looked['p50']:.2f} "
              f"p99 {looked['p99']:.2f} ms, CPU {spent} cores; others took {lost:.0f} %", flush=True)  # fmt: skip
        watch.drained()
        return (rate, looked, lost) if delay < MOST_DELAY and rate >= 0.95 * offered else None

    def memory(self) -> None:
        """What the two processes held at most."""
        self.note("memory of the server", memory_mib(self.server.pid), "MiB", "lower")
        if worker := self.server.worker():
            self.note("memory of the worker", memory_mib(worker), "MiB", "lower")


class Watch:
    """Looks twenty times a second at how long the oldest delivery waits."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.most = 0.0
        self.over = threading.Event()
        self.thread: threading.Thread | None = None

    def _backlog(self) -> Any:
        places = self.shop.places
        after = 0
        if places.gate.inbox.ordered:
            with places.ledger.read() as reader:
                after = int(reader.setting("inbox") or 0)
        return places.gate.inbox.backlog(after)

    def events(self) -> int:
        """How many events wait."""
        return int(self._backlog().events)

    def _look(self) -> None:
        while not self.over.wait(0.05):
            oldest = self._backlog().oldest
            if oldest:
                self.most = max(self.most, time.time() - oldest / 1e6)

    def begin(self) -> None:
        """Forget what was seen, and look."""
        self.most = 0.0
        self.over.clear()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def end(self) -> float:
        """The longest wait since, in seconds."""
        self.over.set()
        assert self.thread is not None
        self.thread.join()
        return self.most

    def drained(self, patience: float = 600.0) -> None:
        """Return when nothing waits."""
        until = time.monotonic() + patience
        while self.events() and time.monotonic() < until:
            time.sleep(0.05)


@contextlib.contextmanager
def reading(where: str | Path, customers: int, seconds: float) -> Iterator[dict[str, float]]:
    """Profiles are looked up meanwhile, a hundred a second, by a process of its own."""
    command = [sys.executable, str(HERE / "reading.py"), str(where), str(customers), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    found: dict[str, float] = {"p50": 0.0, "p99": 0.0}
    process.stdin.write(b"go\n")
    process.stdin.flush()
    try:
        yield found
    finally:
        found |= json.loads(process.stdout.readline() or b"{}")
        process.wait()
        process.stdout.close()
        process.stdin.close()


@contextlib.contextmanager
def sqlite_shop(events: int, scratch: Path) -> Iterator[Path]:
    """A shop in a folder, empty or made in bulk."""
    folder = scratch / "shop"
    if events:
        kept = bulk.large_shop(events // EVENTS_A_CUSTOMER, events)
        bulk.copy(kept, folder)
    else:
        empty_shop(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres_shop(events: int, scratch: Path) -> Iterator[Path]:
    """The same with its rows in a PostgreSQL of its own."""
    import postgres

    with postgres.running() as server, sqlite_shop(events, scratch) as folder:
        if events:
            postgres.moved_in(folder, server)
        else:
            postgres.empty(folder, server)
        yield folder


SHOPS = {"sqlite": sqlite_shop, "postgres": postgres_shop}


def measure(engine: str, events: int, seconds: float, scratch: Path) -> list[Row]:
    """All figures of one engine at one size."""
    label = f"{engine}, {'empty' if not events else f'{events:,} events'}"
    print(f"\n{label}", flush=True)
    with SHOPS[engine](events, scratch) as where:
        key = with_source(where)
        bench = Bench(label, where, key, max(1, events // EVENTS_A_CUSTOMER) if events else 50_000, seconds)
        with bench.server, shopkeeper.open(where) as shop:
            watch = Watch(shop)
            bench.paced(watch)  # first, while the shop is as large as it says
            bench.sustained(watch, STEPS)
            bench.accepting(large=events > 0)
            bench.folding(watch)
            bench.memory()
    return bench.rows


def ratios(rows: list[Row], engine: str, sizes: list[int]) -> list[Row]:
    """How the largest shop compares with the empty one."""
    if len(sizes) < 2:
        return []
    found = {r["name"]: r["value"] for r in rows}
    most = max(sizes)
    ratio = []
    for name in (
        "append only, batches of 100",
        "append only, single calls",
        "sustained with folding, delay below 1 s",
    ):
        empty, full = (found.get(f"{engine}, {s}: {name}") for s in ("empty", f"{most:,} events"))
        if empty and full:
            ratio.append(
                row(f"{engine}: {name}, {most:,} events against none", full / empty, "ratio", "higher", 0.5)
            )
            print(f"{ratio[-1]['name']:<75} {full / empty:.2f}   (goal 0.5)")
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="empty shops and short runs, below three minutes"
    )
    parser.add_argument("--engines", default="sqlite,postgres", help="which, with commas between")
    parser.add_argument(
        "--sizes", default="0,1000000,5000000,10000000", help="events there before, with commas between"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each run lasts")
    parser.add_argument("--scratch", type=Path, help="where shops are copied to; on the disk to be measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    sizes = [0] if options.quick else [int(size) for size in options.sizes.split(",")]
    seconds = 4.0 if options.quick else options.seconds
    print(f"{os.cpu_count()} cores for server, worker, engine and load generator together")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        for engine in options.engines.split(","):
            for events in sizes:
                rows += measure(engine, events, seconds, Path(scratch))
            rows += ratios(rows, engine, sizes)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
