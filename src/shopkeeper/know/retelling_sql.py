"""Which tellings of an order count, as SQL over the log: what ``know.retelling`` does for one customer, for all.

Questions differ in whom they ask about, in how much of the log may be seen (what happened until now, or what was known
on a day of the past: an order that was cancelled or told anew later then stands as it stood), and in the columns they
carry along. ``told`` gives the table expressions ``retold``, ``once``, ``heard``, ``called_off``, ``tellings`` and
``stands``; of ``once`` (most of the log: numbers heard of only once need no sorting out) and ``heard`` a question then
takes what counts, with ``ONCE`` and ``HEARD`` where ``COUNTS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

NAMES: Final = (
    "('Order Completed', 'Order Updated', 'Order Lines Added', 'Order Refunded', 'Order Cancelled')"
)
"""Events of trade."""
_TELLS: Final = """(
            name = 'Order Completed'
            OR name = 'Order Updated' AND order_id IS NOT NULL AND (
                amount <> 0 OR seq IN (SELECT seq FROM order_lines WHERE name = 'Order Updated')
            )
        )"""
ONCE: Final = f"""FROM once
    WHERE name IN ('Order Refunded', 'Order Lines Added') OR {_TELLS}"""
"""All that counts of what was heard once."""
HEARD: Final = """FROM heard AS h
    LEFT JOIN stands AS s ON s.customer = h.customer AND s.order_id = h.order_id
    LEFT JOIN called_off AS c ON c.customer = h.customer AND c.order_id = h.order_id"""
"""What was heard under a number that was heard of again, beside the telling ``s`` that stands."""
COUNTS: Final = """c.order_id IS NULL AND (
        h.name = 'Order Refunded'
        OR h.seq = s.seq
        OR h.name = 'Order Lines Added' AND (s.seq IS NULL OR s.times = 1 OR h.occurred_at >= s.until)
    )"""
"""Whether a row of ``HEARD`` counts."""
PLACED: Final = "CASE WHEN h.seq = s.seq THEN s.since ELSE h.occurred_at END"
"""When it happened: an order stands at its first telling's time."""


def told(
    *,
    who: str,
    seen: str,
    more: Sequence[str] = (),
    carried: Sequence[str] = (),
    retold: str = "",
    once: str = "",
) -> str:
    """Give the table expressions.

    Args:
        who: the table of nodes and their customers.
        seen: which rows of the log, ``e``, may be seen.
        more: columns of the log beside number, name, time, order, channel, currency and amount.
        carried: columns of the telling that stands.
        retold: a further condition on the numbers that are looked up.
        once: a further condition on what was heard once.
    """
    columns = "".join(f", e.{name}" for name in more)
    rows = f"""SELECT
        e.seq, e.name, e.occurred_at, w.customer, nullif(e.order_id, '') AS order_id, e.channel,
        coalesce(nullif(e.currency, ''), $currency) AS currency, coalesce(e.amount, 0) AS amount{columns}
    FROM events AS e JOIN {who} AS w ON w.node = e.node"""
    kept = "".join(f", {name}" for name in carried)
    return f"""retold AS (
    SELECT e.order_id FROM events AS e
    WHERE e.name IN {NAMES} AND {seen} AND e.order_id <> ''{retold}
    GROUP BY e.order_id HAVING count(*) > 1
),
once AS (
    {rows} LEFT JOIN retold AS r ON r.order_id = e.order_id
    WHERE e.name IN {NAMES} AND {seen} AND r.order_id IS NULL AND e.name <> 'Order Cancelled'{once}
),
heard AS (
    {rows} JOIN retold AS r ON r.order_id = e.order_id
    WHERE e.name IN {NAMES} AND {seen}
),
called_off AS (
    SELECT DISTINCT customer, order_id FROM heard WHERE name = 'Order Cancelled'
),
tellings AS (
    SELECT
        customer, order_id, seq, occurred_at{kept},
        row_number() OVER (
            PARTITION BY customer, order_id
            ORDER BY occurred_at, CASE WHEN name = 'Order Updated' THEN 1 ELSE 0 END, amount, seq
        ) AS nth,
        count(*) OVER (PARTITION BY customer, order_id) AS times,
        min(occurred_at) OVER (PARTITION BY customer, order_id) AS since
    FROM heard
    WHERE {_TELLS}
),
stands AS (
    SELECT customer, order_id, seq, times, since, occurred_at AS until{kept} FROM tellings WHERE nth = times
)"""
