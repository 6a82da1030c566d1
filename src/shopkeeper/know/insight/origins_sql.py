"""What was known of everybody before an earlier day and what came after it, as questions to the lake.

In DuckDB's dialect and within what sqlglot puts into Spark's. Parameters are those of ``know.overview_sql``
(``$rates``, ``$currency``), ``$zone`` (the shop's time zone), ``$origin`` (the instant between before and after) and
``$deeds`` (names of events in which the customer is the one who acts).
"""

from __future__ import annotations

from shopkeeper.know.overview_sql import TOLD

SQL: dict[str, str] = {
    "days": f"""{TOLD}
SELECT DISTINCT i.customer AS customer, CAST(t.occurred_at AT TIME ZONE $zone AS DATE) AS day
FROM told AS t JOIN identities AS i ON i.node = t.node
WHERE t.name = 'Order Completed' AND NOT t.cancelled
ORDER BY customer, day
""",
    "goods": f"""{TOLD}
SELECT
    i.customer AS customer, l.product_id AS product, max(p.list_price) AS list_price,
    sum(l.amount * t.factor) AS amount, sum(l.quantity) AS units
FROM order_lines AS l
JOIN told AS t ON t.seq = l.seq
JOIN identities AS i ON i.node = t.node
LEFT JOIN products AS p ON p.product_id = l.product_id
WHERE NOT t.cancelled AND t.occurred_at < $origin AND l.product_id <> '' AND coalesce(p.kind, 'product') = 'product'
GROUP BY i.customer, l.product_id
HAVING sum(l.amount * t.factor) > 0
""",
    "deeds": """
SELECT
    i.customer AS customer, e.name AS name, min(e.occurred_at) AS since,
    sum(CASE WHEN e.occurred_at < $origin THEN 1 ELSE 0 END) AS before,
    sum(CASE WHEN e.occurred_at < $origin THEN 0 ELSE 1 END) AS after
FROM events AS e JOIN identities AS i ON i.node = e.node
WHERE e.name IN (SELECT unnest($deeds)) AND NOT coalesce(e.machine, FALSE)
GROUP BY i.customer, e.name
""",
}
"""Every question by name: one row for each customer and day with an order; for each customer and product bought before;
for each customer and kind of deed."""
