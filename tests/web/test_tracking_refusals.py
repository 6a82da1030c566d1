"""What the tracking door refuses: each time a clear answer in JSON, nothing kept, and the next request is served."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from shopkeeper.domain.errors import StoreBusy, StoreFailure, StoreFull
from shopkeeper.web.tracking import Door
from shopkeeper.web.tracking.answers import Refusal
from shopkeeper.web.tracking.bodies import LARGEST, LARGEST_UNKNOWN, Bodies, inflated

CALL = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "m1"}
GOOD = json.dumps(CALL).encode()


def basic(key):
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def run(work):
    """Run a coroutine on a thread of its own: where a browser is driven, this one has a loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
def door(shop):
    return Door(Litestar(), shop)


@pytest.fixture
def http(door):
    with TestClient(door, base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture
def key(shop):
    return shop.add_source("web", "tracking")


def nothing_kept(shop):
    return shop.places.gate.inbox.backlog(0).deliveries == 0


def refused(answer, status, code):
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert told["success"] is False
    assert told["message"]


DEEP = 10_000
BAD = {
    "broken gzip": (b"\x1f\x8b\x08\x00 this is not gzip", 400, "bad_compression"),
    "cut gzip": (gzip.compress(GOOD * 50)[:-20], 400, "bad_compression"),
    "gzip with a wrong checksum": (gzip.compress(GOOD)[:-8] + bytes(8), 400, "bad_compression"),
    "gzip, then rubbish": (gzip.compress(GOOD) + b"rubbish", 400, "bad_compression"),
    "many empty members": (gzip.compress(b"") * 5_000, 400, "bad_compression"),
    "gzip bomb": (gzip.compress(bytes(64_000_000)), 413, "too_large"),
    "bomb in a bomb's second member": (
        gzip.compress(b"{") + gzip.compress(b" " * 64_000_000),
        413,
        "too_large",
    ),
    "too large": (b" " * (LARGEST + 1), 413, "too_large"),
    "not JSON": (b"hello", 400, "bad_json"),
    "nothing": (b"", 400, "bad_json"),
    "cut JSON": (GOOD[:-5], 400, "bad_json"),
    "two documents": (GOOD + GOOD, 400, "bad_json"),
    "not UTF-8": (b'{"event": "caf\xe9", "userId": "u"}', 400, "not_utf8"),
    "not UTF-8 in what is skipped": (b'{"x": ["\xff\xfe\x00"]}', 400, "not_utf8"),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400, "not_utf8"),
    "deep lists": (b'{"x": ' + b"[" * DEEP + b"]" * DEEP + b"}", 400, "too_deep"),
    "deep objects": (b'{"x": ' * DEEP + b"1" + b"}" * DEEP, 400, "too_deep"),
    "deep and odd": (b'{"n": NaN, "x": ' + b"[" * 500 + b"]" * 500 + b"}", 400, "too_deep"),
    "a number": (b"7", 400, "bad_shape"),
    "a list": (b"[{}]", 400, "bad_shape"),
    "null": (b"null", 400, "bad_shape"),
    "a number of 5,000 digits": (b'{"x": NaN, "n": ' + b"9" * 5_000 + b"}", 400, "bad_json"),
}
BAD_BATCH = {
    "no batch": (GOOD, 400, "bad_shape"),
    "batch is an object": (b'{"batch": {}}', 400, "bad_shape"),
    "batch is null": (b'{"batch": null}', 400, "bad_shape"),
    "batch is a text": (b'{"batch": "x"}', 400, "bad_shape"),
    "deep batch": (b'{"batch": [' + b"[" * DEEP + b"]" * DEEP + b"]}", 400, "too_deep"),
    "too many events": (b'{"batch": [' + b"{}," * 2_500 + b"{}]}", 400, "too_many_events"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_refused(shop, http, key, name):
    body, status, code = BAD[name]
    refused(http.post("/v1/track", content=body, headers=basic(key)), status, code)
    assert nothing_kept(shop)
    assert http.post("/v1/track", content=GOOD, headers=basic(key)).status_code == 200


@pytest.mark.parametrize("name", BAD_BATCH)
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/beacon/v1/batch"])
def test_a_bad_batch_is_refused(shop, http, key, path, name):
    body, status, code = BAD_BATCH[name]
    refused(http.post(path, content=body, headers=basic(key)), status, code)
    assert nothing_kept(shop)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "x" * 500])
