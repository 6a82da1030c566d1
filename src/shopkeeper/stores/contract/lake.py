"""The lake's contract: immutable Parquet files and one manifest that is swapped atomically.

Tables
    events        one row per logged event: seq, name, source, brand, channel, occurred_at, received_at, node,
                  and the declared facts that questions are asked of (order_id, product_id, category, store,
                  campaign_id, offer_id, reason, amount, currency, machine, arm, purpose); amount is in minor units as
                  logged, positive on a refund; purpose is NULL in what was written before it was kept (a rebuilt
                  lake has it); a fact the event did not carry is NULL
    order_lines   one row per line of an order or refund (Completed, Updated, Refunded, Lines Added): seq,
                  line, name, order_id, occurred_at, node, channel, store, country, product_id, category (as sold),
                  quantity, price, amount, currency; amount is in minor units, quantity and amount are negative
                  when given back; the lines of a cancelled order stay (see events)
    identities    node -> customer, at the watermark
    customers     one row per customer: every trait and prediction, at the watermark
    products, stores, spend   reference data

Instants are timestamps in UTC. Every table and its main columns are there before anything was written.

Nothing personal ever enters the lake. Rows carry the identity node, never the customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
SAMPLE_CUSTOMERS = 20_000
SAMPLE_EVENTS = 1_000_000


class LakeFile(Struct, frozen=True):
    """One immutable Parquet file of a table."""

    path: str
    rows: int
    bytes: int
    month: str = ""
    checksum: str = ""


class Manifest(Struct, frozen=True, kw_only=True):
    """Which files make up the lake, and up to which row of the log (``watermark``) they tell."""

    schema_version: int = SCHEMA_VERSION
    watermark: int = 0
    as_of: datetime | None = None
    generation: int = 0
    tables: dict[str, tuple[LakeFile, ...]] = field(default_factory=dict)
    turn: int = 0
    """Number of the last merge or split that ``identities`` and ``customers`` know of."""
    run: int = 0
    """The run of the models whose predictions ``customers`` holds; 0 where that is not known."""
    retired: tuple[str, ...] = ()
    """Files the last change put out of use: kept for one generation, for readers that still have the one before."""


class LakeChange(Protocol):
    """A change in the making; nothing of it is seen until the context ends without an error."""

    def log(self, rows: pa.RecordBatch) -> None:
        """Add logged events: columns seq, name, version, source, brand, channel, occurred_at, received_at (int64
        microseconds), node (int64, 0 for nobody) and payload (JSON text of the facts). Shredded into ``events`` and
        ``order_lines``, into month partitions by ``occurred_at``; late rows become delta files. Rows up to the
        watermark in force are there already and are passed over, so that giving a batch again adds nothing.
        """
        ...

    def replace(self, table: str, rows: pa.Table) -> None:
        """Put a new snapshot of a table (not of events or order_lines) in the place of the old one. Columns named above
        are cast to their types; further ones are kept as they come.
        """
        ...

    def reach(self, watermark: int, as_of: datetime, turn: int = 0, run: int = 0) -> None:
        """Say up to which row of the log this change tells, at which instant, up to which merge or split, and of which
        run of the models its predictions are.
        """
        ...


class Lake(Protocol):
    """A place for analysis."""

    def manifest(self) -> Manifest:
        """The manifest in force, read anew. Questions are answered from the manifest that was looked at last (here, at
        opening, or after a change of one's own), so that those of one report agree while others write.
        """
        ...

    def change(self) -> AbstractContextManager[LakeChange]:
        """Begin a change; it is swapped in when the context ends, or dropped when it raises. One at a time: a second
        writer waits, then gets StoreBusy.
        """
        ...

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, sample: bool = False
    ) -> pa.Table:
        """Answer a question (one SELECT) in DuckDB's dialect over the tables above; ``$name`` parameters are bound.

        With ``sample``, events, order_lines, identities and customers hold what belongs to a fixed sample of the
        customers, about ``SAMPLE_CUSTOMERS`` of them or as many as have ``SAMPLE_EVENTS`` events; everybody, where that
        is about everybody. The first such question after a change gathers the sample, which takes a while.

        A question takes no longer than whoever asks will wait (``domain.patience``); then it is stopped, and
        TookTooLong raised.

        Raises InvalidInput for anything else and for anything beyond these tables, StoreDamaged where a file is missing
        or changed.
        """
        ...

    def compact(self) -> int:
        """Merge delta files into their partitions; returns how many files went away."""
        ...

    def forget(self, nodes: Sequence[int]) -> int:
        """Rewrite every file that tells of these nodes: orders and refunds stay with node 0, all else goes, snapshots
        lose the rows (of ``customers``, those that the nodes belong to); old files are deleted at once, those kept for
        readers as well. Returns how many rows changed or went.
        """
        ...

    def verify(self) -> list[str]:
        """What is wrong with the files, in sentences; empty when all is well."""
        ...

    def close(self) -> None:
        """Let go of files and memory."""
        ...
