"""The overview's questions to the lake, in DuckDB's dialect and within what sqlglot puts into Spark's.

``first_order`` of customers is a day of the shop's, as midnight in UTC. Parameters::

    $rates                   list of spans: currency, since, until, factor (of minor units), rate (of units)
    $currency, $minor        the reporting currency, and how many minor units make one unit
    $assumed                 share of an amount taken as margin where the cost is not known
    $zone                    the shop's time zone, in which months begin
    $since, $start, $until   two windows: since to start, start to until
    $top                     how many customers

Amounts of trade come out in minor units of the reporting currency, whole where nothing was converted.

Margin is counted as in the fold: a line's amount less the product's cost, an order's discount taken off in full.
What comes back counts at the place where it was bought, if that is known; a cancelled order counts nowhere.
"""

from __future__ import annotations

_RATES = """
rates AS (
    SELECT span.currency AS currency, span.since AS since, span.until AS until, span.factor AS factor, span.rate AS rate
    FROM (SELECT unnest($rates) AS span) AS spans
)"""

_BOOK = "{0}.owner = {1}.owner AND {0}.book = {1}.book AND {0}.order_id = {1}.order_id"
"""Whether two rows tell of one order: the same number of the same customer or, of nobody, from the same source."""

TOLD = f"""
WITH {_RATES.strip()},
facts AS (
    SELECT
        e.seq, e.name, coalesce(e.order_id, '') AS order_id, e.node, e.occurred_at,
        coalesce(nullif(e.currency, ''), $currency) AS currency,
        coalesce(e.amount, 0) AS amount, coalesce(e.store, '') AS store,
        coalesce(
            nullif(e.store, ''),
            CASE WHEN e.channel = 'store' THEN 'store' WHEN e.channel IN ('web', 'app') THEN 'web' ELSE 'unknown' END
        ) AS place,
        CASE WHEN e.node = 0 THEN 0 ELSE coalesce(i.customer, -e.node) END AS owner,
        CASE WHEN e.node = 0 THEN coalesce(e.source, '') ELSE '' END AS book
    FROM events AS e
    LEFT JOIN identities AS i ON i.node = e.node
    WHERE e.name IN ('Order Completed', 'Order Updated', 'Order Lines Added', 'Order Refunded', 'Order Cancelled')
),
keyed AS (SELECT *, hash(owner, book, order_id) AS code FROM facts),
busy AS (SELECT code FROM keyed GROUP BY code HAVING count(*) > 1),
split AS (
    SELECT k.*, b.code IS NULL AND k.name = 'Order Completed' AND k.order_id <> '' AS alone
    FROM keyed AS k
    LEFT JOIN busy AS b ON b.code = k.code
),
heard AS (
    SELECT * FROM split WHERE NOT alone
),
cancelled AS (
    SELECT DISTINCT owner, book, order_id FROM heard WHERE name = 'Order Cancelled' AND order_id <> ''
),
tellings AS (
    SELECT
        owner, book, order_id, seq, occurred_at, store, place,
        row_number() OVER (
            PARTITION BY owner, book, order_id
            ORDER BY occurred_at, CASE WHEN name = 'Order Updated' THEN 1 ELSE 0 END, amount, seq
        ) AS nth,
        count(*) OVER (PARTITION BY owner, book, order_id) AS times
    FROM heard
    WHERE order_id <> '' AND (
        name = 'Order Completed'
        OR name = 'Order Updated' AND (
            amount <> 0 OR seq IN (SELECT seq FROM order_lines WHERE name = 'Order Updated')
        )
    )
),
orders AS (
    SELECT
        l.owner, l.book, l.order_id, l.seq, l.times, f.occurred_at AS since, l.occurred_at AS until,
        coalesce(nullif(l.store, ''), f.place) AS place
    FROM tellings AS l
    JOIN tellings AS f ON {_BOOK.format("f", "l")}
    WHERE l.nth = l.times AND f.nth = 1
),
counted AS (
    SELECT
        h.seq, h.node, h.currency, h.amount, o.place AS bought_at, coalesce(o.seq, h.seq) AS of_order,
        CASE WHEN h.seq = o.seq THEN 'Order Completed' ELSE h.name END AS name,
        CASE WHEN h.seq = o.seq THEN o.since ELSE h.occurred_at END AS occurred_at,
        CASE WHEN h.seq = o.seq THEN o.place ELSE h.place END AS place,
        c.order_id IS NOT NULL AS cancelled
    FROM heard AS h
    LEFT JOIN orders AS o ON {_BOOK.format("o", "h")}
    LEFT JOIN cancelled AS c ON {_BOOK.format("c", "h")}
    WHERE h.name = 'Order Refunded'
        OR h.seq = o.seq
        OR h.name = 'Order Completed' AND h.order_id = ''
        OR h.name = 'Order Lines Added' AND (o.seq IS NULL OR o.times = 1 OR h.occurred_at >= o.until)
    UNION ALL
    SELECT
        seq, node, currency, amount, place AS bought_at, seq AS of_order, name, occurred_at, place, FALSE AS cancelled
    FROM split
    WHERE alone
),
told AS (
    SELECT
        t.seq, t.name, t.node, t.occurred_at, t.place, t.bought_at, t.cancelled, t.of_order,
        coalesce(r.factor, 0) AS factor,
        CASE WHEN t.name = 'Order Refunded' THEN -1 ELSE 1 END * t.amount * coalesce(r.factor, 0) AS amount
    FROM counted AS t
    LEFT JOIN rates AS r
        ON r.currency = t.currency AND t.occurred_at >= r.since AND t.occurred_at < r.until
)"""
"""What counts of orders, refunds and added lines, one row each; see ``know.retelling`` for which. ``factor`` is 0 where
no rate is known; ``of_order`` is the row of the order that it belongs to, its own where that is not known.

Nearly every order is told of once and never again: it is ``alone`` and counts as it stands. Windows and joins on its
number are for the others only, and for the few whose code is another's by chance."""

