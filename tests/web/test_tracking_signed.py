"""Webhooks and till logs at the door: who may hand them in, what is forged, what was sent before."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from shopkeeper.web.tracking import Door

SECRET = "whsec-0123456789"
DAY = Path(__file__).parents[1] / "collect" / "poslog" / "day.xml"
ORDER = json.dumps(
    {
        "id": 450789469, "created_at": "2026-04-30T10:00:00Z", "processed_at": "2026-04-30T10:00:00Z",
        "updated_at": "2026-04-30T10:00:00Z", "currency": "GBP", "total_price": "20.00", "financial_status": "paid",
        "email": "ada@example.com", "customer": {"id": 207119551, "email": "ada@example.com"}, "source_name": "web",
        "line_items": [{"id": 1, "product_id": 632910392, "title": "Heels", "quantity": 1, "price": "20.00"}],
    }
).encode()  # fmt: skip
CALLS = """
channel = "service"
topic_header = "X-Topic"

[signature]
header = "X-Signature"
prefix = "v1="
timestamp_header = "X-Timestamp"

[[event]]
name = "Contact Opened"
when = { topic = "opened" }
id = "@.case"
[event.identifiers]
user_id = "@.customer"
[event.properties]
contact_id = "@.case"
"""
CASE = b'{"case": "c-1", "customer": "u1"}'


@pytest.fixture
def http(shop):
    with TestClient(Door(Litestar(), shop), base_url="http://127.0.0.1:8765") as client:
        yield client


def shopify(body, secret=SECRET, topic="orders/create", **more):
    told = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"x-shopify-hmac-sha256": told, "x-shopify-topic": topic, "x-shopify-event-id": "e1"} | more


def signed(shop, body, secret=SECRET, ago=0, topic="opened"):
    at = str(int(shop.clock.now().timestamp()) - ago)
    told = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-signature": f"v1={told}", "x-timestamp": at, "x-topic": topic}


@pytest.fixture
def webshop(shop):
    shop.add_source("webshop", "shopify")
    shop.set_secret("webshop", SECRET)


@pytest.fixture
def calls(shop):
    key = shop.add_source("calls", "webhook", mapping=CALLS)
    shop.set_secret("calls", SECRET)
    return key


def nothing_kept(shop):
    return shop.places.gate.inbox.backlog(0).deliveries == 0


def test_an_order_of_shopify_reaches_its_customer(shop, http, webshop):
    answer = http.post("/v1/webhooks/webshop", content=ORDER, headers=shopify(ORDER))
    assert answer.status_code == 200
    shop.hear()
    assert shop.customer("email:ada@example.com").traits["orders"] == 1


def test_a_webhook_that_comes_again_counts_once(shop, http, webshop):
    for number in range(3):  # it is sent again with another number of its own where the first answer was lost
        headers = shopify(ORDER, **{"x-shopify-webhook-id": str(number)})
        assert http.post("/v1/webhooks/webshop", content=ORDER, headers=headers).status_code == 200
    shop.hear()
    assert shop.customer("email:ada@example.com").traits["orders"] == 1


@pytest.mark.parametrize(
    "headers",
    [
        shopify(ORDER, secret="another-secret"),
        shopify(ORDER + b" "),
        shopify(ORDER) | {"x-shopify-hmac-sha256": ""},
        shopify(ORDER) | {"x-shopify-hmac-sha256": "%%%"},
        shopify(ORDER) | {"x-shopify-hmac-sha256": "A" * 100_000},
        {"x-shopify-topic": "orders/create"},
    ],
)
def test_a_forged_webhook_is_refused(shop, http, webshop, headers):
    answer = http.post("/v1/webhooks/webshop", content=ORDER, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert nothing_kept(shop)


def test_without_a_secret_nothing_is_believed(shop, http):
    shop.add_source("bare", "shopify")
    answer = http.post("/v1/webhooks/bare", content=ORDER, headers=shopify(ORDER, secret=""))
    assert answer.status_code == 401
    assert nothing_kept(shop)


def test_nobody_learns_which_sources_there_are(shop, http, webshop):
    shop.add_source("web", "tracking")
    answers = [
        http.post(f"/v1/webhooks/{name}", content=ORDER, headers=shopify(ORDER, secret="guess"))
        for name in ("webshop", "nosuch", "web", "%2e%2e")
    ]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


def test_a_webhook_is_read_as_its_mapping_says(shop, http, calls):
    assert http.post("/v1/webhooks/calls", content=CASE, headers=signed(shop, CASE)).status_code == 200
    shop.hear()
    assert [entry.name for entry in shop.timeline("user_id:u1").entries] == ["Contact Opened"]


@pytest.mark.parametrize("ago", [-301, 301, 86_400 * 365])
def test_an_old_webhook_is_not_believed_again(shop, http, calls, ago):
    assert (
        http.post("/v1/webhooks/calls", content=CASE, headers=signed(shop, CASE, ago=ago)).status_code == 401
    )
    assert nothing_kept(shop)


def test_a_new_time_on_an_old_webhook_is_forged(shop, http, calls):
    headers = signed(shop, CASE, ago=301) | {"x-timestamp": signed(shop, CASE)["x-timestamp"]}
    assert http.post("/v1/webhooks/calls", content=CASE, headers=headers).status_code == 401


def test_a_replayed_webhook_is_one_event(shop, http, calls):
    headers = signed(shop, CASE, ago=60)
    for _ in range(3):
        assert http.post("/v1/webhooks/calls", content=CASE, headers=headers).status_code == 200
    shop.hear()
    assert len(shop.timeline("user_id:u1").entries) == 1


def test_where_nothing_is_signed_the_write_key_speaks(shop, http):
    mapping = CALLS[: CALLS.index("[signature]")] + CALLS[CALLS.index("[[event]]") :]
    key = shop.add_source("plain", "webhook", mapping=mapping)
    other = shop.add_source("other", "webhook", mapping=mapping)
    topic = {"x-topic": "opened"}
    assert http.post("/v1/webhooks/plain", content=CASE, headers=topic).status_code == 401
    wrong = http.post(
        "/v1/webhooks/plain", content=CASE, headers=topic | {"authorization": f"Bearer {other}"}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_source")
    assert nothing_kept(shop)
    assert http.post(f"/v1/webhooks/plain?writeKey={key}", content=CASE, headers=topic).status_code == 200
    shop.hear()
    assert len(shop.timeline("user_id:u1").entries) == 1


def test_a_mapping_that_broke_is_our_fault_and_not_the_sender_s(shop, http, calls, monkeypatch):
    source = shop.hearing.known("calls")
    broken = msgspec.structs.replace(source, mapping="[[event]")
    monkeypatch.setattr(shop.hearing, "known", lambda _name: broken)
    answer = http.post("/v1/webhooks/calls", content=CASE, headers=signed(shop, CASE))
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("body", [b"", b"not json", b'{"a": "\xff"}', b"[" * 10_000])
def test_a_signed_body_that_cannot_be_read_is_refused(shop, http, webshop, body):
    answer = http.post("/v1/webhooks/webshop", content=body, headers=shopify(body))
    assert answer.status_code == 400
    assert nothing_kept(shop)


def test_a_till_s_day_reaches_its_customers(shop, http):
    key = shop.add_source("till", "poslog")
    headers = {"authorization": f"Bearer {key}", "content-type": "application/xml"}
    for _ in range(2):
        assert http.post("/v1/poslog/till", content=DAY.read_bytes(), headers=headers).status_code == 200
    took = shop.hear()
    assert took.kept > 0
    assert took.repeated >= took.kept
    assert shop.customer("email:ann.lee@example.com").traits["orders"] >= 1


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"hello", 400), (b"<a", 200)])
def test_what_is_no_till_log_at_all(shop, http, body, status):
    key = shop.add_source("till", "poslog")
    headers = {"authorization": f"Bearer {key}"}
    assert http.post("/v1/poslog/till", content=body, headers=headers).status_code == status
    shop.hear()
    assert len(shop.quarantine()) == (1 if status == 200 else 0)


def test_an_entity_bomb_ends_in_quarantine(shop, http):
    key = shop.add_source("till", "poslog")
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE POSLog [<!ENTITY e0 "ha">{lines}]><POSLog>&e11;</POSLog>'.encode()
    answer = http.post("/v1/poslog/till", content=bomb, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    shop.hear()
    assert len(shop.quarantine()) == 1


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("/v1/track", "poslog", "wrong_kind"),
        ("/v1/poslog/it", "tracking", "wrong_kind"),
        ("/v1/poslog/other", "poslog", "wrong_source"),
    ],
)
def test_each_kind_of_source_has_its_own_address(shop, http, path, kind, code):
    key = shop.add_source("it", kind)
    answer = http.post(
        path, content=b"<a/>" if "poslog" in path else CASE, headers={"authorization": f"Bearer {key}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(("name", "headers"), [("webshop", shopify(ORDER)), ("plain", {})])
def test_a_source_that_is_switched_off_says_so_to_whom_it_knows_and_to_nobody_else(
    shop, http, webshop, name, headers
):
    before, _, after = CALLS.partition("[signature]")
    key = shop.add_source("plain", "webhook", mapping=before + after[after.index("[[event]]") :])
    shop.change_source(name, disabled=True)
    known = headers or {"authorization": f"Bearer {key}"}
    off = http.post(f"/v1/webhooks/{name}", content=ORDER, headers=known)
    assert (off.status_code, off.json()["code"]) == (403, "disabled")
    forged = http.post(f"/v1/webhooks/{name}", content=ORDER, headers={"x-shopify-topic": "orders/create"})
    assert forged.status_code == 401
    assert nothing_kept(shop)
