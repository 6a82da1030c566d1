"""However calls come in over HTTP (order, batches, compression, some of them twice), the shop is the same.

What a sender tells is drawn as a *world*: calls of every kind about people who share cookies, cards and addresses.
How it comes in is a *road*: the order of arrival, where it is cut into requests, which of them are single calls, which
are compressed, which come again because the answer was lost, and when the worker takes in what waits. Every road must
lead to the shop that was told all of it in one batch, in the order in which it happened.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import shopkeeper
from shopkeeper.know.fold import unpack
from shopkeeper.shop import Shop
from shopkeeper.shop.working import Worker

Call = dict[str, Any]
Serving = Callable[..., Any]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PEOPLE = 6
BAD: tuple[Call, ...] = (
    {"type": "dance"},
    {"type": "track", "event": ""},
    {"type": "page", "timestamp": "late"},
)


def world(seed: int, size: int) -> list[Call]:
    """Calls of every kind, in the order in which they happened."""
    chance = random.Random(seed)
    minutes = sorted(chance.sample(range(60 * 24 * 60), size), reverse=True)
    return [_call(chance, n, NOW - timedelta(minutes=before)) for n, before in enumerate(minutes)]


def _call(chance: random.Random, n: int, at: datetime) -> Call:
    who = chance.randrange(PEOPLE)
    other = chance.choice((who, who, who, chance.randrange(PEOPLE)))
    ids = {"userId": f"u{who}", "anonymousId": f"cookie-{other}"}
    call = {key: value for key, value in ids.items() if chance.random() < 0.7} or {
        "anonymousId": f"cookie-{who}"
    }
    call |= {"messageId": f"m{n}", **_stamps(chance, at)}
    if chance.random() < 0.1:
        del call["messageId"]  # the shop makes one of what the call says
    return call | _told(chance, n, who, other)


def _stamps(chance: random.Random, at: datetime) -> Call:
    """When it happened: by a clock that is right, or by one that is wrong and says how late it is by itself."""
    if chance.random() < 0.7:
        return {"timestamp": at.isoformat()}
    wrong = timedelta(hours=chance.randrange(-2000, 2000))
    return {"originalTimestamp": (at + wrong).isoformat(), "sentAt": (NOW + wrong).isoformat()}


def _told(chance: random.Random, n: int, who: int, other: int) -> Call:
    line = {
        "product_id": f"p{other}",
        "price": f"{chance.randrange(1, 99)}.005",
        "quantity": chance.randrange(1, 4),
    }
    number = f"o{chance.randrange(n + 1)}"
    kind = chance.choice(("identify", "page", "screen", "group", "alias", "order", "order", "refund", "track", "track",
                          "consent", "contact", "bad"))  # fmt: skip
    return {
        "identify": {"type": "identify", "traits": {"email": f"e{other}@example.com", "first_name": f"Name{n}"}},
        "page": {"type": "page", "name": "Home", "context": {"page": {"path": f"/{n}"}}},
        "screen": {"type": "screen", "name": "Basket", "context": {"device": {"id": f"phone-{other}"}}},
        "group": {"type": "group", "groupId": f"firm{who}"},
        "alias": {"type": "alias", "userId": f"u{who}", "previousId": chance.choice((f"old-{other}", OLD))},
        "order": {"type": "track", "event": "Order Completed", "properties": {
            "order_id": f"o{n}", "products": [line, {**line, "product_id": "p-post", "quantity": 1}],
            "loyalty_card": f"card-{other}"}},
        "refund": {"type": "track", "event": "Order Refunded", "properties": {"order_id": number, "products": [line]}},
        "track": {"type": "track", "event": "Product Viewed", "properties": {"product_id": f"p{who}"}},
        "consent": {"type": "track", "event": chance.choice(("Consent Given", "Consent Withdrawn")),
                    "properties": {"purpose": "marketing_email"}},
        "contact": {"type": "track", "event": chance.choice(("Contact Opened", "Contact Closed")),
                    "properties": {"contact_id": f"k{who}", "reason": "complaint"}},
        "bad": chance.choice(BAD),
    }[kind]  # fmt: skip


class Road:
    """How calls come in."""

    def __init__(self, seed: int, calls: list[Call]) -> None:
        chance = self.chance = random.Random(seed)
        arrived = list(calls)
        chance.shuffle(arrived)
        again = [c for c in arrived if not _refused(c)]  # what is refused counts each time that it is sent
        arrived += chance.sample(again, len(again) // 3)
        self.repeated = len(arrived) - len(calls)
        cuts = sorted(
            {0, len(arrived), *(chance.randrange(len(arrived) + 1) for _ in range(chance.randrange(12)))}
        )
        self.pieces = [arrived[start:end] for start, end in pairwise(cuts)]

    def requests(self) -> Iterator[list[tuple[str, bytes]]]:
        """The requests of each piece, as path and body: a batch, or as many single calls."""
        for piece in self.pieces:
            if self.chance.random() < 0.4:
                yield [self._single(call) for call in piece]
            else:
                yield [("/v1/batch", self._packed({"batch": piece}))]

    def _single(self, call: Call) -> tuple[str, bytes]:
        kind = call["type"]
        if kind == "dance" or self.chance.random() < 0.3:
            return "/v1/batch", self._packed({"batch": [call]})
        return f"/v1/{kind}", self._packed({key: value for key, value in call.items() if key != "type"})

    def _packed(self, body: Any) -> bytes:
        plain = json.dumps(body).encode()
        return gzip.compress(plain) if self.chance.random() < 0.5 else plain


def _refused(call: Call) -> bool:
    return call["type"] == "dance" or call.get("event") == "" or call.get("timestamp") == "late"


class Till:
    """One sender with a connection of its own; every answer must be 200."""

    def __init__(self, address: str, key: str) -> None:
        url = urlsplit(address)
        self.line = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
        self.headers = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
                        "content-type": "application/json"}  # fmt: skip

    def send(self, path: str, body: bytes) -> None:
        packed = {"content-encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
        self.line.request("POST", path, body, self.headers | packed)
        answer = self.line.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"success":true}')

    def close(self) -> None:
        self.line.close()


@contextmanager
def told(served: Serving) -> Iterator[tuple[Shop, str, str]]:
    """A new shop behind a server: the shop, its address and a write key."""
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "shop", now=NOW.isoformat()) as shop,
    ):
        key = shop.add_source("web", "tracking")
        with served(shop) as address:
            yield shop, address, key


def straight(served: Serving, calls: list[Call]) -> dict[str, Any]:
    """What a shop knows that was told everything in one batch and in order."""
    with told(served) as (shop, address, key), closing(Till(address, key)) as till:
        till.send("/v1/batch", json.dumps({"batch": calls}).encode())
        shop.hear()
        return known(shop)


def by_road(served: Serving, road: Road) -> dict[str, Any]:
    """What a shop knows that was told by a road, taken in on the way now and then."""
    with told(served) as (shop, address, key), closing(Till(address, key)) as till:
        for requests in road.requests():
            for path, body in requests:
                till.send(path, body)
            if road.chance.random() < 0.5:
                shop.hear()
        shop.hear()
        (web,) = shop.flow().sources
        assert web.repeated == road.repeated
        live = known(shop)
        shop.rebuild()
        assert known(shop) == live, "a rebuild gives the identical customers"
        return live


def known(shop: Shop) -> dict[str, Any]:
    """All that must not depend on the road; customers by their identifiers, as their numbers tell who came first."""
    with shop.places.ledger.read() as reader:
        members = [row for chunk in reader.all_members() for row in chunk]
        marks = {
            row.node: f"{row.kind}:{shop.places.vault.unseal(row.salt, row.sealed)}"
            for row in reader.identifiers([node for node, *_ in members])
        }
        records = {
            row.customer: (unpack(row.body), row[2:]) for chunk in reader.all_records() for row in chunk
        }
        log = sorted((row.name, row.occurred_at, row.key) for row in reader.log_after(0, 10_000))
    parts: dict[int, set[tuple[str, bool]]] = {}
    for node, customer, _, shared in members:
        parts.setdefault(customer, set()).add((marks[node], shared))
    customers = {}
    for customer, part in parts.items():
        record, figures = records.get(customer, (None, ()))
        if record is not None:
            record.standings = {  # by numbers of nodes
                purpose: {marks[node]: said for node, said in by_node.items()}  # type: ignore[misc]
                for purpose, by_node in record.standings.items()
            }
        customers[frozenset(part)] = (
            msgspec.to_builtins(record, builtin_types=(bytes,)),
            figures,
            shown(shop, customer) if record is not None else None,
        )
    (web,) = shop.flow().sources
    return {
        "customers": customers,
        "log": log,
        "quarantine": Counter(row.reason for row in shop.quarantine(limit=1000)),
        "heard": {"kept": web.kept, "refused": web.refused, "received": web.received - web.repeated},
    }


def shown(shop: Shop, customer: int) -> Any:
    """What a person sees of a customer: the profile, and everything that happened."""
    seen = msgspec.to_builtins(shop.customer(f"c{customer}"))
    seen["identifiers"] = sorted(
        (one["kind"], one["value"], one["first_seen"]) for one in seen["identifiers"]
    )
    happened = sorted(
        (entry.occurred_at, entry.sentence, entry.channel)
        for entry in shop.timeline(f"c{customer}", limit=100).entries
    )
    return {field: value for field, value in seen.items() if field != "id"}, happened


@settings(max_examples=8, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 2**32), size=st.integers(1, 60), ways=st.integers(0, 2**32))
def test_every_road_leads_to_the_same_shop(served: Serving, seed: int, size: int, ways: int) -> None:
    calls = world(seed, size)
    assert by_road(served, Road(ways, calls)) == straight(served, calls)


OLD = "0f8fad5b-d9cb-469f-a165-70867728950e"
"""Of the form that clients draw for who is not known yet."""
STORY: list[Call] = [
    {"type": "page", "messageId": "1", "anonymousId": "cookie", "timestamp": "2026-04-01T10:00:00Z", "name": "Home"},
    {"type": "identify", "messageId": "2", "anonymousId": "cookie", "userId": "u1", "timestamp": "2026-04-01T10:01:00Z",
     "traits": {"email": "anna@example.com", "first_name": "Ana"}},
    {"type": "track", "messageId": "3", "userId": "u1", "timestamp": "2026-04-01T10:02:00Z", "event": "Order Completed",
     "properties": {"order_id": "o1", "products": [{"product_id": "p1", "price": "7.50", "quantity": 2}]}},
    {"type": "track", "messageId": "4", "userId": "u1", "timestamp": "2026-04-01T10:03:00Z", "event": "Consent Given",
     "properties": {"purpose": "marketing_email"}},
    {"type": "track", "messageId": "5", "userId": "u1", "timestamp": "2026-04-01T10:04:00Z", "event": "Order Refunded",
     "properties": {"order_id": "o1", "products": [{"product_id": "p1", "price": "7.50", "quantity": 1}]}},
    {"type": "track", "messageId": "6", "userId": "u1", "timestamp": "2026-04-01T10:05:00Z",
     "event": "Consent Withdrawn", "properties": {"purpose": "marketing_email"}},
    {"type": "identify", "messageId": "7", "userId": "u1", "timestamp": "2026-04-01T10:06:00Z",
     "traits": {"first_name": "Anna"}},
    {"type": "alias", "messageId": "8", "userId": "u1", "previousId": OLD, "timestamp": "2026-04-01T10:07:00Z"},
]  # fmt: skip


@pytest.mark.parametrize("taken_in", ["each", "at the end"])
def test_a_story_told_backwards_and_twice(served: Serving, taken_in: str) -> None:
    """One road in full, and what it must come to: one order less one return, no consent, the name said last."""
    with told(served) as (shop, address, key), closing(Till(address, key)) as till:
        for call in [*reversed(STORY), *STORY]:
            till.send("/v1/batch", gzip.compress(json.dumps({"batch": [call]}).encode()))
            if taken_in == "each":
                shop.hear()
        shop.hear()
        found = known(shop)
        anna = shop.customer("email:anna@example.com")
        assert shop.customer(f"anonymous_id:{OLD}").id == anna.id == shop.customer("anonymous_id:cookie").id
        assert (anna.traits["orders"], anna.traits["units"], anna.personal["first_name"]) == (1, 1, "Anna")
        assert {said.purpose: said.granted for said in anna.consents} == {"marketing_email": False}
        assert found["heard"] == {"kept": len(STORY), "refused": 0, "received": len(STORY)}
    assert found == straight(served, STORY)


def test_several_senders_at_once_and_a_worker_that_never_rests(served: Serving) -> None:
    """The order of arrival is then nobody's choice."""
    calls = world(7, 160)
    road = Road(8, calls)
    requests = [request for piece in road.requests() for request in piece]
    faults: list[Exception] = []

    def sender(address: str, key: str, mine: list[tuple[str, bytes]]) -> None:
        try:
            with closing(Till(address, key)) as till:
                for path, body in mine:
                    till.send(path, body)
        except Exception as fault:  # noqa: BLE001 - a thread's failure must be the test's
            faults.append(fault)

    with told(served) as (shop, address, key), Worker(shop.places):
        senders = [threading.Thread(target=sender, args=(address, key, requests[n::4])) for n in range(4)]
        for thread in senders:
            thread.start()
        for thread in senders:
            thread.join()
        assert not faults
        shop.hear()
        found = known(shop)
    assert found == straight(served, calls)


@pytest.mark.parametrize("seed", range(3))
def test_the_worlds_are_worth_the_way(served: Serving, seed: int) -> None:
    """Where nobody shares anything, nothing is refused and nobody orders, the same shop would prove little."""
    found = straight(served, world(seed, 60))
    customers = found["customers"]
    assert any(shared for part in customers for _, shared in part)
    assert any(len(part) > 2 for part in customers)
    assert any(record and record.get("standings") for record, *_ in customers.values())
    assert found["quarantine"].total() > 0
    assert found["heard"]["kept"] > 40
