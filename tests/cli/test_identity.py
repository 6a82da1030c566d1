"""identity why, review, turns, settle and link."""

from __future__ import annotations

import pytest
from tests.events import order, put

import shopkeeper


@pytest.fixture
def family(new_shop):
    with shopkeeper.open(new_shop) as shop:
        put(shop, *[order(one, ids={"user_id": one, "email": "family@example.com"}) for one in ("71", "72")])
        put(shop, order("3", ids={"user_id": "71", "payment_token": "TOK"}))
    return new_shop


def test_why_and_why_not(cli, family):
    yes = cli("identity", "why", "user_id:71", "payment_token:TOK", "--shop", family)
    assert yes.exit_code == 0, yes.output
    for part in ("One customer: c", "user_id:71", "payment_token:TOK", "Order Completed", "test"):
        assert part in yes.stdout, part
    no = cli("identity", "why", "user_id:71", "user_id:72", "--shop", family).stdout
    assert "Two customers: c" in no
    assert "used by too many" in no
    assert "(2 x user id): email:family@example.com" in no


def test_what_is_listed_is_settled_by_the_name_it_is_given_there(cli, family):
    listed = cli("identity", "review", "--shop", family).stdout
    assert "One email with 2 accounts" in listed
    name = listed.split("name it as ")[1].split()[0]
    left = cli("identity", "settle", "leave", name, "--shop", family)
    assert left.exit_code == 0, left.output
    assert "Nothing needs a look" in cli("identity", "review", "--shop", family).stdout


def test_settling_says_what_it_did_and_a_dry_run_what_it_would(cli, family):
    words = ("identity", "settle", "same", "user_id:71", "user_id:72", "--shop", family)
    would = cli(*words, "--dry-run").stdout
    assert "Would settle: these two are one person's" in would
    assert "becomes part of" in would
    assert "No two customers" in cli("identity", "turns", "--shop", family).stdout
    did = cli(*words).stdout
    assert "Settled: these two are one person's" in did
    assert "took in" in cli("identity", "turns", "--shop", family).stdout
    wrong = cli("identity", "settle", "eat", "user_id:71", "--shop", family)
    assert wrong.exit_code == 2


def test_a_shop_that_knows_too_little_cannot_be_linked(cli, family):
    done = cli("identity", "link", "--shop", family)
    assert done.exit_code == 2
    assert "cannot be linked yet" in done.output