_AMOUNT = "l.amount * t.factor"
_MARGIN = f"""CASE
        WHEN t.factor = 0 OR t.name = 'Order Refunded' AND l.amount = 0 THEN 0
        WHEN p.unit_cost IS NULL THEN {_AMOUNT} * $assumed
        ELSE {_AMOUNT} - l.quantity * p.unit_cost * $minor
    END"""

SOLD = f"""{TOLD},
goods AS (
    SELECT l.seq, sum({_AMOUNT}) AS amount, sum({_MARGIN}) AS margin
    FROM order_lines AS l
    JOIN told AS t ON t.seq = l.seq
    LEFT JOIN products AS p ON p.product_id = l.product_id
    GROUP BY l.seq
),
sold AS (
    SELECT
        t.seq, t.name, t.node, t.occurred_at, t.amount, t.cancelled, t.of_order,
        coalesce(CASE WHEN t.name = 'Order Refunded' THEN t.bought_at END, t.place) AS place,
        CASE WHEN g.seq IS NULL THEN t.amount * $assumed ELSE g.margin - (g.amount - t.amount) END AS margin
    FROM told AS t
    LEFT JOIN goods AS g ON g.seq = t.seq
)"""
"""The same with their margin, and refunds at the place of the order."""

_WINDOWS = """
        sum(CASE WHEN occurred_at >= $start THEN amount ELSE 0 END) AS amount,
        sum(CASE WHEN occurred_at >= $start THEN margin ELSE 0 END) AS margin,
        sum(CASE WHEN occurred_at < $start THEN amount ELSE 0 END) AS before"""

