"""Makes a large lake quickly, without a ledger: the lake's own change is told the events of ``bulk.py``'s shop.

    uv run python benchmarks/bulk_lake.py --customers 1_000_000 --events 50_000_000

Events are drawn (``world.py``), their payloads are templates that the shop's own door made, and ``LakeChange.log``
shreds them as a refresh does. Traits are counted from the arrays; predictions are a rule of thumb from rate and
silence, not a model's. The lake is kept in ``SHOPKEEPER_BENCHMARKS`` (or ~/.cache/shopkeeper-benchmarks). Everything
in it is simulated. ``tests/journey/test_bulk.py`` shows that its log equals the one that a refresh writes.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import bulk
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import world as worlds
from bulk_rows import SOURCE, Template

from shopkeeper.domain.traits import Trait
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD
from shopkeeper.shop.predicting.foretold import arrow
from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.lake import open_lake

FORMAT = 1
_ROWS = 250_000
_ARRIVAL = 250_000
_DAY = 86_400_000_000
_KINDS = [worlds.identifier(0, slot)[0] for slot in range(4)]


def build(
    into: Path, customers: int, events: int, *, seed: int = 1, say: Callable[[str], None] = print
) -> None:
    """Make a lake in a missing folder."""
    from bulk_templates import Door

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        bulk.found(Path(scratch) / "shop")
        world = worlds.draw(customers, events, seed)
        templates, which = Door(Path(scratch) / "shop" / "secret.key").templates(world)
    say(f"draw: {time.perf_counter() - began:.1f} s")
    lake = open_lake(into, memory_limit="4GB")
    with lake.change() as change:
        for batch in batches(world, templates, which):
            change.log(batch)
        change.replace("identities", identities(world))
        change.replace("products", _products())
        change.replace("customers", traits(world, templates, which))
        change.reach(events, worlds.END)
    say(f"log: {time.perf_counter() - began:.1f} s")
    lake.compact()
    lake.close()
    open_lake(into).close()  # sweeps away what the compaction put out of use
    say(f"compact: {time.perf_counter() - began:.1f} s")


def batches(world: worlds.World, templates: list[Template], which: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The log as ``LakeChange.log`` takes it."""
    names = pa.array([t.name for t in templates])
    channels = pa.array([worlds.KINDS[t.kind].channel for t in templates])
    versions = pa.array([t.version for t in templates], pa.int64())
    before = pa.array([t.before.decode() for t in templates])
    letters = pa.array([worlds.KINDS[t.kind].number if t.after is not None else "" for t in templates])
    after = pa.array([(t.after or b"").decode() for t in templates])
    numbered = pa.array([t.after is not None for t in templates])
    firsts = np.array([offsets[0] for offsets in worlds.SHAPES])
    for low in range(0, world.events, _ROWS):
        index = world.by_seq[low : low + _ROWS]
        kind, pick, owner = world.kind[index], world.pick[index], world.owner[index]
        shape = worlds.SHAPE[kind, pick & 1, world.has[owner]]
        template = pa.array(which[kind, pick])
        about = pa.array(np.maximum(world.about[index], 0)).cast(pa.string())
        number = pc.if_else(numbered.take(template), about, "")
        payload = pc.binary_join_element_wise(
            before.take(template), letters.take(template), number, after.take(template), ""
        )
        at = pa.array(world.at[index])
        same = pa.array(np.zeros(len(index), np.int8))
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(np.arange(low + 1, low + len(index) + 1)), names.take(template), versions.take(template),
                pa.array([SOURCE]).take(same), pa.array([""]).take(same), channels.take(template), at,
                pc.add(at, _ARRIVAL), pa.array(world.first_node[owner] + firsts[shape]), payload,
            ],
            ["seq", "name", "version", "source", "brand", "channel", "occurred_at", "received_at", "node", "payload"],
        )  # fmt: skip


def identities(world: worlds.World) -> pa.Table:
    """Node to customer."""
    each = np.diff(world.first_node)
    slots = np.concatenate([worlds.slots(0, 0, has) for has in range(4)])
    starts = np.cumsum([0, *(len(worlds.slots(0, 0, has)) for has in range(4))])
    place = np.arange(int(each.sum())) - np.repeat(world.first_node[:-1] - 1, each)
    kinds = slots[np.repeat(starts[world.has], each) + place]
    return pa.table(
        {
            "node": np.arange(1, int(each.sum()) + 1),
            "customer": np.repeat(np.arange(1, world.customers + 1), each),
            "kind": pa.array(_KINDS).take(pa.array(kinds)),
            "shared": pa.array(np.zeros(int(each.sum()), bool)),
        }
    )


def _products() -> pa.Table:
    rows = list(worlds.products())
    table = pa.table(
        {name: [row[name] for row in rows] for name in ("product_id", "name", "category", "brand")}
    )
    cost = pa.array([float(row["unit_cost"]) for row in rows])
    return table.append_column("unit_cost", cost).append_column("kind", pa.array([""] * len(rows)))


