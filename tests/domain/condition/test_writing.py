"""The same condition as plain English and as a builder shows it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conditions import TRAITS, conditions, trees

from shopkeeper.domain.condition import parse, sql
from shopkeeper.domain.condition.builder import from_builder, to_builder
from shopkeeper.domain.condition.english import english
from shopkeeper.domain.errors import InvalidInput

SAID = {
    "p_alive < 0.5 and clv_12m > 200 and events('Product Viewed', category => 'Lighting', days => 14) >= 2 "
    "and not events('Order Completed', days => 14)": (
        "Still a customer below 50 %, and expected value above 200 GBP, and did ‘Product Viewed’ with "
        "category ‘Lighting’ at least twice in the last 14 days, and never did ‘Order Completed’ in the last 14 days"
    ),
    "state in ('fading', 'lapsed') or not segment('vip')": (
        "Either state is one of ‘fading’, ‘lapsed’, or not in the segment ‘vip’"
    ),
    "last_order < today() - interval '3 months'": "Last order before 3 months ago",
    "first_order >= this_year() and (omnichannel or orders between 2 and 5)": (
        "First order no earlier than the start of this year, and (either omnichannel: yes, or orders from 2 to 5)"
    ),
    "spend(channel => 'store', since => date '2024-01-01') > 1000": (
        "Spent with channel ‘store’ since 1 January 2024 above 1,000 GBP"
    ),
    "events('Product Added', then_not => 'Order Completed', within_days => 3) = 1": (
        "Did ‘Product Added’ and then no ‘Order Completed’ within 3 days exactly once"
    ),
    "country <> 'France' and days_since_order > 90": (
        "Country is known and not ‘France’, and days since last order above 90 days"
    ),
    "has(looked_not_bought, 'p1')": "Looked at, not bought holds ‘p1’",
    "omnichannel = true and coalesce(omnichannel, false)": (
        "Omnichannel is yes, and coalesce of omnichannel, no"
    ),
    "-(orders + returns) > 1": "Minus (orders plus returns) above 1",
    "p_alive < 0.9999999 or p_alive = 1": "Either still a customer below 99.99999 %, or still a customer is 100 %",
    "revenue > 0.0000001": "Revenue above 0.0000001 GBP",
    "not (orders > 1) and not (orders = 3)": "Orders at most 1, and orders is known and not 3",
    "not events('Store Visited') >= 2": "Did ‘Store Visited’ fewer than twice",
    "orders not between 1 and 2": "Orders is known and not from 1 to 2",
    "orders in (1, null)": "Orders is one of 1, else it is not known",
    "orders not in (1, null)": "Not (orders is one of 1, else it is not known)",
    "not events(custom('never not'))": "Never did ‘never not’",
}


@pytest.mark.parametrize("text", SAID)
def test_it_is_said_in_plain_english(text):
    assert english(parse(text).tree, TRAITS, "GBP") == SAID[text]


@given(conditions)
@settings(max_examples=150, deadline=None)
def test_everything_can_be_said(node):
    assert english(node, TRAITS, "GBP")


@given(trees | conditions)
@settings(max_examples=400, deadline=None)
def test_the_builder_gives_the_tree_back(node):
    shown = json.loads(json.dumps(to_builder(node)))
    assert from_builder(shown) == node


@pytest.mark.parametrize("after", ["2", "'x'", "2 * orders", "0.5 + 1"])
def test_what_is_added_to_a_length_of_time_is_no_part_of_it(after):
    for before in ("(interval '1 days')", "(now() - interval '1 days')"):
        node = parse(f"{before} + {after} > 1").tree
        assert parse(sql(node)).tree == node


def test_groups_and_rows():
    text = (
        "orders >= 2 and (state = 'new' or country is not null) and not (omnichannel or segment('vip')) "
        "and not segment('staff') and not events('Store Visited', days => 3) and orders + 1 > returns"
    )
    assert to_builder(parse(text).tree) == {
        "match": "all",
        "rows": [
            {"operand": {"trait": "orders"}, "operator": ">=", "value": 2},
            {
                "match": "any",
                "rows": [
                    {"operand": {"trait": "state"}, "operator": "=", "value": "new"},
                    {"operand": {"trait": "country"}, "operator": "is known"},
                ],
            },
            {
                "match": "none",
                "rows": [
                    {"operand": {"trait": "omnichannel"}, "operator": "yes"},
                    {"operand": {"segment": "vip"}, "operator": "in"},
                ],
            },
            {"operand": {"segment": "staff"}, "operator": "not in"},
            {
                "operand": {"deed": "events", "names": ["Store Visited"], "days": 3},
                "operator": "did not happen",
            },
            {"expression": "orders + 1 > returns"},
        ],
    }


ORDERS = {"trait": "orders"}
VISITS = {"deed": "events", "names": ["Store Visited"]}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "orders > 1",
        {},
        {"match": "all", "rows": []},
        {"match": "some", "rows": [{"expression": "true"}]},
        {"operand": ORDERS, "operator": "~", "value": 1},
        {"operand": {"trait": 3}, "operator": "=", "value": 1},
        {"operand": ORDERS, "operator": ">", "value": {"sql": "1; drop table x"}},
        {"operand": {"trait": "orders; drop table x"}, "operator": ">", "value": 1},
        {"operand": ORDERS, "operator": ">", "value": 1e300},
        {"operand": ORDERS, "operator": "between", "value": [1]},
        {"operand": {"deed": "delete"}, "operator": "happened"},
        {"operand": {"segment": "x"}, "operator": "yes"},
        {"operand": {"deed": "events", "names": ["x') or true or events('y"]}, "operator": "happened"},
        {"operand": {**VISITS, "days": -3}, "operator": "happened"},
        {"operand": {**VISITS, "since": "x) or (true"}, "operator": "happened"},
        {"expression": "orders >"},
        {"operand": ORDERS, "operator": ">", "value": 10**5_000},
        {"operand": {"trait": "1 = 1 or orders"}, "operator": ">", "value": 1},
        *(
            {"operand": {**VISITS, "filters": [one]}, "operator": "happened"}
            for one in (
                {"fact": "store", "test": "=", "values": []},
                {"fact": "store", "test": "=", "values": ["S1", "S2"]},
                {"fact": "amount", "test": ">", "values": [10**5_000]},
                {"fact": "store => 'S1', days", "test": "=", "values": [3]},
            )
        ),
        {
            "operand": {
                **VISITS,
                "then": {"name": "x", "days": 3, "filters": [{"fact": "store", "test": "<", "values": []}]},
            },
            "operator": "happened",
        },
    ],
)
def test_what_is_no_builders_tree_is_refused_or_harmless(data):
    try:
        found = from_builder(data)
    except InvalidInput:
        return
    assert found == parse("events(custom('x'') or true or events(''y'))").tree


def test_deep_groups_are_refused():
    data = {"expression": "orders > 1"}
    for _ in range(1_000):
        data = {"match": "none", "rows": [data]}
    with pytest.raises(InvalidInput):
        from_builder(data)


keys = st.sampled_from(
    [
        "match",
        "rows",
        "operand",
        "operator",
        "value",
        "trait",
        "deed",
        "segment",
        "expression",
        "sql",
        "names",
    ]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["all", "none", "events", "="]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)


@given(anything)
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_refused(data):
    try:
        found = from_builder(data)
    except InvalidInput:
        return
    assert parse(sql(found)).tree == found
