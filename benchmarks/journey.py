"""The journey's two heavy steps at growing size: importing order lines, and folding everybody anew.

    uv run python benchmarks/journey.py [--quick] [--json FILE]

The order lines are the sample shop's (UCI Online Retail II). The import's peer is the least that could be done with the
same rows: Python's sqlite3 writing one row a line, without checks, amounts, deduplication, identities or sealing.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

import shopkeeper
from shopkeeper.collect.samples import write_sample

GOAL_IMPORT_SECONDS = 30.0
GOAL_EVENTS_PER_CPU_SECOND = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, below three minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    sizes = (0.125, 0.25, 0.5) if options.quick else (0.25, 0.5, 1.0, 2.0)
    found = [one(size) for size in sizes]
    rows = []
    print(
        f"\n{'lines':>10} {'import s':>9} {'CPU s':>7} {'again s':>8} {'peer s':>7} {'events':>9} {'folded/CPU s':>13}"
    )
    for f in found:
        print(
            f"{f['lines']:>10,} {f['import']:>9.1f} {f['import_cpu']:>7.1f} {f['again']:>8.1f} {f['peer']:>7.1f} "
            f"{f['events']:>9,} {f['rate']:>13,.0f}"
        )
        whole = f["lines"] == 1_044_847
        rows += [
            row(f"import {f['lines']:,} order lines", f["import"], "s", "lower", GOAL_IMPORT_SECONDS if whole else None,
                "sqlite3, one row a line, nothing else", f["peer"]),
            row(f"the same file again, {f['lines']:,} lines", f["again"], "s", "lower", None, None, None),
            row(f"rebuild of {f['events']:,} events", f["rate"], "events per CPU s", "higher",
                GOAL_EVENTS_PER_CPU_SECOND, None, None),
        ]  # fmt: skip
    first, last = found[0], found[-1]
    for name, key in (("import", "import_cpu"), ("rebuild", "rebuild_cpu")):
        growth = math.log(last[key] / first[key]) / math.log(last["lines"] / first["lines"])
        print(f"growth of {name}: CPU seconds grow as lines to the power {growth:.2f}")
        rows.append(row(f"growth of {name}", growth, "exponent", "lower", None, None, None))
    cpu = time.process_time()
    sum(range(20_000_000))
    print(f"this machine, now: 20 million additions take {time.process_time() - cpu:.2f} CPU seconds")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


def row(
    name: str,
    value: float,
    unit: str,
    better: str,
    goal: float | None,
    peer: str | None,
    peer_value: float | None,
) -> dict:
    return {
        "name": name, "value": round(value, 3), "unit": unit, "better": better,
        "goal": goal, "peer": peer, "peer_value": peer_value and round(peer_value, 3),
    }  # fmt: skip


def one(size: float) -> dict:
    print(f"size {size:g} ...", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        exports = folder / "exports"
        write_sample(exports, size=size, truth=folder / "truth")
        with shopkeeper.create(folder / "shop", now="2011-12-10T00:00:00+00:00") as shop:
            wall, cpu = time.perf_counter(), time.process_time()
            summary = shop.collect(exports / "orders.parquet")
            imported = time.perf_counter() - wall, time.process_time() - cpu
            wall = time.perf_counter()
            again = shop.collect(exports / "orders.parquet")
            repeated = time.perf_counter() - wall
            if again.kept or summary.read != summary.kept:
                raise SystemExit("the import is wrong; its time means nothing")
            shop.collect(exports / "products.csv")
            shop.collect(exports / "customers.csv")
            shop.collect(exports / "events.jsonl")
            shop.advance()
            cpu = time.process_time()
            events = shop.rebuild()
            rebuilt = time.process_time() - cpu
        return {
            "lines": summary.read, "import": imported[0], "import_cpu": imported[1], "again": repeated,
            "peer": floor(exports / "orders.parquet", folder / "peer.db"),
            "events": events, "rebuild_cpu": rebuilt, "rate": events / rebuilt,
        }  # fmt: skip


def floor(file: Path, to: Path) -> float:
    """Seconds to read the lines and insert them with sqlite3, synced once."""
    wall = time.perf_counter()
    table = pq.read_table(file)
    columns = [column.cast("string").to_pylist() for column in table.columns]
    connection = sqlite3.connect(to)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"CREATE TABLE line ({', '.join(table.column_names)})")
    marks = ", ".join("?" * table.num_columns)
    with connection:
        connection.executemany(f"INSERT INTO line VALUES ({marks})", zip(*columns, strict=True))
    connection.close()
    return time.perf_counter() - wall


if __name__ == "__main__":
    main()
