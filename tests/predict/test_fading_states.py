"""States, seasons and next orders, in simulated worlds and in general."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.predict.fading import (
    CALENDAR,
    NEVER,
    OWN,
    POPULATION,
    Population,
    Purchases,
    Rhythm,
    kept,
    learn,
    limits,
    of_days,
    purchases,
    stand,
)
from shopkeeper.predict.fading.calendar import season

from . import lives as worlds
from .lives import START, World

CROWD = Rhythm(population=Population(p=1.5, q=2.0, v=40.0, n=500))
HALF = START + 730


def of(*days: int) -> Purchases:
    """One customer."""
    return of_days(np.array([7]), np.array([0]), np.array(days))


def state(days: list[int], today: int, rhythm: Rhythm = CROWD) -> tuple[str, int]:
    found = stand(of(*days), rhythm, today)
    return str(found.state[0]), int(found.since[0])


def test_the_next_order_turns_on_its_day_where_rounding_decides() -> None:
    """(1 + s/18)^-10 is a power of 2 at 18 and 54 days: a hair more or less is another day."""
    rhythm = Rhythm(population=Population(p=1.0, q=10.0, v=18.0, n=12), alarms_per_year=0.01)
    before = stand(of(START), rhythm, START)
    for today in range(START + 1, START + 80):
        found = stand(of(START), rhythm, today)
        if before.turns[0] > today:
            assert (found.state[0], found.next_order[0]) == (before.state[0], before.next_order[0])
        assert found.next_order[0] >= today
        before = found


def bought(world: World, until: int | None = None) -> Purchases:
    return purchases(
        customer=world.customer,
        occurred_at=world.day.astype("datetime64[D]"),
        end=None if until is None else np.datetime64(until, "D"),
    )


def false_alarms(world: World, rhythm: Rhythm) -> float:
    """Alarms in gaps that ended, per customer-year, of the years that the rhythm was not learned from."""
    all_ = bought(world)
    ended = np.ones(all_.day.size, dtype=bool)
    ended[all_.last] = False
    rows = np.flatnonzero(ended & (all_.day >= HALF))
    raised = all_.day[rows + 1] >= limits(all_, rhythm).fading[rows]
    return float(raised.sum() / (all_.gap[rows + 1].sum() / 365.25))


@cache
def learned(name: str) -> tuple[World, Rhythm]:
    world: World = {
        "as models assume": worlds.heterogeneous(300, 1),
        "regular": worlds.heterogeneous(300, 2, shape=4.0),
        "irregular": worlds.heterogeneous(300, 3, shape=0.5),
        "clumpy": worlds.clumpy(300, 4),
        "who leaves": worlds.dying(300, 5),
    }[name]
    return world, learn(bought(world, HALF))


@pytest.mark.parametrize("name", ["as models assume", "regular", "irregular", "clumpy", "who leaves"])
def test_false_alarms_a_year_stay_near_the_aim_whatever_the_world(name: str) -> None:
    """A quarter is accepted; a plain 5 % tail for each gap would give several times as many."""
    world, rhythm = learned(name)
    assert 0.02 < false_alarms(world, rhythm) < 0.4


def test_who_left_is_found_and_soon() -> None:
    world, rhythm = learned("who leaves")
    end = START + 365 * worlds.YEARS
    found = stand(bought(world), rhythm, end)
    silent = end - world.left
    assert np.isin(found.state[silent > 300], ["fading", "lapsed"]).mean() > 0.95
    wait = (found.unusual - world.left)[silent > 300]
    assert np.median(wait) < 150


def test_nobody_leaves_and_few_are_called_lapsed() -> None:
    world, rhythm = learned("as models assume")
    found = stand(bought(world), rhythm, START + 365 * worlds.YEARS - 1)
    assert (found.state == "lapsed").mean() < 0.02
    assert (found.state == "active").mean() > 0.75


def mixed(gifts: World, rest: World) -> World:
    more = int(gifts.customer.max()) + 1
    return World(
        np.concatenate((gifts.customer, rest.customer + more)),
        np.concatenate((gifts.day, rest.day)),
        np.concatenate((gifts.left, rest.left)),
    )


def test_who_buys_every_december_is_not_fading_in_june_but_after_the_next_december() -> None:
    gifts = worlds.yearly(60, 8)
    rhythm = learn(bought(mixed(gifts, worlds.heterogeneous(200, 9))))
    days = bought(gifts)
    june = stand(days, rhythm, START + 365 * worlds.YEARS + 165)
    assert (june.basis == CALENDAR).mean() > 0.9
    seasonal = june.basis == CALENDAR
    assert set(june.state[seasonal]) == {"active"}
    december = START + 365.25 * worlds.YEARS + 335
    assert (np.abs(june.next_order[seasonal] - december - 8) < 25).all()
    unusual = june.unusual[seasonal]
    assert (unusual > december).all()
    assert (unusual < december + 75).all()
    passed = stand(days, rhythm, int(december) + 80)
    assert set(passed.state[seasonal]) == {"fading"}
    assert (passed.since[seasonal] == unusual).all()
    again = stand(days, rhythm, int(december) + 80 + 366)
    assert set(again.state[seasonal]) == {"lapsed"}


def test_a_december_once_or_by_chance_is_no_season() -> None:
    assert season([START + 340]) is None
    assert season([START + 340, START + 352]) is None
    assert season([START + 340, START + 365 + 100]) is None
    world = worlds.scattered(700, 10)
    found = stand(bought(world), learn(bought(world)), START + 365 * worlds.YEARS)
    assert (found.basis == CALENDAR).mean() < 0.05
    crowded = worlds.scattered(
        1_500, 11, december=0.5
    )  # everybody buys in December: it tells little of one of them
    found = stand(bought(crowded), learn(bought(crowded)), START + 365 * worlds.YEARS)
    assert (found.basis == CALENDAR).mean() < 0.07


def test_two_years_must_agree_to_the_days_and_three_to_weeks() -> None:
    assert season([START + 345, START + 345 + 367]) is not None
    assert season([START + 345, START + 345 + 385]) is None
    assert season([START + 345, START + 345 + 385, START + 345 + 730]) is not None
    assert season([START + 345, START + 345 + 4 * 365, START + 345 + 8 * 365]) is None, (
        "most years are left out"
    )


def test_a_life_told_by_hand() -> None:
    """New, active, fading, lapsed, won back, active: each from its day, and none comes back within days."""
    rhythm = [START + 14 * i for i in range(8)]
    assert state(rhythm[:1], START + 3) == ("new", START)
    assert state(rhythm[:2], START + 20) == ("active", START + 14)
    last = rhythm[-1]
    assert state(rhythm, last + 14) == ("active", START + 14)
    fading = int(stand(of(*rhythm), CROWD, last).unusual[0])
    assert state(rhythm, fading - 1)[0] == "active"
    assert state(rhythm, fading) == ("fading", fading)
    assert state([*rhythm, fading + 2], fading + 2) == ("active", fading + 2)
    lapsed = int(limits(of(*rhythm), CROWD).lapsed[-1])
    assert state(rhythm, lapsed) == ("lapsed", lapsed)
    assert stand(of(*rhythm), CROWD, lapsed).next_order[0] == NEVER
    back = lapsed + 5
    assert state([*rhythm, back], back) == ("won back", back)
    assert state([*rhythm, back], back + 20) == ("won back", back)
    assert state([*rhythm, back, back + 14], back + 14) == ("active", back + 14)
    late = int(limits(of(*rhythm, back), CROWD).fading[-1])
    assert state([*rhythm, back, late + 1], late + 1) == ("won back", late + 1)


def test_without_a_rhythm_the_population_stands_in() -> None:
    found = stand(of_days(np.array([1, 2, 3]), np.array([0, 1, 3]), np.array([5, 0, 5, 0, 2, 5])), CROWD, 6)
    assert found.basis.tolist() == [POPULATION, POPULATION, OWN]


def test_the_next_order_is_the_median_of_those_still_to_come() -> None:
    """Checked against draws from the gaps that the model means."""
    days = [START, START + 20, START + 33, START + 60]
    rng = np.random.default_rng(5)
    irregular = (5 / 1.5 + 2 * float(of(*days).cv2[-1])) / 7
    k = 1 / irregular
    rate = rng.gamma(2.0 + k * 3, 1 / (1.5 * 40.0 + k * 60), 200_000)  # of 1 / mu
    gap = rng.gamma(k, 1 / k, 200_000) / rate
    expected = stand(of(*days), CROWD, days[-1]).next_order[0] - days[-1]
    assert expected == pytest.approx(np.median(gap), abs=1.2)
    later = stand(of(*days), CROWD, int(days[-1] + expected + 1)).next_order[0] - days[-1]
    assert later == pytest.approx(np.median(gap[gap > np.median(gap)]), abs=2)


lives = st.lists(
    st.lists(st.integers(0, 1_600), min_size=1, max_size=14, unique=True).map(sorted), min_size=1, max_size=8
)
_LEARNED = learn(bought(worlds.heterogeneous(80, 12)))


def _flat(some: list[list[int]]) -> Purchases:
    starts = np.cumsum([0, *map(len, some[:-1])])
    return of_days(np.arange(len(some)), starts, np.array([START + day for one in some for day in one]))


def _told(found: Any) -> list[Any]:
    names = ("state", "since", "basis", "unusual", "next_order", "turns")
    return list(zip(*(getattr(found, name).tolist() for name in names), strict=True))


@settings(deadline=None, max_examples=25)
@given(some=lives, today=st.integers(0, 2_500))
def test_each_is_judged_alone_and_time_turns_only_what_is_due(some: list[list[int]], today: int) -> None:
    """Who stands beside changes nothing; until the day of the turn nothing changes; on it, something does."""
    today += START
    together = _told(stand(_flat(some), _LEARNED, today))
    assert together == [_told(stand(_flat([one]), _LEARNED, today))[0] for one in some]
    for one, told in zip(some, together, strict=True):
        turns = told[-1]
        assert turns > today
        for day in {min(turns - 1, today + 3_000), (today + min(turns, today + 400)) // 2}:
            assert _told(stand(_flat([one]), _LEARNED, day))[0] == told
        if turns < NEVER:
            assert _told(stand(_flat([one]), _LEARNED, turns))[0] != told


@settings(deadline=None, max_examples=25)
@given(life=st.lists(st.integers(0, 1_600), min_size=1, max_size=14, unique=True).map(sorted))
def test_states_follow_each_other_as_they_may(life: list[int]) -> None:
    """Followed from turn to turn and order to order: only steps that mean something, and a state lasts a week."""
    may = {
        "": {"new"}, "new": {"active", "fading"}, "active": {"fading"}, "fading": {"active", "lapsed", "won back"},
        "lapsed": {"won back"}, "won back": {"active", "fading"},
    }  # fmt: skip
    days = _flat([life])
    at, before, since = START - 1, "", START - 1
    while at < START + 4_000:
        found = stand(days, _LEARNED, at)
        now = str(found.state[0])
        if now != before:
            assert now in may[before]
            assert found.since[0] == at
            if now in ("fading", "lapsed"):
                assert at - since >= 7, "nobody falls silent within a week"
            before, since = now, at
        at = int(found.turns[0])


def test_a_fit_that_judges_alike_stays_out_of_force() -> None:
    world, rhythm = learned("regular")
    little = msgspec.structs.replace(rhythm, level=rhythm.level * 1.02)
    assert kept(rhythm, little) is rhythm
    assert kept(None, little) is little
    other = msgspec.structs.replace(rhythm, population=Population(p=1.0, q=2.0, v=90.0, n=9))
    assert kept(rhythm, other) is other
    assert kept(rhythm, msgspec.structs.replace(little, alarms_per_year=1.0)).alarms_per_year == 1.0
    assert msgspec.json.decode(msgspec.json.encode(rhythm), type=Rhythm) == rhythm
    assert world.day.size


@pytest.mark.parametrize("days", [[], [3], [3, 3], [1, 9]])
def test_little_data_is_judged_and_it_is_said(days: list[int]) -> None:
    few = purchases(customer=[1] * len(days), occurred_at=np.array(days, dtype="datetime64[D]"))
    rhythm = learn(few)
    assert "too few" in rhythm.notes[0]
    assert len(stand(few, rhythm, 20)) == len(set(days)) if len(days) < 2 else 1


@given(st.lists(st.integers(START, START + 400), min_size=1, max_size=8), st.integers(0, 900))
@settings(max_examples=60, deadline=None)
def test_purchases_before_the_rhythm_begins_decide_nothing(days: list[int], after: int) -> None:
    """A till's default date, years before the first order: states are those without it."""
    days, today = sorted({*days}), START + after
    rhythm = msgspec.structs.replace(CROWD, begins=START - 365)
    two = of_days(np.array([7, 8]), np.array([0, 2]), np.array([-25_202, -25_000, -25_202, *days]))
    one = of_days(np.array([8]), np.array([0]), np.array(days))
    spoiled, plain = stand(two, rhythm, today), stand(one, CROWD, today)
    assert spoiled.state[0] == ""
    assert spoiled.turns[0] == NEVER
    for name in ("state", "since", "basis", "unusual", "next_order", "turns"):
        assert getattr(spoiled, name)[1] == getattr(plain, name)[0], name


@pytest.mark.parametrize("days_off", [(0, 1, 1), (0, 0, 1), (0, 3, 5), (2, 0, 0)])
def test_the_next_season_stays_expected_until_its_day_is_over(days_off: tuple[int, ...]) -> None:
    """A middle that falls between two days is one whole day all the same; only on the day after it is another due."""
    firsts = np.array([f"{2019 + place}-12-10" for place in range(3)], "datetime64[D]") + np.array(days_off)
    gifts = purchases(customer=np.zeros(3, np.int64), occurred_at=firsts)
    rhythm = Rhythm(population=Population(p=1.5, q=2.0, v=40.0, n=500))
    last = int(gifts.day[-1])
    before = stand(gifts, rhythm, last)
    assert before.basis.tolist() == ["calendar"]
    for today in range(last + 1, last + 900):
        now = stand(gifts, rhythm, today)
        assert now.next_order[0] >= today
        if before.turns[0] > today:
            assert now.next_order[0] == before.next_order[0]
        before = now
