"""Connections to PostgreSQL as a place wants them, and the transactions in which writes are joined."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from shopkeeper.domain.errors import InvalidInput, StoreAway, StoreFailure
from shopkeeper.stores.sql.address import Address
from shopkeeper.stores.sql.postgres_session import PostgresSession, lost, translated
from shopkeeper.stores.sql.postgres_values import adapt

_PATIENCE_S: Final = 30
_DEFAULTS: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "application_name": "shopkeeper",
    # A server that vanished without a word is noticed within a minute rather than within hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# The statements are written to follow an index from row to row, as SQLite runs them. So they are to be run here,
# whatever is known of the tables: in the middle of an import that is nothing, or worse, what was true an hour ago.
_SETTINGS = (
    "SET search_path TO {schema}; SET lock_timeout = '{patience}s'; SET jit = off; SET enable_seqscan = off; "
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET idle_in_transaction_session_timeout = 0; "
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


def wanted(address: Address) -> dict[str, Any]:
    """What to connect with."""
    try:
        told = conninfo_to_dict(address.url)
    except psycopg.Error:
        raise InvalidInput(
            "the database's address cannot be read", hint="give one like postgresql://user@host/database"
        ) from None
    return {**_DEFAULTS, **told, **dict(address.secrets), "client_encoding": "utf8", "autocommit": True}


def settle(connection: psycopg.Connection[Any], schema: str) -> None:
    """Make a new connection speak as the statements expect."""
    adapt(connection)
    text = _SETTINGS.format(schema=f'"{schema}"', patience=_PATIENCE_S)
    connection.execute(text)


def connect(address: Address, schema: str) -> psycopg.Connection[Any]:
    """A new connection, each statement of which commits by itself until a transaction is begun."""
    options = wanted(address)
    with translated():
        connection: psycopg.Connection[Any] = psycopg.connect(**options)
        settle(connection, schema)
    return connection


def lock_number(schema: str, what: str) -> int:
    """The number of an advisory lock that all processes of one shop mean the same by.

    >>> lock_number("a", "write") == lock_number("a", "write") != lock_number("b", "write")
    True
    """
    digest = blake2b(f"{schema}\0{what}".encode(), digest_size=8, person=b"shopkeeper").digest()
    return int.from_bytes(digest, signed=True)


class PostgresTransaction:
    """Transactions of a place, one at a time among all processes where a ``lock`` is given.

    Beginning, the first part's savepoint and the lock travel together, as do ending one part and beginning the next:
    what is not sent costs no time on the way.
    """

    spares = False

    def __init__(
        self,
        session: PostgresSession,
        connect_again: Callable[[], psycopg.Connection[Any]] | None,
        lock: int | None,
    ) -> None:
        self.session = session
        self._connect = connect_again
        taken = f"SELECT pg_advisory_xact_lock({lock}); " if lock is not None else ""
        self._opening = f"BEGIN; {taken}SAVEPOINT part"
        self._begun = False
        self._held = False

    def begin(self) -> None:
        """Say that the next part begins a transaction."""
        self._begun = self._held = False

    def savepoint(self) -> None:
        """Begin one caller's part, and the transaction with the first one."""
        if not self._begun:
            self._start()
        elif self._held:
            self._do("RELEASE part; SAVEPOINT part")
        else:
            self._do("SAVEPOINT part")
        self._held = True

    def release(self, *, undo: bool) -> None:
        """End one caller's part."""
        if undo:
            self._do("ROLLBACK TO part; RELEASE part")
            self._held = False
        elif self._status() == TransactionStatus.INERROR:
            raise StoreFailure("a statement failed and the write went on", hint="report this")

    def commit(self) -> None:
        """Make it durable."""
        if self._begun:
            with translated():
                said = self.session.connection.execute("COMMIT").statusmessage
            if (
                said != "COMMIT"
            ):  # PostgreSQL answers a failed transaction's COMMIT by undoing it, without an error
                raise StoreFailure("the database undid a transaction", hint="try again; nothing was kept")

    def rollback(self) -> None:
        """Undo it, if there still is one."""
        connection = self.session.connection
        if not lost(connection) and self._status() != TransactionStatus.IDLE:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")

    def alive(self) -> bool:
        """Whether the transaction still stands."""
        return not lost(self.session.connection) and self._status() in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        )

    def _status(self) -> TransactionStatus:
        return self.session.connection.info.transaction_status

    def _start(self) -> None:
        """Begin; on a connection that the server has closed meanwhile, on a new one."""
        if not lost(self.session.connection):
            try:
                self.session.connection.execute(self._opening)
            except psycopg.OperationalError:
                if not lost(self.session.connection):
                    with translated():
                        raise
            else:
                self._begun = True
                return
        if self._connect is None:
            raise StoreAway("the connection to the database was lost", hint="try again")
        self.session.connection.close()
        self.session.use(self._connect())
        self._do(self._opening)
        self._begun = True

    def _do(self, statements: str) -> None:
        with translated():
            self.session.connection.execute(statements)
