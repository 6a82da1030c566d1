"""A sample of the customers, for answers while somebody is still typing: which ones, and what belongs to them.

Whether a customer is in it depends on the id alone, so that it is the same in every process and after every refresh.
Ids that follow each other are spread evenly (Fibonacci hashing), and so are customers of every age.
"""

from __future__ import annotations

from typing import Any

from shopkeeper.stores.contract.lake import SAMPLE_CUSTOMERS, SAMPLE_EVENTS, Manifest
from shopkeeper.stores.lake.schema import TABLES

_PLACE = "CAST((({0} % 2147483648) * 2654435761) % 4294967296 AS DOUBLE) / 4294967296"
_CHOSEN = f"{_PLACE.format('id')} < $share"
_NODES = f"SELECT node FROM identities WHERE {_PLACE.format('customer')} < $share"
_NEARLY_ALL = 0.5

SELECTS = {
    table: {
        "customers": f"SELECT * FROM customers WHERE {_CHOSEN}",
        "identities": f"SELECT * FROM identities WHERE {_PLACE.format('customer')} < $share",
        "events": f"SELECT * FROM events WHERE node IN ({_NODES})",
        "order_lines": f"SELECT * FROM order_lines WHERE node IN ({_NODES})",
    }.get(table, f"SELECT * FROM {table}")
    for table in TABLES
}
"""What the sample's tables hold."""


def share(manifest: Manifest) -> float | None:
    """Which part of the customers the sample is; None where it is not worth one, as it would be about everybody.

    >>> share(Manifest()) is None
    True
    """
    customers, events = (
        sum(file.rows for file in manifest.tables.get(t, ())) for t in ("customers", "events")
    )
    found = min(SAMPLE_CUSTOMERS / max(customers, 1), SAMPLE_EVENTS / max(events, 1))
    return found if found < _NEARLY_ALL else None


def parameters(select: str, part: float) -> dict[str, Any] | None:
    """Parameters of one of ``SELECTS``."""
    return {"share": part} if "$share" in select else None
