"""Ready-made segments: their conditions say what their thresholds were reckoned from, whatever the shop looks like."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.know.insight.worlds import lake_of

from shopkeeper.domain.condition import check
from shopkeeper.know.insight.people import People
from shopkeeper.know.insight.ready import prior, ready_made, tiers
from shopkeeper.know.insight.rfm import CELLS, SCORES, cell_condition, cuts, grid
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD

AS_OF = datetime(2011, 12, 10, tzinfo=UTC)


def members(people, condition):
    """Whom the lake's engine finds by the condition's text, which is SQL; only for texts without behaviour
    functions.
    """
    return set(people.query(f"SELECT id FROM customers WHERE {condition}", None)["id"].to_pylist())


COUNTS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(-50, 500)), min_size=1, max_size=60
)


@settings(max_examples=30, deadline=None)
@given(COUNTS)
def test_the_cells_part_the_buyers_and_conditions_agree_with_the_scores(rows):
    silence, days, margin = (np.array(column, float) for column in zip(*rows, strict=True))
    silence[days == 0] = np.nan
    columns = {
        "days_since_order": ("int", [None if np.isnan(v) else int(v) for v in silence]),
        "order_days": ("int", days.astype(int).tolist()),
        "margin": ("money", margin.tolist()),
    }
    with lake_of(columns) as (_, people):
        made = grid(people)
        r = made.recency.scores(people.column("days_since_order"))
        f = made.frequency.scores(people.column("order_days"))
        buyers = ~np.isnan(people.column("days_since_order"))
        seen = []
        for cell in CELLS:
            inside = buyers & (r >= cell.recency[0]) & (r <= cell.recency[1])
            inside &= (f >= cell.frequency[0]) & (f <= cell.frequency[1])
            condition = cell_condition(made, cell)
            found = set() if condition is None else members(people, condition)
            assert found == set(people.ids[inside].tolist()), (cell.key, condition)
            assert (condition is None) <= (not inside.any())
            seen += sorted(found)
        assert sorted(seen) == sorted(people.ids[buyers].tolist()), "everybody in exactly one cell"
        assert sum(map(sum, made.counts)) == made.buyers == buyers.sum()


def test_the_cells_are_all_25():
    taken = [
        (r, f)
        for cell in CELLS
        for r in range(cell.recency[0], cell.recency[1] + 1)
        for f in range(cell.frequency[0], cell.frequency[1] + 1)
    ]
    assert sorted(taken) == [(r, f) for r in range(1, SCORES + 1) for f in range(1, SCORES + 1)]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=200))
def test_equals_share_a_score_more_is_no_less_and_fifths_are_fifths_without_ties(values):
    column = np.array(values, float)
    scores = cuts("x", column).scores(column)
    for one in range(len(values) - 1):
        assert (scores[one] <= scores[one + 1]) or values[one] > values[one + 1]
        assert (scores[one] == scores[one + 1]) or values[one] != values[one + 1]
    spread = np.random.default_rng(1).permutation(100).astype(float)
    assert np.bincount(cuts("x", spread).scores(spread))[1:].tolist() == [20] * 5
    assert np.bincount(cuts("x", spread, falling=True).scores(spread))[1:].tolist() == [20] * 5


def test_tiers_hold_what_they_say():
    draw = np.random.default_rng(2)
    value = np.round(draw.lognormal(3, 1.5, 2000), 4)
    with lake_of({"clv_12m": ("money", [*value.tolist(), None])}) as (_, people):
        told = tiers(people)
        assert sum(tier.customers for tier in told) == 2000
        assert sum(tier.value_share for tier in told) == pytest.approx(1)
        assert abs(told[0].customers - 100) <= 2
        assert told[0].value_share == pytest.approx(np.sort(value)[-100:].sum() / value.sum(), abs=0.01)
        segments = [made for made in ready_made(people, as_of=AS_OF) if made.family == "value"]
        assert [len(members(people, made.condition)) for made in segments] == [
            tier.customers for tier in told
        ]
        assert all(made.as_of == AS_OF for made in segments)
        assert str(segments[0].thresholds["clv_12m"]) in segments[0].condition


def test_the_prior_of_returns_is_recovered():
    draw = np.random.default_rng(4)
    orders = draw.integers(1, 12, 20_000).astype(float)
    returns = draw.binomial(orders.astype(int), draw.beta(1.2, 6.0, orders.size)).astype(float)
    alpha, beta = prior(returns, orders)
    assert (alpha, beta) == (pytest.approx(1.2, rel=0.1), pytest.approx(6.0, rel=0.1))


def test_one_return_of_one_order_makes_nobody_a_serial_returner():
    draw = np.random.default_rng(5)
    orders = draw.integers(1, 6, 500)
    returns = draw.binomial(orders, 0.08)
    orders[:3], returns[:3] = [1, 2, 20], [1, 2, 16]
    with lake_of({"orders": ("int", orders.tolist()), "returns": ("int", returns.tolist())}) as (_, people):
        (made,) = [m for m in ready_made(people, as_of=AS_OF) if m.key == "serial_returners"]
        found = members(people, made.condition)
        assert int(people.ids[2]) in found
        assert int(people.ids[0]) not in found
        assert len(found) < 50


def test_discount_only_asks_for_more_orders_where_coupons_are_common():
    def condition(share):
        columns = {"orders": ("int", [10] * 100), "coupons": ("int", [int(10 * share)] * 100)}
        columns["coupon_share"] = ("float", [share] * 100)
        with lake_of(columns) as (_, people):
            return next(m for m in ready_made(people, as_of=AS_OF) if m.key == "discount_only").condition

    assert condition(0.1) == "orders >= 2 and coupon_share >= 1"
    assert condition(0.5) == "orders >= 7 and coupon_share >= 1"


def test_in_the_sample_shop_every_condition_is_of_declared_traits_and_finds_what_it_says(sample_shop):
    people = People(sample_shop.places.lake.query, [*KNOWN, *FORETOLD])
    as_of = sample_shop.places.lake.manifest().as_of or AS_OF
    made = {one.key: one for one in ready_made(people, as_of=as_of)}
    assert {"fading_valuable", "first_time_buyers", "store_looks_online", "online_visits_store", "looked_not_bought",
            "discount_only", "advocates", "serial_returners", "never_bought", "value_top"} <= set(made)  # fmt: skip
    names = {trait.name for trait in (*KNOWN, *FORETOLD)}
    for one in made.values():
        asked = check(one.condition, (*KNOWN, *FORETOLD))
        assert set(asked.traits) <= names, one.key
        assert one.name
        assert one.sentence.endswith(".")
        assert one.why.endswith(".")
        if "events(" not in one.condition:
            members(people, one.condition)
    buyers = members(people, "orders > 0")
    cells = [members(people, one.condition) for one in made.values() if one.family == "rfm"]
    assert sum(map(len, cells)) == len(set().union(*cells)) == len(buyers)
    number = re.search(r">= (\d+)", made["looked_not_bought"].condition)
    assert int(number[1]) >= 2


def test_a_shop_without_customers_has_ready_made_ones_with_usual_figures_and_says_so():
    columns = {t.name: (t.kind, []) for t in (*KNOWN, *FORETOLD) if t.kind != "texts"}
    with lake_of(columns) as (_, people):
        made = {one.key: one for one in ready_made(people, as_of=AS_OF - timedelta(days=1))}
        assert made["first_time_buyers"].condition == "order_days = 1 and days_since_order <= 90"
        assert "too few customers to tell" in made["first_time_buyers"].note
        assert not [key for key in made if key.startswith(("rfm", "value", "serial"))]
