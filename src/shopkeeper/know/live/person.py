"""One customer as conditions see one: values of the traits in use, what behaviours counted, segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shopkeeper.domain.clock import micros
from shopkeeper.domain.condition.states import Book, Sequence
from shopkeeper.domain.condition.terms import Term
from shopkeeper.domain.customer import Customer
from shopkeeper.domain.traits import Trait
from shopkeeper.know.live.held import Sums, book_of

Traits = Mapping[str, Any]


class Values:
    """Reads the traits in use off a record: money in units, times in microseconds."""

    def __init__(self, traits: list[Trait], scale: float) -> None:
        self._known = [(one.name, _reader(one, scale)) for one in traits if one.of is not None]
        self.foretold = tuple(one.name for one in traits if one.of is None)
        """Those that are predicted."""
        self._instants = frozenset(one.name for one in traits if one.of is None and one.kind == "time")
        self.nobody = self.of(Customer(), {}, 0)
        """Of somebody of whom nothing was heard."""

    def of(self, record: Customer, foretold: Traits, now: int) -> dict[str, Any]:
        """Every trait in use."""
        found = {name: read(record, now) for name, read in self._known}
        for name in self.foretold:
            found[name] = foretold.get(name)
        return found

    def told(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The predictions in use, of what a ledger keeps: instants are texts there."""
        found = {name: said.get(name) for name in self.foretold}
        for name in self._instants:
            if (text := found[name]) is not None:
                found[name] = micros(datetime.fromisoformat(text))
        return found


def _reader(trait: Trait, scale: float) -> Callable[[Customer, int], Any]:
    of = trait.of
    if of is None:
        raise TypeError(trait.name)  # pragma: no cover - predictions are read elsewhere
    at = trait.at
    if at is not None:
        return lambda record, _: at(record)
    if trait.kind == "money":
        return lambda record, now: None if (amount := of(record, now)) is None else amount / scale
    if trait.kind == "time":
        return lambda record, now: None if (at := of(record, now)) is None else micros(at)
    return of


class Person:
    """The facts that predicates ask for (``condition.part.Facts``)."""

    __slots__ = ("_books", "_empty", "_ids", "_keys", "_thens", "inside", "states", "trait", "traits")

    def __init__(
        self,
        traits: Traits,
        states: dict[int, Any],
        inside: int,
        names: tuple[Mapping[str, int], Mapping[str, int], Mapping[str, Any], Mapping[str, int]],
    ) -> None:
        """``inside`` are the customer's segments as bits; ``names``: keys of behaviours and of segments by their names,
        what is kept where nothing was heard, and keys of what was to follow, where that is kept apart.
        """
        self.traits = traits
        self.trait = traits.get
        self.states = states
        self.inside = inside
        self._keys, self._ids, self._empty, self._thens = names
        self._books: dict[int, Book] = {}

    def state(self, key: str) -> Any:
        """What is kept for a behaviour."""
        number = self._keys[key]
        found = self.states.get(number)
        if found is None:
            return self._empty[key]
        if key in self._thens:
            then = self.states.get(self._thens[key])
            return Sequence(found.times, [] if then is None else then.times)
        if type(found) is Sums:
            book = self._books.get(number)
            if book is None:
                book = self._books[number] = book_of(found)
            return book
        return found

    def member(self, segment: str) -> bool:
        """Whether the customer is in a segment."""
        number = self._ids.get(segment)
        return number is not None and bool(self.inside >> number & 1)


def empty_states(terms: Mapping[str, Term]) -> dict[str, Any]:
    """What is kept where nothing was heard: to be asked, never to be added to."""
    return {key: term.new() for key, term in terms.items()}
