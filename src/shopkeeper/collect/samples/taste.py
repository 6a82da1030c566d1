"""What each person likes and when each buys, read from the real purchases, to make behaviour plausible."""

from __future__ import annotations

import numpy as np

from shopkeeper.collect.samples.catalogue import Catalogue
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, Flags, Ints, Purchases
from shopkeeper.collect.samples.tills import Tills

SPAN = 10_000_000_000
"""Larger than any minute: keys (person, minute) become one sortable integer."""


class Taste:
    """Answers for many persons at once: an own product, a similar one, purchases between two times."""

    def __init__(self, bought: Purchases, tills: Tills, catalogue: Catalogue, persons: int) -> None:
        self._products = len(bought.product_ids)
        good = catalogue.sellable[bought.product] & (bought.price_milli > 0) & (bought.quantity > 0)
        lines = np.flatnonzero(good)
        owner = tills.person[bought.order[lines]]
        owned = lines[owner >= 0]
        owner = owner[owner >= 0]
        by_owner = np.argsort(owner, kind="stable")
        self._own_products = bought.product[owned[by_owner]]
        self._own_count = np.bincount(owner, minlength=persons)
        self._own_start = np.cumsum(self._own_count) - self._own_count
        has = np.zeros(persons * self._products, bool)
        has[owner * self._products + bought.product[owned]] = True
        self._has = has
        self._category = catalogue.category
        # all lines by (category, time): what was popular in a category at a time
        key = catalogue.category[bought.product[lines]] * SPAN + bought.minute[lines]
        self._key, self._shelf = np.sort(key), bought.product[lines][np.argsort(key, kind="stable")]
        # all lines of each order, to look at what is bought
        self._line_order = np.argsort(bought.order, kind="stable")
        self._line_count = bought.lines_per_order
        self._line_start = np.cumsum(self._line_count) - self._line_count
        self._line_product = bought.product
        buys = np.flatnonzero((tills.person >= 0) & (bought.total_milli > 0))
        key = tills.person[buys] * SPAN + bought.order_minute[buys]
        by_time = np.argsort(key, kind="stable")
        self._buys, self._buy_orders = key[by_time], buys[by_time]
        counts = np.bincount(owner * 64 + catalogue.category[bought.product[owned]], minlength=persons * 64)
        self.top_category: Ints = counts.reshape(persons, 64).argmax(axis=1)

    def of_order(self, draw: np.random.Generator, order: Ints) -> Ints:
        """A product of each order."""
        offset = (draw.random(len(order)) * self._line_count[order]).astype(np.int64)
        return np.asarray(self._line_product[self._line_order[self._line_start[order] + offset]])

    def own(self, draw: np.random.Generator, person: Ints) -> Ints:
        """A product that each person bought at some time; a random one for those who never bought."""
        count = self._own_count[person]
        offset = (draw.random(len(person)) * count).astype(np.int64)
        at = np.minimum(self._own_start[person] + offset, len(self._own_products) - 1)
        anything = self._own_products[draw.integers(0, len(self._own_products), len(person))]
        return np.where(count > 0, self._own_products[at], anything)

    def similar(self, draw: np.random.Generator, person: Ints, minute: Ints) -> Ints:
        """A product of a category the person likes, on sale at that time."""
        return self.in_category(draw, self._category[self.own(draw, person)], minute)

    def in_category(self, draw: np.random.Generator, category: Ints, minute: Ints) -> Ints:
        """A product of the category, drawn by what sold shortly before that time."""
        low = np.searchsorted(self._key, category * SPAN)
        high = np.searchsorted(self._key, (category + 1) * SPAN)
        now = np.searchsorted(self._key, category * SPAN + np.maximum(minute, (FIRST_DAY + 2) * DAY))
        at = (
            now
            - 1
            - (draw.random(len(category)) * np.minimum(np.maximum(now - low, 1), 400)).astype(np.int64)
        )
        at = np.clip(at, low, np.maximum(high - 1, low)).clip(0, len(self._shelf) - 1)
        return np.asarray(self._shelf[at])

    def bought(self, person: Ints, product: Ints) -> Flags:
        """Whether each person ever bought the product."""
        return np.asarray(self._has[person * self._products + product])

    def purchases(self, person: Ints, start: Ints, end: Ints) -> Ints:
        """How many purchases each person made from `start` (included) to `end` (not included), in minutes."""
        upper = np.searchsorted(self._buys, person * SPAN + end)
        return np.asarray(upper - np.searchsorted(self._buys, person * SPAN + start), np.int64)

    def last_order(self, person: Ints, minute: Ints) -> Ints:
        """The last order of each person before `minute`, -1 without one."""
        at = np.searchsorted(self._buys, person * SPAN + minute) - 1
        mine = (at >= 0) & (self._buys[np.maximum(at, 0)] // SPAN == person)
        return np.where(mine, self._buy_orders[np.maximum(at, 0)], -1)

    def next_order(self, person: Ints, start: Ints) -> Ints:
        """The first order of each person at or after `start`; meaningful only where there is one."""
        at = np.searchsorted(self._buys, person * SPAN + start)
        return np.asarray(self._buy_orders[np.minimum(at, len(self._buy_orders) - 1)])

    def last_before(self, person: Ints, minute: Ints) -> Ints:
        """The minute of each person's last purchase before `minute`, -1 without one."""
        at = np.searchsorted(self._buys, person * SPAN + minute) - 1
        key = self._buys[np.maximum(at, 0)]
        return np.where((at >= 0) & (key // SPAN == person), key % SPAN, -1)
