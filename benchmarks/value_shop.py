"""What the predictions of a whole shop cost: a refresh, another one the next night, and everything read from them.

    uv run python benchmarks/value_shop.py [--quick] [--sizes N ...] [--no-peer] [--json FILE]

Shops of 100,000 and 1,000,000 buyers (``buyers.py``; simulated, made once through ``bulk.py``: some minutes and 7 GB
for a million); ``--quick`` takes 20,000. Each is a real folder, SQLite and Parquet, of which a copy is written to, and
each is measured in a process of its own: CPU seconds of all threads, and the most memory resident during the part. The
first refresh also brings the whole log into an empty lake ("feed"). The peer, *lifetimes* in an environment of its own,
fits BG/NBD to the same customers and gives each an expectation and P(alive): a small part of what a refresh does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any, Self

import bulk
import buyers
import msgspec
import numpy as np
import value
import world as worlds

Row = dict[str, Any]
GOAL_CPU, GOAL_MB = 120.0, 4_000.0
"""Of predicting for a million customers."""
PARTS = (
    ("living", "advance"), ("predicting.refreshing", "order_days"), ("predicting.refreshing", "foresee"),
    ("predicting.refreshing", "rhythms"), ("predicting.refreshing", "advocate"), ("predicting.refreshing", "write"),
    ("predicting.refreshing", "_keep"), ("predicting.refreshing", "make_current"), ("predicting", "predict"),
    ("feeding", "feed"), ("facade", "work_ahead"),
)  # fmt: skip
"""Functions of ``shopkeeper.shop`` that a refresh calls, each timed by itself; ``predict`` holds all before it but the
first.
"""


class Resident:
    """The most memory resident while something is done, in MB, looked at fifty times a second."""

    def __enter__(self) -> Self:
        self.most, self._on = now(), True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()
        self.most = max(self.most, now())

    def _look(self) -> None:
        while self._on:
            self.most = max(self.most, now())
            time.sleep(0.02)


def now() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def part(name: str, work: Callable[[], Any]) -> Any:
    """Do something and print a line about it."""
    began = time.process_time()
    with Resident() as memory:
        found = work()
    said = {"part": name, "cpu_s": round(time.process_time() - began, 3), "mb": round(memory.most)}
    print(json.dumps(said), flush=True)
    return found


def measured(folder: Path) -> None:
    """Refresh a shop and read from it what was foretold."""
    from importlib import import_module

    import shopkeeper
    from shopkeeper import settings

    night = [""]
    for module, name in PARTS:
        place = import_module(f"shopkeeper.shop.{module}")

        def timed(call: Any, name: str = name) -> Any:
            return wraps(call)(lambda *a, **k: part(f"{name}{night[0]}", lambda: call(*a, **k)))

        setattr(place, name, timed(getattr(place, name)))
    with shopkeeper.open(folder) as shop:
        part("first refresh", shop.refresh)
    later = worlds.END + timedelta(days=1)
    settings.save(folder, msgspec.structs.replace(settings.load(folder), now=later.isoformat()))
    night[0] = ", next night"
    with shopkeeper.open(folder) as shop:
        part("refresh, next night", shop.refresh)
    with shopkeeper.open(folder) as shop:
        part("shop.value()", shop.value)
        part("shop.worth()", shop.worth)
        part("shop.predicted(as_of=)", lambda: shop.predicted(worlds.END.date()))
        part("shop.predictions(one)", lambda: shop.predictions("c1"))
        part("shop.regulars()", shop.regulars)
        part("shop.advocates()", shop.advocates)
    with shopkeeper.open(folder) as shop:
        page(shop)


def page(shop: Any) -> None:
    """The page /value of a server that has just begun, and again."""
    from litestar.testing import TestClient

    from shopkeeper.web.app import create_app

    shop.add_user("bench@example.com", "administrator")
    signed = shop.enter(shop.user_link("bench@example.com", "sign_in").token)
    with TestClient(create_app(shop), base_url="http://127.0.0.1:8765") as http:
        http.cookies.set(f"shopkeeper-{shop.mark}", signed.token)
        for which in ("first", "again"):
            began = time.perf_counter()
            answer = part(f"page /value, {which}", lambda: http.get("/value"))
            assert answer.status_code == 200, answer.status_code
            taken = round(time.perf_counter() - began, 3)
            print(json.dumps({"part": f"page /value, {which}, until it is there", "wall_s": taken}))


def side(customers: int) -> dict[str, float]:
    """What lifetimes takes for BG/NBD of the same customers."""
    drawn = buyers.draw(customers)
    bought = (drawn.kind == 3) | (drawn.kind == 4)
    days = np.unique(drawn.owner[bought].astype(np.int64) * 100_000 + drawn.at[bought] // 86_400_000_000)
    who, day = days // 100_000, days % 100_000
    first = np.searchsorted(who, np.arange(customers))
    last = np.append(first[1:], who.size) - 1
    end = int(worlds.END.timestamp()) // 86_400
    arrays = {
        "frequency": last - first,
        "recency": (day[last] - day[first]) / 7.0,
        "T": (end - day[first]) / 7.0,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, column in arrays.items():
            np.save(Path(folder) / f"{name}.npy", column.astype(np.float64))
        done = value.run(
            value.environment("lifetimes"), "lifetimes", "bg", Path(folder), value.Most(120.0, 16.0)
        )
    if done.stopped:
        print(f"lifetimes, {customers:,}: {done.stopped}")
    return done.cpu


def shop_of(customers: int, *, peer: bool) -> list[Row]:
    source = bulk.large_shop(customers, 0, draw=buyers.draw)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        folder = Path(scratch) / "shop"
        shutil.copytree(source, folder)
        command = [sys.executable, __file__, "--measure", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            for line in running.stdout or ():
                said = json.loads(line)
                name, million = said["part"], customers == 1_000_000
                aimed = million and name == "predict"
                if "wall_s" in said:
                    rows.append(row(customers, name, said["wall_s"], "s"))
                    continue
                rows.append(row(customers, name, said["cpu_s"], "CPU s", GOAL_CPU if aimed else None))
                rows.append(row(customers, f"{name}, memory", said["mb"], "MB", GOAL_MB if aimed else None))
        if running.returncode:
            raise SystemExit(f"{customers:,} customers: the process ended with {running.returncode}")
    if peer:
        ours = next(one["value"] for one in rows if one["name"].endswith(": foresee, next night"))
        name = "a forecast by the model in use (foresee, next night)"
        rows.append(row(customers, name, ours, "CPU s", beside=sum(side(customers).values())))
    return rows


def row(
    customers: int,
    name: str,
    taken: float,
    unit: str,
    goal: float | None = None,
    beside: float | None = None,
) -> Row:
    said = {
        "name": f"{customers:,} customers: {name}", "value": taken, "unit": unit, "better": "lower", "goal": goal,
        "peer": None if beside is None else "lifetimes, BG/NBD alone", "peer_value": beside and round(beside, 2),
    }  # fmt: skip
    told = f"  goal {goal:g}" if goal else ""
    told += f"  lifetimes (BG/NBD alone) {beside:.2f}" if beside else ""
    print(f"{said['name']:<70} {taken:>10} {unit}{told}", flush=True)
    return said


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="20,000 customers")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000], metavar="N")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measured(options.measure)
        return
    sizes = [20_000] if options.quick else options.sizes
    found = {size: shop_of(size, peer=not options.no_peer) for size in sizes}
    rows = [one for some in found.values() for one in some]
    for small, large in pairwise(sizes):
        cost = [
            next(one["value"] for one in found[size] if one["name"].endswith(": predict"))
            for size in (small, large)
        ]
        exponent = round(log(cost[1] / cost[0]) / log(large / small), 3)
        rows.append(row(large, f"growth of predict from {small:,}, exponent", exponent, "", 1.0))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
