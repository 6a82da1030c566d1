"""Conditions over HTTP: the answers of the library."""

from __future__ import annotations

import pytest
from msgspec import structs

from shopkeeper.know.segments import Question
from shopkeeper.shop import asking

QUERY, SIZE = "/api/v1/customers/query", "/api/v1/customers/size"


@pytest.fixture(scope="module")
def secret(sample_shop):
    """A key that may see figures."""
    return sample_shop.add_api_key("segments", ["report"]).secret


@pytest.fixture
def ask(visit, sample_shop, secret):
    with visit(sample_shop, None) as http:  # the client that tests share stays signed in
        yield lambda path, body: http.post(path, json=body, headers={"authorization": f"Bearer {secret}"})


def test_customers_by_condition_are_paged_to_the_end(ask, sample_shop):
    expected = sample_shop.customers("orders >= 2", columns=["orders", "p_alive"]).to_pylist()
    seen, cursor = [], {}
    while True:
        asked = {"condition": "orders>=2", "columns": ["orders", "p_alive"], "limit": 15} | cursor
        answer = ask(QUERY, asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["condition"], body["currency"]) == ("orders >= 2", sample_shop.settings.currency)
        seen += body["data"]
        if not body["cursor"]["has_more"]:
            break
        cursor = {"cursor": body["cursor"]["next"]}
    assert len(expected) > 30
    assert seen == [row | {"id": f"c{row['id']}"} for row in expected]


def test_their_size(ask, sample_shop):
    body = ask(SIZE, {"condition": "orders >= 2", "estimate": True}).json()
    size = sample_shop.size("orders >= 2")
    assert (body["customers"], body["of"], body["exact"]) == (size.customers, size.of, True)
    assert body["expected"] == pytest.approx(size.expected)


@pytest.mark.parametrize(
    "body",
    [
        {"condition": "ordres > 1"},
        {"condition": "orders > 1", "columns": ["ordres"]},
        {"condition": "orders > 1", "limit": 0},
        {"condition": "orders > 1", "cursor": "c1"},
        {"condition": "orders > 1", "limits": 5},
        {"condition": "x" * 20_001},
        {"condition": "(" * 1_000},
    ],
)
def test_what_cannot_be_asked_is_refused(ask, body):
    assert ask(QUERY, body).status_code == 400


def test_who_may_not_see_figures_sees_none(visit, sample_shop):
    key = sample_shop.add_api_key("only looks up", ["look_up"]).secret
    with visit(sample_shop, None) as http:
        for path in (QUERY, SIZE):
            asked = {"condition": "orders > 1"}
            assert http.post(path, json=asked, headers={"authorization": f"Bearer {key}"}).status_code == 403
            assert http.post(path, json=asked).status_code in (401, 403)


def test_a_question_that_takes_too_long_is_given_up_and_says_so(ask, sample_shop, monkeypatch):
    endless = Question(
        "SELECT count(*) FROM range(100000000000) AS a, range(1000) AS b WHERE a.range % 7 = b.range", {}
    )
    with monkeypatch.context() as slow:
        slow.setattr(
            sample_shop.places, "settings", structs.replace(sample_shop.settings, question_seconds=1)
        )
        slow.setattr(asking, "totals", lambda *_, **__: endless)
        answer = ask(SIZE, {"condition": "orders() >= 2"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "took_too_long")
    assert ask(SIZE, {"condition": "orders() >= 2"}).status_code == 200
