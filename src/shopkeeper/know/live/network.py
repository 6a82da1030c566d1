"""All conditions in force, compiled together: what a change of a trait or of a behaviour concerns is looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import count
from typing import Any, Final

from msgspec import Struct, structs

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.condition import Condition, tree
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.terms import Bought, Followed, Heard, Lasting, Term, Windowed
from shopkeeper.domain.condition.values import Values
from shopkeeper.domain.condition.window import soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.traits import Trait
from shopkeeper.know.live.allowing import Allowing
from shopkeeper.know.live.atoms import Atom, Reader, Sense, conjunction, leaves, of_somebody, timed
from shopkeeper.know.live.behaved import operand_of
from shopkeeper.know.live.held import bits
from shopkeeper.know.live.listening import Listening
from shopkeeper.know.live.operands import Operand, key_of
from shopkeeper.know.live.person import Person, empty_states

EVERYBODY: Final = (-1, 1 << 62)


class InForce(Struct, frozen=True):
    """A version of a segment's condition that is to be kept up."""

    segment: int
    name: str
    version: int
    condition: Condition
    coming: bool = False
    """Whether a sweep brings it: then it holds for customers who were swept; the one it replaces for the others."""


class Rule:
    """One condition in force."""

    def __init__(self, number: int, slot: int, told: InForce, predicate: Predicate) -> None:
        self.number = number
        """Its place: after those of the segments it asks about."""
        self.slot = slot
        self.bit = 1 << slot
        """It among all rules: the bit of its segment, or one of its own where it is to take another one's place."""
        self.segment = told.segment
        self.name = told.name
        self.version = told.version
        self.coming = told.coming
        self.replaced = False
        """Whether a coming one takes its place, customer by customer."""
        self.condition = told.condition
        self.predicate = predicate
        self.answer = predicate.answer
        self.key = key_of(f"rule {told.segment} {told.version}")
        self.involved = False
        """Whether time may change something in it that only the whole condition can tell."""
        self.exact = False
        """Whether operands say exactly when it is true: then it is never asked."""
        self.operands: list[Operand] = []


class Count:
    """What is kept for behaviours that differ only in their window: one list of instants serves all of them."""

    def __init__(self, key: int, term: Term | Heard) -> None:
        self.key = key
        self.term = term
        """Any of them, or the part of them that this is: what is added is the same for all."""
        self.bought = isinstance(term, Bought)
        self.alone = term.orders.alone if isinstance(term, Bought) else _nothing_bought
        """What an event adds to what was bought, of whose order nothing else is told."""
        self.whenever = not isinstance(term, Lasting) or term.whenever
        """Whether what is heard counts whenever it was; what has left a window is forgotten later."""
        self.terms: list[Term] = []
        self.operands: list[Operand] = []
        self.followed: list[Operand] = []
        """Operands to which this is only what was to follow: it matters where there is something to be followed."""
        self.rules = 0
        """Rules (bits) in which one of them stands in something involved."""
        self.nothing = 0
        """Which rules are allowed by all of ``operands`` where nothing was heard."""
        self._low = (0, 0)

    def low(self, now: int) -> int:
        """What lies before this matters to none of them any more."""
        known = self._low
        if known[0] != now:
            known = self._low = (now, min(term.range.since.at(now) for term in self.terms))
        return known[1]


def _nothing_bought(_: EventFacts) -> int | None:
    return None


def counted(behaviour: tree.Behaviour, term: Term) -> str:
    """A text that behaviours share which are counted alike."""
    if isinstance(term, Bought):
        return sql(structs.replace(behaviour, window=tree.Window()))
    if isinstance(term, Windowed):
        return "when " + sql(structs.replace(behaviour, deed="events", window=tree.Window()))
    return term.key


def apart(behaviour: tree.Behaviour, then: tree.Then) -> tuple[tree.Behaviour, tree.Behaviour]:
    """Events, and what was to follow them: each is heard for itself, and the second for many behaviours at once."""
    begun = structs.replace(behaviour, window=tree.Window(), then=None)
    return begun, structs.replace(begun, names=(then.name,), filters=then.filters)


