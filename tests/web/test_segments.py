"""Segments by the API: saved, listed, followed by cursor, and only by who may."""

from __future__ import annotations

import pytest
from tests.events import DAY, order, put

API = "/api/v1/segments"


@pytest.fixture
def bought(shop):
    put(shop, *(order(f"a{n}", -n * DAY, ids={"user_id": f"u{n}"}) for n in range(5)))
    return shop


def _key(shop, *scopes):
    return {"authorization": f"Bearer {shop.add_api_key(scopes[-1], list(scopes)).secret}"}


def test_a_segment_is_saved_listed_and_followed(bought, visit):
    key = _key(bought, "report", "look_up", "segment", "refresh")
    with visit(bought) as http:
        http.cookies.clear()
        made = http.put(API + "/buyers", json={"condition": "orders>=1", "title": "Buyers"}, headers=key)
        assert made.status_code == 200, made.text
        assert made.json()["condition"] == "orders >= 1"
        assert [one["name"] for one in http.get(API, headers=key).json()["data"]] == ["buyers"]
        assert http.get(API + "/buyers", headers=key).json()["segment"]["size"] == 5
        seen, cursor = [], None
        while True:
            page = http.get(
                API + "/buyers/members",
                params={"limit": 2} | ({"cursor": cursor} if cursor else {}),
                headers=key,
            ).json()
            seen += [row["customer"] for row in page["rows"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == [f"c{n}" for n in range(1, 6)]
        first = http.get(API + "/buyers/changes", params={"limit": 3}, headers=key).json()
        rest = http.get(API + "/changes", params={"cursor": first["next"]}, headers=key).json()
        assert [one["id"] for one in (*first["rows"], *rest["rows"])] == [1, 2, 3, 4, 5]
        assert http.get(API + "/changes", params={"cursor": 5}, headers=key).json() == {"rows": [], "next": 5}
        assert http.post(API + "/recount", json={}, headers=key).json()["found"] == 0
        for verb, state in (("pause", "paused"), ("activate", "live"), ("archive", "archived")):
            assert http.post(f"{API}/buyers/{verb}", headers=key).json()["state"] == state


def test_what_is_wrong_or_not_allowed_is_refused(bought, visit):
    reads, writes = _key(bought, "report"), _key(bought, "segment")
    with visit(bought) as http:
        http.cookies.clear()
        assert http.put(API + "/b", json={"condition": "orders >= 1"}, headers=reads).status_code == 403
        assert http.get(API + "/b/members", headers=reads).status_code == 403
        wrong = http.put(API + "/b", json={"condition": "ordrs >= 1"}, headers=writes)
        assert wrong.status_code == 400
        assert "orders" in wrong.text
        assert http.put(API + "/B%20b", json={"condition": "orders >= 1"}, headers=writes).status_code == 400
        assert http.get(API + "/nobody", headers=reads).status_code in (400, 404)
