"""All conditions in force, compiled together: what a change of a trait or of a behaviour concerns is looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from math import inf, nextafter
from typing import Any, Final

from msgspec import Struct, structs

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.condition import Condition, tree
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.terms import Bought, Term, Windowed
from shopkeeper.domain.condition.values import Values
from shopkeeper.domain.condition.window import soonest
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.traits import Trait
from shopkeeper.know.live.atoms import DAYS, NUMBER, Atom, Reader, conjunction, leaves, of_somebody, timed
from shopkeeper.know.live.listening import Listening
from shopkeeper.know.live.operands import Operand, key_of, operand_of
from shopkeeper.know.live.person import empty_states

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

    def __init__(self, number: int, told: InForce, predicate: Predicate) -> None:
        self.number = number
        """Its place: after those of the segments it asks about."""
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
        self.operands: list[Operand] = []
        self.needs: tuple[tuple[str, float, float], ...] = ()
        """Traits, and between which numbers each must lie for the condition to be true at all."""
        self.needs_days: tuple[tuple[str, float, float], ...] = ()
        """The same of the days since a trait that is a day."""


class Count:
    """What is kept for behaviours that differ only in their window: one list of instants serves all of them."""

    def __init__(self, key: int, term: Term) -> None:
        self.key = key
        self.term = term
        """Any of them: what is added is the same for all."""
        self.bought = isinstance(term, Bought)
        self.terms: list[Term] = []
        self.operands: list[Operand] = []
        self.rules: set[int] = set()
        """Rules in which one of them stands in something involved."""

    def low(self, now: int) -> int:
        """What lies before this matters to none of them any more."""
        return min(term.range.since.at(now) for term in self.terms)


def counted(behaviour: tree.Behaviour, term: Term) -> str:
    """A text that behaviours share which are counted alike."""
    if isinstance(term, Bought):
        return sql(structs.replace(behaviour, window=tree.Window()))
    if isinstance(term, Windowed):
        return "when " + sql(structs.replace(behaviour, deed="events", window=tree.Window()))
    return term.key


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
        self.rules = [
            Rule(number, one, Predicate(one.condition, traits, catalogue, self.known))
            for number, one in enumerate(ordered(told))
        ]
        coming = {rule.segment for rule in self.rules if rule.coming}
        for rule in self.rules:
            rule.replaced = rule.segment in coming and not rule.coming
        self.empty = empty_states(self.known)
        self.counts: dict[int, Count] = {}
        """By key: what is kept of each customer."""
        self.count_keys: dict[str, int] = {}
        """By a behaviour's text."""
        behaviours = {one for rule in self.rules for one in rule.condition.behaviours}
        numbered: dict[int, tree.Behaviour] = {}
        for one in sorted(behaviours, key=sql):
            term = self.known[sql(one)]
            key = self.count_keys[term.key] = key_of(counted(one, term))
            self.counts.setdefault(key, Count(key, term)).terms.append(term)
            numbered.setdefault(key, one)
        self.bought = {key for key, count in self.counts.items() if count.bought}
        self.listening = Listening(numbered.items(), catalogue)
        self.names = tuple(sorted(self.listening.names))
        self.brands = any(f.fact == "brand" for one in behaviours for f in one.filters)
        self.operands: dict[int, Operand] = {}
        self.of_trait: dict[str, list[Operand]] = defaultdict(list)
        self.asked_of_trait: dict[str, set[int]] = defaultdict(set)
        """Rules in which a trait stands in something involved."""
        self.asks: dict[int, list[int]] = defaultdict(list)
        """Rules that ask about a segment."""
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

    def _read(self, traits: dict[str, Trait]) -> None:
        reader = Reader(traits, self.zone)
        found: dict[tuple[str, str], Operand] = {}
        for rule in self.rules:
            senses = conjunction(rule.condition.meaning) or {}
            values = Values(
                traits, {one: self.known[sql(one)] for one in rule.condition.behaviours}, self.zone
            )
            needs: list[Atom] = []
            for leaf in dict.fromkeys(leaves(rule.condition.meaning)):
                atom, sense = reader.atom(leaf), senses.get(leaf)
                self._leaf(atom, rule, values, found, sense=sense)
                if sense and atom.plain and isinstance(atom.on, tree.TraitRef):
                    needs.append(atom)
            rule.needs = tuple(_between(atom) for atom in needs if atom.kind == NUMBER)
            rule.needs_days = tuple(_between(atom) for atom in needs if atom.kind == DAYS)
            if rule.involved:
                self._involve(rule.condition.meaning, rule)
            for name in rule.condition.segments:
                if name in self.segment_ids:
                    self.asks[self.segment_ids[name]].append(rule.number)
        for operand in found.values():
            operand.ready()

    def _leaf(
        self,
        atom: Atom,
        rule: Rule,
        values: Values,
        found: dict[tuple[str, str], Operand],
        *,
        sense: bool | None,
    ) -> None:
        if atom.on is None:
            if not of_somebody(atom.node):
                self._for_all.append((rule.number, self._alone(atom.node)))
                return
            rule.involved = rule.involved or timed(atom.node)
            self._involve(atom.node, rule)
            return
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
                self.counts[self.count_keys[term.key]].operands.append(operand)
            elif isinstance(inner, tree.TraitRef):
                self.of_trait[inner.name].append(operand)
        operand.add(atom, rule.number, sense=sense)
        if operand not in rule.operands:
            rule.operands.append(operand)

    def _alone(self, node: tree.Value) -> Predicate:
        condition = Condition(node, sql(node), node, frozenset(), (), frozenset())
        return Predicate(condition, {}, self.catalogue, self.known)

    def _involve(self, node: tree.Value, rule: Rule) -> None:
        for one in tree.walk(node):
            if isinstance(one, tree.TraitRef):
                self.asked_of_trait[one.name].add(rule.number)
            elif isinstance(one, tree.Behaviour):
                self.counts[self.count_keys[sql(one)]].rules.add(rule.number)

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


def _between(atom: Atom) -> tuple[str, float, float]:
    """Between which numbers, both included, a trait must lie for an atom to be true.

    >>> _between(Atom(tree.Null(), NUMBER, tree.TraitRef("orders"), ((2, 1, True), (5, 0, False))))
    ('orders', 2.0000000000000004, 4.999999999999999)
    """
    low, high = -inf, inf
    for bound, beyond, rises in atom.bounds:
        if rises:
            low = max(low, nextafter(bound, inf) if beyond else bound)
        else:
            high = min(high, bound if beyond else nextafter(bound, -inf))
    return (atom.on.name if isinstance(atom.on, tree.TraitRef) else ""), low, high


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
