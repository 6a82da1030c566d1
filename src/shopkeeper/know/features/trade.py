"""Orders, added lines and refunds as they stood at an instant: one row each, with the margin known by then.

Which tellings of an order count is told in ``know.retelling_sql``; here nothing after the instant is known, so that an
order cancelled or told anew later stands as it stood. Margin is counted as in the fold.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.features.asked import RATES, Asked, Ints
from shopkeeper.know.overview import Query
from shopkeeper.know.retelling_sql import COUNTS, HEARD, ONCE, PLACED, told

_KIND: Final = "CASE {0}.name WHEN 'Order Refunded' THEN 2 WHEN 'Order Lines Added' THEN 1 ELSE 0 END"
ORDER, ADDED, BACK, VOID = 0, 1, 2, -1
"""Kinds of rows: an order, lines added to one, what came back, and what does not count."""

CHANNELS: Final = ("store", "web", "app")
"""Channels told apart; others are one."""


def _sql(asked: Asked) -> str:
    return f"""
WITH {RATES},
{asked.who},
{told(who="who", seen=asked.seen("e"))},
rows AS (
    SELECT
        h.seq, h.customer, h.currency, h.amount, h.channel,
        {PLACED} AS occurred_at, s.since AS ordered_at,
        CASE WHEN {COUNTS} THEN {_KIND.format("h")} ELSE {VOID} END AS kind
    {HEARD}
    UNION ALL
    SELECT
        seq, customer, currency, amount, channel, occurred_at,
        CASE WHEN name IN ('Order Completed', 'Order Updated') THEN occurred_at END,
        {_KIND.format("once")}
    {ONCE}
),
goods AS (
    SELECT
        l.seq, sum(l.amount) AS amount,
        sum(CASE WHEN l.name = 'Order Refunded' AND l.amount = 0 THEN 0
            WHEN p.unit_cost IS NULL THEN l.amount * $assumed ELSE l.amount END) AS earned,
        sum(CASE WHEN l.name = 'Order Refunded' AND l.amount = 0 THEN 0
            ELSE l.quantity * coalesce(p.unit_cost, 0) END) * $minor AS cost
    FROM order_lines AS l LEFT JOIN products AS p ON p.product_id = l.product_id
    WHERE l.occurred_at < $end AND l.node <> 0
    GROUP BY l.seq
)
SELECT
    r.seq, r.customer, CAST(r.kind AS INTEGER) AS kind, epoch_us(r.occurred_at) AS at,
    coalesce(epoch_us(r.ordered_at), -1) AS ordered_at,
    CASE r.channel WHEN 'store' THEN 0 WHEN 'web' THEN 1 WHEN 'app' THEN 2 ELSE 3 END AS channel,
    CASE WHEN r.kind = 2 THEN -1 ELSE 1 END * r.amount * coalesce(x.factor, 0) AS amount,
    CASE
        WHEN g.seq IS NULL THEN CASE WHEN r.kind = 2 THEN -1 ELSE 1 END * r.amount * coalesce(x.factor, 0) * $assumed
        WHEN x.factor IS NULL THEN 0
        ELSE g.earned * x.factor - g.cost
            - (g.amount - CASE WHEN r.kind = 2 THEN -1 ELSE 1 END * r.amount) * x.factor
    END AS margin
FROM rows AS r
LEFT JOIN goods AS g ON g.seq = r.seq
LEFT JOIN rates AS x ON x.currency = r.currency AND r.occurred_at >= x.since AND r.occurred_at < x.until
"""


class Trade(Struct, frozen=True):
    """What counted, ordered by customer and time.

    Attributes:
        customer: whose.
        kind: ORDER, ADDED or BACK.
        at: when, microseconds.
        ordered_at: when its order was placed; of what belongs to no known order, the customer's latest before it, and
            -1 where there is none.
        channel: place in CHANNELS, or one more.
        amount: minor units of the reporting currency, negative for what came back.
        margin: the same.
        void: rows of the log (seq) that do not count: cancelled, or told anew.
    """

    customer: Ints
    kind: NDArray[np.int8]
    at: Ints
    ordered_at: Ints
    channel: NDArray[np.int8]
    amount: NDArray[np.float64]
    margin: NDArray[np.float64]
    void: Ints


def trade(query: Query, asked: Asked) -> Trade:
    """Ask the lake what of orders stood at the instant."""
    found = asked.ask(query, _sql(asked))
    void = found["kind"] == VOID
    off = np.sort(found["seq"][void].astype(np.int64))
    order = np.lexsort((found.pop("seq"), found["at"], found["customer"]))
    order = order[~void[order]]
    kept = {name: found.pop(name)[order] for name in [*found]}
    whole = {name: kept[name].astype(np.int64, copy=False) for name in ("customer", "at", "ordered_at")}
    whole["kind"] = kept["kind"].astype(np.int8)
    return Trade(
        **whole | {"ordered_at": _ordered(whole)},
        channel=kept["channel"].astype(np.int8),
        amount=kept["amount"].astype(np.float64, copy=False),
        # Sums of many threads differ in the last digits.
        margin=np.round(kept["margin"].astype(np.float64, copy=False), 4),
        void=off,
    )


def _ordered(rows: dict[str, Any]) -> Ints:
    """Of what belongs to no known order, when the latest order before it was placed."""
    customer: Ints = rows["customer"]
    ordered: Ints = rows["ordered_at"].copy()
    lost = np.flatnonzero(ordered < 0)
    orders = np.flatnonzero(rows["kind"] == ORDER)
    if not lost.size or not orders.size:
        return ordered
    before = np.searchsorted(orders, lost) - 1
    found = orders[np.maximum(before, 0)]
    own = (before >= 0) & (customer[found] == customer[lost])
    ordered[lost[own]] = rows["at"][found[own]]
    return ordered
