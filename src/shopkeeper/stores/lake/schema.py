"""What the lake's tables look like: columns with their types in DuckDB's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_LOGGED = {"seq": "BIGINT", "name": "VARCHAR", "source": "VARCHAR", "brand": "VARCHAR", "channel": "VARCHAR"}

EVENTS = {
    **_LOGGED,
    "occurred_at": "TIMESTAMPTZ",
    "received_at": "TIMESTAMPTZ",
    "node": "BIGINT",
    "order_id": "VARCHAR",
    "product_id": "VARCHAR",
    "category": "VARCHAR",
    "store": "VARCHAR",
    "campaign_id": "VARCHAR",
    "offer_id": "VARCHAR",
    "reason": "VARCHAR",
    "amount": "BIGINT",
    "currency": "VARCHAR",
    "machine": "BOOLEAN",
    "arm": "VARCHAR",
    "purpose": "VARCHAR",
}
ORDER_LINES = {
    "seq": "BIGINT",
    "line": "BIGINT",
    "name": "VARCHAR",
    "order_id": "VARCHAR",
    "occurred_at": "TIMESTAMPTZ",
    "node": "BIGINT",
    "channel": "VARCHAR",
    "store": "VARCHAR",
    "country": "VARCHAR",
    "product_id": "VARCHAR",
    "category": "VARCHAR",
    "quantity": "DOUBLE",
    "price": "DECIMAL(18,4)",
    "amount": "BIGINT",
    "currency": "VARCHAR",
}

LOG: dict[str, dict[str, str]] = {"events": EVENTS, "order_lines": ORDER_LINES}
"""Tables made of the log, in month partitions."""

SORT = {"events": "occurred_at, seq", "order_lines": "occurred_at, seq, line"}
"""How rows lie in a file, so that a question about some days skips the rest of it."""

SNAPSHOTS: dict[str, dict[str, str]] = {
    "identities": {"node": "BIGINT", "customer": "BIGINT", "kind": "VARCHAR", "shared": "BOOLEAN"},
    "customers": {
        "id": "BIGINT",
        "orders": "BIGINT",
        "returns": "BIGINT",
        "revenue": "DOUBLE",
        "margin": "DOUBLE",
        "returned": "DOUBLE",
        "first_order": "TIMESTAMPTZ",
        "last_order": "TIMESTAMPTZ",
        "country": "VARCHAR",
        "acquisition_channel": "VARCHAR",
        "store_orders": "BIGINT",
        "web_orders": "BIGINT",
        "main_place": "VARCHAR",
        "favourite_category": "VARCHAR",
        "p_alive": "DOUBLE",
        "clv_12m": "DOUBLE",
        "clv_low": "DOUBLE",
        "clv_high": "DOUBLE",
        "expected_orders_12m": "DOUBLE",
        "state": "VARCHAR",
        "state_since": "TIMESTAMPTZ",
        "fading_since": "TIMESTAMPTZ",
        "unusual_from": "TIMESTAMPTZ",
        "next_order": "TIMESTAMPTZ",
        "rhythm_basis": "VARCHAR",
    },
    "products": {
        "product_id": "VARCHAR",
        "name": "VARCHAR",
        "category": "VARCHAR",
        "brand": "VARCHAR",
        "unit_cost": "DOUBLE",
        "kind": "VARCHAR",
    },
    "stores": {"store_id": "VARCHAR", "name": "VARCHAR", "city": "VARCHAR"},
    "spend": {"month": "VARCHAR", "channel": "VARCHAR", "spend": "DOUBLE", "currency": "VARCHAR"},
}
"""Tables kept as one snapshot. These columns are there even before the first snapshot; a snapshot may have more."""

TABLES: dict[str, dict[str, str]] = {**LOG, **SNAPSHOTS}

KEPT_WITHOUT_PERSON = (
    "Order Completed",
    "Order Refunded",
    "Order Cancelled",
    "Order Updated",
    "Order Lines Added",
)
"""Events that the books need: forgetting a person takes the node from them, and nothing else."""


def log_schema() -> pa.Schema:
    """The columns of logged rows as ``LakeChange.log`` takes them."""
    import pyarrow as pa

    text, whole = pa.string(), pa.int64()
    return pa.schema(
        [
            ("seq", whole),
            ("name", text),
            ("version", whole),
            ("source", text),
            ("brand", text),
            ("channel", text),
            ("occurred_at", whole),
            ("received_at", whole),
            ("node", whole),
            ("payload", text),
        ]
    )


def arrow_type(engine_type: str) -> pa.DataType:
    """The Arrow type of a snapshot's column."""
    import pyarrow as pa

    return {
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "VARCHAR": pa.string(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    }[engine_type]
