"""Behaviour terms: what each listens to, what is kept for it, what it is worth now, and when time alone changes that.

A term's state is a pure function of the customer's events, in whatever order they come; each must be given once.
``settle`` forgets what cannot matter any more: after it, the state is asked of no earlier instant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from typing import Any, Final

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition import orderbook, tree
from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.condition.filtering import Filters
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.states import Book, Sequence, State, Tally, Times
from shopkeeper.domain.condition.window import ALWAYS, Range, soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.domain.money import exponent

_HOUR: Final = DAY // 24


class Term(ABC):
    """A behaviour, ready to listen. ``key`` is its one text: terms of one text are one term."""

    key: str
    names: frozenset[str]
    """The events it listens to."""

    def __init__(self, behaviour: tree.Behaviour, catalogue: Catalogue, zone: Zone) -> None:
        self.key = sql(behaviour)
        self.deed = behaviour.deed
        self.names = frozenset(behaviour.names)
        self.range = Range(behaviour.window, zone)
        self.filters = Filters(behaviour.filters, catalogue)

    @abstractmethod
    def new(self) -> State:
        """What is kept of somebody of whom nothing was heard."""

    @abstractmethod
    def add(self, state: Any, event: EventFacts) -> bool:
        """Take an event in; whether it changed anything."""

    @abstractmethod
    def value(self, state: Any, now: int) -> Any:
        """A count, an amount in units of the reporting currency, or an instant or None."""

    @abstractmethod
    def next_change(self, state: Any, now: int) -> int | None:
        """The earliest instant after now at which time alone may change the value; None for never."""

    def settle(self, state: Any, now: int) -> None:  # noqa: B027 - some forget nothing
        """Forget what cannot matter at ``now`` or later."""

    def heeds(self, event: EventFacts) -> bool:
        """Whether an event changes what is kept."""
        return event.name in self.names and self.filters.met(event)


def take(state: Tally | Times, at: int) -> None:
    """Take in when something was that is counted."""
    insort(state.ahead if isinstance(state, Tally) else state.times, at)


class Lasting(Term):
    """Counts, firsts and lasts in a window that stands still, or in none."""

    def new(self) -> Tally:
        """Nothing."""
        return Tally()

    def add(self, state: Tally, event: EventFacts) -> bool:
        """Take an event in."""
        if not self.heeds(event):
            return False
        take(state, event.at)
        return True

    @property
    def whenever(self) -> bool:
        """Whether it is all the same when something happened."""
        return self.range.since.at(0) == ALWAYS and self.range.before is None

    def heeds(self, event: EventFacts) -> bool:
        """Whether an event counts, once it has happened."""
        return super().heeds(event) and self.range.holds(event.at)

    def value(self, state: Tally, now: int) -> int | None:
        """How many, or when."""
        ahead = state.ahead
        reached = bisect_right(ahead, now) if ahead else 0
        if self.deed == "events":
            return state.count + reached
        if not reached:
            return state.first if self.deed == "first" else state.last
        if self.deed == "first":
            return ahead[0] if state.first is None else min(state.first, ahead[0])
        return ahead[reached - 1] if state.last is None else max(state.last, ahead[reached - 1])

    def next_change(self, state: Tally, now: int) -> int | None:
        """When the next that was dated ahead happens."""
        reached = bisect_right(state.ahead, now)
        return state.ahead[reached] if reached < len(state.ahead) else None

    def settle(self, state: Tally, now: int) -> None:
        """Take what has happened into the count."""
        reached = bisect_right(state.ahead, now)
        if reached:
            past = state.ahead[:reached]
            state.count += reached
            state.first = past[0] if state.first is None else min(state.first, past[0])
            state.last = past[-1] if state.last is None else max(state.last, past[-1])
            del state.ahead[:reached]


class Windowed(Term):
    """Counts, firsts and lasts in a window that moves."""

    def new(self) -> Times:
        """Nothing."""
        return Times()

    def add(self, state: Times, event: EventFacts) -> bool:
        """Take an event in."""
        if not self.heeds(event):
            return False
        take(state, event.at)
        return True

    def value(self, state: Times, now: int) -> int | None:
        """How many, or when."""
        times = state.times
        if not times:
            return 0 if self.deed == "events" else None
        low, high = self.range.bounds(now)
        begin, end = bisect_left(times, low), bisect_left(times, high)
        if self.deed == "events":
            return end - begin if end > begin else 0
        if begin >= end:
            return None
        return times[begin] if self.deed == "first" else times[end - 1]

    def next_change(self, state: Times, now: int) -> int | None:
        """When one leaves the window or another enters it."""
        times = state.times
        low, high = self.range.bounds(now)
        begin, end = bisect_left(times, low), bisect_left(times, high)
        leaving = None
        if begin < end:
            leaving = self.range.leaves(times[end - 1 if self.deed == "last" else begin], now)
        end = max(begin, end)
        return soonest(leaving, self.range.enters(times[end], now) if end < len(times) else None)

    def settle(self, state: Times, now: int) -> None:
        """Forget what the window has passed."""
        del state.times[: bisect_left(state.times, self.range.since.at(now))]


class Heard:
    """When events were heard of: a part of what a term keeps."""

    def __init__(self, names: frozenset[str], filters: Filters) -> None:
        self.names = names
        self.filters = filters

    def new(self) -> Times:
        """Nothing."""
        return Times()

    def heeds(self, event: EventFacts) -> bool:
        """Whether it is one of them."""
        return event.name in self.names and self.filters.met(event)

    def add(self, state: Times, event: EventFacts) -> bool:
        """Take an event in."""
        if not self.heeds(event):
            return False
        take(state, event.at)
        return True

    def settle(self, state: Any, now: int) -> None:
        """Nothing: whose part it is knows what may be forgotten."""


class Followed(Term):
    """Counts of what something followed, or did not."""

    def __init__(self, behaviour: tree.Behaviour, catalogue: Catalogue, zone: Zone) -> None:
        super().__init__(behaviour, catalogue, zone)
        then = behaviour.then
        if then is None:
            raise TypeError(behaviour)  # pragma: no cover - 'term' chooses
        self.never = then.never
        self.within = (then.days or 0) * DAY + (then.hours or 0) * _HOUR
        self.then = then.name
        self.own = frozenset(behaviour.names)
        self.names = self.own | {then.name}
        self.then_filters = Filters(then.filters, catalogue)

    def new(self) -> Sequence:
        """Nothing."""
        return Sequence()

    def add(self, state: Sequence, event: EventFacts) -> bool:
        """Take an event in, as one or the other or both."""
        changed = False
        if self._begins(event):
            insort(state.times, event.at)
            changed = True
        if self._follows(event):
            insort(state.then, event.at)
            changed = True
        return changed

    def _begins(self, event: EventFacts) -> bool:
        return event.name in self.own and self.filters.met(event)

    def _follows(self, event: EventFacts) -> bool:
        return event.name == self.then and self.then_filters.met(event)

    def heeds(self, event: EventFacts) -> bool:
        """Whether an event is one or the other."""
        return self._begins(event) or self._follows(event)

    def apart(self) -> tuple[Heard, Heard]:
        """What it keeps, in two: when it happened, and when what was to follow did, which other terms may share."""
        return Heard(self.own, self.filters), Heard(frozenset({self.then}), self.then_filters)

    def value(self, state: Sequence, now: int) -> int:
        """How many were followed in time, or were not and the time is over."""
        times, then, within = state.times, state.then, self.within
        low, high = self.range.bounds(now)
        count = 0
        for at in times[bisect_left(times, low) : bisect_left(times, high)]:
            place = bisect_right(then, at)
            followed = place < len(then) and then[place] < at + within and then[place] <= now
            count += (not followed and now >= at + within) if self.never else followed
        return count

    def next_change(self, state: Sequence, now: int) -> int | None:
        """When a time is over, an event dated ahead happens, or one leaves or enters the window."""
        times, then = state.times, state.then
        low, high = self.range.bounds(now)
        begin, end = bisect_left(times, low), bisect_left(times, high)
        leaving = self.range.leaves(times[begin], now) if begin < end else None
        end = max(begin, end)
        entering = self.range.enters(times[end], now) if end < len(times) else None
        waiting = bisect_right(times, now - self.within)
        over = times[waiting] + self.within if self.never and waiting < len(times) else None
        ahead = bisect_right(then, now)
        return soonest(leaving, entering, over, then[ahead] if ahead < len(then) else None)

    def settle(self, state: Sequence, now: int) -> None:
        """Forget what the window has passed."""
        low = self.range.since.at(now)
        del state.times[: bisect_left(state.times, low)]
        del state.then[: bisect_left(state.then, low)]


class Bought(Term):
    """Orders that stand, and what was spent."""

    def __init__(self, behaviour: tree.Behaviour, catalogue: Catalogue, zone: Zone) -> None:
        super().__init__(behaviour, catalogue, zone)
        self.names = orderbook.NAMES
        self.orders = orderbook.Orders(self.filters, counting=self.deed == "orders")
        self.scale = 10.0 ** exponent(catalogue.currency)
        """Minor units of one unit."""

    def new(self) -> Book:
        """Nothing."""
        return Book()

    def add(self, state: Book, event: EventFacts) -> bool:
        """Take an event in."""
        return event.name in self.names and self.orders.add(state, event)

    def value(self, state: Book, now: int) -> int | float:
        """How many, or how much."""
        if not state.entries:
            return 0
        low, high = self.range.bounds(now)
        found = self.orders.value(state, low, max(low, high), now)
        return found if self.deed == "orders" else found / self.scale

    def next_change(self, state: Book, now: int) -> int | None:
        """When one leaves or enters the window, or what was dated ahead happens."""
        points = self.orders.points(state, now)
        low, high = self.range.bounds(now)
        begin, end = bisect_left(points.times, low), bisect_left(points.times, high)
        leaving = self.range.leaves(points.times[begin], now) if begin < end else None
        end = max(begin, end)
        entering = self.range.enters(points.times[end], now) if end < len(points.times) else None
        ahead = bisect_right(state.entries, now, key=lambda entry: entry.at)
        return soonest(leaving, entering, state.entries[ahead].at if ahead < len(state.entries) else None)


def term(behaviour: tree.Behaviour, catalogue: Catalogue, zone: Zone | None = None) -> Term:
    """The term of a behaviour from a condition's *meaning*."""
    kind: Callable[[tree.Behaviour, Catalogue, Zone], Term]
    if behaviour.deed in ("orders", "spend"):
        kind = Bought
    elif behaviour.then is not None:
        kind = Followed
    else:
        zone = zone or Zone(catalogue.zone)
        kind = Lasting if Range(behaviour.window, zone).still else Windowed
    return kind(behaviour, catalogue, zone or Zone(catalogue.zone))
