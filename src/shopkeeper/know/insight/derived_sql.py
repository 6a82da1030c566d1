"""Facts that no trait tells, as questions to the lake: rows of (customer, level), each pair once.

In DuckDB's dialect and within what sqlglot puts into Spark's. Parameters are those of ``know.overview_sql``
(``$rates``, ``$currency``), ``$zone`` (the shop's time zone) and ``$deeds`` (names of events in which the customer,
not the shop, is the one who acts).
"""

from __future__ import annotations

from shopkeeper.know.overview_sql import TOLD

_GOODS = f"""{TOLD},
bought AS (
    SELECT
        i.customer AS customer, t.occurred_at AS moment, t.seq AS seq, l.amount AS amount,
        coalesce(nullif(p.category, ''), nullif(l.category, '')) AS category
    FROM order_lines AS l
    JOIN told AS t ON t.seq = l.seq
    JOIN identities AS i ON i.node = t.node
    LEFT JOIN products AS p ON p.product_id = l.product_id
    WHERE t.name <> 'Order Refunded' AND NOT t.cancelled AND l.quantity > 0 AND coalesce(p.kind, 'product') = 'product'
)"""

_ORDERS = f"""{TOLD},
placed AS (
    SELECT i.customer AS customer, t.place AS place, t.occurred_at AT TIME ZONE $zone AS moment
    FROM told AS t JOIN identities AS i ON i.node = t.node
    WHERE t.name = 'Order Completed' AND NOT t.cancelled
)"""


def _mostly(level: str, where: str = "TRUE") -> str:
    """The level that most of a customer's orders have; of equals the first one by name."""
    return f"""{_ORDERS},
tallied AS (SELECT customer, {level} AS level, count(*) AS times FROM placed WHERE {where} GROUP BY 1, 2),
ranked AS (
    SELECT customer, level, row_number() OVER (PARTITION BY customer ORDER BY times DESC, level) AS nth FROM tallied
)
SELECT customer, level FROM ranked WHERE nth = 1
"""


SQL: dict[str, str] = {
    "bought": f"""{_GOODS}
SELECT DISTINCT customer, category AS level FROM bought WHERE category IS NOT NULL
""",
    "bought_first": f"""{_GOODS},
shares AS (
    SELECT customer, seq, moment, category, sum(amount) AS amount
    FROM bought WHERE category IS NOT NULL GROUP BY customer, seq, moment, category
),
ranked AS (
    SELECT
        customer, category,
        row_number() OVER (PARTITION BY customer ORDER BY moment, seq, amount DESC, category) AS nth
    FROM shares
)
SELECT customer, category AS level FROM ranked WHERE nth = 1
""",
    "bought_at": f"""{_ORDERS}
SELECT DISTINCT p.customer, coalesce(nullif(s.name, ''), p.place) AS level
FROM placed AS p LEFT JOIN stores AS s ON s.store_id = p.place
WHERE p.place <> 'unknown'
""",
    "weekday": _mostly("strftime(moment, '%A')"),
    "daypart": _mostly(
        "CASE WHEN hour(moment) < 6 THEN 'night' WHEN hour(moment) < 12 THEN 'morning' "
        "WHEN hour(moment) < 18 THEN 'afternoon' ELSE 'evening' END",
        # A file that tells days only has every order at midnight.
        "hour(moment) <> 0 OR minute(moment) <> 0 OR second(moment) <> 0",
    ),
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
"""Every derived fact by its key."""