SQL: dict[str, str] = {
    "trade": f"""{SOLD}
SELECT
    coalesce(sum(CASE WHEN name = 'Order Completed' AND NOT cancelled THEN 1 ELSE 0 END), 0) AS orders,
    coalesce(sum(CASE WHEN name = 'Order Refunded' AND NOT cancelled THEN 1 ELSE 0 END), 0) AS returns,
    coalesce(sum(CASE WHEN NOT cancelled THEN amount END), 0) AS amount,
    coalesce(sum(CASE WHEN NOT cancelled THEN margin END), 0) AS margin,
    coalesce(-sum(CASE WHEN name = 'Order Refunded' AND NOT cancelled THEN amount END), 0) AS returned,
    coalesce(sum(CASE WHEN node = 0 AND NOT cancelled THEN amount END), 0) AS unassigned,
    min(CASE WHEN name = 'Order Completed' THEN occurred_at END) AS first_sale,
    max(CASE WHEN name = 'Order Completed' THEN occurred_at END) AS last_sale
FROM sold
""",
    "months": f"""{SOLD}
SELECT
    strftime(occurred_at AT TIME ZONE $zone, '%Y-%m') AS month,
    sum(amount) AS amount,
    sum(margin) AS margin,
    sum(CASE WHEN name = 'Order Completed' THEN 1 ELSE 0 END) AS orders
FROM sold
WHERE NOT cancelled
GROUP BY 1
ORDER BY 1
""",
    "places": f"""{SOLD},
recent AS (
    SELECT place, name, node, occurred_at, amount, margin FROM sold
    WHERE NOT cancelled AND occurred_at >= $since AND occurred_at < $until
),
buyers AS (
    SELECT r.place, count(DISTINCT i.customer) AS customers
    FROM recent AS r JOIN identities AS i ON i.node = r.node
    WHERE r.occurred_at >= $start AND r.name = 'Order Completed' GROUP BY r.place
),
figures AS (
    SELECT
        place,{_WINDOWS},
        sum(CASE WHEN occurred_at >= $start AND name = 'Order Completed' THEN 1 ELSE 0 END) AS orders
    FROM recent GROUP BY place
)
SELECT
    f.place, coalesce(nullif(s.name, ''), f.place) AS name, coalesce(s.city, '') AS city,
    f.amount, f.margin, f.before, f.orders, coalesce(b.customers, 0) AS customers
FROM figures AS f
LEFT JOIN buyers AS b ON b.place = f.place
LEFT JOIN stores AS s ON s.store_id = f.place
ORDER BY f.amount DESC, f.place
""",
    "categories": f"""{TOLD},
recent AS (
    SELECT
        t.seq, t.name, t.node, t.occurred_at,
        coalesce(nullif(p.category, ''), nullif(l.category, ''), '') AS category,
        {_AMOUNT} AS amount,
        {_MARGIN} AS margin
    FROM order_lines AS l
    JOIN told AS t ON t.seq = l.seq
    LEFT JOIN products AS p ON p.product_id = l.product_id
    WHERE coalesce(p.kind, 'product') = 'product' AND NOT t.cancelled
        AND t.occurred_at >= $since AND t.occurred_at < $until
),
buyers AS (
    SELECT r.category, count(DISTINCT i.customer) AS customers
    FROM (
        SELECT DISTINCT category, node FROM recent WHERE occurred_at >= $start AND name <> 'Order Refunded'
    ) AS r
    JOIN identities AS i ON i.node = r.node
    GROUP BY r.category
),
figures AS (
    SELECT
        category,{_WINDOWS},
        count(DISTINCT CASE WHEN occurred_at >= $start AND name = 'Order Completed' THEN seq END) AS orders
    FROM recent GROUP BY category
)
SELECT f.category AS name, f.amount, f.margin, f.before, f.orders, coalesce(b.customers, 0) AS customers
FROM figures AS f LEFT JOIN buyers AS b ON b.category = f.category
ORDER BY f.amount DESC, f.category
""",
    "channels": f"""
WITH {_RATES.strip()},
buyers AS (
    SELECT
        coalesce(nullif(acquisition_channel, ''), '') AS channel,
        strftime(first_order AT TIME ZONE 'UTC', '%Y-%m') AS month,
        orders, revenue, margin, clv_12m
    FROM customers WHERE orders > 0
),
come AS (
    SELECT
        channel, count(*) AS customers, sum(orders) AS orders, sum(revenue) AS amount, sum(margin) AS margin,
        sum(clv_12m) AS expected
    FROM buyers GROUP BY channel
),
won AS (
    SELECT channel, month, count(*) AS customers FROM buyers GROUP BY channel, month
),
cost AS (
    SELECT s.channel, s.month, sum(s.spend * r.rate) AS spend
    FROM spend AS s
    JOIN rates AS r
        ON r.currency = coalesce(nullif(s.currency, ''), $currency)
        AND TRY_CAST(s.month || '-01' AS TIMESTAMPTZ) >= r.since AND TRY_CAST(s.month || '-01' AS TIMESTAMPTZ) < r.until
    GROUP BY s.channel, s.month
),
paid AS (
    SELECT cost.channel, sum(cost.spend) AS spend, sum(coalesce(won.customers, 0)) AS acquired
    FROM cost LEFT JOIN won ON won.channel = cost.channel AND won.month = cost.month
    GROUP BY cost.channel
)
SELECT
    coalesce(come.channel, paid.channel) AS name, coalesce(come.customers, 0) AS customers,
    coalesce(come.orders, 0) AS orders, coalesce(come.amount, 0) AS amount, coalesce(come.margin, 0) AS margin,
    come.expected AS expected, paid.spend AS spend, paid.acquired AS acquired
FROM come FULL OUTER JOIN paid ON paid.channel = come.channel
ORDER BY 5 DESC, 1
""",
    "states": """
SELECT state, count(*) AS customers, sum(clv_12m) AS expected
FROM customers WHERE state <> '' GROUP BY state ORDER BY customers DESC, state
""",
    "value": """
WITH ranked AS (
    SELECT
        clv_12m,
        row_number() OVER (ORDER BY clv_12m DESC, id) AS place,
        count(*) OVER () AS everybody
    FROM customers WHERE clv_12m IS NOT NULL
)
SELECT sum(clv_12m) AS total, sum(CASE WHEN place <= ceil(everybody / 10.0) THEN clv_12m END) AS top_tenth
FROM ranked
""",
    "most_valuable": """
SELECT id, country, orders, revenue, margin, last_order, clv_12m, clv_low, clv_high, p_alive, state, state_since,
    next_order, store_orders, web_orders
FROM customers WHERE orders > 0
ORDER BY clv_12m DESC NULLS LAST, margin DESC, id LIMIT $top
""",
    "fading": """
SELECT id, country, orders, revenue, margin, last_order, clv_12m, clv_low, clv_high, p_alive, state, state_since,
    next_order, store_orders, web_orders
FROM customers WHERE state = 'fading'
ORDER BY clv_12m DESC NULLS LAST, margin DESC, id LIMIT $top
""",
}
"""Every question by name."""
