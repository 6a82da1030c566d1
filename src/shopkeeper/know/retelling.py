"""Orders told more than once, and cancelled ones: which of a customer's events count, and with which content.

An order stands at its first telling's time with its last telling's content; lines added before the last of several
tellings are part of that one already. Of tellings of one instant an update is the last, then the larger one. Nothing
about a cancelled order counts, whenever it was heard. ``know.retelling_sql`` and
``know.overview_sql`` tell the same of the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from shopkeeper.domain.customer import OrderMark
from shopkeeper.domain.ordering import FIRST, RANKS
from shopkeeper.know.reducers.buying import OrderRead, called_off, tells_all
from shopkeeper.stores.contract.rows import Folded

Read = Callable[[str, int, bytes], Any]
"""Properties of an event by name, version and payload. May raise ``FAULTS``."""

_TELLING = ("Order Completed", "Order Updated")


class Retelling:
    """What to do with some of a customer's events: ``instead`` by message key, and orders that are off."""

    def __init__(self, events: Iterable[Folded], read: Read, faults: tuple[type[Exception], ...]) -> None:
        self.instead: dict[bytes, OrderRead | None] = {}
        """The content an event counts with, or None for one that does not count."""
        self._off: set[str] = set()
        tellings: dict[str, list[tuple[tuple[int, bytes, int, bytes], Folded, OrderRead]]] = {}
        added: dict[str, list[Folded]] = {}
        for event in events:
            if event.name not in _TELLING and event.name not in ("Order Cancelled", "Order Lines Added"):
                continue
            try:
                order: OrderRead = read(event.name, event.version, event.payload)
            except faults:
                continue  # counted as failed when it is folded
            if not order.order_id:
                continue
            if event.name == "Order Cancelled":
                self._off.add(order.order_id)
            elif event.name == "Order Lines Added":
                added.setdefault(order.order_id, []).append(event)
            elif event.name == "Order Completed" or tells_all(order):
                place = (event.occurred_at, RANKS.get(event.name, FIRST), order.amount, event.key)
                tellings.setdefault(order.order_id, []).append((place, event, order))
        for order_id, told in tellings.items():
            if len(told) > 1 and order_id not in self._off:
                self._settle(sorted(told), added.get(order_id, ()))

    def _settle(
        self, told: list[tuple[tuple[int, bytes, int, bytes], Folded, OrderRead]], added: Iterable[Folded]
    ) -> None:
        _, first, opening = told[0]
        _, last, content = told[-1]
        store, staff = content.store or opening.store, content.staff_id or opening.staff_id
        self.instead.update({event.key: None for _, event, _ in told})
        self.instead[first.key] = replace(content, store=store, staff_id=staff)
        self.instead.update({line.key: None for line in added if line.occurred_at < last.occurred_at})

    def off(self) -> dict[str, OrderMark]:
        """Marks of the cancelled orders, for a record to begin with."""
        return {order_id: called_off() for order_id in self._off}
