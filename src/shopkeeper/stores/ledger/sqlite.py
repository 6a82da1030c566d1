"""The ledger in one SQLite file."""

from __future__ import annotations

from pathlib import Path

from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.ledger.sql_heard import HeardReads, HeardWrites
from shopkeeper.stores.ledger.sql_identities import IdentityReads, IdentityWrites
from shopkeeper.stores.ledger.sql_limits import LimitReads, LimitWrites
from shopkeeper.stores.ledger.sql_log import LogReads, LogWrites
from shopkeeper.stores.ledger.sql_memory import MemoryReads, MemoryWrites
from shopkeeper.stores.ledger.sql_segments import SegmentReads, SegmentWrites
from shopkeeper.stores.ledger.sql_verdicts import VerdictReads, VerdictWrites
from shopkeeper.stores.sql.session import Session
from shopkeeper.stores.sql.sqlite import SqlitePlace

_CACHE_KIB = 262_144


class SqlReader(LogReads, IdentityReads, VerdictReads, LimitReads, MemoryReads, HeardReads, SegmentReads):
    """Reads one state of the ledger."""

    def __init__(self, session: Session) -> None:
        self.session = session


class SqlWriter(
    LogWrites, IdentityWrites, VerdictWrites, LimitWrites, MemoryWrites, HeardWrites, SegmentWrites
):
    """Reads and writes in one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session


class SqliteLedger(SqlitePlace[LedgerReader, LedgerWriter]):
    """A ledger in one file."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, "ledger", SqlReader, SqlWriter, _CACHE_KIB)