class Network:
    """Rules in their order, and what leads to them."""

    def __init__(
        self,
        told: Sequence[InForce],
        traits: Mapping[str, Trait],
        catalogue: Catalogue,
        scale: float,
        names: Mapping[str, int],
    ) -> None:
        """``names`` are the numbers of all segments there are, in force or not."""
        self.segment_ids = dict(names)
        self.live: dict[int, int] = {}
        """Versions by segment, of all there are."""
        self.catalogue = catalogue
        self.zone = Zone(catalogue.zone)
        self.traits = [traits[name] for name in sorted({n for one in told for n in one.condition.traits})]
        """Those in use."""
        self.scale = scale
        self.known: dict[str, Term] = {}
        told = ordered(told)
        held = {one.segment for one in told if not one.coming}
        slots = count(1 + max([*self.segment_ids.values(), *(one.segment for one in told)], default=0))
        self.rules = [
            Rule(
                number,
                next(slots) if one.coming and one.segment in held else one.segment,
                one,
                Predicate(one.condition, traits, catalogue, self.known),
            )
            for number, one in enumerate(told)
        ]
        coming = {rule.segment for rule in self.rules if rule.coming}
        for rule in self.rules:
            rule.replaced = rule.segment in coming and not rule.coming
        self.by_slot = {rule.slot: rule for rule in self.rules}
        self.every = bits(self.by_slot)
        """All rules."""
        self.empty = empty_states(self.known)
        self.counts: dict[int, Count] = {}
        """By key: what is kept of each customer."""
        self.count_keys: dict[str, int] = {}
        """By a behaviour's text."""
        self.then_keys: dict[str, int] = {}
        """The same of what was to follow."""
        self.moved: dict[int, tuple[int, int]] = {}
        """Where both are kept of what earlier versions kept under one key."""
        numbered = self._counted()
        self.bought = {key for key, count in self.counts.items() if count.bought}
        self.listening = Listening(numbered.items(), catalogue)
        self.names = tuple(sorted(self.listening.names))
        self.brands = any(f.fact == "brand" for one in numbered.values() for f in one.filters)
        self.operands: dict[int, Operand] = {}
        self.of_traits: list[Operand] = []
        self.of_trait: dict[str, list[Operand]] = defaultdict(list)
        self.asked_of_trait: dict[str, int] = defaultdict(int)
        """Rules (bits) in which a trait stands in something involved."""
        self.asks: dict[int, list[int]] = defaultdict(list)
        """Numbers of rules that ask about a segment."""
        self.asked_about = 0
        """Rules (bits) about whose segments others ask."""
        self.by_traits = 0
        """Rules of which traits alone say exactly when they are true."""
        self.exact = 0
        """Rules of which operands do."""
        self.involved = 0
        self.refreshed = {
            rule.number
            for rule in self.rules
            if any(traits[n].clock == "refresh" for n in rule.condition.traits)
        }
        """Rules over what a refresh writes."""
        self._for_all: list[tuple[int, Predicate]] = []
        self._read(dict(traits))
        self.by_key = {rule.key: rule for rule in self.rules}
        self.of_segment: dict[int, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            self.of_segment[rule.segment].append(rule)
        self.versions = {rule.segment: rule.version for rule in reversed(self.rules)}
        """Those in force, by segment, where none is being swept."""

    def _counted(self) -> dict[int, tree.Behaviour]:
        """Find out what is to be kept of each customer; returns what is heard for each of it."""
        behaviours = {one for rule in self.rules for one in rule.condition.behaviours}
        numbered: dict[int, tree.Behaviour] = {}
        for one in sorted(behaviours, key=sql):
            term = self.known[sql(one)]
            parts: list[tuple[int, tree.Behaviour, Term | Heard]]
            if isinstance(term, Followed) and one.then is not None:
                told = zip(("begun", "then"), apart(one, one.then), term.apart(), strict=True)
                parts = [(key_of(f"{what} {sql(part)}"), part, heard) for what, part, heard in told]
                self.then_keys[term.key] = parts[1][0]
                self.moved[key_of(term.key)] = (parts[0][0], parts[1][0])
            else:
                parts = [(key_of(counted(one, term)), one, term)]
            self.count_keys[term.key] = parts[0][0]
            for key, part, heard in parts:
                self.counts.setdefault(key, Count(key, heard)).terms.append(term)
                numbered.setdefault(key, part)
        return numbered

    def _read(self, traits: dict[str, Trait]) -> None:
        reader = Reader(traits, self.zone)
        found: dict[tuple[str, str], Operand] = {}
        for rule in self.rules:
            senses = conjunction(rule.condition.meaning) or {}
            values = Values(
                traits, {one: self.known[sql(one)] for one in rule.condition.behaviours}, self.zone
            )
            rule.exact = True
            for leaf in dict.fromkeys(leaves(rule.condition.meaning)):
                known = self._leaf(reader.atom(leaf), rule, values, found, senses.get(leaf))
                rule.exact = rule.exact and known
            if rule.involved:
                self._involve(rule.condition.meaning, rule)
                self.involved |= rule.bit
            for name in rule.condition.segments:
                if name in self.segment_ids:
                    self.asks[self.segment_ids[name]].append(rule.number)
            if rule.exact:
                self._exactly(rule)
        for operand in found.values():
            operand.ready(self.every)
        self.allowing = Allowing(self.every, self.of_traits)
        for one in self.counts.values():
            one.nothing = self.every
            for operand in one.operands:
                nothing = operand.value(Person({}, {}, 0, (self.count_keys, {}, self.empty, {})), 0)
                operand.nothing = operand.mask(nothing, 0)
                one.nothing &= operand.nothing
        for rule in self.rules:
            if rule.segment in self.asks:
                self.asked_about |= rule.bit

    def _exactly(self, rule: Rule) -> None:
        self.exact |= rule.bit
        behaved = [operand for operand in rule.operands if operand.term is not None]
        if not behaved:
            self.by_traits |= rule.bit
        elif len(behaved) == 1:
            behaved[0].sole |= rule.bit

    def _leaf(
        self,
        atom: Atom,
        rule: Rule,
        values: Values,
        found: dict[tuple[str, str], Operand],
        sense: Sense | None,
    ) -> bool:
        """Take a leaf in; whether an operand says exactly what it says."""
        if atom.on is None:
            if not of_somebody(atom.node):
                self._for_all.append((rule.number, self._alone(atom.node)))
                return False
            rule.involved = rule.involved or timed(atom.node)
            self._involve(atom.node, rule)
            return False
        which = (atom.kind, sql(atom.on))
        inner = atom.on.arguments[0] if isinstance(atom.on, tree.Call) else atom.on
        term = self.known[sql(inner)] if isinstance(inner, tree.Behaviour) else None
        operand = found.get(which)
        if operand is None:
            part = values.value(atom.on)
            operand = found[which] = operand_of(
                atom, part.value, self.zone, of_day=part.kind == "day", term=term
            )
            self.operands[operand.key] = operand
            if term is not None:
                operand.count = self.count_keys[term.key]
                self.counts[operand.count].operands.append(operand)
                if term.key in self.then_keys:
                    self.counts[self.then_keys[term.key]].followed.append(operand)
            else:
                self.of_traits.append(operand)
                for name in {one.name for one in tree.walk(atom.on) if isinstance(one, tree.TraitRef)}:
                    self.of_trait[name].append(operand)
        if operand not in rule.operands:
            rule.operands.append(operand)
        return operand.add(atom, rule.bit, sense)

    def keys(self, term: Term) -> list[int]:
        """Under which keys a behaviour is kept."""
        return [of[term.key] for of in (self.count_keys, self.then_keys) if term.key in of]

    def _alone(self, node: tree.Value) -> Predicate:
        condition = Condition(node, sql(node), node, frozenset(), (), frozenset())
        return Predicate(condition, {}, self.catalogue, self.known)

    def _involve(self, node: tree.Value, rule: Rule) -> None:
        for one in tree.walk(node):
            if isinstance(one, tree.TraitRef):
                self.asked_of_trait[one.name] |= rule.bit
            elif isinstance(one, tree.Behaviour):
                for key in self.keys(self.known[sql(one)]):
                    self.counts[key].rules |= rule.bit

    def next_for_all(self, now: int) -> tuple[int, set[int]] | None:
        """When the clock alone changes what some conditions say of everybody, and which rules those are."""
        at: int | None = None
        rules: set[int] = set()
        for rule, predicate in self._for_all:
            found = predicate.next_change(_NOBODY, now)
            if found is not None and (at is None or found <= at):
                rules = {rule} | (rules if found == at else set())
                at = soonest(at, found)
        return None if at is None else (at, rules)


_NOBODY: Any = None


def ordered(told: Iterable[InForce]) -> list[InForce]:
    """Conditions so that each comes after those it asks about. Raises InvalidInput where they go round in a circle."""
    of: dict[str, list[InForce]] = defaultdict(list)
    for one in told:
        of[one.name].append(one)
    asks = {name: {n for one in some for n in one.condition.segments if n in of} for name, some in of.items()}
    return [one for name in in_order(asks) for one in of[name]]


def in_order(asks: Mapping[str, set[str]]) -> list[str]:
    """Names of segments, each after those it asks about. Raises InvalidInput.

    >>> in_order({"b": {"a"}, "a": set()})
    ['a', 'b']
    """
    try:
        return list(TopologicalSorter({name: sorted(of) for name, of in sorted(asks.items())}).static_order())
    except CycleError as error:
        circle = " asks about ".join(f"{name!r}" for name in reversed(error.args[1]))
        raise InvalidInput(
            f"segments that ask about each other in a circle: {circle}",
            hint="let one of them say it without the other",
        ) from None
