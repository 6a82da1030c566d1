"""A group is said by a condition that comes near to it, and as near as it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from tests.know.insight.test_clusters import THREE, customers
from tests.know.insight.worlds import lake_of

from shopkeeper.domain.condition import check
from shopkeeper.domain.condition.english import english
from shopkeeper.domain.segment import named
from shopkeeper.know.insight.clusters import clusters
from shopkeeper.know.insight.described import described
from shopkeeper.know.traits import TRAITS
from shopkeeper.shop.grouping import groups

KNOWN = {trait.name: trait for trait in TRAITS}


def met(lake, people, condition):
    """Who meets a condition, asked of the lake by its text, which is SQL."""
    ids = lake.query(f"SELECT id FROM customers WHERE {condition}")["id"].to_pylist()
    return people.mask(ids)


def test_groups_come_with_conditions_that_come_near_to_them():
    columns, label = customers([(size // 3, *kind) for size, *kind in THREE], 1)
    with lake_of(columns) as (lake, people):
        found = clusters(people)
        made = groups(
            people, found, lambda text: check(text, KNOWN),
            lambda some: [met(lake, people, one.text) for one in some], lambda one: english(one.tree, KNOWN, "GBP"),
        )  # fmt: skip
        assert [one.key for one in made] == [one.key for one in found.clusters]
        for one in made:
            assert one.condition.startswith("orders >= 1 and ")
            assert one.english
            assert named(one.name)
            inside, meeting = found.mask(one.key), met(lake, people, one.condition)
            assert one.met == meeting.sum()
            # What was counted over those not asked agrees with everybody, about.
            assert one.precision == pytest.approx((meeting & inside).sum() / meeting.sum(), abs=0.05)
            assert one.recall == pytest.approx((meeting & inside).sum() / inside.sum(), abs=0.05)
            assert min(one.precision, one.recall) > 0.8
        kinds = [np.bincount(label[met(lake, people, one.condition)]).argmax() for one in made]
        assert len(set(kinds)) == 3


def test_what_no_few_questions_tell_apart_has_no_condition():
    columns, _ = customers([(2_000, 3, (2, 2), (1.5, 6), 40, 8)], 2)
    with lake_of(columns) as (lake, people):
        chance = np.random.default_rng(1).random(len(people)) < 0.3
        everybody = np.ones(len(people), np.bool_)
        told = described(people, chance, everybody)
        if told is not None:  # whatever it says, it says it of customers that it has seen
            unseen = np.ones(len(people), np.bool_)
            unseen[told.seen] = False
            meeting = met(lake, people, told.condition) & unseen
            assert (meeting & chance).sum() / max(1, meeting.sum()) < 0.6
        few = np.zeros(len(people), np.bool_)
        few[:20] = True
        assert described(people, few, few) is None
