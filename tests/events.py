"""Short ways to say events in tests."""

from __future__ import annotations

from typing import Any

import shopkeeper.domain.events  # noqa: F401
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.event import Event, parse
from shopkeeper.domain.identifier import Identifier
from shopkeeper.shop import Shop

NOW = 1_777_636_800_000_000
"""2026-05-01T12:00:00Z, where the clock of the ``shop`` fixture stands."""
DAY = 86_400_000_000


def event(
    name: str,
    message: str,
    at: int = 0,
    *,
    channel: str = "web",
    ids: dict[str, str] | None = None,
    **properties: Any,
) -> Event:
    """An event ``at`` microseconds before or after NOW."""
    known, more = parse(name, properties)
    return Event(
        name=name,
        message_id=message,
        occurred_at=NOW + at,
        received_at=NOW,
        identifiers=tuple(Identifier(kind, value) for kind, value in (ids or {}).items()),
        properties=known,
        more=more,
        source="test",
        channel=channel,
    )


def order(
    number: str, at: int = 0, *, price: str = "10.00", quantity: int = 1, product: str = "p1", **values: Any
) -> Event:
    """An order of one line."""
    products = [{"product_id": product, "price": price, "quantity": quantity}]
    return event("Order Completed", f"order:{number}", at, order_id=number, products=products, **values)


def put(shop: Shop, *events: Event) -> Outcome:
    """Append events and take them into identities and records."""
    outcome = Outcome()
    shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, events, outcome))
    shop.advance()
    return outcome
