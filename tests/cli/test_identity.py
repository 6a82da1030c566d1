"""identity why, match, review, turns, settle and link."""

from __future__ import annotations

import random

import pytest
from tests.events import order, put
from tests.resolve.test_rules import families
from tests.shop.test_linking import person, told

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


def test_rules_are_shown_beside_those_of_the_settings_and_applied(cli, family):
    same = cli("identity", "rules", "--shop", family)
    assert same.exit_code == 0, same.output
    assert "What shop.toml asks for is in force." in same.stdout
    with shopkeeper.open(family) as shop:
        put(
            shop,
            *[order(f"t{n}", ids={"payment_token": "TOK", "email": f"p{n}@example.com"}) for n in range(3)],
        )
    file = family / "shop.toml"
    file.write_text(file.read_text().replace("identity_most = {}", "identity_most = { payment_token = 2 }"))
    would = cli("identity", "rules", "--shop", family).stdout
    for part in ("most.payment_token", "1 identifier would name nobody", "Nothing was changed"):
        assert part in would, part
    did = cli("identity", "rules", "--apply", "--shop", family).stdout
    assert "In force from now on." in did
    assert "What shop.toml asks for is in force." in cli("identity", "rules", "--shop", family).stdout


def test_values_of_many_families_are_listed_and_set_aside(cli, family):
    with shopkeeper.open(family) as shop:
        put(shop, *families(9))
    found = cli("identity", "junk", "--shop", family)
    assert found.exit_code == 0, found.output
    for part in ("phone:+447700900123", "9", "Nothing was changed"):
        assert part in found.stdout, part
    assert "would come apart" not in cli("identity", "junk", "--apply", "--shop", family).stdout
    again = cli("identity", "junk", "--shop", family).stdout
    assert "1 value set aside already" in again
    assert "No further value" in again


@pytest.fixture
def town(new_shop):
    """A linked shop of sixty people, of whom twenty are known twice; also who the first of them is."""
    chance = random.Random(5)
    with shopkeeper.open(new_shop) as shop:
        everybody = [person(chance, n) for n in range(60)]
        twice = [told(f"t{n}", {"loyalty_card": f"LC{n:05d}"}, everybody[n]) for n in range(20)]
        once = [told(f"m{n}", {"email": f"mailbox{n}@example.com"}, one) for n, one in enumerate(everybody)]
        accounts = [told(f"a{n}", {"user_id": f"90{n}"}, everybody[30 + n]) for n in range(2)]
        put(shop, *once, *twice, *accounts)
        shop.link_people()
    return new_shop, everybody[0]


def test_a_likeness_is_shown_as_an_aligned_waterfall(cli, town):
    place, _ = town
    yes = cli("identity", "why", "email:mailbox0@example.com", "loyalty_card:LC00000", "--shop", place).stdout
    assert "Why a model takes" in yes
    rows = [
        line for line in yes.splitlines() if line.lstrip().startswith(("prior", "first name", "birthday"))
    ]
    assert len(rows) == 3
    assert all("█" in row for row in rows)
    assert "all together" in yes
    assert "odds " in yes
    no = cli("identity", "why", "user_id:900", "user_id:901", "--shop", place).stdout
    assert "The model gives them odds 1" in no
    assert "different" in no


def test_somebody_at_the_counter_is_looked_for_by_what_they_tell(cli, town):
    place, who = town
    words = (
        "--first-name",
        who["first_name"],
        "--last-name",
        who["last_name"],
        "--birthday",
        who["birthday"],
    )
    found = cli("identity", "match", *words, "--shop", place)
    assert found.exit_code == 0, found.output
    assert "Likely matches of 82 records" in found.stdout
    assert "comes first" in found.stdout
    nobody = cli("identity", "match", "--last-name", "Xylander", "--shop", place).stdout
    assert "Nobody of 82 records is likely" in nobody
    assert cli("identity", "match", "--shop", place).exit_code == 2


def test_a_shop_that_never_linked_says_what_to_do(cli, family):
    done = cli("identity", "match", "--last-name", "Graf", "--shop", family)
    assert done.exit_code != 0
    assert "shopkeeper identity link" in done.output
