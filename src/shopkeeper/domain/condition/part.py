"""A part of a compiled condition: its value for one customer at an instant, and when time alone changes it.

``step`` gives the next instant after ``now`` at which the value may jump. Two kinds of values move all the time: an
instant or a length of time made of ``now()`` has a ``slope`` (microseconds for each that passes), which comparisons
solve for; a day or a number made of ``today()`` has a ``drift`` (days for each that passes, give or take so many),
which lets them skip the days on which nothing can happen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from shopkeeper.domain.condition.kinds import Kind
from shopkeeper.domain.condition.window import soonest
from shopkeeper.domain.condition.zone import LAST_DAY, Zone

MOST_TRIES: Final = 64
"""Jumps looked at for one that changes the answer; the next is then given, changed or not."""


class Facts(Protocol):
    """What is known of one customer."""

    def trait(self, name: str) -> Any:
        """A trait's value: money in units of the reporting currency, times as microseconds, datetime or ISO text."""
        ...

    def state(self, key: str) -> Any:
        """What is kept for the term of that key; ``Term.new()`` of one for whom nothing is."""
        ...

    def member(self, segment: str) -> bool:
        """Whether the customer is in a segment."""
        ...


Valued = Callable[[Facts, int], Any]
Stepping = Callable[[Facts, int], int | None]
STILL: Final = (0, 0)


class Part(NamedTuple):
    """A compiled node."""

    kind: Kind
    value: Valued
    step: Stepping | None = None
    slope: int = 0
    drift: tuple[int, int] | None = STILL

    @property
    def still(self) -> bool:
        """Whether time alone never changes it."""
        return self.step is None and self.slope == 0


def either(*parts: Part) -> Stepping | None:
    """The earliest step of several parts."""
    steps = [part.step for part in parts if part.step is not None]
    if len(steps) < 2:
        return steps[0] if steps else None
    return lambda facts, now: soonest(*(step(facts, now) for step in steps))


def drifting(a: Part, b: Part, sign: int) -> tuple[int, int] | None:
    """The drift of a sum or, with -1, of a difference."""
    if a.drift is None or b.drift is None:
        return None
    return a.drift[0] + sign * b.drift[0], a.drift[1] + b.drift[1]


def changing(value: Valued, a: Part, b: Part, zone: Zone) -> Stepping | None:
    """When a comparison of two parts changes its answer."""
    if a.still and b.still:
        return None
    jump = either(a, b)
    drift = drifting(a, b, -1)
    if a.slope != b.slope:
        following = _solved(a, b, jump)
    elif drift is not None and drift[0]:
        following = _skipping(a, b, drift, zone, jump)
    elif jump is None:
        return None
    elif "bool" in (a.kind, b.kind):
        return jump  # its sides have looked for a change themselves: to look once more here would multiply the tries
    else:
        following = jump

    def change(facts: Facts, now: int) -> int | None:
        was = value(facts, now)
        at = now
        for _ in range(MOST_TRIES):
            found = following(facts, at)
            if found is None or value(facts, found) is not was:
                return found
            at = found
        return at

    return change


def _solved(a: Part, b: Part, jump: Stepping | None) -> Stepping:
    """When two instants or lengths of time meet, one of which moves with the clock."""
    slope = a.slope - b.slope

    def following(facts: Facts, now: int) -> int | None:
        at = None if jump is None else jump(facts, now)
        left, right = a.value(facts, now), b.value(facts, now)
        if left is None or right is None:
            return at
        apart = left - right
        if apart == 0:
            return now + 1
        if (apart > 0) == (slope > 0):
            return at
        return soonest(at, now - (-abs(apart) // abs(slope)))

    return following


def _skipping(a: Part, b: Part, drift: tuple[int, int], zone: Zone, jump: Stepping | None) -> Stepping:
    """The next step, or a day until which nothing can happen, or never where the two draw apart."""
    slope, slack = drift

    def following(facts: Facts, now: int) -> int | None:
        left, right = a.value(facts, now), b.value(facts, now)
        if left is not None and right is not None:
            apart = left - right
            if abs(apart) > slack and (apart > 0) == (slope > 0):
                return None
            days = int((abs(apart) - slack) // abs(slope)) - 1
            if days > 1:
                day = zone.day(now) + days
                return None if day > LAST_DAY else zone.start(day)
        return None if jump is None else jump(facts, now)

    return following


def all_changing(parts: Sequence[Part], decided: bool) -> Stepping | None:  # noqa: FBT001 - the value that decides
    """When a chain changes: of 'and', while something is false, not before all that is false has changed."""
    if all(part.step is None for part in parts):
        return None

    def change(facts: Facts, now: int) -> int | None:
        earliest: int | None = None
        latest = now
        held = False
        for part in parts:
            at = None if part.step is None else part.step(facts, now)
            if part.value(facts, now) is decided:
                if at is None:
                    return None
                held = True
                latest = max(latest, at)
            elif at is not None and (earliest is None or at < earliest):
                earliest = at
        return latest if held else earliest

    return change
