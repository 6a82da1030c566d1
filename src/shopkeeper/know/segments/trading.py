"""Orders that stand and what was spent as SQL: one pass over the events and lines of trade for all terms of a question.

Which tellings of an order count is told in ``know.retelling_sql``; ``know.overview_sql`` counts the same for the shop.
Nothing later than now is known, cancellations and later tellings included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shopkeeper.domain.condition.tree import Behaviour, Filter
from shopkeeper.know.retelling_sql import COUNTS, HEARD, NAMES, ONCE, PLACED, told
from shopkeeper.know.segments.binding import Binding
from shopkeeper.know.segments.facts import LINE_FACTS, all_met, earliest, half_even, since, within
from shopkeeper.know.segments.moments import Moments

_HEADER: Final = {
    "channel": "t.channel", "store": "t.store", "source": "t.source", "brand": "t.brand", "currency": "t.currency",
    "amount": "o.reporting / $minor",
}  # fmt: skip
_LINE: Final = {"category": "coalesce(nullif(l.category, ''), p.category)", "product_id": "l.product_id"}

_SEEN: Final = "e.occurred_at <= $now AND e.node <> 0"
_RECENT: Final = f"""
        AND e.order_id IN (
            SELECT order_id FROM events WHERE name IN {NAMES} AND occurred_at <= $now AND node <> 0{{only}}{{since}}
        )"""
_COUNTED: Final = f"""counted AS (
    SELECT
        h.seq, h.customer, h.source, h.brand, h.currency, h.amount,
        CASE WHEN h.name IN ('Order Refunded', 'Order Lines Added') THEN h.name ELSE 'Order Completed' END AS name,
        {PLACED} AS occurred_at,
        CASE WHEN h.name = 'Order Refunded' AND s.seq IS NOT NULL THEN s.channel ELSE h.channel END AS channel,
        CASE WHEN h.name = 'Order Refunded' AND s.seq IS NOT NULL THEN s.store ELSE h.store END AS store,
        CASE WHEN h.name <> 'Order Refunded' THEN coalesce(s.seq, h.seq) END AS part_of
    {HEARD}
    WHERE {COUNTS}
    UNION ALL
    SELECT
        seq, customer, source, brand, currency, amount,
        CASE WHEN name IN ('Order Refunded', 'Order Lines Added') THEN name ELSE 'Order Completed' END,
        occurred_at, channel, store, CASE WHEN name <> 'Order Refunded' THEN seq END
    {ONCE}
),
told AS (
    SELECT
        k.seq, k.customer, k.name, k.occurred_at, k.part_of, k.channel, k.store, k.source, k.brand, k.currency,
        r.factor, {half_even("CAST(k.amount AS DOUBLE) * r.factor")} AS reporting
    FROM counted AS k
    LEFT JOIN rates AS r
        ON r.currency = k.currency AND k.occurred_at >= r.since AND k.occurred_at < r.until
)"""
"""What counts, one row each. ``part_of`` is the telling of the order to which an order or added lines belong."""


class Trading:
    """The terms of one question about orders and spending, by number."""

    def __init__(
        self, bound: Binding, moments: Moments, terms: Mapping[Behaviour, int], *, asked: bool = False
    ) -> None:
        self._bound = bound
        self._moments = moments
        self._terms = terms
        self._people = "asked" if asked else "identities"
        self._begin = earliest(moments, (term.window for term in terms))
        self._marks: dict[tuple[Filter, ...], int] = {}

    @property
    def lined(self) -> bool:
        """Whether lines, and with them the catalogue, are asked for."""
        return any(one.fact in LINE_FACTS for term in self._terms for one in term.filters)

    def tables(self) -> list[str]:
        """The expressions, the last one being ``traded`` with a row a customer."""
        columns = [f"{self._term(term)} AS t{number}" for term, number in self._terms.items()]
        recent = " AND ".join(["", *since(self._bound, "occurred_at", self._begin)])
        only = " AND node IN (SELECT node FROM asked)" if self._people == "asked" else ""
        numbers = only + (_RECENT.format(only=only, since=recent) if recent else "")
        of_rows = " AND ".join(["", *since(self._bound, "e.occurred_at", self._begin)])
        carried = ("channel", "store")
        found = [
            told(
                who=self._people,
                seen=_SEEN,
                more=("store", "source", "brand"),
                carried=carried,
                retold=numbers,
                once=of_rows,
            )
        ]
        found.append(_COUNTED)
        joins = ""
        if self._marks:
            found += self._lines()
            joins += " LEFT JOIN goods_of AS g ON g.seq = t.seq"
        if any(term.deed == "orders" and self._whole(term) for term in self._terms):
            found.append(self._orders())
            joins += " LEFT JOIN whole AS o ON o.seq = t.seq"
        wanted = ",\n        ".join(columns)
        return [*found, f"traded AS (\n    SELECT\n        t.customer,\n        {wanted}\n    FROM told AS t{joins}\n"
                        "    GROUP BY t.customer\n)"]  # fmt: skip

    @staticmethod
    def _whole(term: Behaviour) -> bool:
        """Whether filters ask for the order with the lines that were added."""
        return any(one.fact in LINE_FACTS or one.fact == "amount" for one in term.filters)

    def _term(self, term: Behaviour) -> str:
        of_lines = tuple(one for one in term.filters if one.fact in LINE_FACTS)
        mark = self._marks.setdefault(of_lines, len(self._marks)) if of_lines else None
        parts = within(self._bound, self._moments, term.window, "t.occurred_at")
        parts += all_met(self._bound, (one for one in term.filters if one.fact not in LINE_FACTS), _HEADER)
        if term.deed == "orders":
            parts.append("t.name = 'Order Completed'")
            if mark is not None:
                parts.append(f"o.l{mark} = 1")
            return f"count(CASE WHEN {' AND '.join(parts)} THEN 1 END)"
        amount = (
            f"g.m{mark}"
            if mark is not None
            else "CASE WHEN t.name = 'Order Refunded' THEN -1 ELSE 1 END * t.reporting"
        )
        return f"coalesce(sum(CASE WHEN {' AND '.join(parts) or 'TRUE'} THEN {amount} END), 0) / $minor"

    def _lines(self) -> list[str]:
        met = {n: " AND ".join(all_met(self._bound, filters, _LINE)) for filters, n in self._marks.items()}
        columns = ",\n        ".join(
            f"max(CASE WHEN {test} THEN 1 ELSE 0 END) AS l{n}, sum(CASE WHEN {test} THEN l.reporting END) AS m{n}"
            for n, test in met.items()
        )
        return [f"""goods_of AS (
    SELECT
        l.seq,
        {columns}
    FROM (
        SELECT
            a.seq, a.category, a.product_id,
            {half_even("CAST(a.amount AS DOUBLE) * t.factor")} AS reporting
        FROM order_lines AS a JOIN told AS t ON t.seq = a.seq{self._recent_lines()}
    ) AS l
    LEFT JOIN goods AS p ON p.product_id = CASE WHEN coalesce(l.category, '') = '' THEN l.product_id END
    WHERE {" OR ".join(f"({test})" for test in met.values())}
    GROUP BY l.seq
)"""]  # fmt: skip

    def _recent_lines(self) -> str:
        """Lines of what counts within the windows are within them as well, but for lines that were added to an order
        before it was told.
        """
        if any(term.deed == "orders" and self._whole(term) for term in self._terms):
            return ""
        return " WHERE ".join(["", *since(self._bound, "a.occurred_at", self._begin)])

    def _orders(self) -> str:
        marks = "".join(f", max(g.l{n}) AS l{n}" for n in self._marks.values())
        lines = " LEFT JOIN goods_of AS g ON g.seq = t.seq" if self._marks else ""
        return f"""whole AS (
    SELECT
        t.part_of AS seq,
        CASE WHEN count(t.reporting) = count(*) THEN sum(t.reporting) END AS reporting{marks}
    FROM told AS t{lines}
    WHERE t.part_of IS NOT NULL GROUP BY t.part_of
)"""
