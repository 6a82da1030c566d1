"""The tracking door: every address and way to authenticate, and what of it reaches the customer."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from shopkeeper.shop.hearing import opened
from shopkeeper.web.tracking import Door

BASIC = "basic"
WAYS = [BASIC, "bearer", "body", "query"]
CALLS = {
    "identify": {"traits": {"email": "ada@example.com"}},
    "track": {"event": "Product Viewed", "properties": {"product_id": "85048"}},
    "page": {"name": "Home"},
    "screen": {"name": "Basket"},
    "group": {"groupId": "firm"},
    "alias": {"previousId": "before"},
}
SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}


@pytest.fixture
def http(shop):
    """The door alone: what stands behind it has tests of its own."""
    with TestClient(Door(Litestar(), shop), base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture
def key(shop):
    return shop.add_source("web", "tracking")


def basic(key):
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def call(kind="track", number=1, **more):
    return {"type": kind, "messageId": f"m{number}", "userId": "u1", **CALLS[kind], **more}


def names(shop, who="user_id:u1"):
    shop.hear()
    return sorted(entry.name for entry in shop.timeline(who).entries)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("short", [False, True])
def test_every_address_takes_its_call(shop, http, key, kind, short):
    path = next(letter for letter, name in SHORT.items() if name == kind) if short else kind
    body = call(kind)
    del body["type"]  # the address says it
    answer = http.post(f"/v1/{path}", json=body, headers=basic(key))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    if kind == "alias":  # tells of no happening
        assert shop.hear().kept == 1
        return
    expected = {
        "identify": "Identified",
        "track": "Product Viewed",
        "page": "Page Viewed",
        "screen": "Page Viewed",
    }
    assert names(shop) == [expected.get(kind, kind.title())]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/v1/import", "/v1/b", "/beacon/v1/batch"])
def test_the_key_may_stand_where_clients_put_it(shop, http, key, way, path):
    body = call() if path == "/v1/track" else {"batch": [call(number=1), call(number=2)]}
    headers = {BASIC: basic(key), "bearer": {"authorization": f"Bearer {key}"}}.get(way, {})
    if way == "body":
        body["writeKey"] = key
    answer = http.post(path, json=body, headers=headers, params={"writeKey": key} if way == "query" else None)
    assert answer.status_code == 200
    assert names(shop) == ["Product Viewed"] * (1 if path == "/v1/track" else 2)


def test_a_token_of_another_kind_leaves_the_word_to_the_key_in_the_body(shop, http, key):
    answer = http.post(
        "/v1/batch",
        json={"batch": [call()], "writeKey": key},
        headers={"authorization": "Bearer some.other.token"},
    )
    assert answer.status_code == 200
    assert names(shop) == ["Product Viewed"]


@pytest.mark.parametrize("declared", ["gzip", None])
@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", None]
)
def test_compression_is_seen_and_not_believed(shop, http, key, declared, kind):
    headers = basic(key) | ({"content-encoding": declared} if declared else {})
    headers |= {"content-type": kind} if kind else {}
    body = gzip.compress(json.dumps({"batch": [call(number=n) for n in range(30)]}).encode())
    assert http.post("/v1/batch", content=body, headers=headers).status_code == 200
    assert len(names(shop)) == 30


def test_a_body_that_a_proxy_inflated_already_is_taken(shop, http, key):
    body = json.dumps(call()).encode()
    assert (
        http.post("/v1/track", content=body, headers=basic(key) | {"content-encoding": "gzip"}).status_code
        == 200
    )
    deflated = zlib.compress(json.dumps(call(number=2)).encode())
    headers = basic(key) | {"content-encoding": "deflate"}
    assert http.post("/v1/track", content=deflated, headers=headers).status_code == 200
    assert names(shop) == ["Product Viewed"] * 2


def test_the_same_message_twice_is_one(shop, http, key):
    for _ in range(3):
        assert http.post("/v1/track", json=call(), headers=basic(key)).status_code == 200
    assert http.post("/v1/batch", json={"batch": [call(), call()]}, headers=basic(key)).status_code == 200
    assert names(shop) == ["Product Viewed"]


def test_a_bad_event_does_not_cost_its_neighbours(shop, http, key):
    batch = [call(number=1), {"type": "dance"}, 7, call(number=2), {"type": "track", "userId": "u1"}]
    assert http.post("/v1/batch", json={"batch": batch}, headers=basic(key)).status_code == 200
    assert names(shop) == ["Product Viewed"] * 2
    assert sorted(row.reason for row in shop.quarantine()) == ["bad_type", "no_name", "not_an_object"]
    assert {row.source for row in shop.quarantine()} == {"web"}


def test_what_only_lenient_writers_write_is_mended(shop, http, key):
    body = b'{"batch":[{"type":"track","event":"Cut \\ud83d","userId":"u1","messageId":"1","properties":{"x":NaN}},'
    body += json.dumps(call(number=2)).encode() + b"]}"
    assert http.post("/v1/batch", content=body, headers=basic(key)).status_code == 200
    assert names(shop) == ["Cut �", "Product Viewed"]


def test_an_empty_batch_is_nothing(shop, http, key):
    assert http.post("/v1/batch", json={"batch": []}, headers=basic(key)).status_code == 200
    assert shop.hear().deliveries == 0


def test_the_clock_of_the_sender_is_corrected(shop, http, key):
    wrong = {"originalTimestamp": "2031-01-01T11:59:00Z", "sentAt": "2031-01-01T12:00:00Z"}
    assert http.post("/v1/track", json=call(**wrong), headers=basic(key)).status_code == 200
    shop.hear()
    at = shop.timeline("user_id:u1").entries[0].occurred_at
    assert abs((shop.clock.now() - at).total_seconds() - 60) < 1


def test_what_a_browser_asked_not_to_be_tracked_for_says_so(shop, http, key):
    for gpc in ({"sec-gpc": "1"}, {}):
        assert http.post("/v1/track", json=call(), headers=basic(key) | gpc).status_code == 200
    kept = shop.places.gate.inbox.waiting(0, 1_000_000)
    assert [opened(shop.places.vault, one).notes for one in kept] == [{"gpc": "1"}, {}]


PIXEL = {"anonymousId": "a1", "event": "Email Opened", "properties.campaign": "spring sale", "userId": "u1"}


@pytest.mark.parametrize("packed", [False, True])
def test_a_pixel_is_a_picture_and_an_event(shop, http, key, packed):
    query = {"writeKey": key, **PIXEL}
    if packed:
        told = {"userId": "u1", "event": "Email Opened", "writeKey": key, "properties": {"campaign": "x"}}
        query = {"data": base64.b64encode(json.dumps(told).encode()).decode()}
    for _ in range(2):
        answer = http.get("/pixel/v1/track", params=query)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/gif"
        assert answer.content.startswith(b"GIF89a")
        assert answer.headers["cache-control"] == "no-store"
    assert names(shop) == ["Email Opened"] * 2


def test_a_page_pixel(shop, http, key):
    query = {"writeKey": key, "userId": "u1", "name": "Home", "context.page.url": "https://shop.example/"}
    assert http.get("/pixel/v1/page", params=query).status_code == 200
    assert names(shop) == ["Page Viewed"]


def test_metrics_of_the_client_itself_are_not_kept(shop, http):
    assert http.post("/v1/m", json={"series": [{"type": "Counter"}]}).status_code == 200
    assert shop.hear().deliveries == 0


ORIGIN = "https://www.shop.example"


@pytest.mark.parametrize(
    "path", ["/v1/t", "/v1/batch", "/beacon/v1/batch", "/v1/projects/any/settings", "/sourceConfig/"]
)
def test_a_browser_may_ask_first(http, path):
    asked = "authorization,content-type,anonymousid,sentat"
    headers = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
    }
    answer = http.options(path, headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-headers"] == asked
    assert "OPTIONS" in answer.headers["access-control-allow-methods"]
    assert "origin" in answer.headers["vary"]


def test_a_browser_may_read_every_answer(http, key):
    for headers in (basic(key), basic("wrong")):
        answer = http.post("/v1/t", json=call(), headers=headers | {"origin": ORIGIN})
        assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_source_may_be_kept_to_its_own_pages(shop, http, key):
    shop.change_source("web", origins=[ORIGIN])
    assert http.post("/v1/t", json=call(), headers=basic(key) | {"origin": ORIGIN}).status_code == 200
    foreign = http.post("/v1/t", json=call(), headers=basic(key) | {"origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "wrong_origin")
    assert http.post("/v1/t", json=call(), headers=basic(key)).status_code == 200  # a server sends no origin


def test_segment_s_clients_are_told_to_send_here(http, key):
    answer = http.get(
        f"/v1/projects/{key}/settings", headers={"host": "events.shop.example:8443", "origin": ORIGIN}
    )
    told = answer.json()["integrations"]
    assert list(told) == ["Segment.io"]
    assert told["Segment.io"]["apiHost"] == "events.shop.example:8443/v1"
    assert told["Segment.io"]["apiKey"] == key
    assert http.get("/v1/projects/wrong/settings").status_code == 401
    assert http.get(f"/v1/projects/{key}/settings", headers={"host": "a b/<x>"}).status_code == 400


def test_rudderstack_s_clients_get_no_other_destination(shop, http, key):
    source = http.get("/sourceConfig/", params={"p": "cdn", "v": "3"}, headers=basic(key)).json()["source"]
    assert (source["destinations"], source["enabled"], source["writeKey"]) == ([], True, key)
    assert http.get("/sourceConfig/", params={"writeKey": key}).status_code == 200
    assert http.get("/sourceConfig/").status_code == 401
    shop.change_source("web", disabled=True)
    assert http.get("/sourceConfig/", headers=basic(key)).json()["source"]["enabled"] is False
