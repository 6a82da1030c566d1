"""What sets regulars apart: an effect that was put in is found with its range, one that was not is not claimed."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.events import DAY, order, put

from shopkeeper.shop import Shop


def orders(name: str, days: list[int], first: dict[str, Any]) -> list[Any]:
    ids = {"user_id": name}
    return [
        order(f"{name}-{day}", -day * DAY, ids=ids, **(first if at == 0 else {"store": "web"}))
        for at, day in enumerate(sorted(days, reverse=True))
    ]


def test_an_effect_is_found_and_marked_as_association(shop: Shop, tmp_path: Any) -> None:
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
