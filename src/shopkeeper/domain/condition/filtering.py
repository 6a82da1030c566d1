"""Filters as functions of an event's facts. A test of a fact that was not told is not met, whatever the test."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition import functions, tree
from shopkeeper.domain.condition.facts import EventFacts
from shopkeeper.domain.money import exponent

Met = Callable[[EventFacts], bool]
"""Whether an event meets something."""
LineMet = Callable[[str, str], bool]
"""Whether a line of this product and category does."""

_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ENVELOPE: Final = frozenset({"channel", "source", "brand"})
_PLACE: Final = frozenset({"channel", "store"})


def yes(_: EventFacts) -> bool:
    """No filter at all."""
    return True


def tested(one: tree.Filter) -> Callable[[Any], bool]:
    """A test of a value; nothing told meets none."""
    if one.test in ("in", "not in"):
        among = frozenset(one.values)
        if one.test == "in":
            return lambda value: value in among
        return lambda value: value not in (None, "") and value not in among
    test, (wanted,) = _TESTS[one.test], one.values
    if one.test == "=":
        return lambda value: value == wanted
    return lambda value: value not in (None, "") and test(value, wanted)


class Filters:
    """Filters, apart by what they ask of: lines, the place of an order, its amount, the rest."""

    def __init__(self, filters: Sequence[tree.Filter], catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        lines = [one for one in filters if functions.FACTS[one.fact].line]
        self.lines = _lines(lines)
        self.amounts = [tested(one) for one in filters if one.fact == "amount"]
        head = [one for one in filters if one not in lines and one.fact != "amount"]
        self.place = self._all([one for one in head if one.fact in _PLACE])
        self.rest = self._all([one for one in head if one.fact not in _PLACE])
        self._scale = 10.0 ** exponent(catalogue.currency)

    def met(self, event: EventFacts) -> bool:
        """Whether an event meets all of them; of an event with lines, whether one line does."""
        if not (self.rest(event) and self.place(event)):
            return False
        if self.amounts and not self.amount_met(self.minor(event.told.amount, event.told.currency, event.at)):
            return False
        return self.lines is None or self.line_met(event)

    def line_met(self, event: EventFacts) -> bool:
        """Whether a line, or the event itself where it has none, meets what is asked of lines."""
        lines = self.lines
        if lines is None:
            return True
        if event.name in functions.LINED:
            return any(
                lines(one.product_id, self.category(one.category, one.product_id)) for one in event.lines
            )
        told = event.told
        return lines(told.product_id, self.category(told.category, told.product_id))

    def category(self, told: str, product: str) -> str:
        """The category as told, or else the product's."""
        return told or self.catalogue.of(product).category

    def minor(self, amount: int | None, currency: str, at: int) -> int | None:
        """Whole minor units of the reporting currency by the rate of an instant; None where it is not known."""
        if amount is None or not currency or currency == self.catalogue.currency:
            return amount
        factor = self.catalogue.rates.factor(currency, at // DAY)
        return None if factor is None else round(amount * factor)

    def amount_met(self, minor: int | None) -> bool:
        """Whether an amount meets what is asked of it."""
        if minor is None:
            return not self.amounts
        value = minor / self._scale
        return all(test(value) for test in self.amounts)

    def _all(self, filters: Sequence[tree.Filter]) -> Met:
        tests = [(one.fact, tested(one)) for one in filters]
        if not tests:
            return yes
        own = self.catalogue.currency

        def met(event: EventFacts) -> bool:
            for fact, test in tests:
                value = getattr(event if fact in _ENVELOPE else event.told, fact)
                if not test(value or own if fact == "currency" else value):
                    return False
            return True

        return met


def _lines(filters: Sequence[tree.Filter]) -> LineMet | None:
    if not filters:
        return None
    products = [tested(one) for one in filters if one.fact == "product_id"]
    categories = [tested(one) for one in filters if one.fact == "category"]

    def met(product: str, category: str) -> bool:
        return all(test(product) for test in products) and all(test(category) for test in categories)

    return met
