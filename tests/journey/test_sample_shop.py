"""The sample shop, from export files to known customers, against what is known to be true of it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from shopkeeper.domain.errors import NotFound
from shopkeeper.domain.report import Report
from shopkeeper.shop import Shop


@pytest.fixture(scope="module")
def exports(sample_shop: Shop) -> Path:
    folder = sample_shop.places.folder
    return folder.with_name(folder.name + "-exports")


@pytest.fixture(scope="module")
def truth(sample_shop: Shop) -> Path:
    folder = sample_shop.places.folder
    return folder.with_name(folder.name + "-truth")


def test_every_line_that_was_read_is_accounted_for(sample_report: Report, exports: Path) -> None:
    for one in sample_report.imports:
        assert one.read == one.kept + one.repeated + one.quarantined, one.file
    orders = next(i for i in sample_report.imports if i.kind == "orders")
    lines = pq.read_table(
        exports / "orders.parquet", columns=["order_id", "quantity", "unit_price"]
    ).to_pydict()
    assert orders.read == orders.kept == len(lines["order_id"])
    bought = {o for o, q in zip(lines["order_id"], lines["quantity"], strict=True) if q > 0}
    back = {o for o, q in zip(lines["order_id"], lines["quantity"], strict=True) if q < 0}
    assert (orders.orders, orders.returns) == (len(bought), len(back))
    exact = sum(
        (q * p for q, p in zip(lines["quantity"], lines["unit_price"], strict=True)), start=Decimal(0)
    )
    assert Decimal(orders.exact) == exact
    assert Decimal(orders.rounded) - Decimal(orders.exact) == Decimal(orders.difference)
    assert sample_report.trade.orders == orders.orders
    assert sample_report.trade.returns == orders.returns
    assert Decimal(str(sample_report.trade.amount)) == Decimal(orders.rounded)


def test_the_fold_and_the_lake_tell_the_same(sample_shop: Shop, sample_report: Report) -> None:
    """Customers are folded from the ledger, the report is asked of the lake: two ways to the same sums."""
    table = sample_shop.customers().to_pylist()
    assert sum(row["orders"] for row in table) <= sample_report.trade.orders
    assigned = sample_report.trade.amount - sample_report.trade.unassigned_amount
    assert sum(row["revenue"] for row in table) == pytest.approx(assigned, abs=0.01)
    margin = sample_shop.query(
        "SELECT sum(l.amount / 100 - CASE WHEN l.name = 'Order Refunded' AND l.amount = 0 THEN 0 "
        "ELSE l.quantity * p.unit_cost END) AS margin "
        "FROM order_lines AS l JOIN products AS p ON p.product_id = l.product_id WHERE l.node > 0"
    ).to_pylist()[0]["margin"]
    assert sum(row["margin"] for row in table) == pytest.approx(margin, abs=1.0)


def test_every_file_was_recognised_for_what_it_is(sample_report: Report) -> None:
    assert [i.kind for i in sample_report.imports] == [
        "orders", "customers", "products", "stock", "stores", "staff", "consents", "unsubscribes", "contacts",
        "spend", "rates", "attributes", "events",
    ]  # fmt: skip


def test_the_same_files_again_add_nothing(sample_shop: Shop, exports: Path, tmp_path: Path) -> None:
    import shopkeeper

    backup = sample_shop.backup(tmp_path / "copy.zip")
    with shopkeeper.restore(backup, tmp_path / "copy") as again:
        before = again.health()
        for file in ("orders.parquet", "customers.csv", "contacts.csv", "events.jsonl", "products.csv"):
            summary = again.collect(exports / file)
            assert (summary.kept, summary.events) == (0, 0), file
            assert summary.repeated + summary.quarantined == summary.read, file
        after = again.health()
        assert (after["events"], after["lag"]) == (before["events"], 0)


def test_people_are_told_apart(sample_shop: Shop, truth: Path) -> None:
    """Deterministic linkage must be precise. A staff card swiped twice looks like anybody's card: whom it was put
    with is left out here, since a hundredth of the shop has as many traps as it has families.
    """
    rows = pq.read_table(truth / "identifiers.parquet").to_pylist()
    traps = {(r["kind"], r["value"]) for r in pq.read_table(truth / "traps.parquet").to_pylist()}
    person_of = {
        (r["kind"], r["value"]): r["person_id"]
        for r in rows
        if r["person_id"] and r["persons"] == 1 and (r["kind"], r["value"]) not in traps
    }
    customer_of: dict[tuple[str, str], int] = {}
    places = sample_shop.places
    with places.ledger.read() as reader:
        for kind, value in person_of:
            canonical = (
                places.keys(kind, value)
                if kind in ("user_id", "email", "loyalty_card", "payment_token")
                else None
            )
            if canonical is not None:
                node = reader.nodes([places.vault.pseudonym(kind, canonical)])
                for member in reader.members(list(node.values())):
                    customer_of[kind, value] = member.customer
        trapped = {
            sample_shop.customer(f"{kind}:{value}").id
            for kind, value in traps
            if kind in ("loyalty_card", "payment_token") and _known(sample_shop, f"{kind}:{value}")
        }
    together: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for identifier, customer in customer_of.items():
        if f"c{customer}" not in trapped:
            together[customer].append(identifier)
    pairs = [pair for group in together.values() for pair in combinations(group, 2)]
    right = sum(person_of[a] == person_of[b] for a, b in pairs)
    assert len(pairs) > 50
    assert right / len(pairs) > 0.99


def _known(shop: Shop, who: str) -> bool:
    try:
        shop.customer(who)
    except NotFound:
        return False
    return True


def test_predictions_are_there_with_their_evidence(sample_shop: Shop, sample_report: Report) -> None:
    assert sum(s.chosen for s in sample_report.scores) == 1
    assert {s.name for s in sample_report.scores} >= {"MBG/NBD", "BG/NBD"}
    table = sample_shop.customers().to_pylist()
    buyers = [row for row in table if row["orders"] > 0]
    against = [row for row in buyers if row["objects_to_profiling"]]
    assert 0 < len(against) < len(buyers) / 5
    for row in against:
        assert (row["p_alive"], row["clv_12m"], row["state"]) == (None, None, None)
    for row in buyers:
        if row["objects_to_profiling"]:
            continue
        assert 0 <= row["p_alive"] <= 1
        assert row["state"] in ("new", "active", "fading", "lapsed", "won back")
        assert row["state_since"] is not None
        assert (row["next_order"] is None) == (row["state"] == "lapsed")
        assert row["unusual_from"] is not None
        assert (row["fading_since"] is not None) == (row["state"] in ("fading", "lapsed"))
    assert sample_report.simulated


def test_one_customer_seen_from_every_side(sample_shop: Shop, sample_report: Report) -> None:
    best = sample_report.most_valuable[0]
    profile = sample_shop.customer(best.id)
    assert profile.name == best.name != ""
    assert profile.traits["orders"] == best.orders
    assert {i.kind for i in profile.identifiers} >= {"user_id", "email"}
    for identifier in profile.identifiers:
        if identifier.kind not in ("anonymous_id", "device_id"):
            assert sample_shop.customer(f"{identifier.kind}:{identifier.value}").id == profile.id
    seen, cursor = [], None
    while True:
        page = sample_shop.timeline(best.id, cursor=cursor, limit=37)
        seen += [entry.seq for entry in page.entries]
        if (cursor := page.next) is None:
            break
    assert len(seen) == len(set(seen)) == profile.traits["events"]


def test_lists_page_through_everybody(sample_shop: Shop, sample_report: Report) -> None:
    ids, cursor = [], None
    while True:
        page = sample_shop.find(sort="margin", cursor=cursor, limit=31)
        ids += [row.id for row in page.rows]
        if (cursor := page.next) is None:
            break
    assert len(ids) == len(set(ids)) == page.total == sample_shop.health()["customers"]
    margins = [sample_shop.customer(i).traits["margin"] for i in ids[:20]]
    assert margins == sorted(margins, reverse=True)


def test_who_brought_whom_is_true(sample_shop: Shop, truth: Path) -> None:
    rows = pq.read_table(truth / "identifiers.parquet").to_pylist()
    person = {row["value"]: row["person_id"] for row in rows if row["kind"] == "customer_id"}
    people = pq.read_table(truth / "persons.parquet").to_pylist()
    true = {(row["referred_by"], row["person_id"]) for row in people if row["referred_by"]}

    def persons(customer: str) -> set[str]:
        known = sample_shop.customer(customer).identifiers
        return {person[i.value] for i in known if i.kind == "user_id" and i.value in person}

    brought = [(row.id, one.id) for row in sample_shop.advocates(most=500).rows for one in row.friends]
    assert brought
    for by, who in brought:
        assert true & {(a, b) for a in persons(by) for b in persons(who)}, (
            "nobody is said to have brought others"
        )
