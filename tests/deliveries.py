"""Short ways to hand things in, in tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from shopkeeper.domain.delivery import Delivery
from shopkeeper.shop import Shop

_DEADLINE = 120.0
"""Seconds until a test gives up: on a busy machine, too, only what never comes true takes so long."""


def hand_raw(
    shop: Shop,
    body: bytes,
    *,
    source: str = "web",
    format: str = "tracking",  # noqa: A002 - what it is called everywhere
    topic: str = "batch",
    events: int = 1,
    at: int | None = None,
    notes: dict[str, str] | None = None,
    gzipped: bytes | None = None,
) -> None:
    """Hand one body in and wait until it is on disk."""
    on_disk = threading.Event()
    heard: list[Exception | None] = []

    def done(error: Exception | None) -> None:
        heard.append(error)
        on_disk.set()

    delivery = Delivery(
        source=source,
        format=format,
        received_at=shop.hearing.now() if at is None else at,
        body=body,
        topic=topic,
        notes=notes or {},
    )
    shop.hearing.hand_in(delivery, events, done, gzipped=gzipped)
    assert on_disk.wait(_DEADLINE)
    if heard[0] is not None:
        raise heard[0]


def hand(shop: Shop, *calls: dict[str, Any], source: str = "web", **around: Any) -> None:
    """Hand a batch of tracking calls in."""
    hand_raw(shop, msgspec.json.encode({"batch": calls, **around}), source=source, events=len(calls))


def viewed(message: str, user: str = "7", product: str = "p1", **more: Any) -> dict[str, Any]:
    """A call that tells of a product viewed."""
    return {
        "type": "track", "event": "Product Viewed", "messageId": message, "userId": user,
        "timestamp": "2026-05-01T11:00:00Z", "properties": {"product_id": product}, **more,
    }  # fmt: skip


def bought(
    message: str, user: str = "7", *, price: str = "5.00", at: str = "2026-05-01T11:30:00Z"
) -> dict[str, Any]:
    """A call that tells of an order."""
    line = {"product_id": "p1", "name": "Lamp", "price": price, "quantity": 1}
    return {
        "type": "track", "event": "Order Completed", "messageId": message, "userId": user, "timestamp": at,
        "properties": {"order_id": message, "products": [line]},
    }  # fmt: skip


def known(message: str, user: str = "7", email: str = "anna@example.com", **traits: Any) -> dict[str, Any]:
    """A call that tells who somebody is."""
    return {
        "type": "identify", "messageId": message, "userId": user, "timestamp": "2026-05-01T10:00:00Z",
        "traits": {"email": email, **traits},
    }  # fmt: skip


def until(what: Callable[[], Any]) -> Any:
    """Ask until the answer is true; fails after some seconds."""
    end = time.monotonic() + _DEADLINE
    while not (answer := what()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)
    return answer


def everybody(shop: Shop) -> list[tuple[Any, ...]]:
    """Every customer's record by the identifiers that make it, whatever numbers were given."""
    from shopkeeper.know.fold import unpack

    found = []
    with shop.places.ledger.read() as reader:
        for chunk in reader.all_records():
            for record in chunk:
                nodes = [member.node for member in reader.nodes_of([record.customer])]
                marks = sorted(
                    (row.kind, str(shop.places.vault.unseal(row.salt, row.sealed)))
                    for row in reader.identifiers(nodes)
                )
                folded = msgspec.to_builtins(unpack(record.body))
                found.append((marks, _numberless(folded), record.amount, record.orders))
    return sorted(found, key=lambda one: one[0])


def _numberless(record: dict[str, Any]) -> dict[str, Any]:
    """Without the numbers of nodes, which depend on who came first."""
    standings = {
        purpose: sorted(str(standing) for standing in by_node.values())
        for purpose, by_node in record.get("standings", {}).items()
    }
    return {**record, "standings": standings}


def splits(calls: Iterable[Any], sizes: Iterable[int]) -> list[list[Any]]:
    """The calls in pieces of these sizes, the rest in the last."""
    rest, made = list(calls), []
    for size in sizes:
        made.append(rest[:size])
        rest = rest[size:]
    return [piece for piece in (*made, rest) if piece]
