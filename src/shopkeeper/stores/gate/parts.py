"""A gate's reader and writer, put together of their parts for any SQL engine."""

from __future__ import annotations

from shopkeeper.stores.gate.sql_access import AccessReads, AccessWrites
from shopkeeper.stores.gate.sql_jobs import JobReads, JobWrites
from shopkeeper.stores.gate.sql_sources import SourceReads, SourceWrites
from shopkeeper.stores.sql.session import Session


class SqlReader(SourceReads, JobReads, AccessReads):
    """Reads one state of the gate."""

    def __init__(self, session: Session) -> None:
        self.session = session


class SqlWriter(SourceWrites, JobWrites, AccessWrites):
    """Reads and writes in one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session
