"""What came before each order, in one pass over the log: DuckDB's dialect, within what sqlglot puts into Spark's.

Parameters beside those of ``know.overview_sql``::

    $channels          list of spans: channel, code (0 to 30), online (whether looking there is looking online)
    $deeds             names of events in which the customer acts
    $since, $until     orders of this time
    $begin             from when on touches are read: $since less the longest window
    $window            how long before an order a touch belongs to its path (an interval)
    $look              how long before an order looking elsewhere is asked for (an interval)

The same length of time before $look tells how many would have looked anyway.

Touches and orders lie in one row of time per customer. A path is what follows the order before, so that no touch serves
two orders. Rows are read once and put in order once; no customer is joined with itself.
"""

from __future__ import annotations

from shopkeeper.know.overview_sql import SOLD

_PLACE = """CASE
            WHEN {0}.place = 'web' THEN 'web' WHEN {0}.place = 'unknown' THEN 'unknown' ELSE 'store'
        END"""


_PATHS = f"""{SOLD},
margins AS (
    SELECT of_order, sum(margin) AS margin FROM sold WHERE NOT cancelled GROUP BY of_order
),
placed AS (
    SELECT
        i.customer AS customer, s.seq AS seq, s.occurred_at AS moment,
        {_PLACE.format("s")} AS paid,
        coalesce(m.margin, s.margin) / $minor AS margin
    FROM sold AS s
    JOIN identities AS i ON i.node = s.node
    LEFT JOIN margins AS m ON m.of_order = s.seq
    WHERE s.name = 'Order Completed' AND NOT s.cancelled AND s.occurred_at >= $begin AND s.occurred_at < $until
),
channels AS (
    SELECT span.channel AS channel, span.code AS code, span.online AS online
    FROM (SELECT unnest($channels) AS span) AS spans
),
buyers AS (
    SELECT DISTINCT customer FROM placed WHERE moment >= $since
),
steps AS (
    SELECT
        i.customer AS customer, e.occurred_at AS moment, e.seq AS seq, c.code AS code, c.online AS online,
        c.channel = 'store' AS in_store, FALSE AS bought
    FROM events AS e
    JOIN identities AS i ON i.node = e.node
    JOIN buyers AS b ON b.customer = i.customer
    JOIN channels AS c ON c.channel = CASE
        WHEN e.name IN ('Store Visited', 'Beacon Detected') THEN 'store' ELSE e.channel
    END
    WHERE e.name IN (SELECT unnest($deeds)) AND NOT coalesce(e.machine, FALSE)
        AND e.occurred_at >= $begin AND e.occurred_at < $until
    UNION ALL
    SELECT
        customer, moment, seq, NULL AS code, FALSE AS online, paid = 'store' AS in_store, TRUE AS bought
    FROM placed
),
lined AS (
    SELECT
        customer, moment, seq, code, bought,
        row_number() OVER (PARTITION BY customer ORDER BY moment, bought, seq) AS nth,
        coalesce(sum(CASE WHEN bought THEN 1 ELSE 0 END) OVER earlier, 0) AS path,
        max(CASE WHEN online THEN moment END) OVER earlier AS online_at,
        max(CASE WHEN in_store THEN moment END) OVER earlier AS store_at,
        max(CASE WHEN online THEN moment END) OVER long_before AS online_before,
        max(CASE WHEN in_store THEN moment END) OVER long_before AS store_before
    FROM steps
    WINDOW
        earlier AS (
            PARTITION BY customer ORDER BY moment, bought, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        long_before AS (
            PARTITION BY customer ORDER BY moment RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL {{look}} DAY PRECEDING
        )
),
reached AS (
    SELECT *, max(CASE WHEN bought THEN moment END) OVER (PARTITION BY customer, path) AS ordered FROM lined
)
SELECT
    r.customer AS customer,
    r.ordered AS moment,
    max(p.paid) AS paid,
    max(p.margin) AS margin,
    min_by(r.code, r.nth) AS first,
    max_by(r.code, r.nth) AS last,
    count(r.code) AS touches,
    coalesce(bit_or(CAST(1 AS BIGINT) << r.code), 0) AS used,
    coalesce(max(CASE WHEN r.bought AND r.moment <= r.online_at + $look THEN 1 END), 0) AS looked,
    coalesce(max(CASE WHEN r.bought AND r.moment <= r.online_before + 2 * $look THEN 1 END), 0) AS looked_anyway,
    coalesce(max(CASE WHEN r.bought AND r.moment <= r.store_at + $look THEN 1 END), 0) AS visited,
    coalesce(max(CASE WHEN r.bought AND r.moment <= r.store_before + 2 * $look THEN 1 END), 0) AS visited_anyway
FROM reached AS r
LEFT JOIN placed AS p ON r.bought AND p.seq = r.seq
WHERE r.ordered IS NOT NULL AND r.ordered >= $since AND (r.bought OR r.moment >= r.ordered - $window)
GROUP BY r.customer, r.path, r.ordered
"""


def paths(look: int) -> str:
    """The question, with ``look`` in whole days: an engine takes no parameter in a frame of rows."""
    return _PATHS.replace("{look}", str(int(look)))
