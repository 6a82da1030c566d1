"""Shops of every schema that was ever released open and tell the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.events import DAY, order, put

import shopkeeper
from shopkeeper.stores.migrations.steps import latest

SHOPS = sorted((Path(__file__).parents[1] / "data").glob("shop-*.zip"))


def test_there_is_a_shop_of_the_present_schema() -> None:
    assert f"shop-{latest('ledger'):04d}.zip" in [file.name for file in SHOPS]


@pytest.mark.parametrize("file", SHOPS, ids=lambda file: file.stem)
def test_an_old_shop_opens_and_lives_on(file: Path, tmp_path: Path) -> None:
    with shopkeeper.restore(file, tmp_path / "shop") as shop:
        anna = shop.customer("anna@example.com")
        assert anna.name == "Anna Berg"
        assert (anna.traits["orders"], anna.traits["revenue"]) == (6, 74.04)
        assert anna.traits["marketing_email"] is True
        assert [row.name for row in shop.find("berg").rows] == ["Anna Berg"]
        assert shop.report().trade.orders == 7
        for known in shop.segments():
            assert [row.customer for row in shop.members(known.name).rows] == [anna.id]
            assert shop.recount().found == 0
        assert set(shop.worths()) == {known.name for known in shop.segments()}, "before a refresh, too"
        put(shop, order("new", -DAY // 2, ids={"loyalty_card": "LC7"}))
        shop.rebuild()
        shop.refresh()
        assert shop.customer(anna.id).traits["orders"] == 7
        assert shop.report().trade.orders == 8
