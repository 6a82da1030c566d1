"""Who may, in plain SQL: accounts, sessions, one-time links, API keys and tries to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from shopkeeper.stores.contract.access import AccountRow, KeyRow, LinkRow, SessionRow
from shopkeeper.stores.gate.sql_audit import AuditReads, AuditWrites
from shopkeeper.stores.sql.session import among

_Row = TypeVar("_Row", AccountRow, SessionRow, LinkRow, KeyRow)
_ACCOUNT = ", ".join(AccountRow._fields)
_SESSION = ", ".join(SessionRow._fields)
_LINK = ", ".join(LinkRow._fields)
_KEY = ", ".join(KeyRow._fields)


def _put(table: str, fields: Sequence[str]) -> str:
    """A statement that adds a row or replaces that of the same first field."""
    changed = ", ".join(f"{field} = excluded.{field}" for field in fields[1:])
    return (
        f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({', '.join('?' * len(fields))}) "
        f"ON CONFLICT ({fields[0]}) DO UPDATE SET {changed}"
    )


_PUT_ACCOUNT = _put("account", AccountRow._fields)
_PUT_SESSION = _put("web_session", SessionRow._fields)
_PUT_KEY = _put("api_key", KeyRow._fields)


class AccessReads(AuditReads):
    """Reading who may."""

    def accounts(self) -> list[AccountRow]:
        """Everybody."""
        return list(map(AccountRow._make, self._rows(f"SELECT {_ACCOUNT} FROM account ORDER BY id")))

    def account(self, account: int) -> AccountRow | None:
        """One account by its number."""
        return self._one(AccountRow, f"SELECT {_ACCOUNT} FROM account WHERE id = ?", account)

    def account_by(self, pseudonym: bytes) -> AccountRow | None:
        """The account of an e-mail address."""
        return self._one(AccountRow, f"SELECT {_ACCOUNT} FROM account WHERE pseudonym = ?", pseudonym)

    def account_of_subject(self, subject: bytes) -> AccountRow | None:
        """The account of somebody at an identity provider."""
        return self._one(AccountRow, f"SELECT {_ACCOUNT} FROM account WHERE subject = ?", subject)

    def session_of(self, token: bytes) -> SessionRow | None:
        """A session by the hash of its token."""
        return self._one(SessionRow, f"SELECT {_SESSION} FROM web_session WHERE token = ?", token)

    def sessions(self, account: int) -> list[SessionRow]:
        """An account's sessions."""
        sql = f"SELECT {_SESSION} FROM web_session WHERE account = ? ORDER BY seen_at DESC, created_at DESC"
        return list(map(SessionRow._make, self._rows(sql, account)))

    def link(self, token: bytes) -> LinkRow | None:
        """A link by the hash of its token."""
        return self._one(LinkRow, f"SELECT {_LINK} FROM link WHERE token = ?", token)

    def api_keys(self) -> list[KeyRow]:
        """Every API key."""
        return list(map(KeyRow._make, self._rows(f"SELECT {_KEY} FROM api_key ORDER BY id DESC")))

    def api_key(self, hash_: bytes) -> KeyRow | None:
        """An API key by its hash."""
        return self._one(KeyRow, f"SELECT {_KEY} FROM api_key WHERE hash = ?", hash_)

    def tries(self, subjects: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Failed tries by account or address."""
        sql = "SELECT subject, failed, last_at FROM tries WHERE subject IN (...)"
        return {bytes(row[0]): (row[1], row[2]) for row in among(self.session, sql, subjects)}

    def _one(self, row: type[_Row], sql: str, value: object) -> _Row | None:
        found = self._rows(sql, value)
        return row._make(found[0]) if found else None


class AccessWrites(AccessReads, AuditWrites):
    """Changing who may."""

    def put_account(self, row: AccountRow) -> None:
        """Add an account or replace it."""
        self.session.run(_PUT_ACCOUNT, row)

    def put_session(self, row: SessionRow) -> None:
        """Add a session or replace it."""
        self.session.run(_PUT_SESSION, row)

    def drop_session(self, token: bytes) -> bool:
        """End a session."""
        return self.session.run("DELETE FROM web_session WHERE token = ?", (token,)) > 0

    def drop_sessions(self, account: int, but: bytes = b"") -> int:
        """End an account's sessions, all but one."""
        return self.session.run("DELETE FROM web_session WHERE account = ? AND token <> ?", (account, but))

    def put_link(self, row: LinkRow) -> None:
        """Add a link."""
        self.session.run(f"INSERT INTO link ({_LINK}) VALUES (?, ?, ?, ?)", row)

    def take_link(self, token: bytes) -> LinkRow | None:
        """Take a link away and return it; of two who try at once one gets it."""
        found = self.link(token)
        taken = self.session.run("DELETE FROM link WHERE token = ?", (token,))
        return found if taken else None

    def drop_links(self, purpose: str, account: int) -> None:
        """Take away links of a purpose and an account."""
        self.session.run("DELETE FROM link WHERE purpose = ? AND account = ?", (purpose, account))

    def put_key(self, row: KeyRow) -> None:
        """Add an API key or replace it."""
        self.session.run(_PUT_KEY, row)

    def note_try(self, subject: bytes, failed: int, at: int) -> None:
        """Keep how often a try to sign in failed."""
        if not failed:
            self.session.run("DELETE FROM tries WHERE subject = ?", (subject,))
            return
        sql = (
            "INSERT INTO tries (subject, failed, last_at) VALUES (?, ?, ?) "
            "ON CONFLICT (subject) DO UPDATE SET failed = excluded.failed, last_at = excluded.last_at"
        )
        self.session.run(sql, (subject, failed, at))

    def sweep_access(self, now: int, tries_before: int) -> None:
        """Delete what has ended."""
        self.session.run("DELETE FROM web_session WHERE ends_at <= ?", (now,))
        self.session.run("DELETE FROM link WHERE ends_at <= ?", (now,))
        self.session.run("DELETE FROM tries WHERE last_at < ?", (tries_before,))
