"""Flows between saved segments: from the record of who entered and left, by the shop's calendar."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from tests.events import DAY, order, put

import shopkeeper
from shopkeeper.domain.clock import FixedClock
from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.shop import Shop
from shopkeeper.shop.audiences import prune
from shopkeeper.shop.watching import keep_up
from shopkeeper.web.sankey import HEIGHT, WIDTH, picture

NAMES = ("young", "old")


def later(shop: Shop, **spans: float) -> None:
    clock = shop.clock
    assert isinstance(clock, FixedClock)
    clock.at += timedelta(**spans)
    keep_up(shop.places)


@pytest.fixture
def moving(shop: Shop) -> Shop:
    """Eight who ordered in the last month: they grow old after forty days; two of them order again."""
    put(shop, *(order(f"o{n}", -(n + 1) * 3 * DAY, ids={"user_id": f"u{n}"}) for n in range(8)))
    shop.save_segment("young", "days_since_order < 40")
    shop.save_segment("old", "days_since_order >= 40")
    for _ in range(6):
        later(shop, days=15)
    again = [order(f"again{n}", 90 * DAY, ids={"user_id": f"u{n}"}) for n in range(2)]
    put(shop, *(msgspec.structs.replace(one, received_at=one.occurred_at) for one in again))
    later(shop, days=15)
    return shop


@pytest.mark.parametrize("per", ["month", "week"])
def test_flows_agree_with_who_is_where_and_with_who_entered_and_left(moving: Shop, per: str) -> None:
    found = moving.segment_flows(*NAMES, per=per, periods=26)
    sizes = {name: moving.segment(name).segment.size for name in NAMES}
    last = len(found.boundaries) - 2
    for one in found.traffic:
        assert one.at_start + one.entered - one.left == one.at_end
        assert one.period != last or one.at_end == sizes[one.segment]
    first = {one.segment: one.at_start for one in found.traffic if one.period == 0}
    assert first == {"young": 8, "old": 0}  # whom the first look found was in it before
    into = Counter({name: first[name] for name in NAMES})
    for flow in found.flows:
        if flow.source != flow.target:
            into.update({flow.target: flow.customers})
            into.subtract({flow.source: flow.customers})
    assert {name: into[name] for name in NAMES} == sizes == {"young": 2, "old": 6}
    assert (
        found.boundaries[-1]
        == moving.clock.now()
        > found.boundaries[-2]
        > found.boundaries[0]
        >= (moving.segment("young").versions[0].at)
    )


def test_boundaries_are_the_shops_months_and_none_is_before_it_was_kept_up(moving: Shop) -> None:
    found = moving.segment_flows(*NAMES, periods=2)
    assert [f"{at:%d %H}" for at in found.boundaries[:-1]] == ["30 23", "31 23"]  # midnight in London
    moving.save_segment("late", "orders >= 2")
    late = moving.segment_flows("young", "late")
    assert late.boundaries[0] < late.boundaries[-1]
    assert (late.boundaries[-1] - late.boundaries[0]).total_seconds() < 1
    moving.save_segment("never", "orders >= 1", activate=False)
    assert moving.segment_flows("never").flows == ()


def test_a_segment_saved_at_midnight_is_not_of_the_day_before(tmp_path: Path) -> None:
    """The sample shop's clock stands at midnight; and a shop's day begins before or after that of UTC."""
    with shopkeeper.create(
        tmp_path / "shop", now="2026-10-24T22:00:00+00:00", time_zone="Europe/Berlin"
    ) as shop:
        shop.places.clock = FixedClock(datetime.fromisoformat("2026-10-24T22:00:00+00:00"))
        put(shop, order("one", -200 * DAY, ids={"user_id": "u1"}))
        shop.save_segment("buyers", "orders >= 1")
        zone = ZoneInfo("Europe/Berlin")
        found = shop.segment_flows("buyers")
        assert [str(at.astimezone(zone).date()) for at in found.boundaries] == ["2026-10-25"] * 2
        (one,) = found.traffic
        assert (one.at_start, one.entered, one.at_end) == (1, 0, 1)
        for number, hours in enumerate(
            (24, 0.5, 0.5)
        ):  # the day of 25 hours has its last one, and the next begins
            later(shop, hours=hours)
            put(shop, order(f"later {number}", -100 * DAY, ids={"user_id": f"u1{number}"}))
        assert [(str(day.day), day.entered, day.size) for day in shop.segment("buyers").days] == [
            ("2026-10-25", 3, 3), ("2026-10-26", 1, 4),
        ]  # fmt: skip


@pytest.mark.parametrize("days", [15, 20, 60])
def test_flows_agree_with_who_is_where_whenever_earlier_ones_were_deleted(moving: Shop, days: int) -> None:
    """Fifteen days lie between one look and the next, so that some left at the very instant of the cut."""
    moving.places.settings = msgspec.structs.replace(moving.settings, audience_days=days)
    prune(moving.places)
    found = moving.segment_flows(*NAMES, periods=26)
    last = len(found.boundaries) - 2
    assert {one.segment: one.at_end for one in found.traffic if one.period == last} == {"young": 2, "old": 6}


def test_what_cannot_be_asked(moving: Shop) -> None:
    for names, options in (((), {}), (("young",), {"periods": 0}), (tuple("abcdefghi"), {})):
        with pytest.raises(InvalidInput):
            moving.segment_flows(*names, **options)
    with pytest.raises(UnknownName, match="month"):
        moving.segment_flows("young", per="year")
    with pytest.raises(UnknownName, match="did you mean 'young'"):
        moving.segment_flows("youn")


def test_the_picture_holds_every_flow_once_and_keeps_within_its_frame(moving: Shop) -> None:
    found = moving.segment_flows(*NAMES)
    drawn = picture(found, {"young": "Young <b>", "old": "Old"})
    assert drawn is not None
    assert len(drawn.bands) == sum(bool(one.source or one.target) for one in found.flows)
    assert all(one.y >= 0 and one.y + one.height <= HEIGHT + 1 for one in drawn.blocks)
    assert drawn.columns[0] == 0 < drawn.columns[-1] < WIDTH
    assert picture(msgspec.structs.replace(found, flows=()), {}) is None
