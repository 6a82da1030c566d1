"""customer, export and erase: one person, seen and forgotten."""

from __future__ import annotations

import json
import sqlite3

import pytest

import shopkeeper


@pytest.fixture
def known(new_shop, orders_file, cli):
    """A shop that knows two people."""
    for words in (("import", orders_file, "--kind", "orders"), ("refresh",)):
        done = cli(*words, "--shop", new_shop)
        assert done.exit_code == 0, done.output
    return new_shop


def test_a_customer_is_found_by_any_identifier_and_shown_in_full(cli, known):
    by_email = cli("customer", "Anna@Example.com", "--shop", known)
    assert by_email.exit_code == 0, by_email.output
    page = by_email.stdout
    for part in (
        "anna@example.com",
        "Known by",
        "What is known",
        "Tea",
        "Latest events",
        "€48.00",
    ):
        assert part in page, part
    assert "\x1b" not in page
    with shopkeeper.open(known) as shop:
        who = shop.customer("anna@example.com").id
    assert cli("customer", who, "--shop", known).stdout == page


def test_days_and_times_are_those_of_the_shop(cli, new_shop, tmp_path):
    path = tmp_path / "night.csv"
    path.write_text(
        "order_id,order_date,product_id,quantity,unit_price,email\n"
        "9,2024-06-01 00:30,A1,1,4.50,nora@example.com\n",
        encoding="utf-8",
    )
    assert cli("import", path, "--kind", "orders", "--shop", new_shop).exit_code == 0
    assert cli("refresh", "--shop", new_shop).exit_code == 0
    page = cli("customer", "nora@example.com", "--shop", new_shop).stdout
    assert "2024-06-01 00:30" in page
    assert "since" in page
    assert "31 May 2024" not in page[page.index("Where") :]
    assert "1 Jun 2024" in page
    report = cli("report", "--shop", new_shop).stdout
    assert "1 order from 1 Jun 2024 to 1 Jun 2024" in report


def test_a_word_of_the_name_finds_who_may_be_meant(cli, new_shop, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(
        "customer_id,first_name,last_name,email\n"
        "1,Anna,Testperson,anna@example.com\n2,Bela,Testperson,bela@example.com\n",
        encoding="utf-8",
    )
    assert cli("import", path, "--kind", "customers", "--shop", new_shop).exit_code == 0
    assert cli("refresh", "--shop", new_shop).exit_code == 0
    done = cli("customer", "Testperson", "--shop", new_shop)
    assert done.exit_code == 0, done.output
    assert "2 customers match by name" in done.stdout
    for name in ("Anna Testperson", "Bela Testperson"):
        assert name in done.stdout
    nobody = cli("customer", "Nobody", "--shop", new_shop)
    assert nobody.exit_code == 1
    assert "Nobody" not in nobody.stderr


@pytest.mark.parametrize("words", [("customer",), ("erase", "--yes"), ("export", "--to", "-")])
def test_a_kind_that_is_none_is_named(cli, known, words):
    done = cli(*words, "wibble:foo", "--shop", known)
    assert done.exit_code == 2
    assert "unknown kind of identifier 'wibble'" in done.stderr
    assert "foo" not in done.stderr
    near = cli(*words, "emial:anna@example.com", "--shop", known)
    assert "did you mean 'email'" in near.stderr


def test_the_timeline_is_as_long_as_asked(cli, known):
    assert (
        "Latest events" not in cli("customer", "anna@example.com", "--timeline", "0", "--shop", known).stdout
    )
    assert cli("customer", "anna@example.com", "--timeline", "-1", "--shop", known).exit_code == 2


def test_an_export_is_json_of_everything_known(cli, known, tmp_path):
    to = tmp_path / "out" / "anna.json"
    done = cli("export", "anna@example.com", "--to", to, "--shop", known)
    assert done.exit_code == 0, done.output
    assert "anna@example.com" in json.dumps(json.loads(to.read_text(encoding="utf-8")))
    assert "anna" not in done.stdout.replace(str(to), "")
    assert json.loads(cli("export", "anna@example.com", "--to", "-", "--shop", known).stdout)


def test_erasing_asks_and_leaves_alone_what_was_not_confirmed(cli, known, monkeypatch):
    nobody = cli("erase", "anna@example.com", "--shop", known)
    assert nobody.exit_code == 2
    assert "--yes" in nobody.stderr
    monkeypatch.setattr("shopkeeper.cli.customers.asked", lambda: True)
    no = cli("erase", "anna@example.com", "--shop", known, typed="n\n")
    assert no.exit_code == 1
    assert cli("customer", "anna@example.com", "--shop", known).exit_code == 0


def test_erasing_forgets_one_person_and_nobody_else(cli, known):
    done = cli("erase", "anna@example.com", "--yes", "--shop", known)
    assert done.exit_code == 0, done.output
    assert "Receipt" in done.stdout
    assert "1 order kept without the person" in done.stdout
    assert cli("customer", "anna@example.com", "--shop", known).exit_code == 1
    assert cli("customer", "bela@example.com", "--shop", known).exit_code == 0
    found = [path for path in known.rglob("*") if path.is_file() and b"anna@example" in path.read_bytes()]
    assert found == []


def test_the_ledger_under_a_page_is_a_ledger(known):
    with sqlite3.connect(known / "ledger.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()
