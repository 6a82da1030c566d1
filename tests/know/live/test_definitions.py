"""Definitions of segments: a condition is understood against the traits it is asked with."""

from __future__ import annotations

from msgspec import structs
from tests.conditions import TRAITS

from shopkeeper.know.live.definitions import known
from shopkeeper.shop import Shop
from shopkeeper.stores.contract.segments import VersionRow


def test_one_text_under_other_traits_is_understood_anew(shop: Shop) -> None:
    version = VersionRow(1, 1, "", "", "orders >= 2", 0, "")
    fewer = [structs.replace(one, kind="money") if one.name == "orders" else one for one in TRAITS.values()]
    with shop.places.ledger.read() as reader:
        plain, other = known(reader, TRAITS.values()), known(reader, fewer)
    assert plain.understood(version) is plain.understood(version)
    assert other.understood(version) is not plain.understood(version)
