"""Sources, replays, and long work beside a running server, from the command line."""

from __future__ import annotations

from tests.deliveries import hand, viewed

import shopkeeper
from shopkeeper.shop.working import Worker


def test_a_source_is_added_listed_rotated_revoked_and_disabled(cli, new_shop):
    here = ("--shop", new_shop)
    added = cli("source", "add", "web", "--brand", "Lumen", "--origin", "https://shop.example", *here)
    assert added.exit_code == 0, added.output
    key = added.stdout.splitlines()[-1]
    with shopkeeper.open(new_shop) as shop:
        source = shop.hearing.source_of_key(key)
        assert source is not None
        assert (source.brand, source.origins) == ("Lumen", ("https://shop.example",))
    listed = cli("source", "list", *here).stdout
    assert f"...{key[-4:]}" in listed
    assert key not in listed
    newer = cli("source", "rotate", "web", "--grace-days", "0", *here).stdout.splitlines()[-1]
    assert newer != key
    with shopkeeper.open(new_shop) as shop:
        assert shop.hearing.source_of_key(key) is None
        assert shop.hearing.source_of_key(newer) is not None
    assert "1 key of web ended" in cli("source", "revoke", "web", *here).stdout
    assert cli("source", "disable", "web", *here).exit_code == 0
    assert "disabled" in cli("source", "list", *here).stdout
    assert cli("source", "enable", "web", *here).exit_code == 0
    assert cli("source", "revoke", "wep", *here).exit_code == 2


def test_a_secret_is_drawn_read_from_a_file_or_forgotten(cli, new_shop, tmp_path):
    here = ("--shop", new_shop)
    assert cli("source", "add", "shopify", "--kind", "shopify", *here).exit_code == 0
    drawn = cli("source", "secret", "shopify", *here).stdout.splitlines()[-1]
    file = tmp_path / "secret.txt"
    file.write_text("what the sender gave\n")
    with shopkeeper.open(new_shop) as shop:
        source = shop.hearing.source_named("shopify")
        assert shop.hearing.secret_of(source) == drawn
        assert cli("source", "secret", "shopify", "--file", file, *here).exit_code == 0
        shop.hearing.look()
        assert shop.hearing.secret_of(source) == "what the sender gave"
        assert cli("source", "secret", "shopify", "--forget", *here).exit_code == 0
        shop.hearing.look()
        assert shop.hearing.secret_of(source) is None
    assert cli("source", "secret", "shopify", "--forget", "--file", file, *here).exit_code == 2


def test_the_quarantine_is_replayed(cli, new_shop):
    with shopkeeper.open(new_shop) as shop:
        hand(shop, viewed("1"), {"type": "nod"})
        shop.hear()
    listed = cli("quarantine", "--shop", new_shop)
    assert "tracking/part" in listed.stdout
    done = cli("quarantine", "replay", "--reason", "bad type", "--shop", new_shop)
    assert done.exit_code == 0, done.output
    assert "Read 1 row again: 0 left the quarantine" in done.stdout
    assert "1 because of bad type" in done.stdout


def test_beside_a_worker_long_work_is_handed_over(cli, new_shop, orders_file):
    here = ("--shop", new_shop)
    with shopkeeper.open(new_shop) as shop, Worker(shop.places):
        done = cli("import", orders_file, "--kind", "orders", "--yes", *here)
        assert done.exit_code == 0, done.output
        assert "handed over" in done.stderr
        assert cli("refresh", *here).exit_code == 0
        assert "Folded 2 events anew" in cli("rebuild", *here).stdout
        assert cli("backup", *here).exit_code == 0
        erased = cli("erase", "anna@example.com", "--yes", *here)
        assert erased.exit_code == 0, erased.output
        assert "1 order kept without the person" in erased.stdout
        failed = cli("import", orders_file, "--kind", "ordesr", *here)
        assert failed.exit_code == 2
        assert [(job.verb, job.state) for job in reversed(shop.jobs())] == [
            ("import", "done"), ("refresh", "done"), ("rebuild", "done"), ("backup", "done"), ("erase", "done"),
        ]  # fmt: skip
    assert "handed over" not in cli("refresh", *here).stderr
