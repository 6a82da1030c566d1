"""What a condition means, and where one that means nothing is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conditions import TRAITS

from shopkeeper.domain.condition import check, sql
from shopkeeper.domain.errors import BadCondition
from shopkeeper.predict.fading import BASES, STATES

MEANINGS = {
    "events('Store Visited')": "events('Store Visited') > 0",
    "not orders(days => 14)": "not (orders(days => 14) > 0)",
    "days_since_order > 90": "today() - last_order > 90",
    "first_seen between date '2024-01-01' and date '2024-01-31'": (
        "day(first_seen) between date '2024-01-01' and date '2024-01-31'"
    ),
    "date '2024-01-01' < first_seen": "date '2024-01-01' < day(first_seen)",
    "last_order > now() - interval '30 days'": "last_order > day(now() - interval '30 days')",
    "last_seen in (date '2024-01-01')": "day(last_seen) in (date '2024-01-01')",
    "events('Email Opened', days => 9)": "events('Email Opened', machine => false, days => 9) > 0",
    "events('Email Opened', machine => true)": "events('Email Opened', machine => true) > 0",
    "events('Product Viewed', store => 'b', category => ('x'), store => 'b')": (
        "events('Product Viewed', category in ('x'), store => 'b') > 0"
    ),
    "(events('Store Visited')) is true": "(events('Store Visited') > 0) is true",
}


@pytest.mark.parametrize("text", MEANINGS)
def test_what_is_meant_is_spelled_out(text):
    found = check(text, TRAITS)
    assert sql(found.meaning) == MEANINGS[text]
    assert check(sql(found.meaning), TRAITS).meaning == found.meaning


def test_what_a_condition_depends_on():
    found = check(
        "days_since_order > 90 and segment('vip') and events('Store Visited') > 1 and not events('Store Visited')",
        TRAITS,
    )
    assert found.traits == {"last_order"}
    assert found.segments == {"vip"}
    assert [sql(one) for one in found.behaviours] == ["events('Store Visited')"]
    assert found.timed
    assert not check("orders > 1 and segment('vip')", TRAITS).timed


WRONG = {
    "last_order - interval '60 years' - interval '60 years' < today()": ("beyond all bounds", 1),
    "orders(since => today() - interval '36500 days' - interval '36500 days') > 0": ("beyond all bounds", 17),
    "greatest(today() + interval '99 years', last_order) + interval '99 years' > today()": (
        "beyond all bounds",
        1,
    ),
    "orders": ("a yes or no is expected", 1),
    "spend()": ("a yes or no is expected", 1),
    "last('Store Visited')": ("a yes or no is expected", 1),
    "null": ("a yes or no is expected", 1),
    "orders > 1 and state": ("a yes or no is expected", 16),
    "clv > 3": ("unknown trait 'clv'", 1),
    "spend > 3": ("unknown trait 'spend'", 1),
    "state = 'fadng'": ("unknown value of state", 9),
    "state in ('new', 'fadng')": ("unknown value of state", 18),
    "p_alive < 50": ("between 0 and 1", 11),
    "orders = 'x'": ("a text compared with a number", 10),
    "'x' = orders": ("a text compared with a number", 1),
    "country = 3": ("a number compared with a text", 11),
    "omnichannel = 1": ("a number compared with a yes or no", 15),
    "last_order > '2024-01-01'": ("a text compared with a day", 14),
    "last_order - 30 > today()": ("moved by a length of time", 14),
    "country = ''": ("an empty text", 11),
    "country > 'a'": ("has no order", 1),
    "omnichannel > true": ("has no order", 1),
    "orders = null": ("never true", 10),
    "null is null": ("null is always null", 1),
    "looked_not_bought = 'x'": ("cannot be compared", 1),
    "last_seen > now() - interval '3 months'": ("no fixed length", 21),
    "last_order > today() - interval '3 hours'": ("whole days", 24),
    "today() - last_seen > 3": ("a day and an instant", 1),
    "now() > interval '3 days'": ("a length of time compared with an instant", 9),
    "now() - last_seen > 3": ("a number compared with a length of time", 21),
    "interval '1 day' * 2 > interval '1 day'": ("means nothing", 1),
    "round(orders, 9) > 1": ("digits", 15),
    "round(orders, mean_gap) > 1": ("digits", 15),
    "coalesce(orders, 'x') = 1": ("a text beside a number", 18),
    "least(country, state) = 'x'": ("does not take a text", 7),
    "has(country, 'x')": ("a list of texts is expected", 5),
    "has(looked_not_bought, country)": ("looks for a text", 24),
    "contains(orders, 'x')": ("where a text is expected", 10),
    "-state = 1": ("where a number is expected", 2),
    "orders + state > 1": ("means nothing", 10),
    "orders in ()": ("an empty list", 1),
    "orders in ('a')": ("a text compared with a number", 12),
    "first_seen in (date '2024-01-01', timestamp '2024-01-01 00:00:00')": ("days and instants", 1),
    "first_seen in (now(), now())": ("now() in a list", 1),
    "greatest(last_seen, now()) > now()": ("does not take now()", 21),
    "orders between 5 and 3": ("nothing lies between", 16),
    "last_order between date '2024-02-01' and date '2024-01-01'": ("nothing lies between", 20),
    "country between 'a' and 'b'": ("has no order", 1),
    "segment('x')": ("unknown segment", 1),
    "events('Store Visited', category => 'x')": ("does not tell its category", 25),
    "events(custom('x'), category => 'y')": ("does not tell its category", 21),
    "events('Store Visited', store > 'x')": ("has no order", 25),
    "events('Store Visited', store => '')": ("an empty text", 25),
    "events('Store Visited', store => 3)": ("is a text", 25),
    "events('Order Completed', amount => 'x')": ("is a number", 27),
    "events('Email Opened', machine => 'x')": ("is true or false", 24),
    "events('Store Visited', since => last_order)": ("depends on the customer", 34),
    "events('Store Visited', since => 3)": ("a day or an instant", 34),
    "events('Store Visited', since => date '2024-01-02', before => date '2024-01-01')": ("ends before", 1),
    "state like ''": ("a pattern", 1),
}  # fmt: skip


def test_what_would_be_dear_for_everybody_is_bounded():
    many = [f"events('Store Visited', days => {n}) > 1" for n in range(1, 102)]
    then = [
        f"events('Store Visited', then => 'Order Completed', within_days => {n}) > 1" for n in range(1, 12)
    ]
    assert check(" or ".join(many[:90] + then[:10] + then[:10]), TRAITS)
    for parts, said in ((many, "101 different behaviours"), (then, "11 behaviours with")):
        with pytest.raises(BadCondition, match=said):
            check(" or ".join(parts), TRAITS)


@pytest.mark.parametrize("text", WRONG)
def test_what_means_nothing_is_refused_where_it_stands(text):
    said, column = WRONG[text]
    with pytest.raises(BadCondition) as caught:
        check(text, TRAITS, ["vip"])
    assert said in caught.value.message
    assert caught.value.column == column


def test_a_tree_that_means_nothing_is_refused_in_its_text():
    from shopkeeper.domain.condition import tree

    with pytest.raises(BadCondition, match=r"line 1, column 10") as caught:
        check(tree.Compare("=", tree.TraitRef("orders"), tree.Text("x")), TRAITS)
    assert "orders = 'x'" in str(caught.value)


def test_declared_values_are_those_that_occur():
    assert TRAITS["state"].values == STATES
    assert TRAITS["rhythm_basis"].values == BASES


def test_formulas_are_conditions_of_their_own():
    timed = [trait for trait in TRAITS.values() if trait.clock == "time"]
    assert timed
    assert all(trait.formula for trait in timed)


def test_reading_conditions_is_not_dear_to_import():
    code = "import sys, shopkeeper, shopkeeper.domain.condition; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_every_trait_is_read_by_its_name(name):
    assert check(f"{name} is null and not ({name} is null)", TRAITS).traits <= {name, "last_order"}
