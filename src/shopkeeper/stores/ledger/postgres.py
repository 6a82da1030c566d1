"""The ledger in a schema of a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.ledger.sqlite import SqlReader, SqlWriter
from shopkeeper.stores.sql.address import Address
from shopkeeper.stores.sql.postgres import PostgresPlace
from shopkeeper.stores.sql.postgres_moving import dump, load

_PERSONAL: Final = (
    "event", "node", "edge", "member", "alias", "sealed", "token", "record", "prediction", "quarantine",
    "quarantine_cell", "verdict", "likeness", "turn", "looked_at", "aside", "busy", "moved",
    "membership", "audience", "behaviour", "due",
)  # fmt: skip
"""Tables out of which an erasure deletes."""
_COUNTERS: Final = (
    ("last_seq", "event", "seq"),
    ("last_node", "node", "node"),
    ("last_audience", "audience", "id"),
)


class PostgresLedger(PostgresPlace[LedgerReader, LedgerWriter]):
    """A ledger in a schema. Of all processes that hold it one writes at a time; readers go on."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, address.schema, "ledger", SqlReader, SqlWriter, alone=True)

    def scrub(self, *, rebuild: bool = True) -> bool:  # noqa: ARG002 - there is no log of our own to try alone
        """Write the tables that held personal data anew. False where a reader is in the way.

        What the server itself keeps, its write-ahead log, archives of it and replicas, is out of reach: see the how-to.
        """
        return self.rebuild(_PERSONAL)

    def backup(self, to: Path) -> None:
        """A consistent copy as a SQLite ledger, made while others read and write."""
        with self.reading() as session:
            dump(session, self.name, to)

    def load(self, file: Path) -> None:
        """Fill this ledger, which must be empty, from a SQLite ledger."""
        self.write(lambda _: load(self._session, self.name, file))

    def check(self) -> list[str]:
        """What is wrong with the database, and counters that are behind what they number."""
        wrong = super().check()
        with self.reading() as session:
            reader = SqlReader(session)
            for counter, table, column in _COUNTERS:
                most = session.rows(f"SELECT coalesce(max({column}), 0) FROM {table}")[0][0]
                if most > int(reader.setting(counter) or 0):
                    wrong.append(f"the counter {counter} is behind the table {table}")
        return wrong
