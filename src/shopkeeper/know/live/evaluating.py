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

from shopkeeper.domain.condition import orderbook
from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.condition.states import Tally, Times
from shopkeeper.know.live.held import Held, Sums, numbers, sums_of
from shopkeeper.know.live.network import Network, Rule
from shopkeeper.know.live.operands import Operand
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
        self._between = [rule for rule in network.rules if rule.segment in swept]
        """Rules that hold up to some customer, or from one on."""
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
        due = {key for key, at in held.following.items() if at <= now}
        looked: dict[int, tuple[Operand, int, Any]] = {}

        def look(operands: Iterable[Operand]) -> None:
            """Note what is about to change. What is not due compares at present as it did then."""
            for operand in operands:
                if operand.key in looked:
                    continue
                at = then if operand.key in due else now
                value = operand.value(before, at) if operand.loose else None
                looked[operand.key] = (operand, operand.allows(before, at), value)

        touched = self._hear(held, events, orders, look)
        asked = self._concerned(held, touched, due, self._differing(old, new), look)
        allowed = self._allowed(after)
        rose, sure, following = 0, network.by_traits, held.following
        for key, (operand, was, value) in looked.items():
            mask, at = operand.look(after, now)
            rose |= mask & ~was
            if operand.loose:
                asked |= operand.asks(value, operand.value(after, now), then if key in due else now, now)
            if operand.term is not None:
                allowed &= mask
                sure |= operand.sole
            if at is not None:
                following[key] = at
            elif key in following:
                del following[key]
        self._decide(customer, held, after, allowed, rose & sure, rose & ~sure | asked)
        self._settle(held, touched)
        held.at = now

    def _allowed(self, person: Person) -> int:
        """Which rules are allowed by all traits."""
        network, now, traits = self.network, self.now, person.traits
        allowed = network.every
        for figure in network.figures:  # here rather than in a method of theirs: every change asks all of them
            value = traits.get(figure.name)
            if value is None or value - value != 0:
                allowed &= figure.unknown
            else:
                allowed &= figure.masks[bisect_right(figure.bounds, value)]
        for operand in network.not_figures:
            allowed &= operand.allows(person, now)
        return allowed

    def _concerned(
        self,
        held: Held,
        touched: Iterable[int],
        due: set[int],
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

    def _hear(
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
        for event in events:
            for key in network.listening.concerned(event):
                if key in anew:
                    continue
                count = network.counts[key]
                term: Any = count.term
                if count.bought:
                    worth = term.orders.alone(event)
                    if not worth:
                        continue
                elif not term.heeds(event):
                    continue
                if key not in touched:
                    look(count.operands)
                    touched.add(key)
                if count.followed:
                    look(one for one in count.followed if one.count in held.states)
                if count.bought:
                    self._bought(held, key, event.at, worth)
                else:
                    self._add(held, key, event)
        return touched

    def whole(self, customer: int, held: Held, traits: Traits, events: Iterable[EventFacts]) -> None:
        """Evaluate a customer whose past is not what it was, from all events."""
        network = self.network
        held.states.clear()
        held.following.clear()
        self._read(held, events, network.counts.keys())
        operands = list(network.of_traits)
        allowed = network.every
        for key, count in network.counts.items():
            if key in held.states:
                operands += count.operands
            else:
                allowed &= count.nothing
        self._take(customer, held, traits, allowed, operands, network.every)
        self._settle(held, network.counts.keys())

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
            self._read(held, events, counts)
        operands = {operand.key: operand for rule in rules for operand in rule.operands}
        wanted = 0
        for rule in rules:
            wanted |= rule.bit
        self._take(customer, held, traits, self.network.every, operands.values(), wanted)
        self._settle(held, counts)

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
            if operand.term is not None and operand.count not in person.states:
                allowed &= operand.nothing
                continue
            mask, at = operand.look(person, now)
            allowed &= mask
            if at is not None:
                following[operand.key] = at
        return allowed, following

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
                    if network.counts[key].term.heeds(event):
                        self._add(held, key, event)
                elif number:
                    told[key][number] = None
                else:
                    alone[key].append(event)
        for key in told.keys() | alone.keys():
            whole = [event for number in told.get(key, ()) for event in by_order[number]]
            self._book(held, key, [*whole, *alone.get(key, ())])
        bought = [event for some in (*by_order.values(), *alone.values()) for event in some]
        ahead = [event.at for event in bought if event.at > self.now]
        if ahead and (told or alone):
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

    def _add(self, held: Held, key: int, event: EventFacts) -> None:
        term: Any = self.network.counts[key].term
        state = held.states.get(key)
        if state is None:
            state = held.states[key] = term.new()
        term.add(state, event)

    def _bought(self, held: Held, key: int, at: int, worth: int) -> None:
        """Add an order of which nothing was heard before: what it comes to does not depend on any other."""
        sums: Any = held.states.get(key)
        if sums is None:
            held.states[key] = sums = Sums()
        place = bisect_right(sums.times, at)
        sums.times.insert(place, at)
        sums.values.insert(place, worth)

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
        person.inside = self._together(customer, inside)
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

    def _apart(self, customer: int, inside: int, valid: int) -> tuple[int, int]:
        """Segments as the rules that hold for a customer, while sweeps go on; and those rules."""
        for rule in self._between:
            if not self.covers(rule, customer):
                valid &= ~rule.bit
            elif rule.slot != rule.segment and inside >> rule.segment & 1:
                inside ^= rule.bit | 1 << rule.segment
        return inside, valid

    def _together(self, customer: int, inside: int) -> int:
        """Rules as their segments again."""
        for rule in self._between:
            if rule.slot != rule.segment and self.covers(rule, customer) and inside & rule.bit:
                inside ^= rule.bit | 1 << rule.segment
        return inside

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
    return not state.times
