"""Who is who, on the page and by the API: why, why not, tried before it is done, and done."""

from __future__ import annotations

import random
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.events import order, put
from tests.shop.test_linking import person, told

from shopkeeper.shop.working import Worker

API = "/api/v1/identity"


@pytest.fixture
def family(shop):
    put(shop, *[order(one, ids={"user_id": one, "email": "family@example.com"}) for one in ("71", "72")])
    put(shop, order("3", ids={"user_id": "71", "payment_token": "TOK<b>"}))
    return shop


def post(http, path, **fields):
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', http.get("/identities").text)[1]
    return http.post("/identities" + path, data={"csrf": mark, **fields})


def settle(http, **fields):
    return post(http, "", **fields)


def ask(http, one, other):
    return post(http, "/why", one=one, other=other)


def test_the_page_lists_says_why_tries_and_does(family, visit):
    with visit(family) as http:
        page = http.get("/identities").text
        assert "One email with 2 accounts" in page
        assert "No two customers have become one yet" in page
        why = ask(http, "user_id:71", "payment_token:TOK<b>").text
        assert "Yes: both are" in why
        assert "Order Completed" in why
        assert "TOK&lt;b&gt;" in why
        assert "TOK<b>" not in why
        not_so = ask(http, "user_id:71", "user_id:72").text
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
        assert ask(http, "nobody", "user_id:72").status_code == 404
        assert ask(http, "user_id:72", "user_id:72").status_code == 400
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


def test_no_address_of_the_page_holds_an_identifier(family, visit):
    with visit(family) as http:
        answer = ask(http, "email:family@example.com", "user_id:72")
        assert answer.status_code == 200
        assert [one.url.query for one in answer.history] == [b""]
        assert re.fullmatch(rb"one=node:\d+&other=node:\d+", answer.url.query)
        links = re.findall(r'(?:href|action)="([^"]+)"', answer.text)
        assert not any("example.com" in link or "user_id" in link for link in links)
        for one in ("family@example.com", "user_id:72", "node:x", "c1 OR 1=1"):
            refused = http.get("/identities", params={"one": one, "other": "node:1"})
            assert refused.status_code == 400
            assert "type them into the form" in refused.text
        with_body = http.post(
            API + "/explain", json={"one": "email:family@example.com", "other": "user_id:72"},
            headers={"authorization": f"Bearer {family.add_api_key('crm', ['look_up']).secret}"},
        )  # fmt: skip
        assert with_body.json()["one"] is False


def test_a_decision_is_taken_back_on_the_page_one_or_all_of_an_identifier(family, visit):
    put(family, order("4", ids={"user_id": "71", "phone": "+447700900123"}))
    with visit(family) as http:
        family.unlink("phone:+447700900123")
        page = ask(http, "user_id:71", "phone:+447700900123")
        assert "Take back the decision" in page.text
        phone = family.explain("user_id:71", "phone:+447700900123").references[1]
        assert f'name="one" value="{phone}"' in page.text
        would = settle(http, what="undecide", one=phone, also="", **{"try": "1"})
        assert "becomes part of" in would.text
        assert family.customer("user_id:71").id != family.customer("phone:+447700900123").id
        assert "Settled: let what was seen decide again" in settle(http, what="undecide", one=phone).text
        assert family.customer("user_id:71").id == family.customer("phone:+447700900123").id
        family.settle("same", "user_id:71", "user_id:72")
        assert "Take back the decision" in ask(http, "user_id:71", "user_id:72").text
        two = " ".join(family.explain("user_id:71", "user_id:72").references)
        assert "leaves" in settle(http, what="undecide", both=two, also=two, **{"try": "1"}).text


def test_a_refused_union_is_settled_on_the_page(shop, visit):
    put(
        shop,
        order("1", ids={"user_id": "101", "loyalty_card": "LC00001"}),
        order("2", ids={"user_id": "201", "email": "anna@example.com"}),
        order("3", ids={"loyalty_card": "LC00001", "email": "anna@example.com"}),
    )
    with visit(shop) as http:
        page = http.get("/identities").text
        assert "who hold different accounts" in page
        assert "Tied by" in page
        hidden = r'name="one" value="(node:\d+)"><input type="hidden" name="other" value="(node:\d+)"'
        one, other = re.search(hidden, page).groups()
        assert "who hold different accounts" not in settle(http, what="leave", one=one, other=other).text
        settle(http, what="same", one=one, other=other)
        assert shop.customer("user_id:101").id == shop.customer("user_id:201").id


