"""Evaluates one customer: from what changed to the conditions concerned, and from their answers to who is in.

What is kept of a customer (``held.Held``) is right as of an instant and, as far as time alone goes, until the earliest
of its ``following``. An evaluation takes it to now: it looks only at operands that changed, and at those whose time
has come.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition import orderbook
from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.condition.states import Sequence as Followed
from shopkeeper.domain.condition.states import Tally, Times
from shopkeeper.know.live.held import NEVER, Held, Sums, sums_of
from shopkeeper.know.live.network import Network, Rule
from shopkeeper.know.live.operands import Asked, Operand
from shopkeeper.know.live.person import Person, Traits, Values

ORDERS = 0
"""In ``Held.following``: when an order's event that was dated ahead comes to count, so that orders are read anew."""


class Evaluator:
    """Evaluates customers as of one instant. ``swept`` says of segments being swept up to which customer they are."""

    def __init__(self, network: Network, values: Values, now: int, swept: Mapping[int, int]) -> None:
        self.network = network
        self.values = values
        self.now = now
        self.swept = swept
        self._today = network.zone.day(now)
        self._names = (network.count_keys, network.segment_ids, network.empty)
        self._baseline: tuple[set[int], dict[int, int]] | None = None

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
            held = Held(at=self.now)
            person = self.person(self.values.nobody, held)
            inside: set[int] = set()
            for rule in self.network.rules:
                if rule.answer(person, self.now) is True:
                    inside.add(rule.number)
                    held.inside.add(rule.segment)
            self._baseline = (
                inside,
                self._following(person, self.network.operands.values(), self.network.rules),
            )
        inside, following = self._baseline
        rules = self.network.rules
        if self.swept:
            segments = {rules[n].segment for n in inside if self.covers(rules[n], customer)}
        else:
            segments = {rules[n].segment for n in inside}
        return Held(self.now, segments, {}, dict(following))

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
        looked: dict[int, tuple[Operand, Any]] = {}
        asked = Asked()

        def look(operands: Iterable[Operand]) -> None:
            for operand in operands:
                looked[operand.key] = (operand, operand.get(before, then))

        touched = self._hear(held, events, orders, look, after)
        for key in touched:
            asked.add(network.counts[key].rules)
        for name in self._differing(old, new):
            asked.add(network.asked_of_trait.get(name, ()))
            look(network.of_trait.get(name, ()))
        due = {key for key, at in held.following.items() if at <= now}
        for key in due:
            if key in network.by_key:
                asked.add((network.by_key[key].number,))
            elif key not in network.operands:
                del held.following[key]  # no condition asks for it any more
            elif key not in looked:
                look((network.operands[key],))
        for key, (operand, was) in looked.items():
            value = operand.get(after, now)
            if key in due:
                operand.passed(was, value, then, now, asked)
            else:
                operand.changed(was, value, now, asked)
            if operand.timed:
                self._follow(held, key, operand.following(after, value, now))
        self._decide(customer, held, after, asked.enter, asked.leave)
        self._settle(held, touched)
        held.at = now

    def _hear(
        self,
        held: Held,
        events: Sequence[EventFacts],
        orders: Sequence[EventFacts] | None,
        look: Callable[[Iterable[Operand]], None],
        after: Person,
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
        for event in events:
            for key in network.listening.concerned(event):
                if key in anew:
                    continue
                if key not in touched:
                    look(network.counts[key].operands)
                    touched.add(key)
                if self._add(held, key, event):
                    after.forget(key)
        return touched

    def whole(self, customer: int, held: Held, traits: Traits, events: Iterable[EventFacts]) -> None:
        """Evaluate a customer whose past is not what it was, from all events."""
        network = self.network
        held.states.clear()
        held.following.clear()
        self._take(
            customer, held, traits, events, network.rules, network.counts.keys(), network.operands.values()
        )

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
        operands = {operand.key: operand for rule in rules for operand in rule.operands}
        self._take(customer, held, traits, events, rules, counts, operands.values())

    def _take(
        self,
        customer: int,
        held: Held,
        traits: Traits,
        events: Iterable[EventFacts],
        rules: Collection[Rule],
        counts: Collection[int],
        operands: Iterable[Operand],
    ) -> None:
        if counts:
            self._read(held, events, counts)
        person = self.person(traits, held)
        held.following |= self._following(person, operands, rules)
        every = {rule.number for rule in rules}
        self._decide(customer, held, person, every, every)
        self._settle(held, counts)
        held.at = self.now

    def _orders(self, held: Held, events: Iterable[EventFacts]) -> None:
        """Read what was bought anew, from all events of orders."""
        held.following.pop(ORDERS, None)
        for key in self.network.bought:
            held.states.pop(key, None)
        self._read(held, events, self.network.bought)

    def _read(self, held: Held, events: Iterable[EventFacts], counts: Collection[int]) -> None:
        """Count some behaviours from the beginning. Of orders, those of which anything concerns a behaviour."""
        network = self.network
        told: dict[int, dict[str, None]] = defaultdict(dict)
        alone: dict[int, list[EventFacts]] = defaultdict(list)
        by_order: dict[str, list[EventFacts]] = defaultdict(list)
        for event in events:
            number = event.told.order_id if event.name in orderbook.NAMES else ""
            if number:
                by_order[number].append(event)
            for key in dict.fromkeys(network.listening.concerned(event)):
                if key not in counts:
                    continue
                if key not in network.bought:
                    self._add(held, key, event)
                elif number:
                    told[key][number] = None
                else:
                    alone[key].append(event)
        for key in told.keys() | alone.keys():
            whole = [event for number in told.get(key, ()) for event in by_order[number]]
            self._book(held, key, [*whole, *alone.get(key, ())])
        ahead = [event.at for some in by_order.values() for event in some if event.at > self.now]
        if ahead and told:
            held.following[ORDERS] = min(ahead)

    def _book(self, held: Held, key: int, events: Iterable[EventFacts]) -> None:
        """Work out what orders come to, of which these are all events."""
        term: Any = self.network.counts[key].term
        book = term.new()
        for event in events:
            term.add(book, event)
        found = sums_of(book, term.orders.points(book, self.now))
        if found is not None:
            held.states[key] = found

    def _add(self, held: Held, key: int, event: EventFacts) -> bool:
        term: Any = self.network.counts[key].term
        if key in self.network.bought:
            return self._bought(held, key, term, event)
        state = held.states.get(key)
        if state is not None:
            return bool(term.add(state, event))
        state = term.new()
        if not term.add(state, event):
            return False
        held.states[key] = state
        return True

    def _bought(self, held: Held, key: int, term: Any, event: EventFacts) -> bool:
        """Add an order of which nothing was heard before: what it comes to does not depend on any other."""
        book = term.new()
        if not term.add(book, event):
            return False
        points = term.orders.points(book, NEVER - 1)
        sums: Any = held.states.get(key)
        changed = False
        for at, before, after in zip(points.times, points.sums, points.sums[1:], strict=False):
            if sums is None:
                held.states[key] = sums = Sums()
            place = bisect_right(sums.times, at)
            sums.times.insert(place, at)
            sums.values.insert(place, after - before)
            changed = True
        return changed

    def _differing(self, old: Traits, new: Traits) -> list[str]:
        if old is new:
            return []
        return [name for name, value in new.items() if old[name] != value]

    def _follow(self, held: Held, key: int, at: int | None) -> None:
        if at is None:
            held.following.pop(key, None)
        else:
            held.following[key] = at

    def _following(
        self, person: Person, operands: Iterable[Operand], rules: Iterable[Rule]
    ) -> dict[int, int]:
        found: dict[int, int] = {}
        for operand in operands:
            if operand.timed:
                at = operand.following(person, operand.get(person, self.now), self.now)
                if at is not None:
                    found[operand.key] = at
        for rule in rules:
            if rule.involved and (at := rule.predicate.next_change(person, self.now)) is not None:
                found[rule.key] = at
        return found

    def _decide(
        self, customer: int, held: Held, person: Person, enter: Collection[int], leave: Collection[int]
    ) -> None:
        """Ask the conditions concerned, in their order; who asks about a segment that changed is concerned as well."""
        network, now, inside, rules = self.network, self.now, held.inside, self.network.rules
        traits = person.traits
        chosen = {n for n in enter if rules[n].segment not in inside or rules[n].involved}
        chosen.update(n for n in leave if rules[n].segment in inside or rules[n].involved)
        waiting = sorted(chosen)
        place = 0
        while place < len(waiting):
            rule = rules[waiting[place]]
            place += 1
            if self.swept and not self.covers(rule, customer):
                continue
            holds = self._possible(rule, traits) and rule.answer(person, now) is True
            if rule.involved:
                self._follow(held, rule.key, rule.predicate.next_change(person, now))
            if holds != (rule.segment in inside):
                (inside.add if holds else inside.discard)(rule.segment)
                for other in network.asks.get(rule.segment, ()):
                    at = bisect_left(waiting, other, place)
                    if at == len(waiting) or waiting[at] != other:
                        waiting.insert(at, other)

    def _possible(self, rule: Rule, traits: Traits) -> bool:
        """Whether the numbers that a condition needs are there: most conditions that are asked fail here, quickly."""
        for name, low, high in rule.needs:
            value = traits[name]
            if value is None or not low <= value <= high:
                return False
        for name, low, high in rule.needs_days:
            value = traits[name]
            if value is None or not low <= self._today - value // DAY <= high:
                return False
        return True

    def _settle(self, held: Held, touched: Iterable[int]) -> None:
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


def _nothing(state: Any) -> bool:
    if type(state) is Tally:
        return not (state.count or state.ahead or state.first is not None)
    if type(state) is Followed:
        return not (state.times or state.then)
    return not state.times
