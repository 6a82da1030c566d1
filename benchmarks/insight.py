"""What insight costs: a segment compared over every trait, overlaps, flows, the channels' part, ready-made ones,
groups.

Run ``python benchmarks/insight.py`` (``--quick`` takes 100,000 customers and 2 million events instead of 1 million
and 20, ``--events N`` as many as wanted, ``--json FILE`` writes the rows as data). Customers and events are drawn at
random; the lake is a real one. Seconds are CPU seconds of all threads. The peer compares the same columns with SciPy,
column by column: ``brunnermunzel`` for numbers, ``chi2_contingency`` for texts, over everybody.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from shopkeeper.know.insight import (
    People,
    clusters,
    compare,
    derived,
    flows,
    overlaps,
    parts,
    read_paths,
    ready_made,
)
from shopkeeper.know.insight.people import Texts
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD
from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.lake import open_lake

Row = dict[str, Any]
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
CATEGORIES = ["Lighting", "Garden", "Kitchen", "Bags", "Toys", "Clocks", "Candles", "Gifts"]
TEXTS = {
    "main_place": ["web", "S1", "S2", "S3"],
    "favourite_category": CATEGORIES,
    "country": ["UK", "FR", "DE", "ES"],
    "acquisition_channel": ["search", "store", "social", "affiliate", "email"],
    "state": ["new", "active", "fading", "lapsed"],
    "rhythm_basis": ["own rhythm", "population"],
}
LOG = """
SELECT
    CAST(i AS BIGINT) AS seq, names[k] AS name, CAST(1 AS BIGINT) AS version, 'bench' AS source, '' AS brand,
    ways[k] AS channel, $start + i * $step AS occurred_at, $start + i * $step AS received_at,
    CAST(1 + hash(i * 7) % $customers AS BIGINT) AS node,
    replace(replace(bodies[k], '@', CAST(i AS VARCHAR)), '#', CAST(hash(i) % 400 AS VARCHAR)) AS payload
FROM (SELECT i, 1 + CAST(hash(i + 1) % 20 AS INTEGER) AS draw FROM range($first, $last) AS r(i)) AS drawn,
    LATERAL (SELECT CASE
        WHEN draw <= 9 THEN 1 WHEN draw <= 11 THEN 2 WHEN draw <= 13 THEN 3 WHEN draw <= 14 THEN 4 WHEN draw <= 16
        THEN 5 WHEN draw <= 17 THEN 6 ELSE 7 END AS k) AS kind,
    (SELECT ['Product Viewed', 'Product Viewed', 'Email Opened', 'Store Visited', 'Social Post Liked',
             'Order Completed', 'Email Delivered'] AS names,
            ['web', 'app', 'email', 'app', 'social', 'store', 'email'] AS ways,
            ['{"product_id":"p#"}', '{"product_id":"p#"}', '{"campaign_id":"c#"}', '{"store":"S1"}', '{"post_id":"x"}',
             '{"order_id":"o@","currency":"GBP","store":"S2","amount":2500,"products":[{"product_id":"p#",'
             || '"quantity":1,"price":"25.00","amount":2500}]}', '{"campaign_id":"c#"}'] AS bodies) AS words
"""


def customers(size: int) -> pa.Table:
    """Every declared trait, drawn by its kind; a hidden liveliness ties them together."""
    draw = np.random.default_rng(1)
    lively = draw.normal(size=size)
    columns: dict[str, Any] = {"id": pa.array(np.arange(1, size + 1))}
    for at, trait in enumerate((*KNOWN, *FORETOLD)):
        pull = 0.6 * lively + draw.normal(size=size)
        gone = draw.random(size) < (0.2 if at % 4 == 0 else 0.0)
        if trait.kind == "int":
            columns[trait.name] = pa.array(np.floor(np.exp(pull)).astype(np.int64), mask=gone)
        elif trait.kind in {"float", "money"}:
            columns[trait.name] = pa.array(np.exp(pull), mask=gone)
        elif trait.kind == "bool":
            columns[trait.name] = pa.array(pull > 0.5)
        elif trait.kind == "text":
            words = TEXTS[trait.name]
            columns[trait.name] = pa.DictionaryArray.from_arrays(
                pa.array(draw.integers(0, len(words), size).astype(np.int32)), pa.array(words)
            ).cast(pa.string())
        elif trait.kind == "time":
            days = 20_000 + (pull * 200).astype(np.int64)
            columns[trait.name] = pa.array(days * 86_400_000_000, pa.int64(), mask=gone).cast(
                pa.timestamp("us", tz="UTC")
            )
        else:
            starts = np.concatenate(([0], np.cumsum(draw.random(size) < 0.3)))
            items = pa.array([f"p{n}" for n in draw.integers(0, 400, int(starts[-1]))])
            columns[trait.name] = pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), items)
    return pa.table(columns)


def fill(lake: Lake, size: int, events: int) -> None:
    duck = duckdb.connect()
    ids = pa.array(np.arange(1, size + 1))
    end = int(AS_OF.timestamp() * 1_000_000)
    step = 730 * 86_400_000_000 // events
    with lake.change() as change:
        for first in range(0, events, 1_000_000):
            given = {
                "first": first + 1, "last": min(first + 1_000_000, events) + 1, "start": end - events * step,
                "step": step, "customers": size,
            }  # fmt: skip
            table = duck.sql(LOG, params=given).to_arrow_table()
            for batch in table.to_batches(max_chunksize=100_000):
                change.log(batch)
        change.replace("identities", pa.table({"node": ids, "customer": ids}))
        change.replace("customers", customers(size))
        change.replace(
            "products",
            pa.table({
                "product_id": [f"p{n}" for n in range(400)], "name": ["x"] * 400,
                "category": [CATEGORIES[n % 8] for n in range(400)], "brand": ["b"] * 400,
                "unit_cost": [10.0] * 400, "kind": ["product"] * 400,
            }),
        )  # fmt: skip
        change.reach(events + 1, AS_OF)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def peer(people: People, group: np.ndarray) -> None:
    """The same columns, with SciPy's functions, over everybody."""
    from scipy.stats import brunnermunzel, chi2_contingency

    for _, column in people.columns():
        if isinstance(column, np.ndarray):
            known = ~np.isnan(column)
            brunnermunzel(column[group & known], column[~group & known])
        elif isinstance(column, Texts):
            table = np.stack([
                np.bincount(column.codes[side & (column.codes >= 0)], minlength=len(column.levels))
                for side in (group, ~group)
            ])  # fmt: skip
            if (table.sum(axis=0) > 0).all():
                chi2_contingency(table)


