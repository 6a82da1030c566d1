"""What the lake costs: filling it from the log, asking it, forgetting a person; and how that grows with the log.

Run ``python benchmarks/lake.py`` (``--quick`` measures one size, ``--json FILE`` writes the rows as data,
``--data FOLDER`` says where online_retail_II.parquet lies). The log is Online Retail II: 53,628 orders and refunds
with 1,044,847 lines, and 350,000 small events made up beside them. Larger logs are the same one several times over.
Seconds are CPU seconds of all threads. The peer fills the same two tables with msgspec and pyarrow, in Python.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.domain.events.orders import OrderFields
from shopkeeper.know.overview import Overview, overview
from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.lake import open_lake

Row = dict[str, Any]
AS_OF = datetime(2011, 12, 10, tzinfo=UTC)
BATCH = 50_000
FACTS = ("order_id", "product_id", "category", "store", "campaign_id", "offer_id", "reason", "amount", "currency",
         "machine", "arm")  # fmt: skip

ORDERS = """
WITH lines AS (
    SELECT *, row_number() OVER () AS place, CAST(round(amount * 100) AS BIGINT) AS minor FROM read_parquet($file)
),
orders AS (
    SELECT order_id, min(ts) AS ts, any_value(country) AS country, any_value(customer_id) AS who, sum(minor) AS minor,
        list({'product_id': product_id, 'name': coalesce(product, ''),
              'price': CAST(CAST(abs(unit_price) AS DECIMAL(12, 3)) AS VARCHAR),
              'quantity': CAST(abs(quantity) AS BIGINT), 'amount': abs(minor)} ORDER BY place) AS products
    FROM lines GROUP BY order_id
)
SELECT CASE WHEN minor < 0 THEN 'Order Refunded' ELSE 'Order Completed' END AS name, 'store' AS channel,
    epoch_us(ts) AS occurred_at, coalesce(TRY_CAST(who AS BIGINT), 0) AS node,
    CAST(to_json({'order_id': order_id, 'currency': 'GBP', 'products': products, 'store': 'S' || hash(order_id) % 5,
                  'country': country, 'amount': abs(minor)}) AS VARCHAR) AS payload
FROM orders
"""
SMALL = """
SELECT ['Product Viewed', 'Email Opened', 'Product Added', 'Beacon Detected', 'Contact Opened'][1 + i % 5] AS name,
    'web' AS channel, 1259625600000000 + CAST(hash(i) % 63000000 AS BIGINT) * 1000000 AS occurred_at,
    CAST(12346 + hash(i + 7) % 5900 AS BIGINT) AS node,
    ['{"product_id":"85048","name":"Lamp","category":"Lighting","price":"6.95","store":"web"}',
     '{"campaign_id":"winter-boots","email_id":"m-1","machine":true}',
     '{"product_id":"85049","quantity":2,"cart_id":"ct-1"}',
     '{"beacon_id":"b-1","store":"S2","zone":"entrance","meters":8}',
     '{"contact_id":"K-1","medium":"phone","reason":"complaint","order_id":"489434"}'][1 + i % 5] AS payload
