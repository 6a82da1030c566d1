"""A shop made in bulk for benchmarks is the shop that collecting the same events makes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

import shopkeeper
from shopkeeper.know.fold import unpack
from shopkeeper.shop import Shop

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_CUSTOMERS, _EVENTS = 150, 3_000


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same events, built in bulk and collected."""
    folder = tmp_path_factory.mktemp("bulk")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(_BENCHMARKS))
        import bulk
        import world

        bulk.build(folder / "bulk", _CUSTOMERS, _EVENTS, processes=2, lake=True)
        drawn = world.draw(_CUSTOMERS, _EVENTS)
        assert set(drawn.kind.tolist()) == set(range(len(world.KINDS))), "every kind of event is compared"
        assert set(drawn.has.tolist()) == {0, 1, 2, 3}
        lines = [msgspec.json.encode(world.event_call(drawn, int(index))) for index in drawn.by_seq]
        products = list(world.products())
        end = world.END.isoformat()
    (folder / "events.jsonl").write_bytes(b"\n".join(lines))
    header = ",".join(products[0])
    rows = [",".join(str(v) for v in row.values()) for row in products]
    (folder / "products.csv").write_text("\n".join([header, *rows]), "utf-8")
    with (
        shopkeeper.open(folder / "bulk") as bulky,
        shopkeeper.create(folder / "collected", name="Simulated shop", now=end) as collected,
    ):
        collected.collect(folder / "products.csv")
        assert collected.collect(folder / "events.jsonl", source="site").kept == _EVENTS
        collected.refresh()
        yield bulky, collected


def _records(shop: Shop) -> dict[str, Any]:
    """Every record by the customer's account, with identifiers in the place of nodes."""
    with shop.places.ledger.read() as reader:
        members = [row for chunk in reader.all_members() for row in chunk]
        named = {
            row.node: f"{row.kind}:{shop.places.vault.unseal(row.salt, row.sealed)}"
            for row in reader.identifiers([node for node, *_ in members])
        }
        records = {row.customer: row for chunk in reader.all_records() for row in chunk}
    accounts = {customer: named[node] for node, customer, kind, _ in members if kind == "user_id"}
    found = {}
    for customer, row in records.items():
        record = unpack(row.body)
        standings = {p: {named[n]: s for n, s in by.items()} for p, by in record.standings.items()}
        plain = msgspec.to_builtins(msgspec.structs.replace(record, standings={}), builtin_types=(bytes,))
        of = sorted((named[node], shared) for node, mine, _, shared in members if mine == customer)
        found[accounts[customer]] = (plain, standings, row._replace(customer=0, body=b""), of)
    return found


def test_every_record_is_the_one_that_collecting_makes(pair: tuple[Shop, Shop]) -> None:
    bulky, collected = pair
    ours = _records(bulky)
    assert len(ours) == _CUSTOMERS
    assert ours == _records(collected)


def test_the_log_the_messages_and_what_finds_people_are_equal(pair: tuple[Shop, Shop]) -> None:
    def told(shop: Shop) -> tuple[Any, ...]:
        with shop.places.ledger.read() as reader:
            log = reader.log_after(0, _EVENTS + 1)
            counts = reader.counts()
            edges = {(e.occurred_at, e.seq, e.why) for e in reader.edges([row.node for row in log])}
        assert counts["cursor"] == counts["last_seq"] == _EVENTS
        bodies = shop.places.ledger.write(lambda tx: tx.repeated([row.key for row in log]))
        assert len(bodies) == _EVENTS
        # Nodes are numbered in another order, and what was brought in as a file was received at one instant.
        return [row._replace(received_at=0, node=0, others="") for row in log], bodies, counts, edges

    def search(shop: Shop, words: str) -> set[str]:
        return {row.name or "" for row in shop.find(words, sort="orders", limit=100).rows}

    bulky, collected = pair
    assert told(bulky) == told(collected)
    for words in ("anna berg", "leeds", "1000007", "LC1000", "mail.example"):
        assert search(bulky, words) == search(collected, words) != set()


