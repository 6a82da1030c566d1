"""What was bought of which category, at what discount, and first of all: one pass over lines of orders that stood."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.features.asked import Asked, Ints, places
from shopkeeper.know.overview import Query

WORDS = {
    "categories_bought": "categories bought",
    "main_category_share": "share of the main category in what was bought",
    "main_category": "category bought most",
    "first_category": "category of the first order",
    "first_country": "country of the first order",
    "discount_share": "what was taken off the price of goods, as a share of it",
    "units": "units bought",
}
"""Each column in words."""


class Goods(Struct, frozen=True):
    """One row per customer and category (a place in ``categories``, -1 where it is not known)."""

    customer: Ints
    category: Ints
    country: Ints
    first: Ints
    units: NDArray[np.float64]
    amount: NDArray[np.float64]
    listed: NDArray[np.float64]
    sold: NDArray[np.float64]
    categories: tuple[str, ...]
    countries: tuple[str, ...]

    def columns(self, customers: Ints) -> tuple[dict[str, NDArray[np.float64]], dict[str, tuple[str, ...]]]:
        """Columns for these customers (ascending, none left out), and the texts of those that are codes."""
        row = places(customers, self.customer)
        size = customers.size

        def total(of: NDArray[Any]) -> NDArray[np.float64]:
            return np.asarray(np.bincount(row, weights=of, minlength=size))

        known = self.category >= 0
        positive = np.maximum(self.amount, 0.0)
        listed = total(self.listed)
        of_known = total(np.where(known, positive, 0.0))
        unknown = np.full(size, np.nan)
        columns = {"categories_bought": total(known), "units": total(self.units)} | {
            name: unknown.copy()
            for name in ("main_category", "main_category_share", "first_category", "first_country")
        }
        columns["discount_share"] = np.where(
            listed > 0, 1.0 - total(self.sold) / np.where(listed > 0, listed, 1.0), np.nan
        )
        # Of several categories of one order that of the largest amount is the first.
        first = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(first, row[known], self.first[known])
        opening = _best(row, np.flatnonzero(known & (self.first == first[row])), -positive, self.category)
        columns["first_category"][row[opening]] = self.category[opening]
        largest = np.full(size, -1.0)
        np.maximum.at(largest, row[known], positive[known])
        main = _best(row, np.flatnonzero(known & (positive == largest[row])), self.first, self.category)
        columns["main_category"][row[main]] = self.category[main]
        share = positive[main] / np.where(of_known[row[main]] > 0, of_known[row[main]], 1.0)
        columns["main_category_share"][row[main]] = share
        told = self.country >= 0
        first = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(first, row[told], self.first[told])
        home = _best(row, np.flatnonzero(told & (self.first == first[row])), self.category)
        columns["first_country"][row[home]] = self.country[home]
        texts = {
            "main_category": self.categories,
            "first_category": self.categories,
            "first_country": self.countries,
        }
        return columns, texts


def _best(row: Ints, among: Ints, *keys: NDArray[Any]) -> Ints:
    """Of those rows, one for each customer: the least by the keys, the first of which counts most."""
    order = among[np.lexsort((*(key[among] for key in reversed(keys)), row[among]))]
    return order[np.flatnonzero(np.diff(row[order], prepend=-1))]


def goods(query: Query, asked: Asked, void: Ints) -> Goods:
    """Ask the lake what was bought before the instant, but for the rows of the log that do not count."""
    seen = asked.seen("l").replace(
        " AND l.received_at < $end", ""
    )  # lines have the time of their event's row
    categories = _texts(query, "SELECT category FROM order_lines UNION SELECT category FROM products")
    countries = _texts(query, "SELECT country AS category FROM order_lines")
    only = " AND l.seq IN (SELECT seq FROM events AS e WHERE e.received_at < $end)" if asked.known else ""
    sql = f"""
WITH {asked.who},
codes AS (SELECT unnest($categories) AS category, unnest($numbers) AS code),
kinds AS (
    SELECT p.product_id, c.code FROM products AS p JOIN codes AS c ON c.category = p.category
),
by_node AS (
    SELECT
        l.node, coalesce(c.code, k.code, -1) AS category, min(l.occurred_at) AS first,
        arg_min(list_position($countries, l.country), l.occurred_at) AS country,
        sum(l.quantity) AS units, sum(l.amount) AS amount,
        sum(CASE WHEN l.price > 0 AND l.quantity > 0 THEN l.price * l.quantity END) AS listed,
        sum(CASE WHEN l.price > 0 AND l.quantity > 0 THEN l.amount END) AS sold
    FROM order_lines AS l
    LEFT JOIN codes AS c ON c.category = l.category
    LEFT JOIN kinds AS k ON k.product_id = CASE WHEN coalesce(l.category, '') = '' THEN l.product_id END
    WHERE {seen}{only} AND l.name <> 'Order Refunded' AND l.seq NOT IN (SELECT unnest($void))
    GROUP BY 1, 2
)
SELECT
    w.customer, CAST(b.category AS INTEGER) AS category, epoch_us(min(b.first)) AS first,
    CAST(coalesce(arg_min(b.country, b.first), 0) AS INTEGER) AS country,
    coalesce(sum(b.units), 0) AS units, CAST(coalesce(sum(b.amount), 0) AS DOUBLE) AS amount,
    CAST(coalesce(sum(b.listed), 0) AS DOUBLE) * $minor AS listed, CAST(coalesce(sum(b.sold), 0) AS DOUBLE) AS sold
FROM by_node AS b JOIN who AS w ON w.node = b.node
GROUP BY 1, 2
"""
    found = asked.ask(
        query, sql, categories=list(categories), numbers=list(range(len(categories))), countries=list(countries),
        void=void.tolist(),
    )  # fmt: skip
    whole = [
        found[name].astype(np.int64, copy=False) for name in ("customer", "category", "country", "first")
    ]
    # Sums of many threads differ in the last digits.
    sums = [
        np.asarray(np.round(found[name].astype(np.float64), 4), np.float64)
        for name in ("units", "amount", "listed", "sold")
    ]
    (customer, category, country, first), (units, amount, listed, sold) = whole, sums
    return Goods(customer, category, country - 1, first, units, amount, listed, sold, categories, countries)


def _texts(query: Query, sql: str) -> tuple[str, ...]:
    table = query(
        f"SELECT DISTINCT category FROM ({sql}) AS texts WHERE category <> '' ORDER BY category", {}
    )
    return tuple(table["category"].to_pylist())
