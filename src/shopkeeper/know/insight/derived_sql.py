"""Facts that no trait tells, as questions to the lake: rows of customers with what is known of them.

In DuckDB's dialect and within what sqlglot puts into Spark's. Parameters are those of ``know.overview_sql``
(``$rates``, ``$currency``), ``$zone`` (the shop's time zone) and ``$deeds`` (names of events in which the customer,
not the shop, is the one who acts).
"""

from __future__ import annotations

from shopkeeper.know.overview_sql import TOLD

_GOODS = """
    LEFT JOIN products AS p ON p.product_id = l.product_id
    WHERE l.quantity > 0 AND coalesce(p.kind, 'product') = 'product'
        AND coalesce(nullif(p.category, ''), nullif(l.category, '')) IS NOT NULL"""
_BOUGHT = f"""
    FROM order_lines AS l
    JOIN told AS t ON t.seq = l.seq
    JOIN identities AS i ON i.node = t.node{_GOODS}
        AND t.name <> 'Order Refunded' AND NOT t.cancelled"""

SQL: dict[str, str] = {
    "goods": f"""{TOLD},
shares AS (
    SELECT
        i.customer AS customer, t.occurred_at AS moment, t.seq AS seq, sum(l.amount) AS amount,
        coalesce(nullif(p.category, ''), nullif(l.category, '')) AS level{_BOUGHT}
    GROUP BY 1, 2, 3, 5
),
ranked AS (
    SELECT
        customer, level,
        row_number() OVER (PARTITION BY customer ORDER BY moment, seq, amount DESC, level) AS nth
    FROM shares
)
SELECT customer, level, min(nth) = 1 AS first FROM ranked GROUP BY customer, level
""",
    "bought_first": f"""{TOLD},
firsts AS (
    SELECT i.customer AS customer, arg_min(t.seq, {{'at': t.occurred_at, 'seq': t.seq}}) AS seq{_BOUGHT}
    GROUP BY i.customer
),
shares AS (
    SELECT
        f.customer AS customer, coalesce(nullif(p.category, ''), nullif(l.category, '')) AS level,
        sum(l.amount) AS amount
    FROM order_lines AS l
    JOIN firsts AS f ON f.seq = l.seq{_GOODS}
    GROUP BY 1, 2
)
SELECT customer, arg_min(level, {{'amount': -amount, 'level': level}}) AS level FROM shares GROUP BY customer
""",
    "orders": f"""{TOLD},
placed AS (
    SELECT i.customer AS customer, t.place AS place, t.occurred_at AT TIME ZONE $zone AS moment
    FROM told AS t JOIN identities AS i ON i.node = t.node
    WHERE t.name = 'Order Completed' AND NOT t.cancelled
),
timed AS (
    SELECT
        customer, place, strftime(moment, '%A') AS weekday,
        CASE
            WHEN hour(moment) = 0 AND minute(moment) = 0 AND second(moment) = 0 THEN ''
            WHEN hour(moment) < 6 THEN 'night' WHEN hour(moment) < 12 THEN 'morning'
            WHEN hour(moment) < 18 THEN 'afternoon' ELSE 'evening'
        END AS daypart
    FROM placed
),
tallied AS (
    SELECT customer, place, weekday, daypart, count(*) AS times FROM timed GROUP BY customer, place, weekday, daypart
)
SELECT
    o.customer, CASE WHEN o.place = 'unknown' THEN '' ELSE coalesce(nullif(s.name, ''), o.place) END AS place,
    o.weekday, o.daypart, o.times
FROM tallied AS o LEFT JOIN stores AS s ON s.store_id = o.place
""",
    "channel": """
SELECT DISTINCT i.customer, e.channel AS level
FROM events AS e JOIN identities AS i ON i.node = e.node
WHERE e.channel <> '' AND NOT coalesce(e.machine, FALSE)
    AND e.name IN (SELECT unnest($deeds))
""",
    "looked_at": """
SELECT DISTINCT i.customer, coalesce(nullif(p.category, ''), nullif(e.category, '')) AS level
FROM events AS e
JOIN identities AS i ON i.node = e.node
LEFT JOIN products AS p ON p.product_id = e.product_id
WHERE e.name = 'Product Viewed' AND coalesce(nullif(p.category, ''), nullif(e.category, '')) IS NOT NULL
""",
    "clicked": """
SELECT DISTINCT i.customer, e.campaign_id AS level
FROM events AS e JOIN identities AS i ON i.node = e.node
WHERE e.name = 'Email Link Clicked' AND e.campaign_id <> '' AND NOT coalesce(e.machine, FALSE)
""",
}
"""Every question by name. ``goods`` tells of each category that a customer bought, and whether it was the first (of one
order, what weighed most), ``bought_first`` of the first alone; ``orders`` of places, weekdays and parts of the day with
their number of orders (the part is empty at midnight sharp: a file that tells days only has every order there); the
others of one level a row, each once.
"""
