"""Regulars and advocates on their page, on a customer's, and by the API."""

from __future__ import annotations

import html
import math
import re

import pytest

from shopkeeper.domain.advocacy import Advocates, BrandCore, OddsOf, WhatBrings
from shopkeeper.web.pages import advocates
from shopkeeper.web.pages.advocates import drawn, teller


@pytest.fixture(scope="module")
def loudest(sample_shop):
    return sample_shop.advocates(sort="score", most=1).rows[0]


def test_the_page_tells_what_the_verbs_tell(client, sample_shop, loudest, monkeypatch):
    page = html.unescape(client.get("/advocates?sort=score").text)
    regulars = sample_shop.regulars()
    assert regulars.definition in page
    assert all(note[1:] in page for note in regulars.notes)
    assert loudest.name in page
    assert f"{loudest.score:.0f}" in page
    assert sample_shop.advocates().brings.sentence in page
    assert client.get("/advocates?sort=charm").status_code == 400
    monkeypatch.setattr(advocates, "_SHOWN", 2)
    first = sample_shop.advocates(sort="score", most=2)
    rest = sample_shop.advocates(sort="score", most=2, cursor=first.next)
    page = html.unescape(client.get("/advocates?sort=score").text)
    further = re.search(r'href="(/advocates\?[^"]*cursor=[^"]*)"', page)[1]
    told = client.get(further).text
    listed = re.findall(r'<th scope="row"><a href="/customers/(\w+)"', told)
    assert listed == [row.id for row in rest.rows]
    assert listed
    assert "From the first" in told


def test_a_customers_page_tells_the_parts(client, loudest):
    page = html.unescape(client.get(f"/customers/{loudest.id}").text)
    assert f"Advocacy {loudest.score:.0f} of 100" in page
    assert all(part.sentence in page for part in loudest.parts)


def test_the_api_says_the_same(client, sample_shop, loudest):
    body = client.get("/api/v1/insight/advocates", params={"sort": "score", "limit": 1}).json()
    assert [row["id"] for row in body["rows"]] == [loudest.id]
    assert sum(part["points"] for part in body["rows"][0]["parts"]) == pytest.approx(loudest.score)
    assert client.get("/api/v1/insight/regulars").json()["regulars"] == sample_shop.regulars().regulars
    one = client.get(f"/api/v1/profiles/{loudest.id}/advocacy").json()
    assert one["score"] == loudest.score
    assert client.get("/api/v1/profiles/nobody/advocacy").status_code == 404
    assert client.get("/api/v1/insight/advocates", params={"limit": 0}).status_code == 400


@pytest.mark.parametrize("sort", ["value", "score", "customers"])
def test_pages_of_the_list_are_the_list(client, sample_shop, sort):
    """Those who brought nobody have no value brought: they come last, by score, and no page leaves any of them out."""
    whole = sample_shop.advocates(sort=sort, most=500)
    ids, params = [], {"sort": sort, "limit": 3}
    while True:
        body = client.get("/api/v1/insight/advocates", params=params).json()
        ids += [row["id"] for row in body["rows"]]
        if body["next"] is None:
            break
        assert len(body["rows"]) == 3
        params["cursor"] = body["next"]
    assert ids == [row.id for row in whole.rows]
    assert len(ids) > 6
    assert whole.next is None
    other = client.get("/api/v1/insight/advocates", params={"sort": "score", "cursor": "nonsense"})
    assert other.status_code == 400
    turned = params | {"sort": "value" if sort == "score" else "score"}
    assert client.get("/api/v1/insight/advocates", params=turned).status_code == 400


def test_an_odds_ratio_is_drawn_about_one_half():
    one = drawn(OddsOf(name="x", label="X", ratio=1.0, low=0.5, high=1000.0))
    assert (one.at, one.high) == (0.5, 1.0)
    assert math.isclose(0.5 - one.low, math.log(2) / (2 * math.log(8)))
    nothing = Advocates(
        as_of=None, rows=(), bringers=0, brought=0, value=0.0, core=BrandCore(),
        brings=WhatBrings(verdict="nothing", sentence=""),
    )  # fmt: skip
    assert teller(nothing) is None
