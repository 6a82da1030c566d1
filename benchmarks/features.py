"""What the table of features costs: every group of columns and the whole, at an instant three months back.

    uv run python benchmarks/features.py [--quick] [--json FILE] [--customers N --events N]

1,000,000 customers and 50,000,000 events in the lake (``bulk_lake.py`` makes it once, some minutes); ``--quick`` takes
50,000 and 2,500,000. CPU seconds are of all threads.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bulk_lake
import world as worlds

from shopkeeper.domain.clock import micros
from shopkeeper.know import features
from shopkeeper.shop import featuring
from shopkeeper.stores.lake import open_lake

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="50,000 customers, 2,500,000 events")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    if options.quick:
        options.customers, options.events = 50_000, 2_500_000
    lake = open_lake(bulk_lake.large_lake(options.customers, options.events))
    asked = features.Asked(end=micros(worlds.END - timedelta(days=91)), currency="GBP", assumed=0.4)
    size = f"{options.customers:,} customers, {options.events:,} events"
    rows: list[Row] = []

    def measured(name: str, work: Callable[[], Any], goal: float | None = None) -> Any:
        began = time.process_time()
        found = work()
        taken = round(time.process_time() - began, 2)
        rows.append(
            {
                "name": f"features: {name} ({size})", "value": taken, "unit": "CPU s", "better": "lower",
                "goal": None if options.quick else goal, "peer": None, "peer_value": None,
            }
        )  # fmt: skip
        return found

    traded = measured("trade", lambda: features.trade(lake.query, asked))
    measured("goods", lambda: features.goods(lake.query, asked, traded.void))
    measured("deeds", lambda: features.deeds(lake.query, asked))
    measured("consents", lambda: features.consents(lake.query, asked))
    places: Any = SimpleNamespace(lake=lake, settings=SimpleNamespace(time_zone="Europe/London"), scale=100.0)
    table = measured("the whole table", lambda: featuring.table_of(places, asked), 20.0)
    measured("as Arrow", lambda: featuring.as_arrow(table))
    for row in rows:
        goal = f"  goal {row['goal']}" if row["goal"] is not None else ""
        print(f"{row['name']:<78} {row['value']:>9} {row['unit']}{goal}")
    print(f"{len(table.customer):,} rows, {len(table.names)} columns, peak {peak():.1f} GB")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def peak() -> float:
    """The most memory this process had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
