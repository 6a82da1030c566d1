"""Segments live: what keeping a thousand of them up costs beside the fold, and how soon an entry is visible.

    uv run python benchmarks/segments_live.py [--quick] [--json FILE]

A simulated shop (``bulk.py``) and the events of ``load.py``; a thousand segments as a retailer has them
(``segments_realistic.py``). Steps of 1,250 events, a quarter of a second's worth at 5,000 a second, go into identities,
records and segments as the worker does it, with and without segments; CPU time of this process counts. The peer is the
plain way: every condition asked of every customer of an event, compiled all the same. How soon an entry is visible is
measured by ``segments_visible.py``.

Three kinds of traffic. Two are hard ones: the events of ``world.py``, of which every fifth is an order or a return, so
that six to nine segments are entered or left for each event; once as visits of eight events, and once with each event
by somebody else. The third has the shares of a web shop as measured: of 2,756,101 events in the RetailRocket data set
2,664,312 are looks, 69,332 additions to a cart and 22,457 purchases; half of the visits are by browsers never seen
before.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import bulk
import msgspec
import numpy as np
import world as worlds
from graph import BATCH, row
from load import Plan, events_of
from segments_realistic import realistic
from serving import with_source

import shopkeeper
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.clock import FixedClock, instant
from shopkeeper.know.fold import unpack as unpack_record
from shopkeeper.know.live import definitions, sweeping
from shopkeeper.know.live.held import Held, unpack
from shopkeeper.shop import Shop, living
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.understanding import understand
from shopkeeper.shop.watching import TRAITS, Tending, compiled, keep_up, watching
from shopkeeper.stores.contract.gate import KeptDelivery
from shopkeeper.stores.contract.ledger import LedgerWriter

STEP, RATE = 1_250, 5_000
GOAL_US, GOAL_A_SECOND, GOAL_VISIBLE_S = 20.0, 5_000, 1.0
TEN = (
    "orders >= 2", "revenue > 100", "days_since_order < 60", "country = 'United Kingdom'", "omnichannel",
    "events('Product Viewed', category => 'Aisle 3', days => 14) >= 2", "spend(days => 365) > 50",
    "last_seen > now() - interval '30 days'", "not events('Contact Opened', reason => 'complaint', days => 90)",
    "orders(category => 'Aisle 1', days => 180) >= 1",
)  # fmt: skip


def define(shop: Shop, count: int) -> float:
    """Save segments and bring them to everybody; returns seconds."""
    began = time.perf_counter()

    def save(tx: LedgerWriter) -> None:
        for name, condition in realistic(count):
            now = shop.places.now()
            definitions.save(tx, TRAITS, name, condition, None, None, now=now, actor="benchmark")

    shop.places.ledger.write(save)
    print(f"  saved in {time.perf_counter() - began:.1f} s", flush=True)
    began = time.perf_counter()

    def use(tx: LedgerWriter) -> None:
        for name, _ in realistic(count):
            definitions.activate(tx, TRAITS, name, shop.places.now())

    shop.places.ledger.write(use)
    keep_up(shop.places)
    return time.perf_counter() - began


class Traffic(NamedTuple):
    """What happens."""

    label: str
    visit: int
    shares: tuple[int, ...] = ()
    strangers: float = 0.1


_WEB = {"Product Viewed": 2_664_312, "Product Added": 69_332, "Order Completed": 22_457}
MEASURED = tuple(_WEB.get(kind.name, 0) * (kind.channel == "web") for kind in worlds.KINDS)
TRAFFIC = (
    Traffic("visits of 8 events", 8),
    Traffic("each event another visitor", 1),
    Traffic("a web shop's visits", 8, MEASURED, 0.5),
)


def log(shop: Shop, batches: int, customers: int, run: str, traffic: Traffic) -> int:
    """Log events at 5,000 a second from the shop's present on, and no more; returns after which place in it."""
    places = shop.places
    plan = Plan(
        port=0, key="", requests=batches, seconds=0, batch=BATCH, customers=customers, run=run, visit=traffic.visit,
        shares=traffic.shares, strangers=traffic.strangers,
    )  # fmt: skip
    with places.ledger.read() as reader:
        before = int(reader.setting("last_seq") or 0)
    for number in range(batches):
        now = places.now() + number * BATCH * 1_000_000 // RATE
        calls = events_of(plan, number)
        for call in calls:
            call["timestamp"] = call["sentAt"] = worlds.moment(now)
        body = msgspec.json.encode({"batch": calls})
        salt = places.vault.salt()
        kept = KeptDelivery(
            number + 1,
            now,
            "site",
            "tracking",
            "batch",
            BATCH,
            salt,
            places.vault.seal(salt, (0, body, {})),
            0,
        )
        told = understand(places, [kept]).told

        def put(tx: LedgerWriter, told: Any = told) -> None:
            taking = places.intake.begin(tx)
            for one in told:
                taking.take(one.ready, Outcome())

        places.ledger.write(put)
    return before


