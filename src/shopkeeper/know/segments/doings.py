"""Counts, first and last times of events as SQL: one pass over ``events`` for all terms of a question.

Rows are gathered by node and joined to customers late, when there are few. What followed on what is a window over the
customers' few rows of that term. Facts that lines tell (category and product of orders) come from ``order_lines``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shopkeeper.domain.condition import functions
from shopkeeper.domain.condition.tree import Behaviour, Filter, Then
from shopkeeper.domain.event import EVENTS
from shopkeeper.know.segments.binding import Binding
from shopkeeper.know.segments.facts import (
    GOODS,
    LINE_FACTS,
    all_met,
    earliest,
    half_even,
    length,
    one_of,
    since,
    within,
)
from shopkeeper.know.segments.moments import Moments

COLUMNS: Final[Mapping[str, str]] = {
    "category": "coalesce(nullif(e.category, ''), p.category)", "product_id": "e.product_id", "channel": "e.channel",
    "store": "e.store", "source": "e.source", "brand": "e.brand", "amount": "e.reporting / $minor",
    "currency": "coalesce(nullif(e.currency, ''), $currency)", "campaign_id": "e.campaign_id",
    "offer_id": "e.offer_id", "arm": "e.arm", "reason": "e.reason", "order_id": "e.order_id",
    "machine": "coalesce(e.machine, FALSE)",
}  # fmt: skip
_LINE: Final = {"category": "coalesce(nullif(l.category, ''), p.category)", "product_id": "l.product_id"}
_NO_CATEGORY: Final = "coalesce({0}.category, '') = ''"
_UNTOLD: Final = f"p.product_id = CASE WHEN {_NO_CATEGORY} THEN {{0}}.product_id END"
"""The catalogue is asked only where the row itself tells no category."""
_AND: Final = "\n        AND "


class Doings:
    """The terms of one question that are counted in ``events``, by number; written as common table expressions.

    ``asked`` says that only the nodes in the table ``asked`` matter: rows of others are then passed over early.
    """

    def __init__(
        self, bound: Binding, moments: Moments, terms: Mapping[Behaviour, int], *, asked: bool = False
    ) -> None:
        self._bound = bound
        self._moments = moments
        self._terms = terms
        self._asked = asked
        self._marks: dict[tuple[Filter, ...], int] = {}
        """Filters that one line must meet together, by number."""
        self._begin = earliest(moments, (term.window for term in terms))
        self._ways: list[str] = []
        """What a row must be to count for some term, as far as it tells by itself."""

    def tables(self) -> list[str]:
        """The expressions; the last are ``did`` and ``followed``, with a row a customer, where there are terms."""
        plain = {term: number for term, number in self._terms.items() if term.then is None}
        followed = [
            (term, number, term.then) for term, number in self._terms.items() if term.then is not None
        ]
        flags = {
            f"t{number}": self._row(term.names, term.filters, term) for term, number in self._terms.items()
        }
        flags |= {f"u{number}": self._row((then.name,), then.filters) for _, number, then in followed}
        found = [*self._sources(flags), self._seen(flags)]
        if plain:
            found += self._did(plain)
        if followed:
            found += self._followed(followed)
        return found

    def _row(self, names: Sequence[str], filters: Sequence[Filter], term: Behaviour | None = None) -> str:
        """What a row of events must be to count for a term, or to be what came after."""
        of_lines = tuple(one for one in filters if one.fact in LINE_FACTS)
        others = [one for one in filters if one.fact not in LINE_FACTS]
        rest = all_met(self._bound, others, self._columns(names))
        if term is not None:
            rest += within(self._bound, self._moments, term.window, "e.occurred_at", self._begin)
        lined = [name for name in names if of_lines and name in functions.LINED]
        ways = []
        if lined:
            parts = [one_of(self._bound, "e.name", lined), *rest]
            ways.append([*parts, f"m.l{self._mark(of_lines)} = 1"])
            self._may_count(parts)
        if own := [name for name in names if name not in lined]:
            parts = [one_of(self._bound, "e.name", own), *rest]
            tests = all_met(self._bound, of_lines, COLUMNS)
            ways.append([*parts, *tests])
            told = all_met(self._bound, of_lines, {**COLUMNS, "category": "e.category"})
            untold = [f"({test} OR {_NO_CATEGORY.format('e')})" for test in told]
            self._may_count([*parts, *untold])
        return " OR ".join(" AND ".join(parts) for parts in ways)

    def _may_count(self, parts: Sequence[str]) -> None:
        self._ways.append(" AND ".join(part for part in parts if "e.reporting" not in part))

    def _columns(self, names: Sequence[str]) -> Mapping[str, str]:
        if undeclared := [name for name in names if name not in EVENTS]:
            # What nobody declared tells nothing but its envelope, whatever it happens to carry.
            nobodys = one_of(self._bound, "e.name", undeclared)
            return {**COLUMNS, "machine": f"CASE WHEN {nobodys} THEN FALSE ELSE {COLUMNS['machine']} END"}
        return COLUMNS

    def _mark(self, filters: tuple[Filter, ...]) -> int:
        return self._marks.setdefault(filters, len(self._marks))

    def _bounds(self, alias: str) -> list[str]:
        """Which rows may matter at all: by time, so that files and parts of them are passed over."""
        parts = [f"{alias}.occurred_at <= $now", f"{alias}.node <> 0"]
        return [*parts, *since(self._bound, f"{alias}.occurred_at", self._begin)]

    def _sources(self, flags: Mapping[str, str]) -> list[str]:
        found = []
        if self._marks or any("p.category" in flag for flag in flags.values()):
            found.append(GOODS)
        if self._marks:
            met = {
                n: " AND ".join(all_met(self._bound, filters, _LINE)) for filters, n in self._marks.items()
            }
            columns = ", ".join(f"max(CASE WHEN {test} THEN 1 ELSE 0 END) AS l{n}" for n, test in met.items())
            found.append(f"""marked AS (
    SELECT l.seq, {columns}
    FROM order_lines AS l LEFT JOIN goods AS p ON {_UNTOLD.format("l")}
    WHERE {" AND ".join(self._bounds("l"))} AND ({" OR ".join(f"({test})" for test in met.values())})
    GROUP BY l.seq
)""")
        return found

    def _seen(self, flags: Mapping[str, str]) -> str:
        """Rows of events that count for some term, with a flag for each.

        What a row tells by itself is tested first, so that few of them are looked up elsewhere. Rows without any flag
        are left in: a test after the look-ups has the engine make them for all rows.
        """
        rows, joins = "events AS e", ""
        if any("e.reporting" in flag for flag in flags.values()):
            rows = f"""(
        SELECT a.*, {half_even("CAST(a.amount AS DOUBLE) * r.factor")} AS reporting
        FROM events AS a LEFT JOIN rates AS r ON r.currency = coalesce(nullif(a.currency, ''), $currency)
            AND a.occurred_at >= r.since AND a.occurred_at < r.until
    ) AS e"""
        if self._asked:
            joins += "\n    JOIN asked AS i ON i.node = e.node"
        if any("p.category" in flag for flag in flags.values()):
            joins += f"\n    LEFT JOIN goods AS p ON {_UNTOLD.format('e')}"
        if self._marks:
            lined = self._bound.listed(sorted(functions.LINED))
            joins += f"\n    LEFT JOIN marked AS m ON m.seq = CASE WHEN e.name IN {lined} THEN e.seq END"
        names = {name for term in self._terms for name in term.names}
        names |= {term.then.name for term in self._terms if term.then is not None}
        columns = ",\n        ".join(f"CASE WHEN {flag} THEN 1 END AS {name}" for name, flag in flags.items())
        of = "i.customer" if self._asked else "e.node"
        tests = [one_of(self._bound, "e.name", sorted(names)), *self._bounds("e")]
        if len(self._ways) > 1 or " AND " in self._ways[0]:
            tests.append(f"({' OR '.join(f'({way})' for way in dict.fromkeys(self._ways))})")
        return f"""seen AS (
    SELECT
        {of} AS who, e.occurred_at,
        {columns}
    FROM {rows}{joins}
    WHERE {_AND.join(tests)}
)"""

    def _did(self, terms: Mapping[Behaviour, int]) -> list[str]:
        first, again = [], []
        for term, number in terms.items():
            name = f"t{number}"
            if term.deed == "events":
                first.append(f"count({name}) AS {name}")
                again.append(f"sum(n.{name}) AS {name}")
            else:
                pick = "min" if term.deed == "first" else "max"
                first.append(f"{pick}(CASE WHEN {name} = 1 THEN occurred_at END) AS {name}")
                again.append(f"{pick}(n.{name}) AS {name}")
        if self._asked:
            return [f"did AS (\n    SELECT who AS customer, {', '.join(first)} FROM seen GROUP BY who\n)"]
        return [
            f"by_node AS (\n    SELECT who AS node, {', '.join(first)} FROM seen GROUP BY who\n)",
            f"""did AS (
    SELECT i.customer, {", ".join(again)}
    FROM by_node AS n JOIN identities AS i ON i.node = n.node GROUP BY i.customer
)""",
        ]

    def _followed(self, terms: Sequence[tuple[Behaviour, int, Then]]) -> list[str]:
        """For every event of a term the next one that may follow, strictly later."""
        people = "s.who AS customer", "seen AS s"
        if not self._asked:
            people = "i.customer", "seen AS s JOIN identities AS i ON i.node = s.who"
        steps = " UNION ALL ".join(
            f"SELECT {number} AS term, {role} AS role, {people[0]}, s.occurred_at FROM {people[1]} "
            f"WHERE s.{flag}{number} = 1"
            for _, number, _ in terms
            for role, flag in enumerate("tu")
        )
        columns = ", ".join(
            f"count(CASE WHEN term = {number} AND {self._kept(then)} THEN 1 END) AS t{number}"
            for _, number, then in terms
        )
        return [
            f"""following AS (
    SELECT
        term, role, customer, occurred_at,
        min(CASE WHEN role = 1 THEN occurred_at END) OVER (
            PARTITION BY term, customer ORDER BY occurred_at DESC, role
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS later
    FROM ({steps}) AS steps
)""",
            f"followed AS (\n    SELECT customer, {columns} FROM following WHERE role = 0 GROUP BY customer\n)",
        ]

    def _kept(self, then: Then) -> str:
        end = f"occurred_at + INTERVAL '{length(then) // 3_600_000_000}' HOUR"
        if then.never:
            return f"{end} <= $now AND (later IS NULL OR later >= {end})"
        return f"later < {end}"
