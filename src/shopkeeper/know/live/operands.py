"""What conditions compare, each once for all of them: which rules a change of it concerns, and when time changes it.

An operand's old value and its new one lead to the rules between: all others answer as before, however many there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from math import ceil, floor
from typing import Any, Final

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.part import Facts
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.terms import Term, Windowed
from shopkeeper.domain.condition.window import End, Fixed, soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.know.live.atoms import DAYS, INSTANT, LIST, NUMBER, TEXT, Atom

_TRIES: Final = 32
"""Changes of a behaviour looked at for one that matters; the next is then waited for, whether it does or not."""
_NEVER: Final = 1 << 62
Get = Callable[[Facts, int], Any]
Rules = set[int]


class Asked:
    """Rules that something concerns: those that may hold from now on, and those that may not hold any more."""

    __slots__ = ("enter", "leave")

    def __init__(self) -> None:
        self.enter: Rules = set()
        self.leave: Rules = set()

    def add(self, rules: Iterable[int]) -> None:
        """Rules of which it may be either."""
        self.enter.update(rules)
        self.leave.update(rules)


def key_of(text: str) -> int:
    """A number for a text: 48 bits, which a few thousand texts share as good as never.

    >>> key_of("orders") == key_of("orders"), key_of("orders") < 2**48
    (True, True)
    """
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest())


class Bound:
    """A bound, with the rules that get true by meeting it, and those that get false."""

    __slots__ = ("falls", "rises")

    def __init__(self) -> None:
        self.rises: Rules = set()
        self.falls: Rules = set()

    def add(self, rule: int, *, sense: bool | None) -> None:
        """Note a rule; None where it may be either."""
        if sense is not False:
            self.rises.add(rule)
        if sense is not True:
            self.falls.add(rule)

    def crossed(self, into: Asked, *, up: bool) -> None:
        """It is met from now on, or not any more."""
        into.enter |= self.rises if up else self.falls
        into.leave |= self.falls if up else self.rises


class Operand:
    """Something that conditions compare, or of which they only ask whether it is known or true.

    ``every`` holds all its rules: what becomes known or unknown concerns each.
    """

    def __init__(self, kind: str, node: tree.Value, get: Get, term: Term | None = None) -> None:
        self.key = key_of(f"{kind} {sql(node)}")
        """Tells it from others, also tomorrow."""
        self.get = get
        """Its value."""
        self.term = term
        """The behaviour that it is, or whose day."""
        self.every: Rules = set()
        self.timed = term is not None
        """Whether time alone may change how it compares."""

    def add(self, atom: Atom, rule: int, *, sense: bool | None) -> None:  # noqa: ARG002 - some take bounds of it
        """Note what a rule compares it with; ``sense`` is that of ``atoms.conjunction``."""
        self.every.add(rule)

    def ready(self) -> None:
        """Everything was added."""

    def changed(self, old: Any, new: Any, now: int, into: Asked) -> None:  # noqa: ARG002 - some move with the clock
        """Add the rules that an old and a new value concern, as of one instant."""
        if old != new:
            into.add(self.every)

    def passed(self, old: Any, new: Any, then: int, now: int, into: Asked) -> None:  # noqa: ARG002 - the same
        """The same where time went by between the two."""
        self.changed(old, new, now, into)

    def following(self, facts: Facts, value: Any, now: int) -> int | None:  # noqa: ARG002 - the same
        """The next instant at which time alone may change how it compares."""
        return None if self.term is None else self.term.next_change(facts.state(self.term.key), now)


class Words(Operand):
    """Texts, or lists of them, compared with words."""

    def __init__(self, kind: str, node: tree.Value, get: Get) -> None:
        super().__init__(kind, node, get)
        self.listed = kind == LIST
        self._of: dict[str, Bound] = defaultdict(Bound)

    def add(self, atom: Atom, rule: int, *, sense: bool | None) -> None:
        """Note what a rule compares it with."""
        self.every.add(rule)
        for word in atom.words:
            self._of[word].add(rule, sense=sense if atom.plain else None)

    def changed(self, old: Any, new: Any, now: int, into: Asked) -> None:  # noqa: ARG002 - as for every operand
        """Rules that name the old or the new word."""
        if old == new:
            return
        if old is None or new is None:
            into.add(self.every)
            return
        before, after = (set(old), set(new)) if self.listed else ({old}, {new})
        for word in before ^ after:
            if word in self._of:
                self._of[word].crossed(into, up=word in after)


class Numbers(Operand):
    """Numbers compared with numbers; of a behaviour, also as time goes by."""

    def __init__(self, node: tree.Value, get: Get, term: Term | None = None) -> None:
        super().__init__(NUMBER, node, get, term)
        self._of: dict[tuple[float, int], Bound] = defaultdict(Bound)
        self.bounds: list[tuple[float, int]] = []
        self._sorted: list[Bound] = []

    def add(self, atom: Atom, rule: int, *, sense: bool | None) -> None:
        """Note the bounds of a rule."""
        self.every.add(rule)
        for bound, beyond, rises in atom.bounds:
            self._of[bound, beyond].add(rule, sense=_sensed(sense=sense, rises=rises, plain=atom.plain))

    def ready(self) -> None:
        """Put the bounds into their order."""
        self.bounds = sorted(self._of)
        self._sorted = [self._of[bound] for bound in self.bounds]

    def place(self, value: float) -> int:
        """How many bounds are met."""
        return bisect_right(self.bounds, (value, 0))

    def changed(self, old: Any, new: Any, now: int, into: Asked) -> None:  # noqa: ARG002 - as for every operand
        """Rules with a bound between."""
        if old == new:
            return
        if old is None or new is None:
            into.add(self.every)
            return
        one, other = self.place(old), self.place(new)
        if one < other:
            for bound in self._sorted[one:other]:
                bound.crossed(into, up=True)
        elif other < one:
            for bound in self._sorted[other:one]:
                bound.crossed(into, up=False)

    def following(self, facts: Facts, value: Any, now: int) -> int | None:
        """When it crosses a bound."""
        if self.term is None:
            return None
        state = facts.state(self.term.key)
        if isinstance(self.term, Windowed):
            return self._leaving(self.term, state.times, value, now)
        at, was, next_change = now, self.place(value), self.term.next_change
        for _ in range(_TRIES):
            found = next_change(state, at)
            if found is None or self.place(self.term.value(state, found)) != was:
                return found
            at = found
        return at

    def _leaving(self, term: Windowed, times: list[int], value: int, now: int) -> int | None:
        """Of a count in a moving window: when so many have left it that it falls below a bound, or one enters."""
        if not times:
            return None
        low, high = term.range.bounds(now)
        begin, end = bisect_right(times, low - 1), bisect_right(times, high - 1)
        found = term.range.enters(times[max(begin, end)], now) if max(begin, end) < len(times) else None
        met = self.place(value)
        if met and value > 0:
            bound, beyond = self.bounds[met - 1]
            least = floor(bound) + 1 if beyond else ceil(bound)
            if 0 < value - least + 1 <= value:
                found = soonest(found, term.range.leaves(times[begin + value - least], now))
        return found


class Days(Operand):
    """Days since a day, compared with numbers: each midnight is one more."""

    def __init__(self, node: tree.Value, get: Get, zone: Zone, term: Term | None = None) -> None:
        super().__init__(DAYS, node, get, term)
        self.timed = True
        self.zone = zone
        self._numbers = Numbers(node, get)

    def add(self, atom: Atom, rule: int, *, sense: bool | None) -> None:
        """Note the bounds of a rule."""
        self._numbers.add(atom, rule, sense=sense)

    def ready(self) -> None:
        """Put the bounds into their order."""
        self._numbers.ready()
        self.every = self._numbers.every

    def changed(self, old: Any, new: Any, now: int, into: Asked) -> None:
        """Rules with a bound between."""
        self.passed(old, new, now, now, into)

    def passed(self, old: Any, new: Any, then: int, now: int, into: Asked) -> None:
        """The same where midnights passed."""
        day = self.zone.day
        before = None if old is None else day(then) - old
        self._numbers.changed(before, None if new is None else day(now) - new, now, into)

    def following(self, facts: Facts, value: Any, now: int) -> int | None:
        """The day on which the next bound is met."""
        found = super().following(facts, value, now)
        if value is None:
            return found
        place = self._numbers.place(self.zone.day(now) - value)
        if place == len(self._numbers.bounds):
            return found
        bound, beyond = self._numbers.bounds[place]
        if abs(bound) > _DAYS:
            return found
        return soonest(found, self.zone.start(value + (floor(bound) + 1 if beyond else ceil(bound))))


_DAYS: Final = 10**6


class Instants(Operand):
    """Days and instants compared with such that may move with the clock or the calendar."""

    def __init__(
        self, node: tree.Value, get: Get, zone: Zone, *, of_day: bool, term: Term | None = None
    ) -> None:
        super().__init__(INSTANT, node, get, term)
        self.zone = zone
        self.of_day = of_day
        self._of: dict[tuple[str, int], tuple[End, int, Bound]] = {}
        self._ends: list[tuple[End, int, Bound]] = []
        self._at = -_NEVER
        self._order: list[tuple[int, int]] = []
        self._sorted: list[tuple[End, int, Bound]] = []

    def add(self, atom: Atom, rule: int, *, sense: bool | None) -> None:
        """Note the ends of a rule."""
        self.every.add(rule)
        for text, end, beyond, rises in atom.ends:
            found = self._of.setdefault((text, beyond), (end, beyond, Bound()))
            found[2].add(rule, sense=_sensed(sense=sense, rises=rises, plain=atom.plain))
            self.timed = self.timed or not isinstance(end, Fixed)

    def ready(self) -> None:
        """Everything was added."""
        self._ends = list(self._of.values())

    def _placed(self, now: int) -> list[tuple[int, int]]:
        """The ends in their order as of an instant."""
        if now != self._at:
            placed = sorted(((end.at(now), beyond), n) for n, (end, beyond, _) in enumerate(self._ends))
            self._order = [place for place, _ in placed]
            self._sorted = [self._ends[n] for _, n in placed]
            self._at = now
        return self._order

    def _met(self, at: int, now: int) -> list[tuple[End, int, Bound]]:
        met = bisect_right(self._placed(now), (at, 0))
        return self._sorted[:met]

    def _instant(self, value: int) -> int:
        return self.zone.start(value) if self.of_day else value

    def changed(self, old: Any, new: Any, now: int, into: Asked) -> None:
        """Rules with an end between."""
        if old == new:
            return
        if old is None or new is None:
            into.add(self.every)
            return
        order = self._placed(now)
        one = bisect_right(order, (self._instant(old), 0))
        other = bisect_right(order, (self._instant(new), 0))
        for _, _, bound in self._sorted[min(one, other) : max(one, other)]:
            bound.crossed(into, up=one < other)

    def passed(self, old: Any, new: Any, then: int, now: int, into: Asked) -> None:
        """Rules with an end that was met and is not, or the other way round."""
        if old is None or new is None:
            if old is not new:
                into.add(self.every)
            return
        before, after = (self._instant(old), 0), (self._instant(new), 0)
        for end, beyond, bound in self._ends:
            met = (end.at(now), beyond) <= after
            if ((end.at(then), beyond) <= before) is not met:
                bound.crossed(into, up=met)

    def following(self, facts: Facts, value: Any, now: int) -> int | None:
        """When an end that lies before the value gets beyond it."""
        found = super().following(facts, value, now)
        if value is None:
            return found
        at = self._instant(value)
        for end, beyond, _ in self._met(at, now):
            found = soonest(found, end.passes(at - beyond, now))
        return found


def _sensed(*, sense: bool | None, rises: bool, plain: bool) -> bool | None:
    """Whether a rule gets true by meeting a bound; None where that cannot be said."""
    return None if sense is None or not plain else sense is rises


def operand_of(atom: Atom, get: Get, zone: Zone, *, of_day: bool, term: Term | None) -> Operand:
    """The operand that an atom compares."""
    if atom.on is None:
        raise TypeError(atom)  # pragma: no cover - the network asks for simple atoms only
    if atom.kind == NUMBER:
        return Numbers(atom.on, get, term)
    if atom.kind == DAYS:
        return Days(atom.on, get, zone, term)
    if atom.kind == INSTANT:
        return Instants(atom.on, get, zone, of_day=of_day, term=term)
    if atom.kind in (TEXT, LIST):
        return Words(atom.kind, atom.on, get)
    return Operand(atom.kind, atom.on, get, term)
