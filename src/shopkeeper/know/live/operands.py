"""What conditions compare, each once for all of them: which rules a value of it allows, and when time changes that.

What an operand allows before and after leads to the rules that may begin or cease to be true: all others answer as
before, however many there are. Rules of which it is not exactly known what allows them ('loose' ones) are found by the
bounds and words that lie between the two values, and are asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from hashlib import blake2b
from math import ceil, inf, nextafter
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.terms import Term
from shopkeeper.domain.condition.window import soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.know.live.atoms import NULL, Atom, Sense
from shopkeeper.know.live.masks import Bounded, Worded, stepped, without, worded

if TYPE_CHECKING:
    from shopkeeper.know.live.person import Person

_TRIES: Final = 32
"""Changes of a behaviour looked at for one that matters; the next is then waited for, whether it does or not."""
_DAYS: Final = 10**6
Get = Callable[["Person", int], Any]


def key_of(text: str) -> int:
    """A number for a text: 48 bits, which a few thousand texts share as good as never.

    >>> key_of("orders") == key_of("orders"), key_of("orders") < 2**48
    (True, True)
    """
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest())


class Operand:
    """Something that conditions compare, or of which they only ask whether it is known or true."""

    def __init__(self, kind: str, node: tree.Value, get: Get, term: Term | None = None) -> None:
        self.key = key_of(f"{kind} {sql(node)}")
        """Tells it from others, also tomorrow."""
        self.kind = kind
        self.name = node.name if isinstance(node, tree.TraitRef) else ""
        """Of a trait."""
        self.value = get
        """Its value."""
        self.term = term
        """The behaviour that it is, or whose day."""
        self.count = 0
        """The key under which that behaviour is kept."""
        self.rules = 0
        """All its rules, as bits."""
        self.loose = 0
        """The loose ones among them."""
        self.sole = 0
        """Rules of which everything is exactly known, and whose one behaviour it is."""
        self.timed = term is not None
        """Whether time alone may change how it compares."""
        self.unknown = 0
        """What it allows while it is not known."""
        self.nothing = 0
        """What it allows, if it is a behaviour, where nothing was heard."""
        self._unknown: dict[int, bool] = {}
        self._true = self._false = 0
        self._senses: dict[int, list[bool]] = defaultdict(list)

    def add(self, atom: Atom, rule: int, sense: Sense | None) -> bool:
        """Note what a rule (a bit) compares it with; whether it is exactly known which values allow the rule."""
        self.rules |= rule
        known = sense is not None and atom.plain and self._take(atom, rule, sense)
        if not known:
            self.loose |= rule
            self._loosen(atom, rule)
        elif sense is not None:
            self._unknown[rule] = self._unknown.get(rule, True) and sense.unknown
        return known

    def ready(self, full: int) -> None:
        """Everything was added; ``full`` are all rules."""
        self.unknown = without(full, (rule for rule, may in self._unknown.items() if not may))
        self._true = without(full, (rule for rule, wanted in self._senses.items() if not all(wanted)))
        self._false = without(full, (rule for rule, wanted in self._senses.items() if any(wanted)))

    def mask(self, value: Any, now: int) -> int:  # noqa: ARG002 - some move with the clock
        """Which rules a value allows."""
        if self.kind == NULL:
            return self._true if value is None else self._false
        return self.unknown if value is None else self._true if value else self._false

    def allows(self, facts: Person, now: int) -> int:
        """Which rules its present value allows."""
        return self.mask(self.value(facts, now), now)

    def look(self, facts: Person, now: int) -> tuple[int, int | None]:
        """The same, and the next instant at which time alone may change it."""
        value = self.value(facts, now)
        return self.mask(value, now), self.following(facts, value, now)

    def asks(self, old: Any, new: Any, then: int, now: int) -> int:  # noqa: ARG002 - the same
        """Loose rules that the step from one value to another concerns, time passing between or not."""
        if self.kind == NULL:
            return self.loose if (old is None) is not (new is None) else 0
        return self.loose if old != new else 0

    def following(self, facts: Person, value: Any, now: int) -> int | None:  # noqa: ARG002 - the same
        """The next instant at which time alone may change how it compares."""
        return None if self.term is None else self.term.next_change(facts.state(self.term.key), now)

    def _take(self, atom: Atom, rule: int, sense: Sense) -> bool:  # noqa: ARG002 - some take bounds of it
        self._senses[rule].append(sense.wanted)
        return True

    def _loosen(self, atom: Atom, rule: int) -> None:
        """Some keep which values concern a loose rule."""


class Words(Operand):
    """Texts compared with words."""

    def __init__(self, kind: str, node: tree.Value, get: Get) -> None:
        super().__init__(kind, node, get)
        self._parts: dict[int, list[Worded]] = defaultdict(list)
        self._loose: dict[str, int] = defaultdict(int)
        self._other = 0
        self._of: dict[str, int] = {}

    def ready(self, full: int) -> None:
        """Everything was added."""
        super().ready(full)
        self._other, self._of = worded(full, self._parts)

    def mask(self, value: Any, now: int) -> int:  # noqa: ARG002 - as for every operand
        """Which rules a word allows; an empty text is not known."""
        return self._of.get(value, self._other) if value else self.unknown

    def asks(self, old: Any, new: Any, then: int, now: int) -> int:  # noqa: ARG002 - the same
        """Loose rules that name the old or the new word."""
        if not self.loose or old == new:
            return 0
        if old is None or new is None:
            return self.loose
        return self._loose.get(old, 0) | self._loose.get(new, 0)

    def _take(self, atom: Atom, rule: int, sense: Sense) -> bool:
        self._parts[rule].append(Worded(sense.wanted, frozenset(atom.words)))
        return True

    def _loosen(self, atom: Atom, rule: int) -> None:
        for word in atom.words:
            self._loose[word] |= rule


class Lists(Words):
    """Lists of words, asked for one word; for several they are loose."""

    def mask(self, value: Any, now: int) -> int:  # noqa: ARG002 - as for every operand
        """Which rules the words allow together."""
        if value is None:
            return self.unknown
        mask, other = self._other, self._other
        for word in set(value):
            one = self._of.get(word)
            if one is not None:  # each rule names one word here
                mask ^= one ^ other
        return mask

    def asks(self, old: Any, new: Any, then: int, now: int) -> int:  # noqa: ARG002 - the same
        """Loose rules that name a word that came or went."""
        if not self.loose or old == new:
            return 0
        if old is None or new is None:
            return self.loose
        found = 0
        for word in set(old) ^ set(new):
            found |= self._loose.get(word, 0)
        return found

    def _take(self, atom: Atom, rule: int, sense: Sense) -> bool:
        return rule not in self._parts and super()._take(atom, rule, sense)


class Numbers(Operand):
    """Numbers compared with numbers; of a behaviour, also as time goes by."""

    def __init__(self, kind: str, node: tree.Value, get: Get, term: Term | None = None) -> None:
        super().__init__(kind, node, get, term)
        self._parts: dict[int, list[tuple[bool, tuple[tuple[float, int, bool], ...]]]] = defaultdict(list)
        self._loose_at: dict[float, int] = defaultdict(int)
        self.bounds: list[float] = []
        """What must be reached, ascending; of what must be exceeded, the next number."""
        self.masks: list[int] = []
        self._loose: list[int] = []

    def ready(self, full: int) -> None:
        """Everything was added: put the bounds into their order."""
        super().ready(full)
        told = [bound for parts in self._parts.values() for _, bounds in parts for bound in bounds]
        self.bounds = sorted({_reached(bound, beyond) for bound, beyond, _ in told} | self._loose_at.keys())
        place = {bound: n for n, bound in enumerate(self.bounds)}
        rules = {
            rule: [
                Bounded(
                    wanted, tuple((place[_reached(bound, beyond)], rises) for bound, beyond, rises in bounds)
                )
                for wanted, bounds in parts
            ]
            for rule, parts in self._parts.items()
        }
        self.masks = stepped(full, rules, len(self.bounds) + 1)
        self._loose = [self._loose_at.get(bound, 0) for bound in self.bounds]

    def place(self, value: float) -> int:
        """How many bounds are met."""
        return bisect_right(self.bounds, value)

    def mask(self, value: Any, now: int) -> int:  # noqa: ARG002 - as for every operand
        """Which rules a number allows."""
        return self.unknown if value is None else self.masks[bisect_right(self.bounds, value)]

    def asks(self, old: Any, new: Any, then: int, now: int) -> int:  # noqa: ARG002 - the same
        """Loose rules with a bound between."""
        if not self.loose or old == new:
            return 0
        if old is None or new is None:
            return self.loose
        one, other = sorted((self.place(old), self.place(new)))
        found = 0
        for rules in self._loose[one:other]:
            found |= rules
        return found

    def following(self, facts: Person, value: Any, now: int) -> int | None:
        """When it crosses a bound."""
        if self.term is None:
            return None
        state = facts.state(self.term.key)
        at, was, next_change = now, self.place(value), self.term.next_change
        for _ in range(_TRIES):
            found = next_change(state, at)
            if found is None or self.place(self.term.value(state, found)) != was:
                return found
            at = found
        return at

    def _take(self, atom: Atom, rule: int, sense: Sense) -> bool:
        self._parts[rule].append((sense.wanted, atom.bounds))
        return True

    def _loosen(self, atom: Atom, rule: int) -> None:
        for bound, beyond, _ in atom.bounds:
            self._loose_at[_reached(bound, beyond)] |= rule


def _reached(bound: float, beyond: int) -> float:
    """The least number that meets a bound."""
    return nextafter(bound, inf) if beyond else float(bound)


class Days(Numbers):
    """Days since a day, compared with numbers: each midnight is one more."""

    def __init__(self, kind: str, node: tree.Value, get: Get, zone: Zone, term: Term | None = None) -> None:
        super().__init__(kind, node, get, term)
        self.timed = True
        self.zone = zone

    def mask(self, value: Any, now: int) -> int:
        """Which rules a day allows."""
        return self.unknown if value is None else super().mask(self.zone.day(now) - value, now)

    def asks(self, old: Any, new: Any, then: int, now: int) -> int:
        """Loose rules with a bound between."""
        if not self.loose:
            return 0
        day = self.zone.day
        before = None if old is None else day(then) - old
        return super().asks(before, None if new is None else day(now) - new, then, now)

    def following(self, facts: Person, value: Any, now: int) -> int | None:
        """The day on which the next bound is met."""
        found = Operand.following(self, facts, value, now)
        if value is None:
            return found
        place = self.place(self.zone.day(now) - value)
        if place == len(self.bounds):
            return found
        bound = self.bounds[place]
        return found if abs(bound) > _DAYS else soonest(found, self.zone.start(value + ceil(bound)))