def test_other_compressions_are_refused(http, key, encoding):
    answer = http.post("/v1/track", content=GOOD, headers=basic(key) | {"content-encoding": encoding})
    refused(answer, 415, "unsupported_encoding")


@pytest.mark.parametrize("write_key", ["wrong", "", "a" * 5_000, "sch\xfcler", "x:y"])
def test_a_wrong_key_is_refused_wherever_it_stands(shop, http, key, write_key):
    header = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
    code = "unknown_key" if write_key == "wrong" else None
    for answer in (
        http.post("/v1/track", content=GOOD, headers={"authorization": header}),
        http.post("/v1/track", json=CALL | {"writeKey": write_key}),
        http.post("/v1/track", content=GOOD, params={"writeKey": write_key}),
        http.get("/pixel/v1/track", params={"writeKey": write_key, "event": "X"}),
    ):
        assert answer.status_code == 401
        assert answer.json()["code"] == (code or answer.json()["code"])
        assert "www-authenticate" in answer.headers
    assert nothing_kept(shop)


@pytest.mark.parametrize(
    "given", [b"Basic", b"Basic %%%", b"Basic " + b"A" * 9_000, b"\xff\xfe", b"Bearer", b"Digest a"]
)
def test_a_header_that_is_no_key_is_no_key(http, given):
    assert http.post("/v1/track", content=GOOD, headers={"authorization": given}).status_code == 401


@pytest.mark.parametrize("write_key", [5, None, ["k"], {"k": 1}, True])
def test_a_key_of_another_type_is_no_key(http, write_key):
    refused(http.post("/v1/track", json=CALL | {"writeKey": write_key}), 401, "no_key")


def test_who_shows_no_key_may_send_little(http, key):
    big = json.dumps(CALL | {"writeKey": key, "x": "y" * LARGEST_UNKNOWN}).encode()
    refused(http.post("/v1/track", content=gzip.compress(big)), 413, "too_large")
    assert http.post("/v1/track", content=gzip.compress(big), headers=basic(key)).status_code == 200


def test_whoever_tries_keys_is_slowed_down_and_nobody_else(http, key):
    statuses = [http.post("/v1/track", content=GOOD, headers=basic(f"k{n}")).status_code for n in range(40)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    last = http.post("/v1/track", content=GOOD, headers=basic("again"))
    assert int(last.headers["retry-after"]) >= 1
    assert http.post("/v1/track", content=GOOD, headers=basic(key)).status_code == 200


def test_ended_and_disabled(shop, http, key):
    fresh = shop.rotate_key("web")
    assert http.post("/v1/track", content=GOOD, headers=basic(key)).status_code == 200  # within the grace
    shop.revoke_key("web", key[-4:])
    refused(http.post("/v1/track", content=GOOD, headers=basic(key)), 401, "unknown_key")
    assert http.post("/v1/track", content=GOOD, headers=basic(fresh)).status_code == 200
    shop.change_source("web", disabled=True)
    refused(http.post("/v1/track", content=GOOD, headers=basic(fresh)), 403, "disabled")


def test_a_source_has_a_rate(shop, http, key):
    shop.change_source("web", events_per_second=2)
    batch = json.dumps({"batch": [CALL] * 10}).encode()
    answers = [http.post("/v1/batch", content=batch, headers=basic(key)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused(answers[-1], 429, "too_many")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert answers[-1].headers["x-ratelimit-reset"] == answers[-1].headers["retry-after"]
    shop.change_source("web", events_per_second=0)
    assert http.post("/v1/batch", content=batch, headers=basic(key)).status_code == 200


@pytest.mark.parametrize(
    ("error", "at_once"),
    [
        (StoreBusy("too much waits"), True),
        (StoreBusy("locked"), False),
        (StoreFull("disk"), False),
        (StoreFailure("?"), False),
    ],
)
def test_a_passing_fault_is_never_the_sender_s(shop, door, http, key, monkeypatch, error, at_once):
    def put(_delivery, done):
        if at_once:
            raise error
        done(error)

    assert http.post("/v1/track", content=GOOD, headers=basic(key)).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(shop.places.gate.inbox, "put", put)
        answer = http.post("/v1/track", content=GOOD, headers=basic(key))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["retry"] is True
    assert http.post("/v1/track", content=GOOD, headers=basic(key)).status_code == 200


def test_a_defect_is_told_as_one_and_names_nobody(shop, http, key, monkeypatch, caplog):
    def put(_delivery, _done):
        raise KeyError("ada@example.com")

    monkeypatch.setattr(shop.places.gate.inbox, "put", put)
    answer = http.post("/v1/track", content=GOOD, headers=basic(key))
    refused(answer, 500, "internal_error")
    assert "ada" not in answer.text + "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("shopkeeper")
    )


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/", "/pixel/v1/nothing", "/beacon/v1/x", "/v1/projects/a/b/settings"]
)
def test_other_addresses_are_not_there(http, path):
    refused(http.post(path, content=GOOD), 404, "no_such_address")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_there(http, key, method):
    answer = http.request(method, "/v1/track", headers=basic(key))
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"data": "%%%"}, 400),
        ({"data": base64.b64encode(b"[1]").decode()}, 400),
        ({"a": "1", "a.b": "2"}, 400),
        ({f"f{n}": "1" for n in range(200)}, 400),
        ({"x": "y" * 9_000}, 414),
        ({"x" + ".y" * 2_000: "z"}, 200),
    ],
)
def test_bad_pixels(http, key, query, status):
    assert http.get("/pixel/v1/track", params={"writeKey": key, "event": "E"} | query).status_code == status