def traits(world: worlds.World, templates: list[Template], which: np.ndarray) -> pa.Table:
    """One row a customer. What the arrays do not tell is drawn, or not known."""
    rng = np.random.default_rng(7)
    n = world.customers
    goods = np.array([_amount(t) for t in templates], np.float64)[which[world.kind, world.pick]]
    bought = (world.kind == 3) | (world.kind == 4)
    back = world.kind == 5
    sums = {
        "orders": _count(world, bought), "returns": _count(world, back),
        "web_orders": _count(world, world.kind == 3), "store_orders": _count(world, world.kind == 4),
        "sessions": _count(world, world.kind == 8), "products_viewed": _count(world, world.kind == 1),
        "emails_clicked": _count(world, world.kind == 7), "contacts": _count(world, world.kind == 12),
        "store_visits": _count(world, world.kind == 9), "events": np.diff(world.start),
    }  # fmt: skip
    revenue = np.bincount(world.owner[bought], goods[bought], n) - np.bincount(
        world.owner[back], goods[back], n
    )
    first = np.full(n, np.iinfo(np.int64).max)
    last = np.zeros(n, np.int64)
    np.minimum.at(first, world.owner[bought], world.at[bought])
    np.maximum.at(last, world.owner[bought], world.at[bought])
    none = sums["orders"] == 0
    end = int(worlds.END.timestamp() * 1e6)
    years = np.maximum((end - first) / _DAY / 365, 1 / 12)
    rate = sums["orders"] / years
    alive = np.clip(np.exp(-(end - last) / _DAY / 365 * rate / 3) * rng.uniform(0.8, 1.2, n), 0, 1)
    value = alive * rate * revenue / np.maximum(sums["orders"], 1) * 0.45
    found: dict[str, Any] = {name: pa.array(values) for name, values in sums.items()}
    found |= {
        "revenue": pa.array(np.round(revenue, 2)), "margin": pa.array(np.round(revenue * 0.45, 2)),
        "first_order": _midnights(first, none), "last_order": _midnights(last, none),
        "first_seen": _instants(world.at[world.start[:-1]]), "last_seen": _instants(world.at[world.start[1:] - 1]),
        "omnichannel": pa.array((sums["web_orders"] > 0) & (sums["store_orders"] > 0)),
        "country": pa.array(["United Kingdom"] * n), "p_alive": pa.array(np.round(alive, 4), mask=none),
        "acquisition_channel": pa.array(worlds.CHANNELS).take(pa.array(rng.integers(0, len(worlds.CHANNELS), n))),
        "clv_12m": pa.array(np.round(value, 4), mask=none),
        "state": pa.array(["lapsed", "fading", "active", "new"]).take(
            pa.array(np.digitize(alive, [0.2, 0.5, 0.95]), mask=none)
        ),
        "looked_not_bought": pa.array([["P001", "P017"], [], ["P100"]]).take(pa.array(rng.integers(0, 3, n))),
    }  # fmt: skip
    columns: dict[str, Any] = {"id": pa.array(np.arange(1, n + 1))}
    for trait in (*KNOWN, *FORETOLD):
        kind = arrow(trait.kind)
        columns[trait.name] = (
            found[trait.name].cast(kind) if trait.name in found else _drawn(trait, n, kind, rng)
        )
    return pa.table(columns)


def _drawn(trait: Trait, n: int, kind: pa.DataType, rng: np.random.Generator) -> pa.Array:
    if trait.kind == "int":
        return pa.array(rng.poisson(2, n)).cast(kind)
    return pa.nulls(n, kind)


def _amount(template: Template) -> float:
    text = template.before + (b"0" + template.after if template.after is not None else b"")
    return msgspec.json.decode(text).get("amount", 0) / 100


def _count(world: worlds.World, which: np.ndarray) -> np.ndarray:
    return np.bincount(world.owner[which], minlength=world.customers)


def _midnights(at: np.ndarray, none: np.ndarray) -> pa.Array:
    return pa.array(np.where(none, 0, at) // _DAY * _DAY, mask=none).cast(pa.timestamp("us", tz="UTC"))


def _instants(at: np.ndarray) -> pa.Array:
    return pa.array(at).cast(pa.timestamp("us", tz="UTC"))


def large_lake(customers: int, events: int, *, seed: int = 1, say: Callable[[str], None] = print) -> Path:
    """The folder of a kept lake of that size, made where it is missing. Only read it."""
    folder = bulk.kept() / f"lake-{customers}-{events}-{seed}-{FORMAT}"
    with (bulk.kept() / "lake-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_name(folder.name + ".part")
            shutil.rmtree(half, ignore_errors=True)
            build(half, customers, events, seed=seed, say=say)
            half.rename(folder)
    return folder


def opened(folder: Path) -> Lake:
    """A kept lake as a shop opens it."""
    return open_lake(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(large_lake(options.customers, options.events, seed=options.seed))


if __name__ == "__main__":
    assert worlds.END.tzinfo is UTC
    main()
