"""Groups are found where there are some, keep their keys, and are not found where everybody differs by degree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.know.insight.worlds import lake_of

from shopkeeper.know.insight.cloud import fall_apart
from shopkeeper.know.insight.clusters import adjusted_rand, clusters
from shopkeeper.know.insight.features import plausible, uniform


def customers(kinds, seed):
    """Columns of customers of some kinds: (size, orders a customer, web rate, coupon rate, order value, sessions)."""
    draw = np.random.default_rng(seed)
    parts = []
    for size, often, web, coupon, value, sessions in kinds:
        orders = 1 + draw.negative_binomial(1.2, 1.2 / (1.2 + often), size)
        parts.append({
            "orders": orders, "order_days": orders,
            "days_since_order": draw.geometric(1 / (20 + 300 / (1 + often)), size),
            "average_order": np.round(draw.lognormal(np.log(value), 0.6, size), 2),
            "categories": 1 + draw.binomial(orders, 0.4),
            "web_orders": draw.binomial(orders, draw.beta(*web, size)),
            "coupons": draw.binomial(orders, draw.beta(*coupon, size)),
            "returns": draw.binomial(orders, draw.beta(1, 9, size)),
            "sessions": draw.negative_binomial(1, 1 / (1 + sessions), size),
        })  # fmt: skip
    kind = {"average_order": "money"}
    label = np.repeat(np.arange(len(kinds)), [row[0] for row in kinds])
    columns = {
        name: (kind.get(name, "int"), np.concatenate([part[name] for part in parts]).tolist())
        for name in parts[0]
    }
    return columns, label


ONE = [(4000, 3, (2, 2), (1.5, 6), 40, 8)]
THREE = [
    (1500, 12, (9, 1), (9, 1), 25, 60),
    (1500, 12, (1, 12), (1, 14), 180, 0.2),
    (1000, 12, (9, 1), (1, 14), 25, 60),
]


@pytest.mark.parametrize("seed", range(4))
def test_one_kind_of_customers_has_no_groups(seed):
    columns, _ = customers(ONE, seed)
    with lake_of(columns) as (_, people):
        seen = clusters(people, seed=seed)
        assert seen.clusters == ()
        assert seen.note.startswith("no groups: buyers differ by degree")
        assert (seen.of == -1).all()


@pytest.mark.parametrize("seed", range(3))
def test_three_kinds_are_found_and_named_by_what_they_do(seed):
    columns, label = customers(THREE, seed)
    with lake_of(columns) as (_, people):
        seen = clusters(people, seed=seed)
        assert len(seen.clusters) == 3, seen.note
        assert adjusted_rand(label, seen.of) > 0.8
        assert sum(cluster.customers for cluster in seen.clusters) == len(people)
        words = {place: cluster.name.lower() for place, cluster in enumerate(seen.clusters)}
        of = [words[int(np.bincount(seen.of[label == kind]).argmax())] for kind in range(3)]
        assert "coupons" in of[0]
        assert any(told in of[1] for told in ("buys in stores", "large orders", "seldom on the web shop"))
        assert len(set(of)) == 3
        assert seen.stability > 0.9


def test_keys_stay_with_the_people():
    columns, _ = customers(THREE, 1)
    with lake_of(columns) as (_, people):
        first = clusters(people)
        ids = {cluster.key: people.ids[first.mask(cluster.key)] for cluster in first.clusters}
        renamed = {f"kept_{key}": members for key, members in ids.items()}
        some = np.random.default_rng(3).random(len(people)) < 0.9
        again = clusters(people, some, previous=renamed, seed=77)
        for cluster in again.clusters:
            mine = people.ids[again.mask(cluster.key)]
            assert len(np.intersect1d(mine, renamed[cluster.key])) > 0.8 * len(mine)
            assert cluster.likeness > 0.7
        assert not (again.of[~some] >= 0).any()
        same = clusters(people)
        assert [c.name for c in same.clusters] == [c.name for c in first.clusters]
        assert np.array_equal(same.of, first.of)


def test_too_few_buyers_are_not_looked_at():
    columns, _ = customers([(200, 3, (2, 2), (1, 6), 40, 8)], 1)
    with lake_of(columns) as (_, people):
        assert "too few" in clusters(people).note


CLOUDS = {
    "normal": lambda draw, n, d: draw.normal(size=(n, d)),
    "correlated": lambda draw, n, d: draw.normal(size=(n, d)) @ draw.normal(size=(d, d)),
    "uniform": lambda draw, n, d: draw.uniform(size=(n, d)),
    "exponential": lambda draw, n, d: draw.exponential(size=(n, d)),
    "lognormal": lambda draw, n, d: draw.lognormal(size=(n, d)),
    "heavy": lambda draw, n, d: draw.standard_t(3, size=(n, d)),
    "long": lambda draw, n, d: np.outer(draw.uniform(size=n), np.ones(d)) + 0.05 * draw.normal(size=(n, d)),
}


@pytest.mark.parametrize("shape", CLOUDS)
def test_a_single_cloud_of_any_shape_is_not_cut(shape):
    cut = 0
    for seed in range(12):
        draw = np.random.default_rng(seed)
        cut += fall_apart(CLOUDS[shape](draw, 3000, 2 + seed % 6), seed=seed).clusters > 1
    assert cut == 0


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_separate_clouds_are_found_one_by_one(groups):
    found = []
    for seed in range(8):
        draw = np.random.default_rng(100 + seed)
        label = draw.integers(groups, size=3000)
        points = (np.eye(8)[:groups] * 5)[label] + draw.normal(size=(3000, 8))
        seen = fall_apart(points, seed=seed)
        found.append(seen.clusters)
        assert adjusted_rand(label, seen.assign(points)) > 0.9
    assert found == [groups] * 8


def test_plausible_rates_are_spread_like_the_rates_themselves():
    draw = np.random.default_rng(2)
    rate = draw.beta(2, 5, 20_000)
    trials = draw.integers(1, 6, rate.size)
    hits = draw.binomial(trials, rate)
    seen = plausible(hits.astype(float), trials.astype(float), uniform(np.arange(rate.size), 3))
    assert stats.ks_2samp(seen, rate).statistic < 0.03
    chance = uniform(np.arange(50_000), 1)
    assert stats.kstest(chance, "uniform").statistic < 0.01
    assert np.array_equal(chance, uniform(np.arange(50_000), 1))