def test_a_query_that_is_not_utf8_is_refused(http, key):
    refused(http.get(f"/pixel/v1/track?writeKey={key}&event=%ff%fe"), 400, "bad_query")


def test_a_bomb_takes_no_more_memory_than_the_limit():
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as caught:
            inflated(bomb, 31, LARGEST)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.status == 413
    assert most < 3 * LARGEST


def test_bodies_that_arrive_at_the_same_time_share_one_budget():
    bodies = Bodies(together=3_000_000)
    piece = {"type": "http.request", "body": bytes(1_000_000), "more_body": True}
    held = asyncio.Event

    async def one(enough):
        sent = 0

        async def receive():
            nonlocal sent
            sent += 1
            if sent > 2:
                await enough.wait()
                return {"type": "http.request", "body": b"", "more_body": False}
            return piece

        return await bodies.read(receive, b"", b"", LARGEST)

    async def all_of_them():
        enough = held()
        tasks = [asyncio.create_task(one(enough)) for _ in range(4)]
        await asyncio.sleep(0.05)
        assert bodies.held <= 4_000_000
        enough.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = run(all_of_them())
    assert {getattr(result, "status", 200) for result in results} == {200, 503}
    assert bodies.held == 0


@pytest.mark.parametrize("begins", [True, False])
def test_who_dawdles_is_cut_off(begins):
    bodies = Bodies(seconds=0.05)

    async def read():
        pieces = [{"type": "http.request", "body": b"{", "more_body": True}] if begins else []

        async def receive():
            if pieces:
                return pieces.pop()
            return await asyncio.Event().wait()

        with pytest.raises(Refusal) as caught:
            await bodies.read(receive, b"", b"", LARGEST)
        assert asyncio.current_task().cancelling() == 0
        return caught.value

    refusal = run(read())
    assert (refusal.status, refusal.close) == (408, True)
    assert bodies.held == 0


def test_a_cancelled_request_stays_cancelled():
    bodies = Bodies(seconds=60)

    async def main():
        task = asyncio.create_task(bodies.read(asyncio.Event().wait, b"", b"", LARGEST))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_who_goes_away_is_not_answered(door, shop, key):
    async def main():
        said = []

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            said.append(message)

        scope = {
            "type": "http", "path": "/v1/track", "method": "POST", "query_string": b"", "client": ("127.0.0.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in basic(key).items()],
        }  # fmt: skip
        await door(scope, receive, send)
        return said

    assert run(main()) == []
    assert nothing_kept(shop)


def test_random_bytes_get_a_clear_answer(http, key):
    for _ in range(200):
        answer = http.post("/v1/batch", content=os.urandom(60), headers=basic(key))
        assert answer.status_code in {400, 413}
        assert answer.json()["code"]


def test_a_clock_a_year_ahead_moves_nobody_into_the_future(shop, http, key):
    ahead = CALL | {"timestamp": "2027-05-01T12:00:00Z", "sentAt": "2027-05-01T12:00:01Z"}
    assert http.post("/v1/track", json=ahead, headers=basic(key)).status_code == 200
    shop.hear()
    entry = shop.timeline("user_id:u1").entries[0]
    assert entry.occurred_at <= shop.clock.now()


def test_what_was_refused_is_counted(door, http, key):
    http.post("/v1/track", content=b"hello", headers=basic(key))
    http.post("/v1/track", content=GOOD, headers=basic("wrong"))
    assert door.turned_away["", "unknown_key"] == 1
    assert door.turned_away["web", "bad_json"] == 1
