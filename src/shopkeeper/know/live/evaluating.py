"""Evaluates one customer: from what changed to the conditions concerned, and from their answers to who is in.

What is kept of a customer (``held.Held``) is right as of an instant and, as far as time alone goes, until the earliest
of its ``following``. An evaluation takes it to now: it looks only at operands that changed, and at those whose time
has come.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any, Final

from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.know.live.hearing import Hearing
from shopkeeper.know.live.held import Held, bits, numbers
from shopkeeper.know.live.network import Network, Rule
from shopkeeper.know.live.operands import Operand
from shopkeeper.know.live.person import Person, Traits, Values

_NONE: Final[frozenset[int]] = frozenset()


class Evaluator:
    """Evaluates customers as of one instant. ``swept`` says of segments being swept up to which customer they are."""

    def __init__(self, network: Network, values: Values, now: int, swept: Mapping[int, int]) -> None:
        self.network = network
        self.values = values
        self.now = now
        self.swept = swept
        self._hearing = Hearing(network, now)
        self._limits = sorted(set(swept.values()))
        self._regions: dict[int, tuple[int, list[Rule], dict[int, int]]] = {}
        self._some: tuple[Collection[Rule], dict[int, list[Operand]], dict[int, int], int] | None = None
        self._names = (network.count_keys, network.segment_ids, network.empty, network.then_keys)
        self._baseline: tuple[list[Rule], dict[int, int]] | None = None

    def person(self, traits: Traits, held: Held) -> Person:
        """What is kept of a customer, as facts."""
        return Person(traits, held.states, held.inside, self._names)

    def covers(self, rule: Rule, customer: int) -> bool:
        """Whether a condition is the one that holds for a customer."""
        upto = self.swept.get(rule.segment)
        return upto is None or (customer <= upto if rule.coming else customer > upto or not rule.replaced)

    def fresh(self, customer: int) -> Held:
        """What is kept of somebody new: in all segments of those of whom nothing is known, as it were."""
        if self._baseline is None:
            person = self.person(self.values.nobody, Held(at=self.now))
            allowed, following = self._measured(person, self.network.operands.values())
            inside: list[Rule] = []
            for rule in self.network.rules:
                if rule.bit & allowed and (rule.exact or rule.answer(person, self.now) is True):
                    inside.append(rule)
                    person.inside |= 1 << rule.segment
                if rule.involved and (at := rule.predicate.next_change(person, self.now)) is not None:
                    following[rule.key] = at
            self._baseline = (inside, following)
        rules, following = self._baseline
        found = 0
        for rule in rules:
            if not self.swept or self.covers(rule, customer):
                found |= 1 << rule.segment
        return Held(self.now, found, {}, dict(following))

    def changed(
        self,
        customer: int,
        held: Held,
        old: Traits,
        new: Traits,
        events: Sequence[EventFacts] = (),
        orders: Sequence[EventFacts] | None = None,
    ) -> None:
        """Take a customer's new traits and events into what is kept; traits are those of before and after.

        ``orders`` are all events of orders, where one of them says something of an order that was told before.
        """
        network, now, then = self.network, self.now, held.at
        before, after = self.person(old, held), self.person(new, held)
        following = held.following
        due = {key for key, at in following.items() if at <= now} if held.next() <= now else _NONE
        looked: dict[Operand, int] = {}
        values: dict[Operand, Any] = {}

        def look(operands: Iterable[Operand]) -> None:
            """Note what is about to change. What is not due compares at present as it did then."""
            for operand in operands:
                if operand not in looked:
                    at = then if operand.key in due else now
                    looked[operand] = operand.allows(before, at)
                    if operand.loose:
                        values[operand] = operand.value(before, at)

        touched = self._hearing.hear(held, events, orders, look)
        asked = self._concerned(held, touched, due, self._differing(old, new), look)
        allowed = network.allowing.of(after, now)
        rose, sure = 0, network.by_traits
        for operand, was in looked.items():
            mask, at = operand.look(after, now)
            rose |= mask & ~was
            if operand.term is not None:
                allowed &= mask
                sure |= operand.sole
            if at is not None:
                following[operand.key] = at
            else:
                following.pop(operand.key, None)
        for operand, value in values.items():
            asked |= operand.asks(value, operand.value(after, now), then if operand.key in due else now, now)
        self._decide(customer, held, after, allowed, rose & sure, rose & ~sure | asked)
        self._hearing.settle(held, touched)
        held.at = now

    def _concerned(
        self,
        held: Held,
        touched: Iterable[int],
        due: Collection[int],
        traits: Iterable[str],
        look: Callable[[Iterable[Operand]], None],
    ) -> int:
        """Look at operands of traits that changed and at those that are due; returns which rules must be asked."""
        network = self.network
        asked = 0
        for key in touched:
            asked |= network.counts[key].rules
        for name in traits:
            asked |= network.asked_of_trait.get(name, 0)
            look(network.of_trait.get(name, ()))
        for key in due:
            if key in network.by_key:
                asked |= network.by_key[key].bit
                del held.following[key]
            elif key not in network.operands:
                del held.following[key]  # no condition asks for it any more
            else:
                look((network.operands[key],))
        return asked

    def whole(self, customer: int, held: Held, traits: Traits, events: Iterable[EventFacts]) -> None:
        """Evaluate a customer whose past is not what it was, from all events."""
        network = self.network
        held.states.clear()
        held.following.clear()
        self._hearing.read(held, events, network.counts.keys())
        operands = list(network.of_traits)
        allowed = network.every
        for key, count in network.counts.items():
            if key in held.states:
                operands += count.operands
            else:
                allowed &= count.nothing
        self._take(customer, held, traits, allowed, operands, network.every)
        self._hearing.settle(held, network.counts.keys())

    def some(
        self,
        customer: int,
        held: Held,
        traits: Traits,
        events: Iterable[EventFacts],
        rules: Collection[Rule],
        counts: Collection[int],
    ) -> None:
        """Evaluate some rules; ``counts`` are those of their behaviours that nobody kept before."""
        for key in counts:
            held.states.pop(key, None)
        if counts:
            self._hearing.read(held, events, counts)
        if self._some is None or self._some[0] is not rules:
            of: dict[int, list[Operand]] = defaultdict(list)
            for operand in dict.fromkeys(operand for rule in rules for operand in rule.operands):
                of[operand.count].append(operand)
            nothing = {key: reduce(and_, (one.nothing for one in some)) for key, some in of.items() if key}
            self._some = (rules, dict(of), nothing, bits(rule.slot for rule in rules))
        _, of, nothing, wanted = self._some
        allowed, operands = self.network.every, list(of.get(0, ()))
        for key, mask in nothing.items():
            if key in held.states:
                operands += of[key]
            else:
                allowed &= mask
        self._take(customer, held, traits, allowed, operands, wanted)
        self._hearing.settle(held, counts)

    def _take(
        self,
        customer: int,
        held: Held,
        traits: Traits,
        allowed: int,
        operands: Iterable[Operand],
        wanted: int,
    ) -> None:
        """Decide all rules that are wanted; ``allowed`` is what operands beside these allow."""
        person = self.person(traits, held)
        found, following = self._measured(person, operands)
        held.following |= following
        exact = self.network.exact
        self._decide(customer, held, person, allowed & found, wanted & exact, wanted & ~exact, wanted)
        held.at = self.now

    def _measured(self, person: Person, operands: Iterable[Operand]) -> tuple[int, dict[int, int]]:
        """What the values of operands allow together, and when time alone changes it."""
        allowed, following, now = self.network.every, {}, self.now
        for operand in operands:
            mask, at = operand.look(person, now)
            allowed &= mask
            if at is not None:
                following[operand.key] = at
        return allowed, following

    def _differing(self, old: Traits, new: Traits) -> list[str]:
        if old is new:
            return []
        return [name for name, value in new.items() if old[name] != value]

    def _follow(self, held: Held, key: int, at: int | None) -> None:
        if at is None:
            held.following.pop(key, None)
        else:
            held.following[key] = at

    def _decide(
        self,
        customer: int,
        held: Held,
        person: Person,
        allowed: int,
        enter: int,
        ask: int,
        wanted: int = -1,
    ) -> None:
        """Take what is known of the rules (bits) into what is kept: who is in what is not allowed leaves; of those in
        ``enter`` it is known that they are true where they are allowed; those in ``ask`` are asked, in their order, and
        so is who asks about a segment that changed.
        """
        network, now, rules = self.network, self.now, self.network.rules
        was = inside = held.inside
        valid = network.every & wanted
        if self.swept:
            inside, valid = self._apart(customer, inside, valid)
            was = inside
        inside = inside & ~(valid & ~allowed) | enter & allowed & valid
        allowed &= valid
        waiting = sorted(network.by_slot[slot].number for slot in numbers(ask & allowed))
        if network.asked_about & (was ^ inside):
            for slot in numbers(network.asked_about & (was ^ inside)):
                self._also(waiting, 0, network.by_slot[slot].segment)
        person.inside = self._together(customer, inside) if self.swept else inside
        for place, number in enumerate(waiting):  # which may grow meanwhile
            rule = rules[number]
            if not rule.bit & allowed:
                continue
            holds = rule.answer(person, now) is True
            if rule.involved:
                self._follow(held, rule.key, rule.predicate.next_change(person, now))
            if holds is not bool(inside & rule.bit):
                inside ^= rule.bit
                person.inside ^= 1 << rule.segment
                self._also(waiting, place + 1, rule.segment)
        held.inside = person.inside

    def _also(self, waiting: list[int], place: int, segment: int) -> None:
        for number in self.network.asks.get(segment, ()):
            at = bisect_left(waiting, number, place)
            if at == len(waiting) or waiting[at] != number:
                waiting.insert(at, number)

    def _region(self, customer: int) -> tuple[int, list[Rule], dict[int, int]]:
        """While sweeps go on: which rules hold for a customer, which of these have a bit of their own, and versions by
        segment. It is the same for all customers between the places where two sweeps are.
        """
        place = bisect_left(self._limits, customer)
        found = self._regions.get(place)
        if found is None:
            held = [rule for rule in self.network.rules if self.covers(rule, customer)]
            found = self._regions[place] = (
                bits(rule.slot for rule in held),
                [rule for rule in held if rule.slot != rule.segment],
                {rule.segment: rule.version for rule in held},
            )
        return found

    def version(self, segment: int, customer: int) -> int:
        """The version of a segment that holds for a customer."""
        versions = self._region(customer)[2] if self.swept else self.network.versions
        return versions.get(segment, 0) or self.network.live.get(segment, 0)

    def _apart(self, customer: int, inside: int, valid: int) -> tuple[int, int]:
        """Segments as the rules that hold for a customer, while sweeps go on; and those rules."""
        holding, own, _ = self._region(customer)
        for rule in own:
            if inside >> rule.segment & 1:
                inside ^= rule.bit | 1 << rule.segment
        return inside, valid & holding

    def _together(self, customer: int, inside: int) -> int:
        """Rules as their segments again."""
        for rule in self._region(customer)[1]:
            if inside & rule.bit:
                inside ^= rule.bit | 1 << rule.segment
        return inside
