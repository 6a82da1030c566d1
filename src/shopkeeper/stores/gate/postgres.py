"""The gate in a schema beside the ledger's, shared by the workers of several processes.

A worker *claims* deliveries: it notes its number beside them, and holds that number as an advisory lock of its
connection. What others hold is passed over; what a dead worker held is free at once. In the transaction in which the
ledger takes deliveries in, their rows are deleted (``settle``): both happen or neither, so nothing is taken twice.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shopkeeper.domain.errors import StoreBusy, StoreFailure
from shopkeeper.stores.contract.gate import (
    Backlog,
    Done,
    GateReader,
    GateWriter,
    Job,
    KeptDelivery,
    NewDelivery,
)
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.gate import sql_inbox
from shopkeeper.stores.gate.appending import LIMIT_OCTETS, Appender
from shopkeeper.stores.gate.parts import SqlReader, SqlWriter
from shopkeeper.stores.sql.address import Address
from shopkeeper.stores.sql.postgres import PostgresPlace
from shopkeeper.stores.sql.postgres_connect import PostgresTransaction
from shopkeeper.stores.sql.postgres_moving import dump, load
from shopkeeper.stores.sql.postgres_session import PostgresSession, lost
from shopkeeper.stores.sql.postgres_values import listed
from shopkeeper.stores.sql.session import among, change_among

_LOOKED_AT: Final = 1_000
"""Deliveries among which a worker looks for what it may have, at most."""
_COUNTED_UP_TO: Final = 20_000
_KEPT = "id, received_at, source, format, topic, events, salt, body, attempts"
_PERSONAL: Final = ("inbox", "job", "account", "web_session", "link", "audit")
"""Tables of which rows that tell of people are deleted or replaced."""
_HELD = (
    "EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() "
    "WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = {}.worker)"
)
"""Whether the worker of a claim is alive."""


class PostgresGate(PostgresPlace[GateReader, GateWriter]):
    """A gate in the schema ``<schema>_gate``; ``limit`` octets of deliveries may wait in it."""

    def __init__(self, address: Address, *, limit: int = LIMIT_OCTETS) -> None:
        self.inbox: PostgresInbox
        schema = f"{address.schema}_gate"

        def writer(session: PostgresSession) -> GateWriter:
            return _Writer(session, self)

        super().__init__(address, schema, "gate", SqlReader, writer, alone=True)
        self.inbox = PostgresInbox(self, limit)

    def scrub(self) -> bool:
        """Write what held deliveries and people anew; see ``PostgresLedger.scrub``."""
        return self.rebuild(_PERSONAL)

    def backup(self, to: Path) -> None:
        """A consistent copy as a SQLite gate."""
        with self.reading() as session:
            dump(session, self.name, to)

    def load(self, file: Path) -> None:
        """Fill this gate, which must be empty, from a SQLite gate."""
        self.write(lambda _: load(self._session, self.name, file))

    def close(self) -> None:
        """Keep what is queued, then let go of the connections."""
        self.inbox.close()
        super().close()


class PostgresInbox:
    """Deliveries that several workers share."""

    ordered = False

    def __init__(self, gate: PostgresGate, limit: int) -> None:
        self._gate = gate
        self._guard = threading.Lock()
        self._worker = 0
        self._given: set[int] = set()
        self._claiming: PostgresTransaction | None = None
        self._appending: PostgresTransaction | None = None
        self._appender = Appender(self._keep, lambda: self.backlog(0).octets, limit=limit)

    def put(self, delivery: NewDelivery, done: Done) -> None:
        """Keep a delivery; see the contract."""
        self._appender.put(delivery, done)

    def waiting(self, after: int, octets: int) -> list[KeptDelivery]:
        """Claim deliveries and give them; what this worker holds already is given again."""
        with self._claims() as session:
            sizes = session.rows(
                "SELECT i.id, i.octets FROM inbox i WHERE i.id > ? AND NOT EXISTS ("
                "SELECT 1 FROM claim c WHERE c.kind = 'inbox' AND c.id = i.id AND c.worker <> ? AND "
                f"{_HELD.format('c')}) ORDER BY i.id LIMIT ? FOR UPDATE OF i SKIP LOCKED",
                (after, self._worker, _LOOKED_AT),
            )
            if not sizes:
                return []
            upto = sql_inbox.cut(sizes, octets)
            ids = self._claimed(session, [number for number, _ in sizes if number <= upto])
            rows = among(session, f"SELECT {_KEPT} FROM inbox WHERE id IN (...)", ids)
        self._given = {row[0] for row in rows}
        return sorted(map(KeptDelivery._make, rows))

    def _claimed(self, session: PostgresSession, ids: Sequence[int]) -> list[int]:
        """Claim what no living worker holds; returns the numbers. What a dead one held may have killed it."""
        left = among(
            session,
            "SELECT id FROM claim WHERE id IN (...) AND kind = 'inbox' AND worker <> ?",
            ids,
            self._worker,
        )
        rows = session.rows(
            "INSERT INTO claim (kind, id, worker) SELECT 'inbox', u, ? FROM unnest(?) u ON CONFLICT (kind, id) "
            "DO UPDATE SET worker = excluded.worker "
            f"WHERE claim.worker = excluded.worker OR NOT {_HELD.format('claim')} RETURNING id",
            (self._worker, listed(ids)),
        )
        ours = {row[0] for row in rows}
        change_among(
            session,
            "UPDATE inbox SET attempts = 1 WHERE attempts = 0 AND id IN (...)",
            [number for (number,) in left if number in ours],
        )
        return sorted(ours)

    def begun(self, ids: Sequence[int]) -> None:
        """Note that a worker begins these."""
        with self._claims() as session:
            sql_inbox.begun(session, ids)

    def survived(self, ids: Sequence[int]) -> None:
        """Take that back."""
        with self._claims() as session:
            sql_inbox.survived(session, ids)

    def settle(self, tx: LedgerWriter, ids: Sequence[int]) -> None:
        """Delete deliveries in the transaction in which the ledger takes them in.

        Raises StoreBusy, so that the transaction is undone, where another worker has taken one of them.
        """
        session: PostgresSession = tx.session  # type: ignore[attr-defined]
        gate = f'"{self._gate.schema}"'
        gone = change_among(session, f"DELETE FROM {gate}.inbox WHERE id IN (...)", ids)
        if gone != len(ids):
            raise StoreBusy("another worker has taken this in meanwhile", hint="look again at what waits")
        change_among(session, f"DELETE FROM {gate}.claim WHERE kind = 'inbox' AND id IN (...)", ids)

    def forget(self, upto: int) -> None:
        """Delete what this worker was given last, up to a number. What was settled is gone already."""
        with self._claims() as session:
            ids = sorted(number for number in self._given if number <= upto)
            held = [
                number
                for (number,) in among(
                    session,
                    "SELECT id FROM claim WHERE id IN (...) AND kind = 'inbox' AND worker = ?",
                    ids,
                    self._worker,
                )
            ]
            change_among(session, "DELETE FROM inbox WHERE id IN (...)", held)
            change_among(session, "DELETE FROM claim WHERE kind = 'inbox' AND id IN (...)", held)

    def backlog(self, after: int) -> Backlog:
        """What waits after a number; in a long queue from its ends, as if nothing between were taken."""
        with self._gate.reading() as session:
            estimate = sql_inbox.backlog(session, after)
            if estimate.deliveries > _COUNTED_UP_TO:
                return estimate
            row = session.rows(
                "SELECT count(*), coalesce(sum(events), 0), coalesce(sum(octets), 0), coalesce(min(received_at), 0) "
                "FROM inbox WHERE id > ?",
                (after,),
            )
        return Backlog._make(row[0])

    def last(self) -> int:
        """The number given last."""
        with self._gate.reading() as session:
            return sql_inbox.last(session)

    def left(self, after: int, upto: int) -> bool:
        """Whether anything between is kept, whoever claimed it."""
        with self._gate.reading() as session:
            return sql_inbox.left(session, after, upto)

    def begin_after(self, number: int) -> None:
        """Give no number up to this one."""
        with self._gate.reading() as session:
            if sql_inbox.last(session) >= number:
                return
        with _apart(self._gate) as session:
            sql_inbox.begin_after(session, number)

    def worker(self) -> int:
        """This worker's number, held as a lock as long as its connection lasts."""
        with self._claims():
            return self._worker

    def close(self) -> None:
        """Keep what is queued and let go of what is claimed."""
        self._appender.stop()
        with self._guard:
            for transaction in (self._claiming, self._appending):
                if transaction is not None:
                    transaction.session.connection.close()
            self._claiming = self._appending = None

    def _keep(self, deliveries: Sequence[NewDelivery]) -> None:
        if self._appending is None:
            self._appending = self._gate.apart()
        with _transaction(self._appending) as session:
            sql_inbox.append(session, deliveries)

    @contextmanager
    def _claims(self) -> Iterator[PostgresSession]:
        """A transaction on the connection that holds the worker's number."""
        with self._guard:
            if self._claiming is None or lost(self._claiming.session.connection):
                self._claiming = self._numbered()
            try:
                with _transaction(self._claiming) as session:
                    yield session
            except StoreFailure:
                if lost(self._claiming.session.connection):
                    self._claiming = None
                raise

    def _numbered(self) -> PostgresTransaction:
        claiming = self._gate.apart(again=False)
        worker = secrets.randbits(62)
        claiming.session.rows("SELECT pg_advisory_lock(?)", (worker,))
        self._worker = worker
        return claiming