def row(name: str, value: float, goal: float | None = None, peer_value: float | None = None) -> Row:
    return {
        "name": name, "value": round(value, 3), "unit": "CPU s", "better": "lower", "goal": goal,
        "peer": None if peer_value is None else "SciPy", "peer_value": None if peer_value is None else
        round(peer_value, 3),
    }  # fmt: skip


def measure(size: int, events: int) -> Iterator[Row]:
    what = f"{size:,} customers"
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(Path(folder) / "lake")
        seconds, _ = timed(lambda: fill(lake, size, events))
        print(f"the lake was filled in {seconds:.0f} s", flush=True)
        seconds, people = timed(lambda: People(lake.query, [*KNOWN, *FORETOLD]))
        yield row(f"people read, {what}", seconds)
        value = people.column("clv_12m")
        group = np.nan_to_num(value) >= np.nanquantile(value, 0.8)
        seconds, told = timed(lambda: compare(people, group, definition={"clv_12m"}))
        beside, _ = timed(lambda: peer(people, group))
        yield row(
            f"compared over {len(people.traits)} traits, {told.tested} facts, {what}", seconds, 10.0, beside
        )
        seconds, facts = timed(lambda: list(derived(people, currency="GBP")))
        yield row(f"derived facts read, {events:,} events", seconds)
        seconds, told = timed(lambda: compare(people, group, derived=facts, definition={"clv_12m"}))
        yield row(f"compared over traits and derived facts, {told.tested} facts, {what}", seconds, 10.0)
        draw = np.random.default_rng(2)
        masks = {f"s{at}": draw.random(size) < 0.2 for at in range(12)}
        seconds, _ = timed(lambda: overlaps(masks, values=value))
        yield row(f"overlaps of 12 segments, {what}", seconds)
        passings = 3 * size
        given = {
            "customer": draw.integers(1, size + 1, passings), "segment": np.array(list(masks))[draw.integers(0, 12,
            passings)], "at": np.sort(draw.integers(0, 365 * 86_400_000_000, passings)), "entered":
            draw.random(passings) < 0.6,
        }  # fmt: skip
        months = [datetime(1970, month, 1, tzinfo=UTC) for month in range(2, 13)]
        seconds, _ = timed(lambda: flows(**given, boundaries=months, segments=list(masks)))
        yield row(f"flows between 12 segments over 11 months, {passings:,} passings", seconds)
        asked = {"until": AS_OF, "currency": "GBP", "assumed_margin": 0.4}
        for days in (90, 365):
            seconds, paths = timed(partial(read_paths, people, since=AS_OF - timedelta(days=days), **asked))
            yield row(
                f"paths of {paths.who.size:,} orders in {days} days, {events:,} events in the lake", seconds
            )
        seconds, _ = timed(lambda: [parts(paths, mask, value=value) for mask in masks.values()])
        yield row("channels' part in 12 segments from these", seconds)
        seconds, _ = timed(lambda: ready_made(people, as_of=AS_OF))
        yield row(f"ready-made segments, {what}", seconds)
        seconds, _ = timed(lambda: clusters(people))
        yield row(f"groups suggested, {what}", seconds)
        lake.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--events", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    size = 100_000 if given.quick else 1_000_000
    rows = []
    for one in measure(size, given.events or size * 20):
        rows.append(one)
        beside = f"   {one['peer']}: {one['peer_value']} s" if one["peer"] else ""
        print(f"{one['value']:>9.3f} CPU s  {one['name']}{beside}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
