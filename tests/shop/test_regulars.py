"""What sets regulars apart: an effect that was put in is found with its range, one that was not is not claimed."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from tests.events import DAY, order, put

from shopkeeper.shop import Shop, reporting, working_ahead
from shopkeeper.shop.places import Places
from shopkeeper.shop.remembering import LOOKED_BACK, REGULARS, REPORT


def orders(name: str, days: list[int], first: dict[str, Any]) -> list[Any]:
    ids = {"user_id": name}
    return [
        order(f"{name}-{day}", -day * DAY, ids=ids, **(first if at == 0 else {"store": "web"}))
        for at, day in enumerate(sorted(days, reverse=True))
    ]


def test_an_effect_is_found_and_marked_as_association(
    shop: Shop, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(2)
    events = []
    for n in range(50):  # every thirty days, mostly first served in the store
        store = "S1" if n % 10 else "web"
        events += orders(
            f"r{n}", [200 - 30 * k + n % 3 for k in range(7)], {"store": store, "staff_id": f"st-{n % 4}"}
        )
    for n in range(90):  # as it comes, mostly first online
        days = sorted({230, *draw.integers(5, 230, 4).tolist()})
        events += orders(f"o{n}", days, {"store": "web" if n % 10 else "S1", "staff_id": f"st-{n % 4}"})
    events += orders("late", [3], {"store": "S1"})
    put(shop, *events)
    table = tmp_path / "stores.csv"
    table.write_text("store_id,name\nS1,Leeds\n", "utf-8")
    shop.collect(table, kind="stores")
    shop.refresh()
    found = shop.regulars()
    assert 45 <= found.regulars <= 60
    assert found.buyers == 141
    assert found.group + found.rest == 140, "who came three days ago could not have become one"
    apart = next(fact for fact in found.apart if fact.about == "first_place")
    assert apart.low < apart.difference < apart.high
    assert abs(apart.difference) > 0.5
    assert "Leeds" in apart.sentence or "web" in apart.sentence
    assert {fact.basis for fact in (*found.apart, *found.levers)} == {"association"}
    assert "first_staff" not in {fact.about for fact in found.apart}
    assert any(fact.about == "first_place" and fact.action for fact in found.levers)
    assert "association" in found.notes[0]
    assert "first_place" in {trait.name for trait in shop.traits()}
    advocates = shop.advocates()
    monkeypatch.setattr(working_ahead, "MANY", found.buyers)
    seconds = shop.refresh()
    assert "answers" in seconds, "as a refresh of many customers does"
    anew = reporting.asked(shop.places)
    asked = recorded(shop, monkeypatch)
    assert reporting.figures(shop.places) == anew
    assert asked == [], "what the report tells was worked out, too"
    with monkeypatch.context() as patch:  # as where shop.toml was changed and the shop opened anew
        patch.setattr(shop.places, "settings", msgspec.structs.replace(shop.settings, assumed_margin=0.9))
        shop.places.figures = None
        assert reporting.figures(shop.places).seen.trade.margin > anew.seen.trade.margin
        shop.places.figures = None
        asked.clear()
    assert shop.regulars() == found
    assert shop.advocates() == advocates
    assert asked, "today's counts are asked of the lake"
    assert not [sql for sql in asked if "order_lines" in sql], "all that is dear was known already"
    assert shop.erase("user_id:o3").orders_kept
    with shop.places.ledger.read() as reader:
        assert not reader.setting(REGULARS)
        assert not reader.setting(LOOKED_BACK)
        assert not reader.setting(REPORT)
    without = shop.regulars()
    assert (without.buyers, without.group, without.rest) == (found.buyers - 1, found.group, found.rest - 1)
    put(shop, *orders("new", [20, 2], {"store": "S1"}), *orders("r1", [45_776], {}))
    monkeypatch.setattr(working_ahead, "MANY", 1_000)
    assert "answers" not in shop.refresh()
    with shop.places.ledger.read() as reader:
        assert not reader.setting(REGULARS)
        assert not reader.setting(LOOKED_BACK)
    asked.clear()
    again = shop.regulars()
    assert again.buyers == found.buyers
    assert again.regulars == found.regulars, "an order of 1901 makes nobody irregular"
    assert [sql for sql in asked if "order_lines" in sql], "nothing of an earlier refresh is told"


def test_nothing_that_was_worked_out_while_somebody_was_erased_is_kept(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop, *orders("a", [40, 20, 2], {}), *orders("b", [30], {}))
    monkeypatch.setattr(working_ahead, "SOME", 1)
    ask = reporting.asked

    def asked(places: Places) -> reporting.Figures:
        found = ask(places)
        shop.erase("user_id:a")
        return found

    monkeypatch.setattr(reporting, "asked", asked)
    shop.refresh()
    with shop.places.ledger.read() as reader:
        assert not reader.setting(REPORT)


def recorded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the lake from now on, by somebody who has asked nothing yet."""
    asked: list[str] = []
    ask = shop.places.lake.query

    def query(sql: str, parameters: Any = None) -> Any:
        asked.append(sql)
        return ask(sql, parameters)

    monkeypatch.setattr(shop.places.lake, "query", query)
    shop.places.insight = (None, {})
    return asked
