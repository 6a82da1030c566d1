"""The live graph: observations a CPU second, how long one takes, and what undoing a merge costs.

    uv run python benchmarks/graph.py [--quick] [--json FILE]

A simulated shop in a SQLite ledger (``bulk.py``); the observations are those of ``load.py``: visits, logins, orders and
contacts of its customers, one visit in ten by a browser never seen before. They are logged first, so that only taking
them into identities is measured: reading them from the log, edges, membership, merges and the audit of them. ``one``
is an event alone in a transaction of its own without its commit. Undoing is ``unlink`` of an identifier of a customer
drawn at random: the graph apart from folding both sides anew. Peers in resolving identities live publish no figures
with hardware.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bulk
import msgspec
import numpy as np
from load import Plan, events_of
from serving import empty_shop, with_source

import shopkeeper
from shopkeeper.domain.delivery import Delivery
from shopkeeper.resolve.deciding import UNLINK, decide, unlinking
from shopkeeper.resolve.graph import observe
from shopkeeper.shop import Shop, living
from shopkeeper.shop.understanding import understand
from shopkeeper.stores.contract.gate import KeptDelivery
from shopkeeper.stores.contract.ledger import LedgerWriter

GOAL_A_SECOND, GOAL_ONE_MS, GOAL_UNDO_MS = 50_000, 1.0, 10.0
BATCH = 100
_STEP = 5_000


class Undo(Exception):
    """Undoes a transaction whose time was taken."""


def log(shop: Shop, batches: int, customers: int) -> int:
    """Log events without taking them into identities; returns after which place in the log."""
    plan = Plan(port=0, key="", requests=batches, seconds=0, batch=BATCH, customers=customers)
    places = shop.places
    with places.ledger.read() as reader:
        before = int(reader.setting("last_seq") or 0)
    for number in range(batches):
        body = msgspec.json.encode({"batch": events_of(plan, number)})
        delivery = Delivery(
            source="site", format="tracking", received_at=int(time.time() * 1e6), body=body, topic="batch"
        )
        salt = places.vault.salt()
        kept = KeptDelivery(
            number + 1, delivery.received_at, "site", "tracking", "batch", BATCH, salt,
            places.vault.seal(salt, (0, body, {})), 0,
        )  # fmt: skip
        told = understand(places, [kept]).told

        def put(tx: LedgerWriter, told: Any = told) -> None:
            from shopkeeper.collect.intake import Outcome

            taking = places.intake.begin(tx)
            for one in told:
                taking.take(one.ready, Outcome())

        places.ledger.write(put)
    return before


def percentiles(name: str, took: list[float], goal: float | None, unit: str = "ms") -> list[dict[str, Any]]:
    """p50 and p99."""
    p50, p99 = np.percentile(np.array(took) * 1e3, [50, 99])
    return [row(f"{name}, p50", p50, unit, "lower", None), row(f"{name}, p99", p99, unit, "lower", goal)]


def row(name: str, value: float, unit: str, better: str, goal: float | None) -> dict[str, Any]:
    """A figure, printed."""
    aim = "" if goal is None else f"   (goal {goal:,g})"
    print(f"  {name:<62} {value:>12,.3f} {unit}{aim}", flush=True)
    return {"name": name, "value": round(float(value), 4), "unit": unit, "better": better, "goal": goal,
            "peer": None, "peer_value": None}  # fmt: skip


def observed(shop: Shop, label: str, after: int) -> list[dict[str, Any]]:
    """Take what was logged into identities, in steps as the worker does."""
    places = shop.places
    count, spent = 0, 0.0

    def work(tx: LedgerWriter) -> None:
        nonlocal count, spent
        at = after
        cpu = time.process_time()
        while rows := tx.log_after(at, _STEP):
            observe(tx, rows, now=places.now())
            at, count = rows[-1].seq, count + len(rows)
        spent = time.process_time() - cpu
        raise Undo

    attempt(places.ledger.write, work)
    rows = [row(f"{label}: observations in steps", count / spent, "a CPU s", "higher", GOAL_A_SECOND)]
    took: list[float] = []

    def singly(tx: LedgerWriter) -> None:
        for one in tx.log_after(after, 4_000):
            began = time.perf_counter()
            observe(tx, [one], now=places.now())
            took.append(time.perf_counter() - began)
        raise Undo

    attempt(places.ledger.write, singly)
    return rows + percentiles(f"{label}: one observation alone", took, GOAL_ONE_MS)


def attempt(write: Callable[[Any], Any], work: Callable[[LedgerWriter], None]) -> None:
    """Run a transaction that undoes itself."""
    try:
        write(work)
    except Undo:
        return


def undone(shop: Shop, label: str, samples: int) -> list[dict[str, Any]]:
    """Unlink one identifier after another."""
    places = shop.places
    living.advance(places)
    chance = random.Random(1)
    took: list[float] = []
    folding = 0.0
    events = 0
    with places.ledger.read() as reader:
        everybody = sorted(
            {c for chunk in reader.all_members() for _, c, kind, _ in chunk if kind == "user_id"}
        )
    for customer in chance.sample(everybody, samples):

        def work(tx: LedgerWriter, customer: int = customer) -> None:
            nonlocal folding, events
            nodes = [m.node for m in tx.nodes_of([customer])]
            kinds = tx.marks(nodes)
            wrong = [n for n in nodes if kinds[n][0] in ("email", "loyalty_card", "anonymous_id")]
            if not wrong:
                return
            began = time.perf_counter()
            change = decide(
                tx,
                unlinking(tx, chance.choice(wrong)),
                same=False,
                now=places.now(),
                actor="bench",
                why=UNLINK,
            )
            took.append(time.perf_counter() - began)
            cpu = time.process_time()
            events += living.memory.refold(tx, change.refold - change.gone, places.catalogue(tx))
            folding += time.process_time() - cpu
            raise Undo

        attempt(places.ledger.write, work)
    return [
        *percentiles(f"{label}: unlink, the graph", took, GOAL_UNDO_MS),
        row(
            f"{label}: unlink, folding both sides anew",
            folding / max(1, events) * 1e6,
            "CPU µs an event",
            "lower",
            None,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="an empty shop and one of 200,000 events")
    parser.add_argument("--sizes", default="0,1000000,5000000", help="events there before")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    sizes = [0, 200_000] if options.quick else [int(size) for size in options.sizes.split(",")]
    rows: list[dict[str, Any]] = []
    for size in sizes:
        label = f"{size:,} events" if size else "empty"
        print(label, flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            where = Path(scratch) / "shop"
            if size:
                bulk.copy(bulk.large_shop(size // 20, size, say=lambda _: None), where)
            else:
                empty_shop(where)
            with_source(where)
            customers = max(5_000, size // 20)
            with shopkeeper.open(where) as shop:
                after = log(shop, 400, customers)
                rows += observed(shop, label, after)
                rows += undone(shop, label, 500)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
