"""A condition asked of everybody in SQL, and of one after the other the plain way: the same answers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkeeper.domain.condition import check
from shopkeeper.know.segments import Setting, answers
from tests.conditions import DAY, TODAY, TRAITS, conditions, nowadays
from tests.plainly import Plainly
from tests.small_shops import PRODUCTS, RATES, ZONE, small_shop

VIP = check("orders > 2 or events('Store Visited', days => 20)", TRAITS)
SEGMENTS = {"vip": VIP}
cases: Counter[str] = Counter()


def asked(texts, seed, now):
    """The lake's answers and the plain ones, by customer."""
    small = small_shop(seed)
    understood = [check(text, TRAITS, SEGMENTS) for text in texts]
    setting = Setting(traits=TRAITS, now=now, zone=ZONE, currency="GBP", rates=RATES, segments=SEGMENTS)
    question = answers(understood, setting)
    rows = small.shop.query(question.sql, question.parameters).to_pylist()
    plain = Plainly(
        now, zone=ZONE, currency="GBP", digits=2, rates=RATES, categories=PRODUCTS, declared=TRAITS,
        segments={"vip": VIP.meaning},
    )  # fmt: skip
    lake = [[row[f"k{n}"] for n in range(len(texts))] for row in rows]
    other = [[plain.ask(one.meaning, small.customers[row["id"]]) for one in understood] for row in rows]
    return [one.text for one in understood], lake, other


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(conditions, min_size=6, max_size=14), st.integers(1, 3), nowadays)
def test_the_lake_answers_as_plain_python_does(trees, seed, now):
    texts, lake, other = asked(trees, seed, now)
    for number, text in enumerate(texts):
        assert [row[number] for row in lake] == [row[number] for row in other], text
    cases["done"] += len(texts) * len(lake)
    for row in lake:
        cases.update(map(str, row))
