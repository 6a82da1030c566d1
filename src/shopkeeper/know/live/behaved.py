"""Counts of events in a moving window, and orders and what was spent: the operands that most events change.

They read what is kept of a customer as it lies there, and say when time alone changes how they compare from the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.terms import Bought, Term, Windowed
from shopkeeper.domain.condition.window import Range, soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.know.live.atoms import DAYS, INSTANT, LIST, NUMBER, TEXT, Atom
from shopkeeper.know.live.operands import Days, Get, Instants, Lists, Numbers, Operand, Words

if TYPE_CHECKING:
    from shopkeeper.know.live.held import Sums
    from shopkeeper.know.live.person import Person

_TRIES: Final = 32
"""Things that leave a window looked at for one that matters; the next is then waited for, whether it does or not."""


class Counting(Numbers):
    """How many events lie in a window that moves."""

    def __init__(self, kind: str, node: tree.Value, get: Get, term: Term) -> None:
        super().__init__(kind, node, get, term)
        self.value = self._value
        self.range: Range = term.range

    def _value(self, facts: Person, now: int) -> int:
        state = facts.states.get(self.count)
        if state is None:
            return 0
        times: list[int] = state.times
        low, high = self.range.bounds(now)
        end = len(times) if not times or times[-1] < high else bisect_left(times, high)
        return max(0, end - bisect_left(times, low))

    def look(self, facts: Person, now: int) -> tuple[int, int | None]:
        """When so many have left the window that it falls below a bound, or one enters."""
        state = facts.states.get(self.count)
        if state is None or not state.times:
            return self.nothing, None
        times: list[int] = state.times
        low, high = self.range.bounds(now)
        begin = bisect_left(times, low)
        if times[-1] < high:
            end, found = len(times), None
        else:
            end = max(begin, bisect_left(times, high))
            found = self.range.enters(times[end], now) if end < len(times) else None
        met = bisect_right(self.bounds, end - begin)
        if met and end > begin:
            least = ceil(self.bounds[met - 1])
            if 0 < least <= end - begin:
                found = soonest(found, self.range.leaves(times[end - least], now))
        return self.masks[met], found

    def following(self, facts: Person, value: Any, now: int) -> int | None:  # noqa: ARG002 - as for every operand
        """The same as ``look`` says."""
        return self.look(facts, now)[1]


class Buying(Numbers):
    """How many orders, or how much was spent."""

    def __init__(self, kind: str, node: tree.Value, get: Get, term: Bought) -> None:
        super().__init__(kind, node, get, term)
        self.value = self._value
        self.range: Range = term.range
        self._scale = None if term.deed == "orders" else term.scale

    def _value(self, facts: Person, now: int) -> float:
        sums: Sums | None = facts.states.get(self.count)
        if sums is None:
            return 0
        low, high = self.range.bounds(now)
        return self._worth(sum(sums.values[bisect_left(sums.times, low) : bisect_left(sums.times, high)]))

    def _worth(self, total: int) -> float:
        return total if self._scale is None else total / self._scale

    def look(self, facts: Person, now: int) -> tuple[int, int | None]:
        """When what has left the window makes it cross a bound, or something enters."""
        sums: Sums | None = facts.states.get(self.count)
        if sums is None:
            return self.nothing, None
        times, values = sums.times, sums.values
        low, high = self.range.bounds(now)
        begin, end = bisect_left(times, low), bisect_left(times, high)
        end = max(begin, end)
        found = self.range.enters(times[end], now) if end < len(times) else None
        total = sum(values[begin:end])
        was = bisect_right(self.bounds, self._worth(total))
        mask = self.masks[was]
        for place in range(begin, end):
            leaves = self.range.leaves(times[place], now)
            if leaves is None:
                break
            total -= values[place]
            if place - begin >= _TRIES or bisect_right(self.bounds, self._worth(total)) != was:
                return mask, soonest(found, leaves)
        return mask, found

    def following(self, facts: Person, value: Any, now: int) -> int | None:  # noqa: ARG002 - as for every operand
        """The same as ``look`` says."""
        return self.look(facts, now)[1]


def operand_of(atom: Atom, get: Get, zone: Zone, *, of_day: bool, term: Term | None) -> Operand:
    """The operand that an atom compares."""
    on, kind = atom.on, atom.kind
    if on is None:
        raise TypeError(atom)  # pragma: no cover - the network asks for simple atoms only
    if kind == NUMBER:
        if isinstance(term, Bought):
            return Buying(kind, on, get, term)
        if isinstance(term, Windowed):
            return Counting(kind, on, get, term)
        return Numbers(kind, on, get, term)
    if kind == DAYS:
        return Days(kind, on, get, zone, term)
    if kind == INSTANT:
        return Instants(kind, on, get, zone, of_day=of_day, term=term)
    if kind in (TEXT, LIST):
        return (Words if kind == TEXT else Lists)(kind, on, get)
    return Operand(kind, on, get, term)
