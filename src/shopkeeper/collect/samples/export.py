"""Writes the sample shop: the folder of export files, its README, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from shopkeeper.collect.samples import (
    acquire,
    mailing,
    offers,
    places,
    readme,
    records,
    service,
    social,
    visits,
)
from shopkeeper.collect.samples.browsing import Shop, browse
from shopkeeper.collect.samples.catalogue import make_catalogue, products_table, stock_table
from shopkeeper.collect.samples.persons import make_persons
from shopkeeper.collect.samples.source import at_size
from shopkeeper.collect.samples.taste import Taste
from shopkeeper.collect.samples.tills import orders_table, ring_up
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog
from shopkeeper.collect.samples.world import CHANNELS

NOW = "2011-12-10T00:00:00Z"
"""The moment at which the sample shop's clock stands."""
Progress = Callable[[str, float], None]


class SampleFile(msgspec.Struct, frozen=True):
    """One written file: its name in the folder, what it holds (the kind an import asks for), its rows."""

    name: str
    kind: str
    rows: int


class SampleManifest(msgspec.Struct, frozen=True):
    """What `write_sample` wrote; dates are ISO days of the first and last order, `now` the shop's clock."""

    folder: str
    truth: str
    files: tuple[SampleFile, ...]
    first_date: str
    last_date: str
    now: str
    size: float
    seed: int
    truth_rows: dict[str, int]

    def rows(self, kind: str) -> int:
        """Rows of the file of one kind."""
        return next(file.rows for file in self.files if file.kind == kind)


def _staff_table(rows: tuple[tuple[str, str, str, str], ...]) -> pa.Table:
    staff_id, name, store, role = zip(*rows, strict=True)
    return pa.table({"staff_id": staff_id, "name": name, "store": store, "role": role})


def write(folder: Path, *, size: float, seed: int, truth: Path, progress: Progress) -> SampleManifest:
    """Build everything and write it; see `shopkeeper.collect.samples.write_sample`."""
    progress("purchases", 0.0)
    bought = at_size(size, seed)
    known = Truth()
    progress("persons", 0.1)
    persons = make_persons(bought, seed)
    where = places.place_orders(bought, persons, seed)
    tills, where = ring_up(bought, persons, where, seed, known)
    progress("catalogue", 0.25)
    catalogue = make_catalogue(bought, seed)
    shop = Shop(bought, persons, where, tills, catalogue, Taste(bought, tills, catalogue, len(persons)))
    arrivals = acquire.acquire(shop, seed)

    log = EventLog()
    progress("web sessions", 0.35)
    browse(shop, seed, log, known)
    progress("newsletters", 0.45)
    consents = mailing.send_newsletters(shop, mailing.give_consents(shop, seed), seed, log, known)
    progress("social, stores, offers", 0.65)
    social.be_social(shop, arrivals.referrers, seed, log, known)
    social.review(shop, seed, log, known)
    visits.visit(shop, seed, log, known)
    visits.ask(shop, seed, log, known)
    acquire.log_referrals(shop, arrivals, seed, log, known)
    tills = offers.make_offers(shop, seed, log, known)

    progress("records", 0.7)
    customers, crm_phone = records.customers_table(shop, arrivals, seed, known)
    tables = {
        "customers": customers,
        "products": products_table(catalogue, bought.product_ids),
        "stock": stock_table(bought, catalogue, seed),
        "stores": places.stores_table(),
        "staff": _staff_table(where.staff_rows),
        "consents": mailing.consents_table(shop, consents, seed, known),
        "unsubscribes": mailing.unsubscribes_table(shop, consents, seed, known),
        "contacts": service.contacts_table(shop, crm_phone, seed, known),
        "spend": acquire.spend_table(shop, arrivals, seed),
        "exchange_rates": records.exchange_rates_table(seed),
        "demographics": records.demographics_table(shop, arrivals, seed, known),
    }
    progress("files", 0.75)
    folder.mkdir(parents=True, exist_ok=True)
    lines = orders_table(bought, where, tills, pa.array(places.PLACE_IDS))
    # without the Arrow schema any reader sees plain text columns instead of dictionaries
    pq.write_table(
        lines, folder / "orders.parquet", compression="zstd", compression_level=1, store_schema=False,
        row_group_size=262_144,
    )  # fmt: skip
    files = [SampleFile("orders.parquet", "orders", lines.num_rows)]
    for kind, table in tables.items():
        csv.write_csv(table, folder / f"{kind}.csv", csv.WriteOptions(quoting_style="needed"))
        files.append(SampleFile(f"{kind}.csv", kind, table.num_rows))
    progress("events", 0.9)
    count, _, _ = log.write(folder / "events.jsonl")
    files.append(SampleFile("events.jsonl", "events", count))

    known.table("events", **log.truth(persons.ids))
    known.table("persons", **_persons_truth(shop, arrivals))
    minutes = bought.order_minute
    manifest = SampleManifest(
        folder=str(folder),
        truth=str(truth),
        files=tuple(files),
        first_date=str(np.datetime64(int(minutes.min()), "m").astype("datetime64[D]")),
        last_date=str(np.datetime64(int(minutes.max()), "m").astype("datetime64[D]")),
        now=NOW,
        size=size,
        seed=seed,
        truth_rows=known.write(truth, persons.ids),
    )
    (folder / "README.md").write_text(readme.text(manifest, log.counts), encoding="utf-8")
    progress("done", 1.0)
    return manifest


def _persons_truth(shop: Shop, arrivals: acquire.Arrivals) -> dict[str, object]:
    """The columns of persons.parquet: who is who, the household, and the traits that drive the simulation."""
    p = shop.persons
    n = len(p)
    household = np.where(p.partner >= 0, np.minimum(np.arange(n), p.partner), np.arange(n))
    kind = np.where(np.arange(n) < p.customers, 0, np.where(np.arange(n) < p.customers + p.guests, 1, 2))
    ids = p.ids
    columns = {
        "person_id": ids,
        "kind": pa.array(["customer", "guest", "prospect"]).take(pa.array(kind)),
        "household_id": pa.array([f"H{h:06d}" for h in household.tolist()]),
        "first_name": pa.array(p.first),
        "last_name": pa.array(p.last),
        "web_share": pa.array(p.web_share),
        "engagement": pa.array(p.engagement),
        "acquisition_channel": pa.array(list(CHANNELS)).take(pa.array(arrivals.channel)),
        "referred_by": ids.take(pa.array(np.maximum(arrivals.referrer, 0), mask=arrivals.referrer < 0)),
        "value": pa.array(np.rint(arrivals.value * 1000) / 1000),
    }
    return {name: column.filter(pa.array(p.used)) for name, column in columns.items()}