@pytest.fixture
def town(shop):
    """A linked shop of eighty people, of whom thirty are known twice; also who the first of them is."""
    chance = random.Random(5)
    everybody = [person(chance, n) for n in range(80)]
    twice = [
        told(f"t{n}", {"loyalty_card": f"LC{n:05d}"}, everybody[n] | {"street": "1 Mill Lane"})
        for n in range(30)
    ]
    once = [told(f"m{n}", {"email": f"mailbox{n}@example.com"}, one) for n, one in enumerate(everybody)]
    accounts = [told(f"a{n}", {"user_id": f"90{n}"}, everybody[40]) for n in range(2)]
    put(shop, *once, *twice, *accounts)
    shop.link_people()
    return shop, everybody[0]


def test_somebody_is_looked_for_by_what_they_tell(town, visit):
    shop, who = town
    words = {name: who[name] for name in ("first_name", "last_name", "birthday")}
    with visit(shop) as http:
        found = post(http, "/match", **words)
        assert found.status_code == 200
        assert shop.customer("email:mailbox0@example.com").id in found.text
        assert found.url.query == b""
        assert "two records at random" in found.text
        assert "Nobody of 112 records" in post(http, "/match", last_name="Xylander").text
        assert post(http, "/match").status_code == 400
        key = {"authorization": f"Bearer {shop.add_api_key('till', ['look_up']).secret}"}
        http.cookies.clear()
        asked = http.post(API + "/match", json={"particulars": words, "limit": 2}, headers=key)
        rows = asked.json()["rows"]
        assert asked.status_code == 200
        assert rows[0]["id"] == shop.customer("email:mailbox0@example.com").id
        assert rows[0]["waterfall"]["bars"][0]["name"] == "prior"
        assert who["last_name"] not in asked.text, "this key sees no names"
        one = http.post(API + "/match", json={"who": "user_id:900"}, headers=key).json()
        assert shop.customer("user_id:901").id in {row["id"] for row in one["rows"]}
        for wrong in (
            {},
            {"limit": 0},
            {"particulars": {"shoe": "7"}},
            {"who": "user_id:900", "particulars": words},
        ):
            assert http.post(API + "/match", json=wrong, headers=key).status_code == 400, wrong
        assert http.post(API + "/match", json={"who": "nobody"}, headers=key).status_code == 404
        other = {"authorization": f"Bearer {shop.add_api_key('bi', ['report']).secret}"}
        assert http.post(API + "/match", json={"particulars": words}, headers=other).status_code == 403


def test_a_shop_that_never_linked_says_what_to_do(family, visit):
    with visit(family) as http:
        told_so = post(http, "/match", last_name="Graf")
        assert told_so.status_code == 409
        assert "shopkeeper identity link" in told_so.text
        assert 'value="Graf"' in told_so.text, "what was typed is not lost"


def test_waterfalls_can_be_used_by_everybody_on_every_screen(town, served, open_page):
    shop, who = town
    with served(shop) as address:
        page = open_page(address + "/identities", color_scheme="light")
        page.fill("#f-one", "email:mailbox0@example.com")
        page.fill("#f-other", "loyalty_card:LC00000")
        page.click("text=Say why")
        page.wait_for_selector(".wf")
        assert "node:" in page.url
        assert "example" not in page.url
        bars = [box["width"] for box in (b.bounding_box() for b in page.query_selector_all(".wf-bar")) if box]
        assert max(bars) > 60
        for size in ({"width": 390, "height": 844}, {"width": 1280, "height": 900}):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
                assert [v["id"] for v in found if v["impact"] in {"serious", "critical"}] == []
        page.fill("#k-first_name", who["first_name"])
        page.fill("#k-last_name", who["last_name"])
        page.fill("#k-birthday", who["birthday"])
        page.click("text=Look for likely matches")
        page.wait_for_selector(".likely .wf")
        assert who["last_name"] not in page.url
