"""Feeds the lake from the ledger: new events since the watermark, and fresh snapshots of customers and goods."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.domain.catalogue import RECORDS
from shopkeeper.domain.customer import Customer, objects
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.traits import Trait
from shopkeeper.know.fold import unpack
from shopkeeper.resolve.busy import busiest
from shopkeeper.shop import erasing
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.foretold import Foretold, arrow
from shopkeeper.stores.contract.lake import LakeChange
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 50_000
_RECORDS = 20_000
"""Records whose traits are there as Python's objects at once."""


def feed(places: Places, traits: Sequence[Trait], predicted: Foretold, progress: Progress | None) -> int:
    """Bring the lake up to the ledger's present state; returns how many events were added."""

    def customers(reader: LedgerReader) -> tuple[pa.Table, int]:
        run = runs.number_in_force(reader)
        # A refresh that began later may be in force by now, as it is for whoever looks at one customer.
        said = predicted if predicted.run in (0, run) else said_now(reader)
        return customers_table(places, reader, traits, said), run

    return feed_with(places, customers, progress)


def feed_with(
    places: Places,
    customers: Callable[[LedgerReader], tuple[pa.Table, int]],
    progress: Progress | None = None,
) -> int:
    """The same with a table of customers that is made otherwise, and the run whose predictions it holds."""
    lake = places.lake
    added = 0
    if progress:
        progress("lake", 0.0)
    erasing.finish(places)
    # The ledger is looked at once the lake is ours: whoever waits for another writer holds no old state open, and
    # nothing that was erased meanwhile is written again.
    with without_collecting(), lake.change() as change, places.ledger.read() as reader:
        began = places.clock.now()
        watermark = lake.manifest().watermark
        last = int(reader.setting("cursor") or 0)
        at = watermark
        while at < last and (rows := reader.log_after(at, min(_CHUNK, last - at))):
            change.log(_log_batch(rows))
            at = rows[-1].seq
            added += len(rows)
            if progress:
                progress("lake", 0.7 * (at - watermark) / (last - watermark))
        table, run = customers(reader)
        _snapshots(reader, change, table)
        change.reach(last, began, int(reader.setting("last_turn") or 0), run)
    _note_busy(places)
    if progress:
        progress("lake", 1.0)
    return added


def _note_busy(places: Places) -> None:
    """Which identifiers buy more on a day than a person, for the review list."""
    found = busiest(places.lake, places.now())

    def work(tx: LedgerWriter) -> None:
        there = tx.marks([one.node for one in found])  # somebody may have been erased meanwhile
        tx.note_busy([one for one in found if one.node in there])

    places.ledger.write(work)


def _log_batch(rows: Sequence[Any]) -> pa.RecordBatch:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True))
    seq, name, version, source, brand, channel, occurred, received, node, _, _, payload = columns
    return pa.RecordBatch.from_arrays(
        [
            pa.array(seq, pa.int64()), pa.array(name, pa.string()), pa.array(version, pa.int32()),
            pa.array(source, pa.string()), pa.array(brand, pa.string()), pa.array(channel, pa.string()),
            pa.array(occurred, pa.int64()), pa.array(received, pa.int64()), pa.array(node, pa.int64()),
            pa.array(payload, pa.binary()).cast(pa.string()),
        ],
        ["seq", "name", "version", "source", "brand", "channel", "occurred_at", "received_at", "node", "payload"],
    )  # fmt: skip


def _snapshots(reader: LedgerReader, change: LakeChange, customers: pa.Table) -> None:
    change.replace("identities", _identities(reader))
    change.replace("customers", customers)
    for kind, table in (("product", "products"), ("store", "stores"), ("spend", "spend")):
        records = [msgspec.json.decode(body, type=RECORDS[kind]) for body in reader.reference(kind)]
        change.replace(table, _reference_table(kind, records))


def _identities(reader: LedgerReader) -> pa.Table:
    import pyarrow as pa

    kinds = {"node": pa.int64(), "customer": pa.int64(), "kind": pa.string(), "shared": pa.bool_()}
    parts = [pa.table({name: pa.array([], kind) for name, kind in kinds.items()})]
    for chunk in reader.all_members():
        columns = zip(kinds.items(), zip(*chunk, strict=True), strict=True)
        parts.append(pa.table({name: pa.array(values, kind) for (name, kind), values in columns}))
    return pa.concat_tables(parts)


