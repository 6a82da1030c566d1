"""Which behaviours an event may concern: found by its name and one of its facts, not by asking all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.condition import functions, orderbook, tree
from shopkeeper.domain.condition.facts import EventFacts

_BY: Final = (
    "product_id",
    "category",
    "store",
    "campaign_id",
    "offer_id",
    "order_id",
    "reason",
    "channel",
    "source",
)
"""Facts by which behaviours are looked up, the one with the most values first."""
_ENVELOPE: Final = frozenset({"channel", "source"})
_OF_ORDERS: Final = frozenset({"product_id", "category"})
"""Of orders only what lines tell: what comes back has the channel and the store of its order."""


class _Ears:
    """Behaviours that listen to one event: all that must be asked, and those that want a fact to have a value."""

    def __init__(self) -> None:
        self.always: list[int] = []
        self.by: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.surely: set[int] = set()


class Listening:
    """Behaviours, numbered, by what they listen to."""

    def __init__(self, behaviours: Iterable[tuple[int, tree.Behaviour]], catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._ears: dict[str, _Ears] = defaultdict(_Ears)
        for number, behaviour in behaviours:
            bought = behaviour.deed in ("orders", "spend")
            for name in orderbook.NAMES if bought else dict.fromkeys(behaviour.names):
                self._listen(number, name, behaviour.filters, bought=bought)
        self.names = frozenset(self._ears)
        """Every event that something listens to."""
        self.surely = {name: frozenset(ears.surely) for name, ears in self._ears.items()}
        """Behaviours, by the event, that ask no more of it than what they are found by."""

    def _listen(self, number: int, name: str, filters: Sequence[tree.Filter], *, bought: bool) -> None:
        ears = self._ears[name]
        for fact in _BY:
            if bought and fact not in _OF_ORDERS:
                continue
            for one in filters:
                if one.fact == fact and one.test in ("=", "in"):
                    for value in dict.fromkeys(map(str, one.values)):
                        ears.by[fact][value].append(number)
                    if len(filters) == 1 and all(isinstance(value, str) for value in one.values):
                        ears.surely.add(number)
                    return
        ears.always.append(number)
        if not filters:
            ears.surely.add(number)

    def concerned(self, event: EventFacts) -> Sequence[int]:
        """Those that an event may concern, each once."""
        ears = self._ears.get(event.name)
        if ears is None:
            return ()
        if not ears.by:
            return ears.always
        found = list(ears.always)
        for fact, by in ears.by.items():
            told = [by[value] for value in self._values(event, fact) if value in by]
            found += told[0] if len(told) == 1 else dict.fromkeys(chain.from_iterable(told))
        return found

    def _values(self, event: EventFacts, fact: str) -> Iterable[str]:
        if fact in _ENVELOPE:
            return (getattr(event, fact),)
        told = event.told
        if fact not in _OF_ORDERS:
            return (getattr(told, fact),)
        if event.name in functions.LINED:
            if fact == "product_id":
                return {line.product_id for line in event.lines}
            of = self._catalogue.of
            return {line.category or of(line.product_id).category for line in event.lines}
        if fact == "product_id":
            return (told.product_id,)
        return (told.category or self._catalogue.of(told.product_id).category,)
