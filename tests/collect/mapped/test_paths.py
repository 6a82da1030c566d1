"""Paths answer as RFC 9535 says, and cannot run away."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.collect.mapped import paths
from shopkeeper.collect.mapped.paths import MISSING, Path
from shopkeeper.domain.errors import BadEvent, InvalidInput

STORE = {
    "book": [
        {"title": "a", "price": 8.95, "isbn": "1"},
        {"title": "b", "price": 12.99},
        {"title": "c", "price": 8.99, "isbn": None},
    ],
    "bike": {"price": 399, "colours": ["red", "blue"]},
}
NUMBERS = [3, 5, 1, 2, 4, 6]


def found(path, body):
    return Path(path).find((body, body))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.book[*].title", ["a", "b", "c"]),
        ("$['book'][0]['title']", ["a"]),
        ('$["book"][-1].title', ["c"]),
        ("$.book[9].title", []),
        ("$.book.title", []),
        ("$..price", [8.95, 12.99, 8.99, 399]),
        ("$.bike..*", [399, ["red", "blue"], "red", "blue"]),
        ("$.book[0,2].title", ["a", "c"]),
        ("$.book[::-1].title", ["c", "b", "a"]),
        ("$.book[1:].title", ["b", "c"]),
        ("$.book[:1].title", ["a"]),
        ("$.book[0:2:0].title", []),
        ("$.book[?@.isbn].title", ["a", "c"]),  # null is something
        ("$.book[?@.isbn == null].title", ["c"]),
        ("$.book[?!@.isbn].title", ["b"]),
        ("$.book[?@.price < 10 && @.isbn != null].title", ["a"]),
        ("$.book[?(@.price < 8.96 || @.title == 'b')].title", ["a", "b"]),
        ("$.book[?@.price > $.bike.price]", []),
        ("$.book[?@.missing == @.gone].title", ["a", "b", "c"]),
        ("$.bike[?@ == 399]", [399]),
        ("$[?@.colours[?@ == 'red']].price", [399]),
        (r"$['\u0062ook'][0].title", ["a"]),
        ("$ .book [ 0 ] .title", ["a"]),
    ],
)
def test_what_a_path_finds(path, expected):
    assert found(path, STORE) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$[?@ > 3.5]", [5, 4, 6]),
        ("$[?@ < 2, ?@ < 2]", [1, 1]),
        ("$[?@ == true]", []),
        ("$[?@ == '3']", []),
        ("$[?@ >= 3 && @ <= 4]", [3, 4]),
    ],
)
def test_filters_compare_without_making_one_type_of_another(path, expected):
    assert found(path, NUMBERS) == expected


def test_true_is_not_one_however_deep():
    assert found("$[?@.a == @.b]", [{"a": [1], "b": [True]}, {"a": {"x": 1}, "b": {"x": 1.0}}]) == [
        {"a": {"x": 1}, "b": {"x": 1.0}}
    ]


def test_the_body_the_element_and_what_is_around_it():
    scope = ({"shop": "S1"}, {"id": 7, "lines": [{"sku": "x"}]}, {"sku": "x"})
    assert Path("$.shop").one(scope) == "S1"
    assert Path("@.sku").one(scope) == "x"
    assert Path("@@.id").one(scope) == 7
    assert Path("@@@.shop").one(scope) == "S1"
    assert Path("@.nothing").one(scope) is MISSING


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "begins with"),
        ("a.b", "begins with"),
        ("@@@@.a", "begins with"),
        ("$.", "a name"),
        ("$.a-b", "end of the path"),
        ("$.a[", "a name in quotes"),
        ("$.a[]", "a name in quotes"),
        ("$.a['b]", "closing '"),
        ("$.a[01]", "',' or ']'"),
        ("$.a[-0]", "a name in quotes"),
        ("$.a[?@.b == ]", "a path such as"),
        ("$.a[?@.b = 1]", "',' or ']'"),
        ("$.a[?'x']", "tests nothing"),
        ("$.a[?@.* == 1]", "finds one value"),
        ("$.a[?length(@.b) > 1]", "functions"),
        ("$..a..b", "one is allowed"),
        ("$.a[?@..b]", "none in a filter"),
        ("$.a[?$.b[*]]", "finds one value"),
        ("$.a[?" + "(" * 20 + "@.b" + ")" * 20 + "]", "parentheses"),
        ("$" + ".a" * 60, "steps"),
        ("$.a[9007199254740993]", "beyond"),
        (r"$['\ud800']", "surrogate"),
        ("$.a b", "end of the path"),
        ("$." + "a" * 2000, "characters"),
    ],
)
def test_a_path_that_is_wrong_says_where(path, says):
    with pytest.raises(InvalidInput, match=r"character \d+") as error:
        Path(path)
    assert says in error.value.message


def test_a_path_that_finds_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(paths, "MOST_FOUND", 50)
    with pytest.raises(BadEvent, match="more than"):
        found("$..*", [[0] * 10] * 10)
    assert len(found("$..*", [[0] * 4] * 4)) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(
    JSON,
    st.lists(
        st.sampled_from(
            [".a", ".*", "[0]", "[-1]", "['b','c']", "[1:]", "[?@.a]", "[?@.a == @.b]", "[?!@[0]]"]
        ),
        max_size=4,
    ),
)
def test_segments_are_applied_one_after_another(body, steps):
    """What the RFC defines: a path finds what its last segment finds in each node that the path before it finds."""
    nodes = [body]
    for step in steps:
        # inner $ is absent here, so every node may be its own body
        nodes = [one for node in nodes for one in found(f"${step}", node)]
    assert json.dumps(found("$" + "".join(steps), body)) == json.dumps(nodes)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_descendants_are_all_nodes_once(body):
    def below(node):
        inner = node if isinstance(node, list) else list(node.values()) if isinstance(node, dict) else []
        return len(inner) + sum(map(below, inner))

    assert len(found("$..*", body)) == below(body)
