"""What behaviours count of one customer, kept in ``held.Held``: events as they come, or all of them from the log."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from shopkeeper.domain.condition import orderbook
from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.condition.states import Tally, Times
from shopkeeper.domain.condition.terms import take
from shopkeeper.know.live.held import Held, Sums, sums_of
from shopkeeper.know.live.network import Network
from shopkeeper.know.live.operands import Operand

ORDERS: Final = 0
"""In ``Held.following``: when an order's event that was dated ahead comes to count, so that orders are read anew."""
_NONE: Final[frozenset[int]] = frozenset()


class Hearing:
    """Counts as of one instant."""

    def __init__(self, network: Network, now: int) -> None:
        self.network = network
        self.now = now

    def hear(
        self,
        held: Held,
        events: Sequence[EventFacts],
        orders: Sequence[EventFacts] | None,
        look: Callable[[Iterable[Operand]], None],
    ) -> set[int]:
        """Count events; ``look`` is told of what is about to change. Returns which behaviours events concerned."""
        network = self.network
        touched: set[int] = set()
        anew: Collection[int] = ()
        if orders is not None:
            anew = network.bought
            for key in anew:
                look(network.counts[key].operands)
            touched |= network.bought
            self._orders(held, orders)
        counts, states = network.counts, held.states
        for event in events:
            surely = network.listening.surely.get(event.name, _NONE)
            for key in network.listening.concerned(event):
                if key in anew:
                    continue
                count, worth = counts[key], 0
                if count.bought:
                    worth = count.alone(event) or 0
                    if not worth:
                        continue
                elif not (key in surely and count.whenever) and not count.term.heeds(event):
                    continue
                if key not in touched:
                    look(count.operands)
                    touched.add(key)
                if count.followed:
                    look([one for one in count.followed if one.count in states])
                if count.bought:
                    self._bought(held, key, event.at, worth)
                else:
                    self._add(held, key, event.at)
        return touched

    def read(self, held: Held, events: Iterable[EventFacts], counts: Collection[int]) -> None:
        """Count some behaviours from the beginning. Of orders, those of which anything concerns a behaviour."""
        network = self.network
        told: dict[int, dict[str, None]] = defaultdict(dict)
        alone: dict[int, list[EventFacts]] = defaultdict(list)
        by_order: dict[str, list[EventFacts]] = defaultdict(list)
        for event in events:
            number = event.told.order_id if event.name in orderbook.NAMES else ""
            if number:
                by_order[number].append(event)
            for key in network.listening.concerned(event):
                if key not in counts:
                    continue
                if key not in network.bought:
                    if network.counts[key].term.heeds(event):
                        self._add(held, key, event.at)
                elif number:
                    told[key][number] = None
                else:
                    alone[key].append(event)
        for key in told.keys() | alone.keys():
            orders = [by_order[number] for number in told.get(key, ())]
            once = [some[0] for some in orders if len(some) == 1]
            whole = [event for some in orders if len(some) > 1 for event in some]
            self._book(held, key, whole, [*once, *alone.get(key, ())])
        bought = [event for some in (*by_order.values(), *alone.values()) for event in some]
        ahead = [event.at for event in bought if event.at > self.now]
        if ahead and (told or alone):
            held.following[ORDERS] = min(ahead)

    def settle(self, held: Held, touched: Iterable[int]) -> None:
        """Forget what cannot matter any more of the behaviours that changed."""
        states, now = held.states, self.now
        for key in touched:
            state = states.get(key)
            if state is None:
                continue
            count = self.network.counts[key]
            if type(state) is Sums:
                gone = bisect_left(state.times, count.low(now))
                del state.times[:gone], state.values[:gone]
                empty = not state.times
            elif type(state) is Times:
                del state.times[: bisect_left(state.times, count.low(now))]
                empty = not state.times
            else:
                count.term.settle(state, now)
                empty = _nothing(state)
            if empty:
                del states[key]

    def _orders(self, held: Held, events: Iterable[EventFacts]) -> None:
        """Read what was bought anew, from all events of orders."""
        held.following.pop(ORDERS, None)
        for key in self.network.bought:
            held.states.pop(key, None)
        self.read(held, events, self.network.bought)

    def _book(self, held: Held, key: int, events: Sequence[EventFacts], once: Iterable[EventFacts]) -> None:
        """Work out what orders come to, of which these are all events; ``once`` are orders of one event each."""
        count = self.network.counts[key]
        term: Any = count.term
        found = [(event.at, worth) for event in once if (worth := count.alone(event))]
        if events:
            book = term.new()
            for event in events:
                term.add(book, event)
            sums = sums_of(book, term.orders.points(book, self.now))
            if sums is not None:
                found += zip(sums.times, sums.values, strict=True)
        if found:
            found.sort()
            held.states[key] = Sums([at for at, _ in found], [worth for _, worth in found])

    def _add(self, held: Held, key: int, at: int) -> None:
        """Add when something was that a behaviour heeds."""
        state: Any = held.states.get(key)
        if state is None:
            new: Any = self.network.counts[key].term.new()
            state = held.states[key] = new
        take(state, at)

    def _bought(self, held: Held, key: int, at: int, worth: int) -> None:
        """Add an order of which nothing was heard before: what it comes to does not depend on any other."""
        sums: Any = held.states.get(key)
        if sums is None:
            held.states[key] = sums = Sums()
        place = bisect_right(sums.times, at)
        sums.times.insert(place, at)
        sums.values.insert(place, worth)


def _nothing(state: Any) -> bool:
    if type(state) is Tally:
        return not (state.count or state.ahead or state.first is not None)
    return not state.times
