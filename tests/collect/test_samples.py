"""The sample shop: the real part is exactly real, the simulated part is plausible, and the truth is complete."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from shopkeeper.collect.samples import pack, places, write_sample
from shopkeeper.collect.samples.catalogue import make_catalogue
from shopkeeper.collect.samples.offers import _assign, _otherwise
from shopkeeper.collect.samples.persons import make_persons
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, at_size
from shopkeeper.collect.samples.tills import orders_table, ring_up
from shopkeeper.collect.samples.truth import Truth

SIZE = 0.05
KINDS = {
    "orders", "customers", "products", "stock", "stores", "staff", "consents", "unsubscribes",
    "contacts", "spend", "exchange_rates", "demographics", "events",
}  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "shop"
    return folder, write_sample(folder, size=SIZE)


@pytest.fixture(scope="module")
def events(sample):
    return [json.loads(line) for line in (sample[0] / "events.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def orders(sample):
    return pq.read_table(sample[0] / "orders.parquet")


@pytest.fixture(scope="module")
def known(sample):
    truth = sample[0].parent / "shop-truth"
    return {file.stem: pq.read_table(file) for file in truth.glob("*.parquet")}


def rows_of(folder, kind):
    options = csv.ConvertOptions(column_types=dict.fromkeys(("phone", "customer_id"), pa.string()))
    return csv.read_csv(folder / f"{kind}.csv", convert_options=options)


def test_at_size_one_the_order_lines_are_the_source_bit_by_bit():
    bought = at_size(1, 7)
    persons = make_persons(bought, 7)
    tills, where = ring_up(bought, persons, places.place_orders(bought, persons, 7), 7, Truth())
    lines = orders_table(bought, where, tills, pa.array(places.PLACE_IDS))
    assert lines.num_rows == 1_044_847
    exact = pc.sum(pc.multiply(lines["unit_price"], lines["quantity"].cast(pa.decimal128(19, 0)))).as_py()
    assert exact == Decimal("18909744.118")
    assert (len(bought.order_ids), len(bought.customer_ids)) == (53_628, 5_942)
    wide = lines["unit_price"].cast(pa.decimal128(24, 3))
    milli = pc.multiply(wide, pa.scalar(Decimal(1000), pa.decimal128(4, 0))).cast(pa.int64())
    prices = pa.array(milli.to_numpy() / 1000)  # casting decimals to floats would not give the nearest float
    real = pa.table([
        *(lines[name].cast(pa.string()) if pa.types.is_dictionary(lines[name].type) else lines[name]
          for name in ("order_id", "invoice_date", "customer_id", "country", "product_id", "description", "quantity")),
        prices,
    ], names=list(pack.COLUMNS))  # fmt: skip
    assert pack.digest(real) == pack.DIGEST


def test_the_packed_file_gives_back_every_line_and_is_small():
    assert pack.digest(pack.unpack()) == pack.DIGEST
    assert sum(file.stat().st_size for file in pack.HERE.glob("*.parquet")) < 6_000_000
    assert "CC BY 4.0" in (pack.HERE / "ATTRIBUTION.md").read_text()


def test_the_same_size_and_seed_give_the_same_files(tmp_path):
    def contents(name, seed):
        write_sample(tmp_path / name / "shop", size=0.01, seed=seed)
        files = sorted(f for f in (tmp_path / name).rglob("*") if f.is_file())
        return {f.relative_to(tmp_path / name): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    first, again, other = contents("a", 3), contents("b", 3), contents("c", 4)
    assert first == again
    changed = {path.name for path in first if first[path] != other[path]}
    assert {"orders.parquet", "customers.csv", "events.jsonl", "identifiers.parquet"} <= changed


def test_a_small_shop_keeps_whole_histories_and_is_part_of_a_larger_one():
    small, large, full = at_size(0.01, 7), at_size(0.03, 7), at_size(1, 7)
    assert set(small.customer_ids.to_pylist()) < set(large.customer_ids.to_pylist())
    ids = pc.index_in(small.customer_ids, full.customer_ids).to_numpy()
    whole = int(np.isin(full.customer[full.order], ids).sum())
    assert int((small.customer[small.order] >= 0).sum()) == whole
    guests = int((small.customer < 0).sum())
    assert guests == round(8752 * 0.01)


def test_a_shop_above_size_one_adds_new_customers_within_the_two_years():
    full, more = at_size(1, 7), at_size(1.02, 7)
    n = len(full.order)
    assert len(more.order) > n
    assert more.order_ids.slice(0, len(full.order_ids)).equals(full.order_ids)
    assert len(pc.unique(more.order_ids)) == len(more.order_ids)
    assert len(pc.unique(more.customer_ids)) == len(more.customer_ids)
    assert more.minute.min() >= FIRST_DAY * DAY
    assert more.minute.max() < (LAST_DAY + 1) * DAY


@pytest.mark.parametrize("size", [0, -1, 1001, float("nan")])
def test_an_impossible_size_is_refused(tmp_path, size):
    with pytest.raises(ValueError, match="expected a number above 0"):
        write_sample(tmp_path / "shop", size=size)
    assert not (tmp_path / "shop").exists()


def test_the_manifest_tells_what_lies_in_the_folder(sample, orders, events):
    folder, manifest = sample
    assert {file.kind for file in manifest.files} == KINDS
    assert {file.name for file in manifest.files} | {"README.md"} == {path.name for path in folder.iterdir()}
    assert manifest.rows("orders") == orders.num_rows
    assert manifest.rows("events") == len(events)
    for file in manifest.files:
        if file.name.endswith(".csv"):
            assert rows_of(folder, file.kind).num_rows == file.rows
    assert manifest.now == "2011-12-10T00:00:00Z"
    assert "2009-12-01" <= manifest.first_date < manifest.last_date <= "2011-12-09"


def test_progress_ends_at_one(tmp_path):
    seen = []
    write_sample(tmp_path / "s", size=0.001, progress=lambda what, share: seen.append((what, share)))
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    assert seen[-1] == ("done", 1.0)


def test_every_event_has_what_the_segment_format_requires(events):
    ids = Counter(event["messageId"] for event in events)
    assert max(ids.values()) == 1
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert max(times) < "2011-12-10"
    for event in events:
        assert event["type"] in {"track", "identify", "page"}
        assert event.get("anonymousId") or event.get("userId")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
        if event["type"] == "track":
            assert event["event"]
            assert isinstance(event["properties"], dict)
        if event["type"] == "identify":
            assert event["traits"]["email"]


def test_the_retail_events_of_the_vocabulary_are_there(events):
    names = {event.get("event") for event in events}
    assert names >= {
        "Product Viewed", "Product Added", "Checkout Started", "Email Delivered", "Email Opened",
        "Email Link Clicked", "Email Bounced", "Email Unsubscribed", "Social Account Linked", "Social Post Liked",
        "Social Post Commented", "Social Post Shared", "Social Post Pinned", "Review Submitted", "Store Visited",
        "Beacon Detected", "Answer Given", "Offer Shown", "Offer Withheld", "Offer Accepted", "Offer Declined",
        "Customer Referred", "Reward Granted",
    }  # fmt: skip
    opens = Counter(e["properties"]["machine"] for e in events if e.get("event") == "Email Opened")
    assert opens[True]
    assert opens[False]


def test_products_are_looked_at_before_they_are_bought(events, orders):
    products = defaultdict(set)
    for order, product in zip(orders["order_id"].to_pylist(), orders["product_id"].to_pylist(), strict=True):
        products[order].add(product)
    seen, hits, total = defaultdict(set), 0, 0
    for event in events:
        if event.get("event") == "Product Viewed" and "anonymousId" in event:
            seen[event["anonymousId"]].add(event["properties"]["product_id"])
        elif event.get("event") == "Checkout Started":
            total += 1
            hits += bool(seen[event["anonymousId"]] & products[event["properties"]["order_id"]])
    assert total > 100
    assert hits > 0.95 * total


def test_some_products_are_looked_at_and_never_bought(events, orders, known):
    person_of_order = dict(
        zip(*(known["orders"][c].to_pylist() for c in ("order_id", "person_id")), strict=True)
    )
    bought = {
        (person_of_order[order], product)
        for order, product in zip(
            orders["order_id"].to_pylist(), orders["product_id"].to_pylist(), strict=True
        )
    }
    person_of = dict(zip(*(known["events"][c].to_pylist() for c in ("message_id", "person_id")), strict=True))
    views = [
        (person_of[e["messageId"]], e["properties"]["product_id"])
        for e in events
        if e.get("event") == "Product Viewed" and e["messageId"].startswith("web-")
    ]
    missed = sum(view not in bought for view in views)
    assert 0.25 * len(views) < missed < 0.75 * len(views)


def test_an_order_in_a_store_was_made_while_it_was_open(orders):
    store = pc.fill_null(pc.index_in(orders["store"], pa.array(places.PLACE_IDS)), -1).to_numpy()
    minute = orders["invoice_date"].to_numpy().astype("datetime64[m]").astype(np.int64)
    inside = (store >= 0) & (store < places.WEB)
    first = np.zeros(len(store), bool)
    first[np.unique(np.array(orders["order_id"].to_pylist()), return_index=True)[1]] = (
        True  # later lines may linger
    )
    assert (inside & first).sum() > 500
    assert places.is_open(store, minute)[inside & first].all()
    abroad = np.array(orders["country"].to_pylist()) != "United Kingdom"
    assert not (inside & abroad).any()


def test_nobody_real_can_be_addressed(sample, orders):
    folder, _ = sample
    texts = "\n".join(p.read_text() for p in folder.iterdir() if p.suffix in {".csv", ".jsonl", ".md"})
    hosts = {host.rstrip(".") for host in re.findall(r"[^\s\"',]@([\w.-]+)", texts)}
    hosts |= {address.split("@")[1] for address in orders["email"].drop_null().to_pylist()}
    assert hosts
    assert all(re.fullmatch(r"(\w+\.)?example\.(com|org|net)", host) for host in hosts)


def test_the_truth_covers_every_identifier(sample, orders, events, known):
    folder, _ = sample
    truth = set(
        zip(known["identifiers"]["kind"].to_pylist(), known["identifiers"]["value"].to_pylist(), strict=True)
    )
    traps = set(zip(known["traps"]["kind"].to_pylist(), known["traps"]["value"].to_pylist(), strict=True))
    seen = set()
    for column in ("customer_id", "loyalty_card", "payment_token", "email"):
        seen |= {(column, value) for value in orders[column].drop_null().unique().to_pylist()}
    for kind in ("customers", "consents", "unsubscribes", "contacts", "demographics"):
        table = rows_of(folder, kind)
        for column in {"customer_id", "email", "phone", "loyalty_card"} & set(table.column_names):
            values = table[column].cast(pa.string()).to_pylist()
            seen |= {(column, value) for value in values if value}
    for event in events:
        facts = event.get("properties", {}) | event.get("traits", {})
        seen |= {("anonymous_id", event.get("anonymousId")), ("customer_id", event.get("userId"))}
        seen |= {("email", facts.get("email")), ("email", facts.get("referred_email"))}
        seen |= {("loyalty_card", facts.get("loyalty_card"))}
        if "handle" in facts:
            seen.add(("social", f"{facts['network']}:{facts['handle']}"))
    seen = {(kind, value) for kind, value in seen if value}
    assert len(seen) > 1000
    assert seen - truth - traps == set()
    assert known["orders"].num_rows == len(orders["order_id"].unique())
    assert known["events"].num_rows == len(events)
    assert known["events"]["person_id"].null_count == 0


def test_an_identifier_of_two_persons_is_a_trap(known):
    table = known["identifiers"]
    traps = set(zip(known["traps"]["kind"].to_pylist(), known["traps"]["value"].to_pylist(), strict=True))
    shared = table.filter(pc.greater(table["persons"], 1))
    spelled = {value for _, value in traps} | {
        f"+44{v[1:].replace(' ', '')}" for k, v in traps if k == "phone"
    }
    assert shared.num_rows > 0
    assert {value for value in shared["value"].to_pylist() if value not in spelled} == set()


def test_the_traps_of_real_data_are_set(known, orders):
    assert set(known["traps"]["trap"].to_pylist()) >= {
        "staff_card", "store_tablet", "family_device", "shared_landline", "family_email", "joint_bank_card",
        "recycled_phone", "junk", "namesake",
    }  # fmt: skip
    accounts = known["identifiers"].filter(pc.equal(known["identifiers"]["kind"], "customer_id"))
    assert max(Counter(accounts["person_id"].to_pylist()).values()) == 2
    card = known["staff_cards"]["loyalty_card"][0].as_py()
    swiped = orders.filter(pc.fill_null(pc.equal(orders["loyalty_card"], card), False))
    assert len(swiped["payment_token"].drop_null().unique()) > 1
    assert swiped["customer_id"].null_count == swiped.num_rows


def test_guests_are_partly_known_customers_and_book_keeping_is_nobody(known, orders):
    how = Counter(known["orders"]["how"].to_pylist())
    assert how["known_guest"]
    assert how["new_guest"]
    assert how["anonymous"]
    nobody = known["orders"].filter(
        pc.is_in(known["orders"]["how"], pa.array(["bookkeeping", "roll_up", "anonymous"]))
    )
    assert nobody["person_id"].null_count == nobody.num_rows
    lines = orders.filter(pc.is_in(orders["order_id"], nobody["order_id"].combine_chunks()))
    for column in ("customer_id", "payment_token", "email"):
        assert lines[column].null_count == lines.num_rows


def test_nobody_unsubscribes_without_having_been_written_to_or_being_on_the_old_list(sample, events):
    consents = rows_of(sample[0], "consents").to_pylist()
    given = {c["email"] for c in consents if (c["purpose"], c["status"]) == ("marketing_email", "given")}
    mailed = {e["properties"]["email"] for e in events if e.get("event") == "Email Delivered"}
    left = [e["properties"]["email"] for e in events if e.get("event") == "Email Unsubscribed"]
    assert mailed <= given
    assert set(left) <= mailed
    assert len(left) == len(set(left))


def test_contacts_are_closed_or_open_and_missing_screws_are_among_them(sample):
    contacts = rows_of(sample[0], "contacts").to_pylist()
    assert {c["status"] for c in contacts} == {"open", "closed"}
    assert all((c["closed_at"] is None) == (c["status"] == "open") for c in contacts)
    assert all(c["closed_at"] is None or c["closed_at"] > c["opened_at"] for c in contacts)
    assert all(c["phone"] or c["email"] or c["customer_id"] for c in contacts)
    assert {"missing_part", "complaint", "cancel_account"} <= {c["reason"] for c in contacts}


def test_costs_leave_the_margin_of_the_category(sample):
    products = rows_of(sample[0], "products").to_pylist()
    assert len({p["category"] for p in products}) >= 15
    source = at_size(1, 7)
    brought = dict(zip(source.product_ids.to_pylist(), source.mean_milli / 1000, strict=True))
    for p in products:
        if p["kind"] == "product" and brought[p["product_id"]] >= 1:
            assert 0.33 < 1 - float(p["unit_cost"]) / brought[p["product_id"]] < 0.67
    assert {p["kind"] for p in products} == {"product", "service", "voucher", "adjustment"}


def test_a_unit_costs_less_than_it_brought_whatever_the_size_of_the_shop():
    small, full = at_size(0.01, 7), at_size(1, 7)
    assert (small.mean_milli == full.mean_milli).all()
    sold = (full.quantity > 0) & (full.price_milli > 0)
    n = len(full.product_ids)
    units = np.bincount(full.product[sold], weights=full.quantity[sold], minlength=n)
    paid = np.bincount(full.product[sold], weights=(full.quantity * full.price_milli)[sold], minlength=n)
    assert full.mean_milli * units == pytest.approx(paid)
    goods = make_catalogue(small, 7)
    assert (goods.cost * 1000 <= 0.67 * full.mean_milli).all()
    # order 518505: ten thousand and more units at a few pence, once sold far below what they seemed to cost
    bulk = int(pc.index(full.order_ids, "518505").as_py())
    lines = np.flatnonzero(full.order == bulk)
    margin = (full.price_milli / 1000 - make_catalogue(full, 7).cost[full.product])[lines] * full.quantity[
        lines
    ]
    assert margin.sum() > -0.5 * (full.price_milli * full.quantity)[lines].sum() / 1000


@pytest.mark.parametrize(("p", "effect"), [(0.2, 0.4), (0.3, 0.0), (0.5, -0.2)])
def test_assigning_an_offer_given_the_purchase_is_an_experiment_with_the_wanted_effect(p, effect):
    draw = np.random.default_rng(1)
    n = 400_000
    buys = draw.random(n) < p
    rate, effects = np.full(n, p), np.full(n, effect)
    treated = _assign(draw, buys, rate, effects)
    assert treated.mean() == pytest.approx(0.5, abs=0.005)
    assert buys[treated].mean() == pytest.approx(p * (1 + effect), abs=0.005)
    assert buys[~treated].mean() == pytest.approx(p * (1 - effect), abs=0.005)
    other = _otherwise(draw, treated, buys, rate, effects)
    with_it, without = np.where(treated, buys, other), np.where(treated, other, buys)
    assert (with_it.mean() - without.mean()) == pytest.approx(2 * p * effect, abs=0.005)
    # the counterfactual does not depend on the assignment
    assert with_it[~treated].mean() == pytest.approx(p * (1 + effect), abs=0.005)


def test_the_readme_says_of_every_file_what_is_real(sample):
    folder, manifest = sample
    readme = (folder / "README.md").read_text()
    assert all(file.name in readme for file in manifest.files)
    assert "10.24432/C5CG6D" in readme
    assert "CC BY 4.0" in readme