class Spent(NamedTuple):
    """What it took to take events in."""

    cpu: float
    longest: float
    """Seconds of the longest transaction."""
    changes: int
    woken: int


def taken(shop: Shop, after: int, events: int) -> Spent:
    """Take what was logged after a place into identities, records and segments, time passing; and what time changes."""
    places = shop.places
    clock = places.clock
    assert isinstance(clock, FixedClock)
    with places.ledger.read() as reader:
        changes = int(reader.setting("last_audience") or 0)
    done, woken, spent, longest = 0, 0, 0.0, 0.0
    at = after
    with without_collecting():
        while done < events:

            def work(tx: LedgerWriter, at: int = at) -> tuple[int, int]:
                rows = tx.log_after(at, STEP)
                if rows:
                    clock.at = instant(rows[-1].received_at)
                living.follow(places, tx, rows)
                return len(rows), rows[-1].seq if rows else at

            def wake(tx: LedgerWriter) -> int:
                watch = watching(places, tx, "time")
                return 0 if watch is None else sweeping.wake(tx, watch, 100_000)

            cpu, began = time.process_time(), time.perf_counter()
            count, at = places.ledger.write(work)
            longest = max(longest, time.perf_counter() - began)
            woken += places.ledger.write(wake)
            spent += time.process_time() - cpu
            done += count
            if not count:
                break
    with places.ledger.read() as reader:
        return Spent(spent, longest, int(reader.setting("last_audience") or 0) - changes, woken)


def plain_way(shop: Shop, samples: int) -> tuple[float, int]:
    """CPU microseconds to ask one customer all conditions, as prepared as it gets; and how many conditions."""
    places = shop.places
    with places.ledger.read() as reader:
        found = compiled(places, reader)
        assert found is not None
        network = found.network
        chance = random.Random(1)
        everybody = [c for chunk in reader.all_members() for _, c, kind, _ in chunk if kind == "user_id"]
        some = chance.sample(everybody, samples)
        kept = reader.behaviours(some)
        records = {r.customer: unpack_record(r.body) for r in reader.records(some)}
    from shopkeeper.know.live.evaluating import Evaluator

    evaluator = Evaluator(network, found.values, places.now(), {})
    spent = 0.0
    for customer, record in records.items():
        held = unpack(kept[customer]) if customer in kept else Held()
        cpu = time.process_time()
        person = evaluator.person(found.values.of(record, {}, places.now()), held)
        for rule in network.rules:
            rule.answer(person, places.now())
        spent += time.process_time() - cpu
    return spent / len(records) * 1e6, len(network.rules)


def ten(shop: Shop) -> list[dict[str, Any]]:
    """Ten predicates of one customer whose behaviour is maintained."""
    places = shop.places
    for n, text in enumerate(TEN):
        shop.save_segment(f"ten-{n}", text)
    with places.ledger.read() as reader:
        found = compiled(places, reader)
        assert found is not None
        rows = [r for chunk in reader.all_records() for r in chunk if r.orders][:2_000]
        kept = reader.behaviours([r.customer for r in rows])
    from shopkeeper.know.live.evaluating import Evaluator

    evaluator = Evaluator(found.network, found.values, places.now(), {})
    rules = [rule for rule in found.network.rules if rule.name.startswith("ten-")]
    took, now = [], places.now()
    for r in rows:
        held = unpack(kept[r.customer])
        person = evaluator.person(found.values.of(unpack_record(r.body), {}, now), held)
        began = time.perf_counter()
        for rule in rules:
            rule.answer(person, now)
        took.append(time.perf_counter() - began)
    p50, p99 = np.percentile(np.array(took) * 1e6, [50, 99])
    for n in range(len(TEN)):
        shop.archive_segment(f"ten-{n}")
    return [
        row("one customer, ten maintained predicates, p50", p50, "µs", "lower", GOAL_US),
        row("one customer, ten maintained predicates, p99", p99, "µs", "lower", None),
    ]