def _tables(shop: Shop) -> dict[str, Any]:
    """What hangs on identifiers, as it lies in the ledger, with their values in the place of nodes."""
    vault = shop.places.vault
    with contextlib.closing(
        sqlite3.connect(f"file:{shop.places.folder / 'ledger.db'}?mode=ro", uri=True)
    ) as db:
        ask = db.execute
        nodes = {
            node: (
                kind,
                vault.unseal(salt, sealed),
                vault.pseudonym(kind, vault.unseal(salt, sealed)) == mark,
                at,
            )
            for node, mark, kind, salt, sealed, at in ask(
                "SELECT node, hash, kind, salt, sealed, first_seen FROM node"
            )
        }
        salts = dict(ask("SELECT node, salt FROM node"))
        assert len(set(salts.values())) == len(salts), "each is sealed under a key of its own"
        said = ask("SELECT seq, node, occurred_at, name, sealed FROM sealed")
        words = (
            "anna",
            "berg",
            "lee",
            "ls1",
            "mail",
            "exampl",
            "1000007",
            "100",
            "lc10000",
            "anna0",
            "ann",
        )
        return {
            "nodes": sorted(nodes.values()),
            "sealed": sorted(
                (seq, nodes[n], at, name, vault.unseal(salts[n], v)) for seq, n, at, name, v in said
            ),
            "tokens": Counter(nodes[n] for (n,) in ask("SELECT node FROM token")),
            "found": {
                word: sorted(
                    nodes[n] for (n,) in ask("SELECT node FROM token WHERE token = ?", vault.wanted(word))
                )
                for word in words
            },
            "heard": list(ask("SELECT * FROM heard")),
            "settings": dict(ask("SELECT name, value FROM setting WHERE name <> 'last_import'")),
            "schema": sorted(ask("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")),
            "sound": list(ask("PRAGMA integrity_check")),
        }


def test_what_is_sealed_found_and_set_is_equal(pair: tuple[Shop, Shop]) -> None:
    ours, theirs = map(_tables, pair)
    assert ours == theirs
    assert all(right for _, _, right, _ in ours["nodes"])
    assert len(ours["sealed"]) == _CUSTOMERS
    assert all(ours["found"].values())
    assert ours["sound"] == [("ok",)]


def test_profiles_and_the_report_are_equal(pair: tuple[Shop, Shop]) -> None:
    bulky, collected = pair
    for account in range(1_000_000, 1_000_000 + _CUSTOMERS, 10):
        ours, theirs = (shop.customer(f"user_id:{account}") for shop in pair)
        assert msgspec.structs.replace(ours, id=0) == msgspec.structs.replace(theirs, id=0)
    ours, theirs = (msgspec.to_builtins(shop.report()) for shop in (bulky, collected))
    assert ours.pop("simulated") != theirs.pop("simulated"), "the one says that it is simulated"
    for report in (ours, theirs):
        assert report.pop("imports"), "how it came in differs; another test may bring it in once more"
    assert ours == theirs


def test_a_rebuild_and_the_same_events_again_change_nothing(pair: tuple[Shop, Shop], tmp_path: Path) -> None:
    bulky, _ = pair
    before = _records(bulky)
    bulky.rebuild()
    assert _records(bulky) == before
    again = bulky.collect(bulky.places.folder.parent / "events.jsonl", source="site")
    assert (again.kept, again.repeated) == (0, _EVENTS)
    assert not [f for f in bulky.doctor() if not f.ok and "backup" not in f.advice]


def test_a_lake_made_without_a_ledger_tells_the_same(pair: Any, tmp_path: Path) -> None:
    bulky, _ = pair
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(_BENCHMARKS))
        import bulk_lake

        bulk_lake.build(tmp_path / "lake", _CUSTOMERS, _EVENTS, say=lambda _: None)
        lake = bulk_lake.open_lake(tmp_path / "lake")
    for question in (
        "SELECT * FROM events ORDER BY seq",
        "SELECT * FROM order_lines ORDER BY seq, line",
        "SELECT * FROM identities ORDER BY node",
        "SELECT product_id, category, unit_cost FROM products ORDER BY product_id",
        "SELECT id, orders, returns, web_orders, store_orders, events, contacts, first_seen FROM customers ORDER BY id",
    ):
        assert lake.query(question).equals(bulky.query(question)), question
    assert lake.query("SELECT * FROM customers LIMIT 0").schema.equals(
        bulky.query("SELECT * FROM customers LIMIT 0").schema
    )
    lake.close()
