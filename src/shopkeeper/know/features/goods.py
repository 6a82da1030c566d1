"""What was bought of which category, at what discount, and first of all: one pass over lines of orders that stood."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.features.asked import Asked, Ints
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
        row = np.searchsorted(customers, self.customer)
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
        for name, keys in (
            ("first", (self.category, -positive, self.first)),
            ("main", (self.category, self.first, -positive)),
        ):
            order = np.lexsort((*keys, ~known, row))
            top = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
            sure = top[known[top]]
            columns[f"{name}_category"][row[sure]] = self.category[sure]
            if name == "main":
                share = positive[sure] / np.where(of_known[row[sure]] > 0, of_known[row[sure]], 1.0)
                columns["main_category_share"][row[sure]] = share
        order = np.lexsort((self.category, self.first, row))
        top = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
        told = top[self.country[top] >= 0]
        columns["first_country"][row[told]] = self.country[told]
        texts = {
            "main_category": self.categories,
            "first_category": self.categories,
            "first_country": self.countries,
        }
        return columns, texts


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
    w.customer, CAST(b.category AS INTEGER) AS category, epoch_us(b.first) AS first,
    CAST(coalesce(b.country, 0) AS INTEGER) AS country,
    coalesce(b.units, 0) AS units, CAST(coalesce(b.amount, 0) AS DOUBLE) AS amount,
    CAST(coalesce(b.listed, 0) AS DOUBLE) * $minor AS listed, CAST(coalesce(b.sold, 0) AS DOUBLE) AS sold
FROM by_node AS b JOIN who AS w ON w.node = b.node
"""
    found = asked.ask(
        query, sql, categories=list(categories), numbers=list(range(len(categories))), countries=list(countries),
        void=void.tolist(),
    )  # fmt: skip
    merged = _merged(found)
    return Goods(**merged, categories=categories, countries=countries)


def _texts(query: Query, sql: str) -> tuple[str, ...]:
    table = query(
        f"SELECT DISTINCT category FROM ({sql}) AS texts WHERE category <> '' ORDER BY category", {}
    )
    return tuple(table["category"].to_pylist())


def _merged(found: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Rows of a customer's several nodes as one per category."""
    order = np.lexsort((found["first"], found["category"], found["customer"]))
    rows = {name: column[order] for name, column in found.items()}
    new = np.ones(order.size, dtype=np.bool_)
    new[1:] = (np.diff(rows["customer"]) != 0) | (np.diff(rows["category"]) != 0)
    starts = np.flatnonzero(new)

    def total(name: str) -> NDArray[np.float64]:
        values = rows[name].astype(np.float64)
        # Sums of many threads differ in the last digits.
        return np.asarray(np.round(np.add.reduceat(values, starts), 4), np.float64) if starts.size else values

    kept = {
        name: rows[name][starts].astype(np.int64) for name in ("customer", "category", "first", "country")
    }
    return kept | {"country": kept["country"] - 1} | {
        name: total(name) for name in ("units", "amount", "listed", "sold")
    }  # fmt: skip
