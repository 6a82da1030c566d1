"""Advocacy and brand fit: parts that sum to the score, a core range by hand, and what foretells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.predict.advocacy import (
    PARTS,
    at_full_price,
    brand_fit,
    bringing,
    core_range,
    foretells,
    points,
    praise,
)

DEEDS = st.lists(st.floats(0, 1e6), min_size=len(PARTS), max_size=len(PARTS))


@given(some=DEEDS, at=st.integers(0, len(PARTS) - 1), more=st.floats(0, 1e6))
def test_points_lie_between_nothing_and_their_most_and_grow(some: list[float], at: int, more: float) -> None:
    deeds = {part.name: [n] for part, n in zip(PARTS, some, strict=True)}
    made = points(deeds)
    assert all(0 <= made[part.name][0] <= part.most for part in PARTS)
    assert sum(part.most for part in PARTS) == 100
    name = PARTS[at].name
    assert points(deeds | {name: [some[at] + more]})[name][0] >= made[name][0]
    assert points({name: [PARTS[at].half]})[name][0] == pytest.approx(PARTS[at].most / 2)


def test_bad_reviews_are_no_praise() -> None:
    assert praise([2, 2, 2], [2, 10, 8]).tolist() == [0.0, 2.0, 1.0]


def test_the_core_is_what_regulars_buy_at_full_price() -> None:
    rows: dict[str, Any] = {
        "product": [0, 1, 2, 3, 0, 3],
        "amount": [50, 35, 10, 500, 5, 900],
        "full": [1, 1, 1, 0, 1, 1],
        "regular": [1, 1, 1, 1, 0, 0],
    }
    core = core_range(**rows, regulars=30, buyers=60)
    assert (core.products, core.basis, core.of) == ((0, 1), "regulars", 30)
    few = core_range(**rows, regulars=29, buyers=60)
    assert (few.products, few.basis, few.of) == ((3,), "buyers", 60)
    assert core_range(**rows, regulars=30, buyers=60, flagged=[2]).basis == "catalogue"
    assert core_range(product=[], amount=[], full=[], regular=[], regulars=0, buyers=0).products == ()


def test_fit_counts_core_and_full_price_and_shrinks_few_orders() -> None:
    row, product = [0, 0, 1, 2], [0, 1, 0, 1]
    amount, units = [30.0, 10.0, 20.0, 20.0], [3, 1, 2, 4]
    full = at_full_price(product, amount, units, [10.0, 10.0])
    assert full.tolist() == [True, True, True, False]
    core = core_range(product=product, amount=amount, full=full, regular=[0] * 4, regulars=0, buyers=3)
    assert core.products == (0, 1) or core.products == (0,)
    fit = brand_fit(
        row=row, product=product, amount=amount, full=full, core=core, orders=[40, 1, 40, 0],
        reduced=[0, 1, 0, 0], deeds_a_year=[12.0, 0.0, 0.0, 0.0],
    )  # fmt: skip
    assert fit.full_price.tolist()[:3] == [1.0, 0.0, 0.0]
    assert np.isnan(fit.score[3]), "who bought nothing fits nothing"
    assert fit.points["engaged"][0] == 15.0
    assert 0 < fit.points["full_price"][1] < 30 / 2, "one order with a coupon is moved towards everybody's"
    assert fit.score[0] == pytest.approx(sum(part[0] for part in fit.points.values()))


def test_a_score_that_only_follows_past_orders_foretells_nothing() -> None:
    wrong = right = 0
    for seed in range(120):
        draw = np.random.default_rng(seed)
        rate = draw.gamma(1.0, 1.0, 400)
        past, later = draw.poisson(5 * rate), draw.poisson(3 * rate)
        idle = past + draw.normal(0, 2, 400)
        wrong += foretells("idle", idle, later, [past]).verdict != "nothing"
        told = foretells("keen", rate + draw.normal(0, 0.5, 400), later, [past])
        right += told.verdict == "foretells"
        assert told.low < told.beyond < told.high
    assert wrong <= 14, "5 % of 120, and luck"
    assert right >= 110


def test_deeds_without_an_effect_are_called_so_and_a_true_one_is_measured() -> None:
    wrong = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        deeds = {"shared": draw.poisson(2, 600), "liked": draw.poisson(5, 600)}
        wrong += bringing(deeds, draw.random(600) < 0.08).verdict == "something"
    assert wrong <= 8
    inside = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        deeds = {"shared": draw.poisson(3, 3000), "liked": draw.poisson(5, 3000)}
        chance = 1 / (1 + np.exp(4.5 - 0.8 * np.log2(1 + deeds["shared"])))
        found = bringing(deeds, draw.random(3000) < chance)
        assert found.verdict == "something"
        shared = next(one for one in found.odds if one.name == "shared")
        inside += shared.low <= np.exp(0.8) <= shared.high
    assert inside >= 34, "95 % of 40, and luck"


def test_few_are_not_enough_and_who_always_brings_is_no_infinity() -> None:
    assert bringing({"shared": [1, 2]}, [True, False]).verdict == "not enough"
    shared = np.repeat([0, 8], 100)
    found = bringing({"shared": shared, "same": np.ones(200)}, shared > 0)
    assert np.isfinite([found.odds[0].ratio, found.odds[0].low, found.odds[0].high]).all()
    assert found.odds[0].low > 1
