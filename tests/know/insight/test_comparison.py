"""What a group has in common: found where it is, not found where it is not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.special import ndtr
from tests.know.insight.worlds import lake_of, mixed

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.comparison import compare
from shopkeeper.know.insight.discoveries import coverage_alpha, q_values
from shopkeeper.know.insight.people import Lists, People
from shopkeeper.know.insight.ranks import superiority

TIMES = 120


@pytest.fixture(scope="module")
def people():
    """900 customers with 35 columns that depend on each other, and five that decide about the group (see _drawn)."""
    draw = np.random.default_rng(2)
    own = {f"own{at}": ("float", draw.exponential(size=900).tolist()) for at in range(5)}
    with lake_of(own | mixed(900, 35, 1)) as (_, people):
        yield People(cache(people.query), people.traits)  # the same columns are read hundreds of times


def _drawn(people, seed, strength, base=1.8):
    """A group of about 150 (fewer for a larger base) whose five own columns are higher, and no other."""
    draw = np.random.default_rng(seed)
    pull = sum(people.column(f"own{at}") - 1 for at in range(5)) * strength
    return draw.random(len(people)) < 1 / (1 + np.exp(base - pull))


@pytest.mark.parametrize(("dependence", "base"), [("positive", 1.8), ("any", 1.8), ("positive", 3.8)])
def test_in_a_world_without_effects_false_discoveries_are_as_rare_as_said(people, dependence, base):
    alarms = [
        bool(compare(people, _drawn(people, seed, 0.0, base), least=0.0, dependence=dependence).facts)
        for seed in range(TIMES)
    ]
    assert np.mean(alarms) <= 0.05 + 3 * (0.05 * 0.95 / TIMES) ** 0.5


def test_in_a_world_with_effects_they_are_found_and_little_else(people):
    false, power = [], []
    for seed in range(TIMES // 2):
        found = compare(people, _drawn(people, 1000 + seed, 0.8), least=0.0).facts
        wrong = [fact for fact in found if not fact.about.startswith("own")]
        false.append(len(wrong) / max(len(found), 1))
        power.append(len({fact.about for fact in found if fact.about.startswith("own")}) / 5)
    assert np.mean(false) <= 0.05 + 3 * np.std(false) / len(false) ** 0.5
    assert np.mean(power) > 0.95


def test_intervals_of_what_was_picked_miss_no_oftener_than_said():
    missed = []
    draw = np.random.default_rng(9)
    shifts = np.concatenate([np.zeros(150), draw.normal(0, 0.4, 50)])
    truth = 2 * ndtr(shifts / np.sqrt(2)) - 1
    for _ in range(60):
        seen = [superiority(draw.normal(s, 1, 80), draw.normal(0, 1, 120)) for s in shifts]
        picked = np.flatnonzero(q_values([s.p for s in seen]) <= 0.05)
        alpha = coverage_alpha(len(picked), len(seen), 0.05)
        outside = [
            not (low <= truth[at] <= high) for at in picked for low, high in [seen[at].interval(alpha)]
        ]
        missed.append(np.mean(outside) if outside else 0.0)
        naive = [not (low <= truth[at] <= high) for at in picked for low, high in [seen[at].interval(0.05)]]
        missed[-1] = (missed[-1], np.mean(naive) if naive else 0.0)
    adjusted, plain = np.mean(missed, axis=0)
    assert adjusted <= 0.05
    assert plain > adjusted, "picking the strongest and keeping plain intervals misses more"


def _worlds(size=4000):
    draw = np.random.default_rng(8)
    group = np.arange(size) < size // 4
    value = np.where(group, 500.0, 100.0) + draw.normal(0, 40, size)
    lighting = np.where(group, draw.random(size) < 0.18, draw.random(size) < 0.08)
    columns = {
        "clv_12m": ("money", value),
        "margin": ("money", value + draw.normal(0, 40, size)),
        "first": ("text", np.where(lighting, "Lighting", "Garden").tolist()),
        "reviews": (
            "int",
            np.where(draw.random(size) < np.where(group, 0.3, 0.1), draw.poisson(3, size) + 1, 0),
        ),
        "rating": ("float", [None if v else 4.0 for v in draw.random(size) < np.where(group, 0.2, 0.5)]),
        "mailed": ("bool", (draw.random(size) < 0.5).tolist()),
        "country": ("text", draw.choice(["UK", "FR", "DE"], size).tolist()),
    }
    return columns, group


def test_known_effects_come_out_with_their_size_and_in_words():
    columns, group = _worlds()
    with lake_of(columns) as (_, people):
        told = compare(people, group, definition={"clv_12m"})
        facts = {(fact.about, fact.aspect): fact for fact in told.facts}
        first = facts["first", "level"]
        assert first.level in {"Lighting", "Garden"}
        assert abs(abs(first.difference) - 0.10) < 0.04
        assert first.low < first.difference < first.high
        assert {("reviews", "any"), ("rating", "known")} <= set(facts)
        assert 2 < facts["reviews", "any"].ratio < 4.5
        assert "times as often with any reviews (" in facts["reviews", "any"].sentence
        assert ("reviews", "number") not in facts, "those who write do not write more"
        assert not {"mailed", "country"} & {fact.about for fact in told.facts}
        assert [abs(fact.certain) for fact in told.facts] == sorted(
            (abs(fact.certain) for fact in told.facts), reverse=True
        )
        assert {f.about for f in told.by_definition} == {"clv_12m", "margin"}
        assert "rank correlation" in next(f.by_definition for f in told.by_definition if f.about == "margin")
        assert all(f.q is None for f in told.by_definition)
        assert abs(sum(bar.group for bar in told.pictures["country"]) - 1) < 1e-9


def test_a_large_sample_says_so_and_small_effects_are_not_sold():
    draw = np.random.default_rng(1)
    size = 60_000
    group = np.arange(size) < size // 2
    tiny = (draw.random(size) < np.where(group, 0.52, 0.50)).tolist()
    with lake_of({"a": ("float", draw.normal(size=size)), "b": ("bool", tiny)}) as (_, people):
        told = compare(people, group, most=5000)
        assert not told.facts
        (fact,) = [f for f in told.others if f.about == "b"]
        assert fact.q < 0.01
        assert fact.group_size == size // 2
        assert not fact.sampled
        assert any("sample of 5,000" in note for note in told.notes)
        assert next(f for f in told.others if f.about == "a").group_size == 5000


def test_groups_that_overlap_or_are_empty_or_unknown():
    with lake_of({"a": ("float", np.arange(200.0))}) as (_, people):
        low, high = people.column("a") < 120, people.column("a") >= 80
        told = compare(people, low, high)
        assert (told.group, told.rest) == (80, 80)
        assert any("40 customers are in both" in note for note in told.notes)
        assert told.facts[0].difference == -1.0
        with pytest.raises(InvalidInput, match="nobody is in the group"):
            compare(people, [])
        with pytest.raises(InvalidInput, match="nobody is left"):
            compare(people, np.ones(200, bool))
        with pytest.raises(InvalidInput, match="not in the lake's table"):
            compare(people, [1, 999])
        with pytest.raises(InvalidInput, match="mask over 3"):
            compare(people, np.ones(3, bool))


def test_shares_of_derived_facts_are_of_those_with_any():
    with lake_of({"a": ("float", np.zeros(100))}) as (_, people):
        group = np.arange(100) < 50
        rows = np.array([0, 1, 2, 3, 10, 11, 12, 13, 50, 51, 52, 53, 60, 61, 62, 63])
        codes = np.array([0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0])
        told = compare(
            people, group, derived=[("bought_first", Lists(rows, codes, ("Lamps", "Mugs")))], least=0
        )
        (fact,) = [f for f in told.facts + told.others if f.about == "bought_first"]
        assert (fact.level, fact.group_size, fact.rest_size) == ("Mugs", 8, 8)
        assert (fact.group, fact.rest) == (0.375, 0.875)
