"""One absurd date in a log of orders spoils nothing, and is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.predict.value import Forecast, choose, forecast
from shopkeeper.predict.value.candidates import RULES
from shopkeeper.predict.value.stray import believed
from shopkeeper.predict.value.summary import purchase_days

from . import worlds

LONG_AGO, AHEAD = np.datetime64("1901-01-01"), np.datetime64("2099-12-31")
NOTE = "1 purchase day before {} was left out: so long before all others that the date cannot be right"


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(14_000, 15_500), min_size=30, max_size=200), st.integers(-40_000, 12_000), st.data()
)
def test_what_lies_apart_is_left_out_and_nothing_else(
    days: list[int], early: int, data: st.DataObject
) -> None:
    few = max(1, len(days) // 100)
    whole = np.array([*days, *np.linspace(14_000, 15_500, 60).astype(int)])
    assert believed(whole) == (whole.min(), whole.max()), "a log without gaps of years is believed"
    strays = [early] * data.draw(st.integers(0, few)) + [60_000] * data.draw(st.integers(0, few))
    spoiled = np.array(data.draw(st.permutations([*whole.tolist(), *strays])))
    first, last = believed(spoiled)
    assert (first, last) == (whole.min(), whole.max())
    left = spoiled[(spoiled >= first) & (spoiled <= last)]
    assert believed(left) == (first, last), "twice is once"


def test_a_shop_of_few_orders_keeps_them_all() -> None:
    assert believed(np.array([0, 14_000, 14_010])) == (0, 14_010)


def test_many_old_orders_are_a_history() -> None:
    opened_twice = np.append(np.arange(3_000, 3_030), np.arange(14_000, 14_700))
    assert believed(opened_twice)[0] == 3_000


@pytest.fixture(scope="module")
def shop() -> worlds.World:
    return worlds.chance(n=150, weeks=60)


def run(world: worlds.World, strays: list[tuple[int, np.datetime64]], **terms: object) -> Forecast:
    return forecast(
        customer=[*world.customer.tolist(), *(who for who, _ in strays)],
        occurred_at=np.append(world.occurred_at, np.array([day for _, day in strays], "datetime64[D]")),
        margin=[*world.amount.tolist(), *(10.0 for _ in strays)],
        horizon=13.0,
        **terms,  # type: ignore[arg-type]
    )


def test_a_forecast_is_the_same_with_an_order_of_1901_and_one_of_2099(shop: worlds.World) -> None:
    plain = run(shop, [])
    first = shop.occurred_at.min().astype("datetime64[D]")
    buyer = int(plain.customer[0])
    spoiled = run(shop, [(buyer, LONG_AGO), (999_999, LONG_AGO), (buyer, AHEAD)])
    assert spoiled.end == plain.end
    assert spoiled.customer.tolist() == plain.customer.tolist(), "nobody is foretold by an absurd date alone"
    assert [one.day for one in spoiled.choice.origins] == [one.day for one in plain.choice.origins]
    assert spoiled.choice.pick == plain.choice.pick
    np.testing.assert_allclose(spoiled.projection.expected_orders, plain.projection.expected_orders)
    said = {*spoiled.notes} - {*plain.notes}
    assert said == {
        NOTE.format(first).replace("1 purchase day", "2 purchase days").replace(" was ", " were ", 1),
        f"1 purchase day after {plain.end} was left out",
    }


def test_the_tournament_alone_does_not_stand_in_a_century_without_a_shop(shop: worlds.World) -> None:
    plain, spoiled = (
        choose(
            purchase_days(
                customer=[*shop.customer.tolist(), *[999_999][:more]],
                occurred_at=np.append(shop.occurred_at, np.array([LONG_AGO][:more], "datetime64[D]")),
            ),
            end_day=int(shop.occurred_at.max().astype("datetime64[D]").astype(int)),
            horizon=13.0, entrants=RULES[:1],
        )
        for more in (0, 1)
    )  # fmt: skip
    assert [one.day for one in spoiled.origins] == [one.day for one in plain.origins]
    assert len(plain.origins) == 5
    assert spoiled.notes == (NOTE.format(shop.occurred_at.min().astype("datetime64[D]")), *plain.notes)
