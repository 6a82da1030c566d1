"""When events count: windows whose ends stand still, roll with the clock, or step with the calendar.

Everything is in whole microseconds: an event counts at ``now`` where ``since(now) <= at < before(now)`` and
``at <= now``. Ends never go back as time goes on.
"""

from __future__ import annotations

from datetime import date
from typing import Final, Protocol

from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.zone import Days, Zone, first_of, moved, number_of

ALWAYS: Final = -(2**62)
"""Before everything."""
_HOUR: Final = DAY // 24
FIXED: Final[dict[str, int]] = {"minute": _HOUR // 60, "hour": _HOUR, "day": DAY, "week": 7 * DAY}
"""Microseconds of the units that have a fixed length."""
_MOST_KEPT: Final = 10_000
_FURTHEST: Final = 200_000
"""Days after which an end is taken never to come."""


class End(Protocol):
    """An end of a window."""

    def at(self, now: int) -> int:
        """Where it is at an instant."""
        ...

    def passes(self, what: int, now: int) -> int | None:
        """The first instant after ``now`` at which it lies beyond ``what``; None where it never will."""
        ...


class Fixed:
    """An end that stands still."""

    def __init__(self, value: int) -> None:
        self.value = value

    def at(self, now: int) -> int:  # noqa: ARG002 - as every end
        """Where it is."""
        return self.value

    def passes(self, what: int, now: int) -> int | None:  # noqa: ARG002 - as every end
        """Never."""
        return None


class Rolling:
    """So many microseconds before now."""

    def __init__(self, behind: int) -> None:
        self.behind = behind

    def at(self, now: int) -> int:
        """Where it is."""
        return now - self.behind

    def passes(self, what: int, now: int) -> int | None:
        """When it gets beyond."""
        return max(now + 1, what + self.behind + 1)


class Calendar:
    """The beginning of a day that depends on today."""

    def __init__(self, day: Days, zone: Zone) -> None:
        self.day = day
        self.zone = zone
        # Asked of many customers as of one instant, the answers are few: each is kept with what it is the answer to.
        self._at = (ALWAYS, ALWAYS)
        self._passes: dict[tuple[int, int], tuple[int, int, int]] = {}

    def at(self, now: int) -> int:
        """Where it is."""
        known = self._at
        if known[0] != now:
            known = self._at = (now, self._of(self.zone.day(now)))
        return known[1]

    def passes(self, what: int, now: int) -> int | None:
        """The beginning of the first day on which it lies beyond."""
        today = self.zone.day(now)
        known = self._passes.get((today, what // DAY))
        if known is not None and known[0] <= what < known[1]:
            return known[2]
        low, high = 0, 1
        while self._of(today + high) <= what:
            low, high = high, high * 2
            if high > _FURTHEST:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._of(today + middle) <= what else (low, middle)
        found = self.zone.start(today + high)
        if len(self._passes) >= _MOST_KEPT:
            self._passes.clear()
        since = self._of(today + low) if low else ALWAYS
        self._passes[today, what // DAY] = (since, self._of(today + high), found)
        return found

    def _of(self, today: int) -> int:
        day = self.day(today)
        return ALWAYS if day is None else self.zone.start(day)


def end(node: tree.Value, zone: Zone) -> End:
    """An end as it was written: a day or an instant, or a moment moved by lengths of time."""
    moves: list[tuple[int, tree.Span]] = []
    while isinstance(node, tree.Arithmetic) and isinstance(node.right, tree.Span):
        moves.append((1 if node.sign == "+" else -1, node.right))
        node = node.left
    if isinstance(node, tree.Now | tree.Time):
        shift = sum(sign * span.amount * FIXED[span.unit] for sign, span in moves)
        return Rolling(-shift) if isinstance(node, tree.Now) else Fixed(node.value + shift)
    if not isinstance(node, tree.Day | tree.Today):
        raise TypeError(type(node))  # pragma: no cover - check lets nothing else through
    moves.reverse()
    written = number_of(date.fromisoformat(node.value)) if isinstance(node, tree.Day) else None
    period = node.of if isinstance(node, tree.Today) else "day"

    def day(today: int) -> int | None:
        found: int | None = first_of(today, period) if written is None else written
        for sign, span in moves:
            if found is None:
                return None
            found = moved(found, sign * span.amount, span.unit)
        return found

    found = Calendar(day, zone)
    return Fixed(found.at(0)) if written is not None else found


class Range:
    """A window with its ends."""

    def __init__(self, window: tree.Window, zone: Zone) -> None:
        self.since: End = Fixed(ALWAYS)
        self.before: End | None = None
        if window.days is not None or window.hours is not None:
            self.since = Rolling((window.days or 0) * DAY + (window.hours or 0) * _HOUR - 1)
        if window.since is not None:
            self.since = end(window.since, zone)
        if window.before is not None:
            self.before = end(window.before, zone)
        self.still = isinstance(self.since, Fixed) and (self.before is None or isinstance(self.before, Fixed))
        """Whether no end moves: what counts once counts for ever."""

    def bounds(self, now: int) -> tuple[int, int]:
        """From where, included, to where, left out, events count."""
        if self.before is None:
            return self.since.at(now), now + 1
        return self.since.at(now), min(self.before.at(now), now + 1)

    def holds(self, at: int) -> bool:
        """Of a window that stands still: whether an event counts once it has happened."""
        return self.since.at(0) <= at and (self.before is None or at < self.before.at(0))

    def leaves(self, at: int, now: int) -> int | None:
        """When an event that counts counts no longer."""
        return self.since.passes(at, now)

    def enters(self, at: int, now: int) -> int | None:
        """When an event beyond the window begins to count, if the window does not pass it by."""
        if self.before is None or at < self.before.at(now):
            return max(at, now + 1)
        found = self.before.passes(at, now)
        return None if found is None else max(found, at)


def soonest(*instants: int | None) -> int | None:
    """The earliest of those that come at all.

    >>> soonest(None, 5, 3), soonest(None, None)
    (3, None)
    """
    found = [at for at in instants if at is not None]
    return min(found) if found else None