def customers_table(
    places: Places, reader: LedgerReader, traits: Sequence[Trait], predicted: Foretold
) -> pa.Table:
    """Everybody with every trait and prediction, one row a customer."""
    records = ((r.customer, unpack(r.body)) for chunk in reader.all_records() for r in chunk)
    return trait_table(places, records, traits, predicted)


def said_now(reader: LedgerReader) -> Foretold:
    """What is foretold of everybody by the run in force, and what was said live since."""
    import pyarrow as pa

    parts = [Foretold.of_rows({}).table]
    for chunk in reader.all_records():
        said = reader.predictions([row.customer for row in chunk])
        rows = {customer: msgspec.json.decode(one.body) for customer, one in said.items()}
        parts.append(Foretold.of_rows(rows).table)
    return Foretold(pa.concat_tables(parts))


def trait_table(
    places: Places,
    records: Iterable[tuple[int, Customer]],
    traits: Sequence[Trait],
    predicted: Foretold,
) -> pa.Table:
    """Some customers with every trait and prediction.

    Only some records at a time are there as Python's numbers, which take ten times the room of columns.
    """
    import numpy as np
    import pyarrow as pa

    now = places.now()
    money = places.money
    ids, told_of = array("q"), array("q")
    made: dict[str, list[pa.Array]] = {trait.name: [] for trait in traits if trait.of is not None}
    lists: dict[str, list[Any]] = {name: [] for name in made}
    derived = [(lists[t.name], t.of, t.kind == "money") for t in traits if t.of is not None and t.at is None]
    times = [(lists[t.name], t.at) for t in traits if t.at is not None]
    kinds = {trait.name: arrow(trait.kind) for trait in traits}
    rest = iter(records)
    while some := _read_off(islice(rest, _RECORDS), ids, told_of, derived, times, now, money):
        for name, values in lists.items():
            made[name].append(pa.array(values, kinds[name]))
            values.clear()
        if some < _RECORDS:
            break
    arrays: dict[str, Any] = {"id": pa.array(np.frombuffer(ids, np.int64))}
    for trait in traits:
        if trait.of is None:
            arrays[trait.name] = predicted.take(np.frombuffer(told_of, np.int64), trait.name)
        else:
            arrays[trait.name] = pa.chunked_array(made[trait.name], kinds[trait.name])
    return pa.table(arrays)


def _read_off(
    records: Iterable[tuple[int, Customer]],
    ids: array[int],
    told_of: array[int],
    derived: Sequence[tuple[list[Any], Callable[[Customer, int], Any], bool]],
    times: Sequence[tuple[list[Any], Callable[[Customer], int | None]]],
    now: int,
    money: Callable[[float], float],
) -> int:
    """Read everything off one record after another, each while it is at hand; returns how many there were."""
    count = len(ids)
    for customer, record in records:
        ids.append(customer)
        for values, of, is_money in derived:
            value = of(record, now)
            values.append(money(value) if is_money and value is not None else value)
        for values, at in times:
            values.append(at(record))
        told_of.append(-1 if objects(record) else customer)
    return len(ids) - count


def _reference_table(kind: str, records: Sequence[msgspec.Struct]) -> pa.Table:
    import pyarrow as pa

    number, text = pa.float64(), pa.string()
    shapes: dict[str, dict[str, pa.DataType]] = {
        "product": {
            "product_id": text, "name": text, "category": text, "brand": text, "unit_cost": number,
            "list_price": number, "kind": text,
        },
        "store": {"store_id": text, "name": text, "city": text},
        "spend": {"month": text, "channel": text, "spend": number, "currency": text},
    }  # fmt: skip
    columns: dict[str, Any] = {}
    for field, kind_ in shapes[kind].items():
        values = [getattr(record, field) for record in records]
        if kind_ == number:
            values = [None if v is None else float(v) for v in values]
        columns[field] = pa.array(values, kind_)
    return pa.table(columns)


def as_of(places: Places) -> Any:
    """Up to when the lake tells, or None before the first refresh."""
    return places.lake.manifest().as_of
