"""What is read is what was written, and nothing that is not in the language is read at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conditions import TRAITS, trees

from shopkeeper.domain.condition import check, parse, sql, tree
from shopkeeper.domain.condition import functions as f
from shopkeeper.domain.condition.parse import LARGEST
from shopkeeper.domain.errors import BadCondition

EXAMPLES = [
    *(row.example for table in (f.CALLS, f.MOMENTS, f.DEEDS) for row in table.values()),
    *(row.example for row in (f.SEGMENT, f.EVENT, f.CUSTOM)),
    *(example for _, _, example in f.OPERATORS),
]


@given(trees)
@settings(max_examples=400, deadline=None)
@example(tree.Negative(tree.Number(5)))
@example(tree.Negative(tree.Negative(tree.Number(-5))))
@example(tree.Arithmetic("-", tree.TraitRef("a"), tree.Number(-5)))
@example(tree.Not(tree.Not(tree.Not(tree.TraitRef("a")))))
@example(tree.AllOf((tree.AllOf((tree.TraitRef("a"), tree.TraitRef("b"))), tree.TraitRef("c"))))
@example(tree.Is(tree.Is(tree.TraitRef("a"), "null"), "true"))
@example(
    tree.Between(tree.TraitRef("a"), tree.AllOf((tree.TraitRef("b"), tree.TraitRef("c"))), tree.Number(1))
)
def test_what_is_printed_is_read_again_as_it_was(node):
    assert parse(sql(node)).tree == node
    assert sql(parse(sql(node)).tree) == sql(node)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_a_condition(text):
    found = check(text, TRAITS)
    assert check(found.text, TRAITS).tree == found.tree
    assert check(found.tree, TRAITS) == found


def test_the_same_in_other_writing():
    one = parse("Orders>=2 AND NOT (state='new' OR Revenue != 1.50)").tree
    assert one == parse("orders >= 2\n  and not (state = 'new' or revenue <> 1.5)").tree
    assert sql(one) == "orders >= 2 and not (state = 'new' or revenue <> 1.5)"


REFUSED = {
    "orders > 1; drop table customers": ("';'", 11),
    "orders > 1 -- and so on": ("comment", 12),
    "orders /* x */ > 1": ("comment", 8),
    "orders > 1 /*": ("without an end", 1),
    "orders > ?": ("'?'", 10),
    "orders > $1": ("'$'", 10),
    "orders > :x": ("':'", 10),
    "orders > @x": ("'@'", 10),
    "orders in (select id from customers)": ("'in'", 1),
    "exists(select 1)": ("'exists'", 15),
    "(select 1)": ("'subquery'", 9),
    "orders = 1 union select 1": ("'union'", 1),
    "cast(orders as int) = 1": ("'cast'", 1),
    "orders::int = 1": ("'::'", 7),
    "case when orders > 1 then true end": ("'when'", 6),
    'state = "new"': ("double quotes", 9),
    "state = 'new": ("without an end", 9),
    "customers.orders = 1": ("'.'", 10),
    "orders == 1": ("'=='", 8),
    "orders || 'x' = 'y'": ("'||'", 8),
    "orders % 2 = 1": ("'%'", 8),
    "state = e'x'": ("\"e'x'\"", 9),
    "state = $$x$$": ("'$$x$$'", 9),
    "state = 'a' 'b'": ("'concat'", 9),
    "state collate nocase = 'x'": ("'collate'", 1),
    "state ~ 'x'": ("'~'", 7),
    "state similar to 'x'": ("'similar to'", 7),
    "state like 'a' escape 'b'": ("'escape'", 1),
    "regexp_matches(state, '(a+)+')": ("'regexp_matches'", 1),
    "read_csv('/etc/passwd')": ("'read_csv'", 1),
    "getenv('HOME') = 'x'": ("'getenv'", 1),
    "count(*) > 1": ("'count'", 1),
    "sum(orders) over () > 1": ("'window'", 1),
    "events('Product Viewed' order by x)": ("'order by'", 25),
    "orders between symmetric 1 and 2": ("'between'", 1),
    "orders is distinct from 2": ("null safe", 1),
    "orders > 30 days": ("'alias'", 1),
    "orders > 0x1F": ("runs into", 10),
    "orders > 1_000": ("'1_000'", 10),
    "orders > 1e400": ("beyond all bounds", 10),
    "orders > .5": ("'.'", 10),
    "{{ orders }}": ("'{'", 1),
    "orders > (1": ("not closed", 10),
    "orders > 1)": ("without a '('", 11),
    "orders >": ("missing after '>'", 8),
    "orders > 1 and": ("missing after 'and'", 12),
    "last_seen > interval '3'": ("length of time", 13),
    "last_seen > date '2024-02-30'": ("a day or an instant", 18),
    "last_seen > date '2024-1-1'": ("a day or an instant", 18),
    "evnts('Product Viewed')": ("'evnts'", 1),
    "events('Product View')": ("'Product View'", 8),
    "events('Completed Order')": ("'Completed Order'", 8),
    "events(custom('Order Completed'))": ("declared event", 15),
    "events('Product Viewed', categry => 'x')": ("'categry'", 26),
    "events('Product Viewed', category => state)": ("a filter compares", 38),
    "events('Product Viewed', not machine)": ("'not'", 30),
    "events(days => 3)": ("needs the name", 1),
    "events('Product Viewed', days => 0)": ("days is a whole number", 34),
    "events('Product Viewed', days => 3, days => 4)": ("given twice", 37),
    "events('Product Viewed', days => 3, since => today())": ("together", 1),
    "events('Product Viewed', then => 'Order Completed')": ("one event and one time", 1),
    "orders('Order Completed') > 1": ("takes no event's name", 8),
    "spend(amount > 3) > 1": ("cannot be filtered", 7),
    "state is 'new'": ("'is' is for null", 10),
    "abs(orders, 1) = 1": ("2 arguments", 1),
    "": ("empty", 1),
    "  ": ("empty", 1),
    "orders > 1\x00": ("cannot be seen", 11),
    "country = 'a\x9b31m'": ("cannot be seen", 13),
    "country = 'a\u202e'": ("cannot be seen", 13),
    "country = '\u200b'": ("cannot be seen", 12),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_in_the_language_is_refused_where_it_stands(text):
    said, column = REFUSED[text]
    with pytest.raises(BadCondition) as caught:
        parse(text)
    assert said in caught.value.message
    assert (caught.value.line, caught.value.column) == (1, column)


def test_the_place_is_shown():
    with pytest.raises(BadCondition) as caught:
        parse("orders > 1\n  and evnts('Product Viewed')")
    assert (caught.value.line, caught.value.column, caught.value.nearest) == (2, 7, "events")
    assert str(caught.value).splitlines()[-2:] == ["    and evnts('Product Viewed')", "        ^^^^^"]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "'" + "x" * 1_000_000 + "'",
        "(" * 1_000 + "orders > 1" + ")" * 1_000,
        "abs(" * 1_000 + "orders" + ")" * 1_000 + " > 1",
        "not " * 1_000 + "omnichannel",
        "- " * 1_000 + "orders > 1",
        "orders" + " + 1" * 1_000 + " > 1",
        "orders = 1" + " = 1" * 1_000,
        "orders" + " is null" * 1_000,
        " or ".join(["orders = 1"] * 501),
        "orders in (" + ", ".join(map(str, range(1_001))) + ")",
        "orders > " + "9" * 5_000,
        "(" * 21 + "orders > 1" + ")" * 21,
    ],
    ids=lambda text: text[:12],
)
def test_too_large_or_too_deep_is_said_at_once(text):
    with pytest.raises(BadCondition):
        parse(text)


def test_what_just_fits():
    assert len(parse(" or ".join(["orders = 1"] * 500)).tree.conditions) == 500
    assert parse("(" * 20 + "orders > 1" + ")" * 20).tree == parse("orders > 1").tree
    assert parse(f"orders < {LARGEST}").tree.right == tree.Number(LARGEST)


WORDS = [
    *"()'=<>,-+*/", "and", "or", "not", "in", "like", "is", "null", "between", "events", "orders", "'x'", "1", "days",
    "=>", "interval", "date", "select", "case", "when", "end", "as", "from", "over", "filter", "within", "group",
    "is not", "escape", "any",
]  # fmt: skip


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@settings(max_examples=600, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        found = parse(text)
    except BadCondition as refused:
        error = refused
    else:
        assert parse(sql(found.tree)).tree == found.tree
        return
    assert 0 <= error.start <= error.stop
    assert error.line >= 1
    assert error.column >= 1
