"""Who is who, on the page and by the API: why, why not, tried before it is done, and done."""

from __future__ import annotations

import re

import pytest
from tests.events import order, put

from shopkeeper.shop.working import Worker

API = "/api/v1/identity"


@pytest.fixture
def family(shop):
    put(shop, *[order(one, ids={"user_id": one, "email": "family@example.com"}) for one in ("71", "72")])
    put(shop, order("3", ids={"user_id": "71", "payment_token": "TOK<b>"}))
    return shop


def settle(http, **fields):
    page = http.get("/identities", params={"one": "user_id:71", "other": "payment_token:TOK<b>"}).text
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1]
    return http.post("/identities", data={"csrf": mark, **fields})


def test_the_page_lists_says_why_tries_and_does(family, visit):
    with visit(family) as http:
        page = http.get("/identities").text
        assert "One email with 2 accounts" in page
        assert "No two customers have become one yet" in page
        why = http.get("/identities", params={"one": "user_id:71", "other": "payment_token:TOK<b>"}).text
        assert "Yes: both are" in why
        assert "Order Completed" in why
        assert "TOK&lt;b&gt;" in why
        assert "TOK<b>" not in why
        not_so = http.get("/identities", params={"one": "user_id:71", "other": "user_id:72"}).text
        assert "used by too many to say who it is" in not_so
        two = {"one": "user_id:71", "other": "user_id:72", "what": "same"}
        would = settle(http, **two, **{"try": "1"})
        assert "becomes part of" in would.text
        assert family.customer("user_id:71").id != family.customer("user_id:72").id
        done = settle(http, **two)
        assert "Settled: these two are one person" in done.text
        assert family.customer("user_id:71").id == family.customer("user_id:72").id
        assert "One email with 2 accounts" not in done.text
        assert "became part of" in done.text


def test_what_cannot_be_settled_is_said_on_the_page(family, visit):
    with visit(family) as http:
        wrong = settle(http, one="user_id:71", other="user_id:71", what="same")
        assert wrong.status_code == 400
        assert "name two different ones" in wrong.text
        assert settle(http, one="user_id:71", other="user_id:72", what="eat").status_code == 400
        assert http.get("/identities", params={"one": "nobody", "other": "user_id:72"}).status_code == 404
        assert http.post("/identities", data={"what": "same"}).status_code == 403


def test_programs_ask_and_settle(family, visit):
    with visit(family) as http:
        key = {
            "authorization": f"Bearer {family.add_api_key('crm', ['look_up', 'resolve', 'see_contact']).secret}"
        }
        http.cookies.clear()
        two = {"one": "user_id:71", "other": "user_id:72"}
        why = http.get(API + "/explain", params=two, headers=key).json()
        assert (why["one"], why["reasons"][0]["guard"]) == (False, "shared")
        assert why["reasons"][0]["about"] == [
            {"kind": "email", "value": "family@example.com", "first_seen": "2026-05-01T12:00:00Z"}
        ]
        assert http.get(API + "/review", headers=key).json()["rows"][0]["count"] == 2
        ask = {"what": "same", "identifiers": ["user_id:71", "user_id:72"]}
        tried = http.post(API + "/settle", json={**ask, "dry_run": True}, headers=key).json()
        assert [turn["kind"] for turn in tried["turned"]] == ["merge", "merge"]
        assert http.get(API + "/turns", headers=key).json()["data"] == []
        done = http.post(API + "/settle", json=ask, headers=key)
        assert (done.status_code, len(set(done.json()["customers"]))) == (200, 1)
        turns = http.get(API + "/turns", params={"limit": 1}, headers=key).json()
        assert (len(turns["data"]), turns["data"][0]["by"]) == (1, "k1")
        assert turns["next"] == turns["data"][0]["number"]
        assert http.post(API + "/settle", json={"what": "eat"}, headers=key).status_code == 400
        assert (
            http.post(API + "/settle", json={"what": "same", "identifiers": 5}, headers=key).status_code
            == 400
        )


def test_beside_a_worker_it_is_the_worker_that_settles(family, visit):
    with visit(family) as http, Worker(family.places):
        assert "Settled" in settle(http, one="user_id:71", other="user_id:72", what="same").text
        assert settle(http, one="user_id:71", other="user_id:72", what="eat").status_code == 400
    assert family.customer("user_id:71").id == family.customer("user_id:72").id
    assert family.turns()[0].by.startswith("u")