FROM range(350000) AS r(i)
"""


def log_of(file: Path, times: int) -> pa.Table:
    """The log in the order of its instants, ``times`` over, as the ledger hands it out."""
    duck = duckdb.connect()
    sql = f"""
        SELECT CAST(row_number() OVER (ORDER BY occurred_at, copy) AS BIGINT) AS seq, name,
            CAST(1 AS BIGINT) AS version, 'log' AS source, '' AS brand, channel,
            occurred_at, occurred_at AS received_at, node, payload
        FROM (({ORDERS}) UNION ALL ({SMALL})) AS log, range({times}) AS copies(copy)
        ORDER BY seq
    """
    return duck.sql(sql, params={"file": str(file)}).to_arrow_table()


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def fill(lake: Lake, log: pa.Table) -> None:
    with lake.change() as change:
        for batch in log.to_batches(max_chunksize=BATCH):
            change.log(batch)
        change.reach(log.num_rows, AS_OF)


def snapshots(lake: Lake) -> None:
    """Customers, identities and products that make the overview work as in a shop."""
    nodes = lake.query("SELECT DISTINCT node AS id FROM events WHERE node > 0")["id"]
    products = lake.query(
        "SELECT DISTINCT product_id, 'C' || hash(product_id) % 40 AS category FROM order_lines"
    )
    customers = lake.query(
        "SELECT node AS id, count(DISTINCT order_id) AS orders, sum(amount) / 100.0 AS revenue,"
        " sum(amount) * .004 AS margin, min(occurred_at) AS first_order,"
        " 'search' AS acquisition_channel, sum(amount) * .001 AS clv_12m,"
        " 'active' AS state FROM order_lines WHERE node > 0 GROUP BY node"
    )
    with lake.change() as change:
        change.replace("identities", pa.table({"node": nodes, "customer": nodes}))
        change.replace("products", products.append_column("unit_cost", pa.array([1.0] * len(products))))
        change.replace("customers", customers)


def by_hand(log: pa.Table, folder: Path) -> None:
    """The peer: the same columns by a loop over the rows."""
    small = msgspec.defstruct("Small", [(name, Any, None) for name in FACTS])
    facts, orders = msgspec.json.Decoder(small), msgspec.json.Decoder(OrderFields)
    events: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    for batch in log.to_batches(max_chunksize=BATCH):
        columns = (
            batch[name].to_pylist() for name in ("seq", "name", "channel", "occurred_at", "node", "payload")
        )
        for seq, name, channel, at, node, payload in zip(*columns, strict=True):
            events.append((seq, name, channel, at, node, *msgspec.structs.astuple(facts.decode(payload))))
            if name.startswith("Order "):
                told = orders.decode(payload)
                sign = -1 if name == "Order Refunded" else 1
                lines += [
                    (seq, n, name, told.order_id, at, node, channel, told.store, told.country, line.product_id,
                     sign * line.quantity, float(line.price), sign * (line.amount or 0), told.currency)
                    for n, line in enumerate(told.products, 1)
                ]  # fmt: skip
    for name, rows in (("events", events), ("lines", lines)):
        columns_ = {f"c{i}": list(values) for i, values in enumerate(zip(*rows, strict=True))}
        pq.write_table(pa.table(columns_), folder / f"{name}.parquet", compression="zstd")


def row(
    name: str,
    value: float,
    unit: str,
    *,
    goal: float | None = None,
    peer: str | None = None,
    peer_value: float | None = None,
) -> Row:
    return {
        "name": name, "value": round(value, 3), "unit": unit, "better": "lower", "goal": goal, "peer": peer,
        "peer_value": None if peer_value is None else round(peer_value, 3),
    }  # fmt: skip


def measure(file: Path, sizes: list[int]) -> list[Row]:
    rows: list[Row] = []
    filling: dict[int, float] = {}
    asking: dict[int, float] = {}
    for times in sizes:
        log = log_of(file, times)
        with tempfile.TemporaryDirectory() as place:
            lake = open_lake(Path(place) / "lake")
            lake.query("SELECT 1")  # imports
            filling[times], _ = cpu(partial(fill, lake, log))
            peer = cpu(partial(by_hand, log, Path(place)))[0] if times == 1 else None
            rows.append(
                row(
                    f"lake: fill, {log.num_rows} events",
                    filling[times],
                    "CPU s",
                    goal=6.0 if times == 1 else None,
                    peer="msgspec + pyarrow loop" if peer else None,
                    peer_value=peer,
                )
            )
            snapshots(lake)
            asking[times], seen = cpu(partial(ask, lake))
            rows.append(row(f"lake: overview, {log.num_rows} events", asking[times], "CPU s"))
            if times == 1:
                print(
                    f"sum of order amounts {seen.trade.amount:,.2f}; the file's lines say {exact(file):,.3f}"
                )
                rows += upkeep(lake, Path(place) / "lake", log.num_rows)
            lake.close()
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        for name, seconds in (("fill", filling), ("overview", asking)):
            power = math.log(seconds[last] / seconds[first]) / math.log(last / first)
            rows.append(row(f"lake: growth of {name}, x{first} to x{last}", power, "exponent", goal=1.1))
    return rows


def ask(lake: Lake) -> Overview:
    return overview(lake.query, as_of=AS_OF, currency="GBP", assumed_margin=0.4, time_zone="Europe/London")


def upkeep(lake: Lake, folder: Path, events: int) -> list[Row]:
    size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    rows = [row("lake: bytes per event with its lines", size / events, "B")]
    rows.append(row("lake: small changes", cpu(partial(deltas, lake, events))[0] / 10, "CPU s each"))
    rows.append(row("lake: compact after ten", cpu(lake.compact)[0], "CPU s"))
    rows.append(row("lake: forget a customer of every month", cpu(partial(lake.forget, [17841]))[0], "CPU s"))
    return rows


def deltas(lake: Lake, after: int) -> None:
    """Ten changes of a thousand events each, as a shop's day brings them."""
    for n in range(10):
        seqs = range(after + 1 + n * 1000, after + 1 + (n + 1) * 1000)
        events = [
            {"seq": seq, "name": "Product Viewed", "version": 1, "source": "web", "brand": "", "channel": "web",
             "occurred_at": 1323388800000000 + seq, "received_at": 1323388800000000 + seq, "node": seq % 5000,
             "payload": '{"product_id":"85048","category":"Lighting"}'}
            for seq in seqs
        ]  # fmt: skip
        with lake.change() as change:
            change.log(pa.RecordBatch.from_pylist(events))
            change.reach(seqs[-1], AS_OF)


def exact(file: Path) -> float:
    """The sum of all line amounts as the file has them."""
    found = duckdb.connect().execute("SELECT sum(amount) FROM read_parquet(?)", [str(file)]).fetchall()
    return float(found[0][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one size only")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options = parser.parse_args()
    file = options.data / "online_retail_II.parquet"
    if not file.exists():
        print(f"skipped: {file.name} is not in {options.data}; say --data FOLDER", file=sys.stderr)
        rows = []
    else:
        rows = measure(file, [1] if options.quick else [1, 2, 4])
    for line in rows:
        goal = f"  (goal {line['goal']})" if line["goal"] is not None else ""
        peer = f"  {line['peer']}: {line['peer_value']}" if line["peer"] else ""
        print(f"{line['name']:<45} {line['value']:>9} {line['unit']}{goal}{peer}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
