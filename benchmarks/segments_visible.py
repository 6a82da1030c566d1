"""Segments live in a served shop: how long after an event was accepted is what it changed visible to a reader?

    uv run python benchmarks/segments_visible.py [--quick] [--json FILE]

A real ``shopkeeper serve`` with a thousand segments in use and a load generator that hands in 2,000 and then 5,000
events a second for some time, whatever the server does. A reader looks every few milliseconds at the ledger: up to
where events are in it, and who entered or left. What is new since its last look became visible then. The delay of an
entry is counted from when the *first* of that customer's events that became visible in the same look was accepted, so
that it is rather too long than too short. The clock is the real one: the shop's own events lie some time back.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple

import bulk
import numpy as np
from graph import BATCH, row
from load import Plan, Result
from msgspec import structs
from segments_live import TRAFFIC, Traffic, define
from serving import Load, Server, cpu_seconds, with_source

import shopkeeper
from shopkeeper.shop import Shop, living

RATES = (2_000, 5_000)
GOAL_S = 1.0
_EVERY = 0.01
_PATIENCE = 60.0


class Look(NamedTuple):
    """What a reader saw."""

    at: float
    """Seconds since 1970."""
    cursor: int
    entries: int


def _look(shop: Shop) -> Look:
    with shop.places.ledger.read() as reader:
        cursor, entries = int(reader.setting("cursor") or 0), int(reader.setting("last_audience") or 0)
    return Look(time.time(), cursor, entries)


def watched(shop: Shop, load: Load, seconds: float, events: int) -> list[Look]:
    """Look until everything that was handed in is visible."""
    first = _look(shop)
    found = [first]
    load.go()
    until = time.time() + seconds + _PATIENCE
    while found[-1].cursor < first.cursor + events and time.time() < until:
        time.sleep(_EVERY)
        seen = _look(shop)
        if (seen.cursor, seen.entries) != found[-1][1:]:
            found.append(seen)
    return found


def delays(shop: Shop, looks: list[Look]) -> tuple[np.ndarray, np.ndarray]:
    """Seconds from acceptance until visible: of each event, and of each entry or exit that an event set off."""
    cursors, entries = [look.cursor for look in looks], [look.entries for look in looks]
    first: dict[tuple[int, int], int] = {}
    of_events: list[float] = []
    with shop.places.ledger.read() as reader:
        customer = {node: one for chunk in reader.all_members() for node, one, _, _ in chunk}
        at = cursors[0]
        while rows := reader.log_after(at, 50_000):
            at = rows[-1].seq
            for event in rows:
                number = bisect_right(cursors, event.seq - 1)
                if number == len(looks):
                    break
                of_events.append(looks[number].at - event.received_at / 1e6)
                first.setdefault((number, customer.get(event.node, 0)), event.received_at)
        of_entries: list[float] = []
        last = entries[0]
        while some := reader.audience(last, 50_000):
            last = some[-1].id
            for entry in some:
                number = bisect_right(entries, entry.id - 1)
                accepted = first.get((number, entry.customer))
                if entry.cause != "time" and accepted is not None:
                    of_entries.append(looks[number].at - accepted / 1e6)
    if not of_entries:
        raise SystemExit(
            "nothing that was handed in changed who is in a segment: there is nothing to measure"
        )
    return np.array(of_events), np.array(of_entries)


def sustained(
    where: Path, key: str, rate: int, seconds: float, customers: int, traffic: Traffic
) -> list[dict[str, Any]]:
    """One rate, kept up."""
    requests = int(rate * seconds / BATCH)
    name = traffic.label.replace(" ", "-")  # what was heard once is not heard again
    with Server(where) as server, shopkeeper.open(where) as shop:
        plan = Plan(
            port=server.port, key=key, requests=requests, seconds=seconds + 30, batch=BATCH, rate=rate / BATCH,
            customers=customers, run=f"s{name}-{rate}", visit=traffic.visit, shares=traffic.shares,
            strangers=traffic.strangers,
        )  # fmt: skip
        warm = Load(structs.replace(plan, requests=20, run=f"w{name}-{rate}", rate=10.0)).ready()
        watched(shop, warm, 2.0, 20 * BATCH)  # a worker that begins reads every definition first
        warm.result()
        load = Load(plan).ready()
        worker = server.worker()
        spent = cpu_seconds(worker)
        looks = watched(shop, load, seconds, requests * BATCH)
        result: Result = load.result()
        spent = cpu_seconds(worker) - spent
        events, entries = delays(shop, looks)
        took = looks[-1].at - looks[0].at
    lost = requests * BATCH - len(events)
    label = f"{traffic.label}, {rate:,} events a second for {seconds:.0f} s"
    ends = {"p50": 50, "p99": 99, "most": 100}
    return [
        *(
            row(f"{label}: entry or exit visible after, {which}", float(np.percentile(entries, end)), "s", "lower",
                GOAL_S)
            for which, end in ends.items()
        ),
        row(f"{label}: event folded after, p99", float(np.percentile(events, 99)), "s", "lower", None),
        row(f"{label}: answered after, p99", result.latency["p99"], "ms", "lower", None),
        row(f"{label}: not visible in the end", float(lost), "events", "lower", 0.0),
        row(f"{label}: entered and left for each event", len(entries) / max(1, len(events)), "", "lower", None),
        row(f"{label}: the worker's share of one core", spent / took, "", "lower", 1.0),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a shop of 40,000 events, 8 seconds of a web shop's visits at each rate",
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="events there before")
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, help="at each rate (default 60, quick 8)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    size = 40_000 if options.quick else options.events
    seconds = options.seconds or (8.0 if options.quick else 60.0)
    customers = size // 20
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch) / "shop"
        bulk.copy(bulk.large_shop(customers, size, say=lambda _: None), where)
        key = with_source(where)
        with shopkeeper.open(where) as shop:
            living.advance(shop.places)
            define(shop, options.segments)
        for number in (2,) if options.quick else (2, 0, 1):
            for rate in RATES:
                rows += sustained(where, key, rate, seconds, customers, TRAFFIC[number])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
