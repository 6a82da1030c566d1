"""Orders that stand, told once or often, cancelled or not: what ``orders(...)`` and ``spend(...)`` count.

The rules are those of ``know.retelling``: an order stands at its first telling's time with its last telling's content;
lines added before the last of several tellings are part of that one already; nothing about a cancelled order counts.
Filters are asked of the event that counts, but what comes back has the channel and the store of its order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from itertools import accumulate
from typing import Final

from msgspec import UNSET, UnsetType

from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.condition.filtering import Filters
from shopkeeper.domain.condition.states import Book, Entry, Points
from shopkeeper.domain.condition.window import ALWAYS

NAMES: Final = frozenset(
    {"Order Completed", "Order Updated", "Order Lines Added", "Order Refunded", "Order Cancelled"}
)
"""Events that orders are made of."""
_TOLD, _ADDED, _BACK, _OFF = range(4)
_KINDS: Final = {
    "Order Completed": _TOLD,
    "Order Updated": _TOLD,
    "Order Lines Added": _ADDED,
    "Order Refunded": _BACK,
    "Order Cancelled": _OFF,
}
_NEVER: Final = 2**62


class Orders:
    """Takes events into a book and works out what they come to: how many orders, or how much."""

    def __init__(self, filters: Filters, *, counting: bool) -> None:
        self.filters = filters
        self.counting = counting

    def add(self, book: Book, event: EventFacts) -> bool:
        """Take an event in; whether it can matter."""
        entry = self._entry(event)
        if entry is None:
            return False
        insort(book.entries, entry)
        book.points = UNSET
        return True

    def alone(self, event: EventFacts) -> int | None:
        """What an event adds of whose order nothing else is ever told: one order, or minor units; None for nothing.

        It is what a book with this one event comes to.
        """
        told, filters = event.told, self.filters
        kind = _KINDS[event.name]
        if kind == _OFF or _says_nothing(event) or (self.counting and kind != _TOLD):
            return None
        if not (filters.rest(event) and filters.place(event)):
            return None
        currency = "" if told.currency == filters.catalogue.currency else told.currency
        if self.counting:
            amount = told.amount or 0
            met = filters.line_met(event) and (
                not filters.amounts or filters.amount_met(filters.minor(amount, currency, event.at))
            )
            return 1 if met else None
        money = sum(filters.minor(amount, currency, event.at) or 0 for amount in self._amounts(event))
        return -money if kind == _BACK else money

    def _amounts(self, event: EventFacts) -> tuple[int, ...]:
        lines = self.filters.lines
        if lines is None or self.counting:
            return (event.told.amount or 0,)
        category = self.filters.category
        return tuple(
            one.amount for one in event.lines if lines(one.product_id, category(one.category, one.product_id))
        )

    def _entry(self, event: EventFacts) -> Entry | None:
        told = event.told
        kind = _KINDS[event.name]
        updated = event.name == "Order Updated"
        if (kind == _OFF and not told.order_id) or _says_nothing(event):
            return None
        return Entry(
            event.at,
            1 if updated else 0,
            told.amount or 0,
            event.key,
            kind,
            told.order_id,
            "" if told.currency == self.filters.catalogue.currency else told.currency,
            self.filters.rest(event),
            self.filters.place(event),
            self.filters.line_met(event),
            self._amounts(event),
        )

    def points(self, book: Book, now: int) -> Points:
        """What the events up to now come to; kept until one more is heard or its time comes."""
        known = book.points
        if not isinstance(known, UnsetType) and known.begin <= now < known.end:
            return known
        entries = book.entries
        heard = bisect_right(entries, now, key=lambda entry: entry.at)
        begin = entries[heard - 1].at if heard else ALWAYS
        end = entries[heard].at if heard < len(entries) else _NEVER
        found = sorted(self._count(entries[:heard]) if self.counting else self._sum(entries[:heard]))
        book.points = Points(
            begin, end, [at for at, _ in found], [0, *accumulate(value for _, value in found)]
        )
        return book.points

    def value(self, book: Book, low: int, high: int, now: int) -> int:
        """The sum of what lies from ``low`` to before ``high``: orders, or minor units."""
        points = self.points(book, now)
        return points.sums[bisect_left(points.times, high)] - points.sums[bisect_left(points.times, low)]

    def _count(self, entries: list[Entry]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for tellings, others in _by_order(entries):
            if not tellings:
                continue
            first, last = tellings[0], tellings[-1]
            added = [one for one in others if one.kind == _ADDED and _beyond(one, tellings)]
            line = last.line or any(one.line for one in added)
            if last.rest and last.place and line and self._amount_met(first, last, added):
                found.append((first.at, 1))
        return found

    def _amount_met(self, first: Entry, last: Entry, added: list[Entry]) -> bool:
        if not self.filters.amounts:
            return True
        parts = [self.filters.minor(last.told, last.currency, first.at)]
        parts += [self.filters.minor(one.told, one.currency, one.at) for one in added]
        known = [part for part in parts if part is not None]
        return self.filters.amount_met(sum(known) if len(known) == len(parts) else None)

    def _sum(self, entries: list[Entry]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for tellings, others in _by_order(entries):
            last = tellings[-1] if tellings else None
            if last is not None and last.rest and last.place:
                found.append((tellings[0].at, self._money(last, tellings[0].at)))
            for one in others:
                place = last.place if last is not None and one.kind == _BACK else one.place
                if one.rest and place and (one.kind == _BACK or _beyond(one, tellings)):
                    found.append((one.at, self._money(one, one.at) * (-1 if one.kind == _BACK else 1)))
        return found

    def _money(self, entry: Entry, at: int) -> int:
        return sum(self.filters.minor(amount, entry.currency, at) or 0 for amount in entry.amounts)


def _says_nothing(event: EventFacts) -> bool:
    """Whether it updates no order, or says nothing of what is in it."""
    told = event.told
    return event.name == "Order Updated" and not (told.order_id and (event.lines or told.amount))


def _beyond(added: Entry, tellings: list[Entry]) -> bool:
    """Whether added lines are not part of the last of several tellings already."""
    return len(tellings) < 2 or added.at >= tellings[-1].at


def _by_order(entries: list[Entry]) -> list[tuple[list[Entry], list[Entry]]]:
    """Tellings, and what was added or came back, of each order that is not cancelled; without a number each alone."""
    orders: dict[str, tuple[list[Entry], list[Entry]]] = {}
    alone: list[tuple[list[Entry], list[Entry]]] = []
    off: set[str] = set()
    for entry in entries:
        if entry.kind == _OFF:
            off.add(entry.order_id)
            continue
        if entry.order_id:
            of = orders.setdefault(entry.order_id, ([], []))
        else:
            of = ([], [])
            alone.append(of)
        of[entry.kind != _TOLD].append(entry)
    return [of for order_id, of in orders.items() if order_id not in off] + alone