class _Writer(SqlWriter):
    """The gate's writer; a job belongs to a worker that may die while others live."""

    def __init__(self, session: PostgresSession, gate: PostgresGate) -> None:
        super().__init__(session)
        self._gate = gate

    def begin_job(self, at: int, verbs: Sequence[str] = ()) -> Job | None:
        """The oldest that waits, from now on this worker's."""
        job = super().begin_job(at, verbs)
        if job is not None:
            self.session.run(
                "INSERT INTO claim (kind, id, worker) VALUES ('job', ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET worker = excluded.worker",
                (job.id, self._gate.inbox.worker()),
            )
        return job

    def end_job(  # the contract's names
        self,
        id: int,  # noqa: A002
        *,
        result: bytes,
        error: str,
        at: int,
        keep: bool,
    ) -> None:
        """A job is done or failed."""
        super().end_job(id, result=result, error=error, at=at, keep=keep)
        self.session.run("DELETE FROM claim WHERE kind = 'job' AND id = ?", (id,))

    def resume_jobs(self, at: int) -> list[int]:
        """Jobs whose worker died fail, and those that this one left; wishes wait once more."""
        return self._resume(
            at,
            "AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.kind = 'job' AND c.id = job.id "
            f"AND c.worker <> ? AND {_HELD.format('c')})",
            (self._gate.inbox.worker(),),
        )


@contextmanager
def _apart(gate: PostgresGate) -> Iterator[PostgresSession]:
    """A transaction on a connection for it alone."""
    transaction = gate.apart()
    try:
        with _transaction(transaction) as session:
            yield session
    finally:
        transaction.session.connection.close()


@contextmanager
def _transaction(transaction: PostgresTransaction) -> Iterator[PostgresSession]:
    transaction.begin()
    try:
        transaction.savepoint()
        yield transaction.session
        transaction.release(undo=False)
        transaction.commit()
    except BaseException:
        transaction.rollback()
        raise
