"""Trying a mapping, giving it to a source, and importing a table, as a person types it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

import shopkeeper
from shopkeeper.shop.working import Worker

EXAMPLES = Path(__file__).parents[2] / "examples" / "connect"


def test_a_mapping_is_tried_on_a_sample(cli, new_shop):
    done = cli(
        "source", "try", EXAMPLES / "woocommerce.toml", EXAMPLES / "woocommerce.order-updated.json",
        "--topic", "order.updated", "--shop", new_shop,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "WooCommerce: 1 element, 2 events" in done.output
    assert "Order Refunded: returned 0 lines" in done.output
    assert "rosa@example.com" in done.output
    assert "by the header X-WC-Webhook-Signature" in done.output


def test_what_came_out_can_be_had_as_data(cli, new_shop):
    done = cli(
        "source", "try", EXAMPLES / "social.toml", EXAMPLES / "social.json", "--json", "-", "--shop", new_shop
    )
    trial = json.loads(done.output)
    assert [event["name"] for event in trial["events"]][:2] == ["Social Post Liked", "Social Post Commented"]
    assert trial["ignored"] == 1


def test_a_mistake_is_told_with_its_line_and_the_nearest_name(cli, new_shop, tmp_path):
    mapping, sample = tmp_path / "m.toml", tmp_path / "s.json"
    mapping.write_text('[[event]]\nname = "Contact Opend"\n')
    sample.write_text('{"a": 1}')
    done = cli("source", "try", mapping, sample, "--shop", new_shop)
    assert done.exit_code == 2
    assert "line 2" in done.output
    assert "did you mean 'Contact Opened'" in done.output.replace("\n", " ")
    mapping.write_text('[[event]]\nname = "Contact Opened"\n[event.identifiers]\nemail = "@.mail"\n')
    sample.write_text('{"e-mail": "a@example.com", "mial": 1}')
    done = cli("source", "try", mapping, sample, "--shop", new_shop)
    assert done.exit_code == 0
    assert "line 4: @.mail finds nothing in the sample; did you mean @['e-mail']?" in done.output
    sample.write_text("{")
    assert cli("source", "try", mapping, sample, "--shop", new_shop).exit_code == 2
    assert cli("source", "try", mapping, tmp_path / "nothing.json", "--shop", new_shop).exit_code == 2


def test_a_source_is_given_a_mapping_and_another_one(cli, new_shop, tmp_path):
    good = EXAMPLES / "reviews.toml"
    added = cli("source", "add", "reviews", "--kind", "webhook", "--mapping", good, "--shop", new_shop)
    assert added.exit_code == 0, added.output
    done = cli("source", "map", "reviews", EXAMPLES / "beacons.toml", "--shop", new_shop)
    assert done.exit_code == 0, done.output
    bad = tmp_path / "bad.toml"
    bad.write_text("[[event]]\nnam = 'x'")
    refused = cli("source", "map", "reviews", bad, "--shop", new_shop)
    assert refused.exit_code == 2
    assert "line 2" in refused.output
    refused = cli("source", "add", "more", "--kind", "webhook", "--mapping", bad, "--shop", new_shop)
    assert refused.exit_code == 2


@pytest.fixture
def till(tmp_path):
    """The address of a till's database."""
    path = tmp_path / "till.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE receipts (number, sold_at, article, pieces, unit_price, email, changed)")
        other.executemany(
            "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                ("1001", "2024-03-01 10:15:00", "A1", 2, 4.5, "anna@example.com", 1),
                ("1001", "2024-03-01 10:15:00", "B7", 1, 39.0, "anna@example.com", 2),
                ("1002", "2024-03-08 17:40:00", "A1", 3, 4.5, "bela@example.com", 3),
            ],
        )
    other.close()
    return f"sqlite:///{path}"


MAP = (
    "--map",
    "order_id=number",
    "--map",
    "time=sold_at",
    "--map",
    "product_id=article",
    "--map",
    "quantity=pieces",
)


def test_a_table_is_imported_and_then_only_what_is_new(cli, new_shop, till):
    words = ("import", "--table", till, "--query", "receipts", "--kind", "orders", *MAP, "--source", "till",
             "--cursor", "changed", "--shop", new_shop)  # fmt: skip
    done = cli(*words)
    assert done.exit_code == 0, done.output
    assert "receipts: orders" in done.output
    with sqlite3.connect(till.removeprefix("sqlite:///")) as other:
        other.execute(
            "INSERT INTO receipts VALUES ('1003', '2024-03-09 09:00:00', 'A1', 1, 4.5, 'anna@example.com', 4)"
        )
    other.close()
    assert cli(*words).exit_code == 0
    shown = cli("customer", "anna@example.com", "--shop", new_shop)
    if shown.exit_code:
        cli("refresh", "--shop", new_shop)
        shown = cli("customer", "anna@example.com", "--shop", new_shop)
    assert shown.exit_code == 0, shown.output


def test_beside_a_running_server_the_table_is_read_by_its_worker(cli, new_shop, till):
    with shopkeeper.open(new_shop) as shop, Worker(shop.places):
        done = cli(
            "import", "--table", till, "--query", "receipts", "--kind", "orders", *MAP, "--shop", new_shop
        )
        assert done.exit_code == 0, done.output
        assert "handed over" in done.output
        (job,) = shop.jobs()
        assert (job.verb, job.state) == ("import table", "done")
        shop.hear()
    with shopkeeper.open(new_shop) as shop:
        shop.advance()
        assert shop.customer("anna@example.com").traits["orders"] == 1


def test_what_is_missing_is_said(cli, new_shop, till):
    assert "no files are named" in cli("import", "--shop", new_shop).output
    assert "--query" in cli("import", "--table", till, "--shop", new_shop).output
    done = cli("import", "--table", till, "--query", "receits", "--shop", new_shop)
    assert done.exit_code == 1
    assert "receits" in done.output
