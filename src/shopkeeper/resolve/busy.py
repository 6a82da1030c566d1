"""Identifiers with which more is bought on one day than a person buys: a card that staff swipe, a shop's own number.

One question to the lake: orders a day and stores a day. It proposes, a person decides: a firm's buyer is busy, too.
"""

from __future__ import annotations

from typing import Final

from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.aside import speaks_of_people
from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.contract.limits import Busy

ORDERS: Final = 6
"""Orders on one day from which on it counts."""
PLACES: Final = 3
"""Stores on one day from which on it counts."""
_BACK: Final = 400
_MOST: Final = 500

_SQL: Final = f"""
WITH a_day AS (
    SELECT e.node, CAST(e.occurred_at AS DATE) AS day, count(*) AS orders, count(DISTINCT e.store) AS places
    FROM events e
    WHERE e.name = 'Order Completed' AND e.node > 0 AND e.occurred_at >= $since
    GROUP BY 1, 2
    HAVING count(*) >= {ORDERS} OR count(DISTINCT e.store) >= {PLACES}
)
SELECT d.node, count(*) AS days, max(d.orders) AS orders, max(d.places) AS places,
       max(date_diff('day', DATE '1970-01-01', d.day)) AS last
FROM a_day d
JOIN identities i ON i.node = d.node
WHERE list_contains($kinds, i.kind)
GROUP BY d.node
HAVING count(*) >= 2 OR max(d.orders) >= {2 * ORDERS} OR max(d.places) > {PLACES}
ORDER BY max(d.places) * max(d.orders) DESC, d.node
LIMIT {_MOST}
"""  # fmt: skip


def busiest(lake: Lake, now: int) -> list[Busy]:
    """The busiest identifiers of the last 400 days before ``now`` (microseconds), at most 500."""
    kinds = [kind for kind in IDENTIFIER_KINDS if speaks_of_people(kind)]
    found = lake.query(_SQL, {"since": instant(now - _BACK * DAY), "kinds": kinds})
    return [Busy(*row.values()) for row in found.to_pylist()]
