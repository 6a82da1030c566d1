"""segment save, list, show, members, changes, recount, pause, activate, archive."""

from __future__ import annotations

import msgspec
import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.shop.working import Worker


@pytest.fixture
def bought(new_shop):
    with shopkeeper.open(new_shop) as shop:
        put(shop, *(order(f"a{n}", -n * DAY, ids={"user_id": "anna"}) for n in range(3)))
        put(shop, event("Store Visited", "s", ids={"user_id": "ben"}, store="S1"))
    return new_shop


def test_a_segment_lives_from_its_first_day_to_its_last(cli, bought):
    saved = cli("segment", "save", "buyers", "orders>=2", "--title", "Buyers", "--shop", bought)
    assert saved.exit_code == 0, saved.output
    for part in ("Buyers (buyers), version 1", "orders >= 2", "live", "1 customer"):
        assert part in saved.stdout, part
    listed = cli("segment", "list", "--shop", bought).stdout
    assert "buyers" in listed
    assert "c1" in cli("segment", "members", "buyers", "--shop", bought).stdout
    assert "version 2" in cli("segment", "save", "buyers", "orders = 0", "--shop", bought).stdout
    told = cli("segment", "changes", "buyers", "--shop", bought).stdout
    assert [told.count(word) for word in ("entered", "exited", "backfill")] == [2, 1, 3]
    assert "--cursor 3" in told
    data = msgspec.json.decode(cli("segment", "changes", "--json", "-", "--shop", bought).stdout)
    assert (len(data["rows"]), data["next"]) == (3, 3)
    data = msgspec.json.decode(cli("segment", "members", "buyers", "--json", "-", "--shop", bought).stdout)
    assert [len(data["rows"]), data["total"]] == [1, 1]
    assert "Nobody entered" in cli("segment", "changes", "--cursor", "3", "--shop", bought).stdout
    shown = cli("segment", "show", "buyers", "--shop", bought).stdout
    for part in ("orders >= 2", "orders = 0", "in it"):
        assert part in shown, part
    assert "No difference." in cli("segment", "recount", "--shop", bought).stdout
    assert "paused" in cli("segment", "pause", "buyers", "--shop", bought).stdout
    assert "live" in cli("segment", "activate", "buyers", "--shop", bought).stdout
    assert "archived" in cli("segment", "archive", "buyers", "--shop", bought).stdout
    assert "There is no segment yet" in cli("segment", "list", "--shop", bought).stdout
    assert "archived" in cli("segment", "list", "--archived", "--shop", bought).stdout


def test_what_is_wrong_is_said_in_words(cli, bought):
    wrong = cli("segment", "save", "buyers", "ordrs >= 2", "--shop", bought)
    assert wrong.exit_code == 2
    assert "orders" in wrong.output
    assert cli("segment", "show", "nobody", "--shop", bought).exit_code == 2


def test_beside_a_worker_it_is_handed_over(cli, bought):
    with shopkeeper.open(bought) as shop, Worker(shop.places):
        saved = cli("segment", "save", "buyers", "orders >= 2", "--shop", bought)
        assert saved.exit_code == 0, saved.output
        assert "handed over" in saved.output
        counted = cli("segment", "recount", "--shop", bought)
        assert "No difference." in counted.stdout, counted.output