def asked(shop: Shop, after: int, events: int) -> float:
    """Conditions asked for each event, counted in a run of its own."""
    places = shop.places
    count = 0
    with places.ledger.read() as reader:
        found = compiled(places, reader)
    assert found is not None
    plain = [rule.answer for rule in found.network.rules]

    def counting(holds: Any) -> Any:
        def count_and_hold(person: Any, now: int) -> bool:
            nonlocal count
            count += 1
            return bool(holds(person, now))

        return count_and_hold

    for rule in found.network.rules:
        rule.answer = counting(rule.answer)
    try:
        taken(shop, after, events)
    finally:
        for rule, holds in zip(found.network.rules, plain, strict=True):
            rule.answer = holds
    return count / events


def live(shop: Shop, batches: int, customers: int, count: int, number: int) -> list[dict[str, Any]]:
    """With and without segments: those are in use already."""
    events = batches * BATCH
    traffic = TRAFFIC[number]
    label = traffic.label
    after = log(shop, batches, customers, f"w{number}", traffic)
    spent = taken(shop, after, events)
    places = shop.places
    using = places.ledger.write(lambda tx: _switched(tx, ""))
    after = log(shop, batches, customers, f"n{number}", traffic)
    bare = taken(shop, after, events)
    places.ledger.write(lambda tx: _switched(tx, using))
    again = log(shop, batches, customers, f"a{number}", traffic)
    return [
        row(f"{label}: events a CPU second, no segments", events / bare.cpu, "a CPU s", "higher", None),
        row(
            f"{label}: events a CPU second, {count:,} segments", events / spent.cpu, "a CPU s", "higher", RATE
        ),
        row(f"{label}: share of that for segments", 100 - bare.cpu / spent.cpu * 100, "%", "lower", None),
        row(f"{label}: longest step of {STEP:,} events", spent.longest, "s", "lower", GOAL_VISIBLE_S),
        row(f"{label}: entered and left for each event", spent.changes / events, "", "lower", None),
        row(f"{label}: conditions asked for each event", asked(shop, again, events), "", "lower", None),
        row(f"{label}: woken by time for each event", spent.woken / events, "", "lower", None),
    ]


def midnight(shop: Shop) -> list[dict[str, Any]]:
    """A quarter begins: of nearly everybody some window moves in the same instant."""
    places = shop.places
    clock = places.clock
    assert isinstance(clock, FixedClock)
    with places.ledger.read() as reader:
        quarter = datetime(2026, 7, 1, tzinfo=ZoneInfo(places.catalogue(reader).zone))
    clock.at = quarter.astimezone(UTC) - timedelta(seconds=1)
    keep_up(places)
    clock.at = quarter.astimezone(UTC) + timedelta(seconds=1)
    with places.ledger.read() as reader:
        due = len(reader.due(places.now(), 10_000_000))
        before = int(reader.setting("last_audience") or 0)
    tending, longest = Tending(places), 0.0
    cpu, began = time.process_time(), time.perf_counter()
    more = True
    while more:
        step = time.perf_counter()
        more = tending.tend()
        longest = max(longest, time.perf_counter() - step)
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    with places.ledger.read() as reader:
        changes = int(reader.setting("last_audience") or 0) - before
    return [
        row(f"a quarter begins: {due:,} customers due at once, {changes:,} enter or leave", took, "s", "lower", None),
        row("a quarter begins: CPU for each customer", spent / max(1, due) * 1e3, "CPU ms", "lower", None),
        row("a quarter begins: longest that live events wait", longest, "s", "lower", GOAL_VISIBLE_S),
    ]  # fmt: skip


def _switched(tx: LedgerWriter, to: str) -> str:
    """Let there seem to be no segments, or again those there are."""
    was = tx.setting(definitions.IN_USE) or ""
    tx.keep(definitions.IN_USE, to)
    return was


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a shop of 200,000 events")
    parser.add_argument("--events", type=int, default=2_000_000, help="events there before")
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    size = 200_000 if options.quick else options.events
    customers = size // 20
    batches = 100 if options.quick else 400
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch) / "shop"
        bulk.copy(bulk.large_shop(customers, size, say=lambda _: None), where, live=False)
        with_source(where)
        with shopkeeper.open(where) as shop:
            living.advance(shop.places)
            took = define(shop, options.segments)
            rows = [
                row(
                    f"{options.segments:,} segments brought to {customers:,} customers",
                    took,
                    "s",
                    "lower",
                    None,
                )
            ]
            for number in range(len(TRAFFIC)):
                rows += live(shop, batches, customers, options.segments, number)
            us, count = plain_way(shop, 200)
            rows.append(
                row(f"the plain way: {count:,} conditions asked of one customer", us, "CPU µs", "lower", None)
            )
            rows += ten(shop)
            rows += midnight(shop)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
