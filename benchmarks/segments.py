"""What a condition costs when it is asked of everybody: counts, the whole table, and a size while somebody types.

    uv run python benchmarks/segments.py [--quick] [--json FILE] [--customers N --events N]

1,000,000 customers and 50,000,000 events in the lake (``bulk_lake.py`` makes it once, some minutes); ``--quick`` takes
50,000 and 2,500,000. Cold is a process of its own from opening the lake to the answer, imports done, with the files in
the system's cache as they happen to be; warm is the median of the later questions in that process. CPU seconds are of
all threads. The peer is the same question as SQL written by hand for this one, over the same files by the same engine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bulk_lake
import world as worlds

from shopkeeper.domain.clock import DAY, instant, micros
from shopkeeper.domain.condition import check
from shopkeeper.know.segments import Setting, matches, totals
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD
from shopkeeper.stores.lake import open_lake

Row = dict[str, Any]
TRAITS = {trait.name: trait for trait in (*KNOWN, *FORETOLD)}
NOW = micros(worlds.END)
TRAIT_ONLY = "p_alive < 0.5 and clv_12m > 200"
LOOKED = (
    TRAIT_ONLY + " and events('Product Viewed', category => 'Aisle 3', days => {0}) >= 2"
    " and not events('Order Completed', days => {0})"
)
OTHERS = {
    "followed by nothing, 14 days":
        "events('Product Added', then_not => 'Order Completed', within_days => 3, days => 14) >= 1",
    "orders in stores, 14 days": "orders(channel => 'store', days => 14) >= 2",
    "spent in a category, 365 days": "spend(category => 'Aisle 3', days => 365) > 100",
}  # fmt: skip
BY_HAND = """
WITH few AS (
    SELECT i.node, i.customer FROM identities AS i JOIN customers AS c ON c.id = i.customer
    WHERE c.p_alive < 0.5 AND c.clv_12m > 200
),
did AS (
    SELECT f.customer, count(CASE WHEN e.name = 'Product Viewed' THEN 1 END) AS looked,
        count(CASE WHEN e.name = 'Order Completed' THEN 1 END) AS bought
    FROM events AS e JOIN few AS f ON f.node = e.node
    WHERE e.occurred_at > $since AND e.occurred_at <= $now
        AND (e.name = 'Order Completed' OR e.name = 'Product Viewed' AND e.category = 'Aisle 3')
    GROUP BY f.customer
)
SELECT customer AS id FROM did WHERE looked >= 2 AND bought = 0 ORDER BY id
"""
"""No catalogue, no cancelled orders, no clock: what somebody writes who knows that these files need none of it."""
TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="50,000 customers, 2,500,000 events")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    parser.add_argument("--ask", metavar="WHAT", help=argparse.SUPPRESS)
    parser.add_argument("--lake", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(asked(options.lake, options.ask)))
        return
    if options.quick:
        options.customers, options.events = 50_000, 2_500_000
    folder = bulk_lake.large_lake(options.customers, options.events)
    rows = measured(
        folder, f"{options.customers:,} customers, {options.events:,} events", full=not options.quick
    )
    for row in rows:
        goal = f"  goal {row['goal']}" if row["goal"] is not None else ""
        peer = f"  {row['peer']}: {row['peer_value']}" if row["peer"] else ""
        print(f"{row['name']:<78} {row['value']:>9} {row['unit']}{goal}{peer}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def measured(folder: Path, size: str, *, full: bool) -> list[Row]:
    """Every question in a process of its own."""
    rows: list[Row] = []
    hand = {days: fresh(folder, f"hand {days}") for days in (14, 365)}
    for name, what, goals, days in (
        ("traits only", TRAIT_ONLY, (None, 0.2), None),
        ("looked, not bought, 14 days", LOOKED.format(14), (1.5, 0.7), 14),
        ("looked, not bought, 365 days", LOOKED.format(365), (None, 4.0), 365),
        *((name, text, (None, None), None) for name, text in OTHERS.items()),
    ):
        found = fresh(folder, what)
        by_hand = hand.get(days) if days is not None else None
        if by_hand is not None and by_hand["answer"] != found["answer"]:
            raise SystemExit(f"{name}: {found['answer']} customers, by hand {by_hand['answer']}")
        title = f"segments: {name} ({found['answer']:,} of {size})"
        for kind, goal in zip(("cold", "warm"), goals, strict=True):
            peer = {} if by_hand is None else {"peer": "SQL by hand", "peer_value": by_hand[kind]}
            rows.append(row(f"{title}, {kind}", found[kind], "s", goal=goal if full else None, **peer))
        peer = {} if by_hand is None else {"peer": "SQL by hand", "peer_value": by_hand["cpu"]}
        rows.append(row(f"{title}, warm", found["cpu"], "CPU s", **peer))
    for days in (14, 365):
        found = fresh(folder, f"estimate {LOOKED.format(days)}")
        title = f"segments: estimate of looked, not bought, {days} days (about {found['answer']:,})"
        rows.append(row(f"{title}, while typing", found["warm"], "s", goal=0.2 if full else None))
        rows.append(row(f"{title}, gathering the sample", found["cold"], "s"))
    return rows


def fresh(folder: Path, what: str) -> Row:
    """Ask in a new process."""
    command = [sys.executable, __file__, "--lake", str(folder), "--ask", what]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def asked(folder: Path, what: str) -> Row:
    """Ask once cold and some times warm."""
    import pyarrow as pa

    kind, _, rest = what.partition(" ")
    setting = Setting(traits=TRAITS, now=NOW, zone="Europe/London", currency="GBP")
    check("orders > 0", TRAITS)  # reads the modules
    pa.array([1])

    def count() -> int:
        if kind == "hand":
            since = instant(NOW - int(rest) * DAY)
            return lake.query(BY_HAND, {"since": since, "now": instant(NOW)}).num_rows
        if kind == "estimate":
            question = totals(check(rest, TRAITS), setting)
            found = lake.query(question.sql, question.parameters, sample=True).to_pylist()[0]
            everybody = sum(file.rows for file in lake.manifest().tables["customers"])
            return round(found["customers"] / found["all_customers"] * everybody)
        question = matches(check(what, TRAITS), setting, [])
        return lake.query(question.sql, question.parameters).num_rows

    began = time.perf_counter()
    lake = open_lake(folder)
    answer = count()
    cold = time.perf_counter() - began
    seconds, cpu = zip(*(timed(count) for _ in range(TIMES)), strict=True)
    return {
        "answer": answer, "cold": round(cold, 3), "warm": round(statistics.median(seconds), 3),
        "cpu": round(statistics.median(cpu), 3),
    }  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def row(
    name: str, value: float, unit: str, *, goal: float | None = None, peer: str | None = None,
    peer_value: float | None = None,
) -> Row:  # fmt: skip
    return {
        "name": name, "value": value, "unit": unit, "better": "lower", "goal": goal, "peer": peer,
        "peer_value": peer_value,
    }  # fmt: skip


if __name__ == "__main__":
    main()
