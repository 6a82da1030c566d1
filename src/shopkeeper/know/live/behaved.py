"""Counts of events in a moving window, and orders and what was spent: the operands that most events change.

They read what is kept of a customer as it lies there, and say when time alone changes how they compare from the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.terms import Bought, Term, Windowed
from shopkeeper.domain.condition.window import Fixed, Range, soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.know.live.atoms import DAYS, INSTANT, LIST, NUMBER, TEXT, Atom
from shopkeeper.know.live.instants import Instants
from shopkeeper.know.live.operands import Days, Get, Lists, Numbers, Operand, Words

if TYPE_CHECKING:
    from shopkeeper.know.live.held import Sums
    from shopkeeper.know.live.person import Person

_TRIES: Final = 32
"""Things that leave a window looked at for one that matters; the next is then waited for, whether it does or not."""


class _Window:
    """The bounds of a window: asked of many customers as of one instant."""

    def __init__(self, window: Range) -> None:
        self._of = window.bounds
        self._known: tuple[int | None, tuple[int, int]] = (None, (0, 0))

    def at(self, now: int) -> tuple[int, int]:
        """From where, included, to where, left out, events count."""
        known = self._known
        if known[0] != now:
            known = self._known = (now, self._of(now))
        return known[1]


class Counting(Numbers):
    """How many events lie in a window that moves."""

    def __init__(self, kind: str, node: tree.Value, get: Get, term: Term) -> None:
        super().__init__(kind, node, get, term)
        self.value = self._value
        self.range: Range = term.range
        self._window = _Window(term.range)

    def _value(self, facts: Person, now: int) -> int:
        state = facts.states.get(self.count)
        return 0 if state is None else self._counted(state.times, now)

    def _counted(self, times: list[int], now: int) -> int:
        low, high = self._window.at(now)
        end = len(times) if not times or times[-1] < high else bisect_left(times, high)
        return max(0, end - bisect_left(times, low))

    def allows(self, facts: Person, now: int) -> int:
        """Which rules the present count allows."""
        state = facts.states.get(self.count)
        if state is None:
            return self.nothing
        return self.masks[bisect_right(self.bounds, self._counted(state.times, now))]

    def look(self, facts: Person, now: int) -> tuple[int, int | None]:
        """When so many have left the window that it falls below a bound, or one enters."""
        state = facts.states.get(self.count)
        if state is None or not state.times:
            return self.nothing, None
        times: list[int] = state.times
        low, high = self._window.at(now)
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
        self._window = _Window(term.range)
        self._scale = 1 if term.deed == "orders" else term.scale
        self._stays = isinstance(term.range.since, Fixed)
        """Whether what has entered never leaves."""

    def _value(self, facts: Person, now: int) -> float:
        sums: Sums | None = facts.states.get(self.count)
        return 0 if sums is None else self._summed(sums, now)

    def _summed(self, sums: Sums, now: int) -> float:
        low, high = self._window.at(now)
        return sum(sums.values[bisect_left(sums.times, low) : bisect_left(sums.times, high)]) / self._scale

    def allows(self, facts: Person, now: int) -> int:
        """Which rules the present sum allows."""
        sums: Sums | None = facts.states.get(self.count)
        if sums is None:
            return self.nothing
        return self.masks[bisect_right(self.bounds, self._summed(sums, now))]

    def look(self, facts: Person, now: int) -> tuple[int, int | None]:
        """When what has left the window makes it cross a bound, or something enters."""
        sums: Sums | None = facts.states.get(self.count)
        if sums is None:
            return self.nothing, None
        times, values = sums.times, sums.values
        low, high = self._window.at(now)
        begin, end = bisect_left(times, low), bisect_left(times, high)
        end = max(begin, end)
        found = self.range.enters(times[end], now) if end < len(times) else None
        total = sum(values[begin:end])
        bounds, scale = self.bounds, self._scale
        met = bisect_right(bounds, total / scale)
        mask = self.masks[met]
        if self._stays or begin == end:
            return mask, found
        least, beyond = bounds[met - 1] if met else -inf, bounds[met] if met < len(bounds) else inf
        for place in range(begin, end):
            total -= values[place]
            if place - begin >= _TRIES or not least <= total / scale < beyond:
                # who entered earlier leaves earlier: where this one never does, none after it does
                return mask, soonest(found, self.range.leaves(times[place], now))
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
