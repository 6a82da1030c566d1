"""Days and instants that conditions compare: what they compare them with may move with the clock or the calendar."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.terms import Term
from shopkeeper.domain.condition.window import End, Fixed, Rolling, soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.know.live.atoms import Atom, Sense
from shopkeeper.know.live.masks import Bounded, stepped
from shopkeeper.know.live.operands import Get, Operand

if TYPE_CHECKING:
    from shopkeeper.know.live.person import Person


class Instants(Operand):
    """Days and instants compared with such that may move with the clock or the calendar."""

    def __init__(
        self, kind: str, node: tree.Value, get: Get, zone: Zone, *, of_day: bool, term: Term | None = None
    ) -> None:
        super().__init__(kind, node, get, term)
        self.zone = zone
        self.of_day = of_day
        self._of: dict[tuple[str, int], int] = {}
        self._ends: list[tuple[End, int]] = []
        self._rolling: list[int] = []
        """Of ends that move with the clock: how long after an instant they pass it."""
        self._others: list[tuple[End, int]] = []
        """Ends that move with the calendar."""
        self._loose: dict[int, int] = defaultdict(int)
        self._parts: dict[int, list[Bounded]] = defaultdict(list)
        self._full = 0
        self._orders: dict[tuple[int, ...], list[int]] = {}
        self._placed: tuple[int, list[int], list[int]] | None = None

    def ready(self, full: int) -> None:
        """Everything was added."""
        super().ready(full)
        self._full = full
        self._rolling = sorted(
            end.behind - beyond + 1 for end, beyond in self._ends if isinstance(end, Rolling)
        )
        self._others = [(end, n) for end, n in self._ends if not isinstance(end, Rolling | Fixed)]

    def mask(self, value: Any, now: int) -> int:
        """Which rules an instant allows."""
        if value is None:
            return self.unknown
        placed = self._placed
        if placed is None or placed[0] != now:
            placed = self._placed = self._order(now)
        return placed[2][bisect_right(placed[1], self._instant(value))]

    def _order(self, now: int) -> tuple[int, list[int], list[int]]:
        """Where the ends lie at an instant, in their order, and which rules are allowed between them."""
        placed = sorted((end.at(now) + beyond, n) for n, (end, beyond) in enumerate(self._ends))
        order = tuple(n for _, n in placed)
        masks = self._orders.get(order)
        if masks is None:
            place = {n: at for at, n in enumerate(order)}
            rules = {
                rule: [
                    Bounded(one.wanted, tuple((place[n], rises) for n, rises in one.bounds)) for one in parts
                ]
                for rule, parts in self._parts.items()
            }
            masks = self._orders[order] = stepped(self._full, rules, len(order) + 1)
        return now, [at for at, _ in placed], masks

    def _instant(self, value: int) -> int:
        return self.zone.start(value) if self.of_day else value

    def asks(self, old: Any, new: Any, then: int, now: int) -> int:
        """Loose rules with an end that was met and is not, or the other way round."""
        if not self.loose:
            return 0
        if old is None or new is None:
            return self.loose if old is not new else 0
        before, after = self._instant(old), self._instant(new)
        found = 0
        for n, rules in self._loose.items():
            end, beyond = self._ends[n]
            if (end.at(then) + beyond <= before) is not (end.at(now) + beyond <= after):
                found |= rules
        return found

    def following(self, facts: Person, value: Any, now: int) -> int | None:
        """When an end that lies before the value gets beyond it."""
        found = super().following(facts, value, now)
        if value is None:
            return found
        at = self._instant(value)
        rolling = self._rolling
        place = bisect_right(rolling, now - at)
        if place < len(rolling):
            found = soonest(found, at + rolling[place])
        for end, beyond in self._others:
            if end.at(now) + beyond <= at:
                found = soonest(found, end.passes(at - beyond, now))
        return found

    def _placed_end(self, text: str, end: End, beyond: int) -> int:
        number = self._of.get((text, beyond))
        if number is None:
            number = self._of[text, beyond] = len(self._ends)
            self._ends.append((end, beyond))
            self.timed = self.timed or not isinstance(end, Fixed)
        return number

    def _take(self, atom: Atom, rule: int, sense: Sense) -> bool:
        bounds = tuple((self._placed_end(text, end, beyond), rises) for text, end, beyond, rises in atom.ends)
        self._parts[rule].append(Bounded(sense.wanted, bounds))
        return True

    def _loosen(self, atom: Atom, rule: int) -> None:
        for text, end, beyond, _ in atom.ends:
            self._loose[self._placed_end(text, end, beyond)] |= rule
