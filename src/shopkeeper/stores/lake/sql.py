"""The lake's SQL, in DuckDB's dialect and within what sqlglot can put into Spark's: no QUALIFY, no pivots.

Parameters are bound on every engine. ``FACTS`` and ``ORDER`` say which parts of a payload are read; Spark wants
the same as a DDL string, so they are parameters rather than text. Spark counts the positions of a list from 0,
DuckDB from 1: line numbers only tell lines of one order apart.
"""

from __future__ import annotations

from shopkeeper.stores.lake.schema import KEPT_WITHOUT_PERSON, LOG, SORT, TABLES

FACTS = (
    '{"order_id":"VARCHAR","product_id":"VARCHAR","category":"VARCHAR","store":"VARCHAR","campaign_id":"VARCHAR",'
    '"offer_id":"VARCHAR","reason":"VARCHAR","amount":"BIGINT","currency":"VARCHAR","machine":"BOOLEAN",'
    '"arm":"VARCHAR","purpose":"VARCHAR"}'
)
"""What is read of every event. A value of another type becomes NULL, which only undeclared events can have."""

ORDER = (
    '{"order_id":"VARCHAR","store":"VARCHAR","country":"VARCHAR","currency":"VARCHAR",'
    '"products":[{"product_id":"VARCHAR","category":"VARCHAR","quantity":"DOUBLE","price":"VARCHAR",'
    '"amount":"BIGINT"}]}'
)
"""What is read of orders and refunds."""

EVENTS_OF_LOG = """
WITH told AS (
    SELECT
        seq, name, source, brand, channel, node,
        make_timestamp(occurred_at) AS occurred_at,
        make_timestamp(received_at) AS received_at,
        from_json(payload, $facts) AS facts
    FROM log
)
SELECT
    seq, name, source, brand, channel,
    CAST(occurred_at AS TIMESTAMPTZ) AS occurred_at,
    CAST(received_at AS TIMESTAMPTZ) AS received_at,
    node,
    facts.order_id, facts.product_id, facts.category, facts.store, facts.campaign_id, facts.offer_id, facts.reason,
    facts.amount, facts.currency, facts.machine, facts.arm, facts.purpose,
    year(occurred_at) * 100 + month(occurred_at) AS month
FROM told
"""
"""Logged rows as rows of ``events``, with the month they belong to. ``amount`` is as logged: positive on a refund."""

LINES_OF_LOG = """
WITH told AS (
    SELECT
        seq, name, channel, node,
        make_timestamp(occurred_at) AS occurred_at,
        from_json(payload, $facts) AS facts
    FROM log
    WHERE name IN ('Order Completed', 'Order Updated', 'Order Refunded', 'Order Lines Added')
),
numbered AS (
    SELECT
        seq, name, channel, node, occurred_at,
        facts.order_id AS order_id, facts.store AS store, facts.country AS country, facts.currency AS currency,
        list_transform(facts.products, lambda item, position: {'line': position, 'item': item}) AS items
    FROM told
),
lines AS (
    SELECT
        seq, name, channel, node, occurred_at, order_id, store, country, currency,
        CASE WHEN name = 'Order Refunded' THEN -1 ELSE 1 END AS direction,
        unnest(items) AS entry
    FROM numbered
)
SELECT
    seq,
    CAST(entry.line AS BIGINT) AS line,
    name, order_id,
    CAST(occurred_at AS TIMESTAMPTZ) AS occurred_at,
    node, channel, store, country,
    entry.item.product_id AS product_id,
    entry.item.category AS category,
    direction * coalesce(entry.item.quantity, 1) AS quantity,
    TRY_CAST(entry.item.price AS DECIMAL(18, 4)) AS price,
    direction * entry.item.amount AS amount,
    currency,
    year(occurred_at) * 100 + month(occurred_at) AS month
FROM lines
"""
"""Logged rows as rows of ``order_lines``: what came back has a negative quantity and amount."""

OF_LOG = {"events": (EVENTS_OF_LOG, FACTS), "order_lines": (LINES_OF_LOG, ORDER)}


def month_of(table: str) -> str:
    """New rows of one month, as they are to lie in their file."""
    return f"SELECT {', '.join(LOG[table])} FROM new_{table} WHERE month = $month ORDER BY {SORT[table]}"


def merged(table: str) -> str:
    """All rows of a partition's files, as they are to lie in one."""
    return f"SELECT {', '.join(LOG[table])} FROM files ORDER BY {SORT[table]}"


def view(table: str) -> str:
    """A table over its files. Columns that a file of an older kind lacks are NULL, and an empty lake has types."""
    return f"SELECT * FROM files UNION ALL BY NAME {empty(table)}"


def empty(table: str) -> str:
    """No rows, with the types of a table's declared columns."""
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in TABLES[table].items())
    return f"SELECT {columns} WHERE FALSE"


_BOOKS = ", ".join(f"'{name}'" for name in KEPT_WITHOUT_PERSON)
_NODE = "CASE WHEN node IN (SELECT node FROM gone) THEN 0 ELSE node END AS node"


def _without_node(table: str) -> str:
    return ", ".join(_NODE if name == "node" else name for name in LOG[table])


FORGOTTEN = {
    "events": f"""
        SELECT {_without_node("events")} FROM files
        WHERE name IN ({_BOOKS}) OR node NOT IN (SELECT node FROM gone)
        ORDER BY {SORT["events"]}
    """,
    "order_lines": f"SELECT {_without_node('order_lines')} FROM files ORDER BY {SORT['order_lines']}",
    "identities": "SELECT * FROM files WHERE node NOT IN (SELECT node FROM gone)",
    "customers": "SELECT * FROM files WHERE id NOT IN (SELECT customer FROM gone_customers)",
}
"""What stays of each table's file when the nodes in ``gone`` are forgotten."""

CONCERNED = {
    "events": "SELECT count(*) FROM files WHERE node IN (SELECT node FROM gone)",
    "order_lines": "SELECT count(*) FROM files WHERE node IN (SELECT node FROM gone)",
    "identities": "SELECT count(*) FROM files WHERE node IN (SELECT node FROM gone)",
    "customers": "SELECT count(*) FROM files WHERE id IN (SELECT customer FROM gone_customers)",
}
"""How many rows of a file tell of them."""

CUSTOMERS_OF_NODES = """
SELECT DISTINCT customer FROM files WHERE customer IS NOT NULL AND node IN (SELECT node FROM gone)
"""
"""Whose rows those nodes fed, from the identities' file."""

NO_CUSTOMERS = "SELECT CAST(NULL AS BIGINT) AS customer WHERE FALSE"
"""The same where there is no such file."""
