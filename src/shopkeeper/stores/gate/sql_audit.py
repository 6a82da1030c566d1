"""The audit log in plain SQL: append only, each line bound to those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shopkeeper.stores.contract.access import AuditRow, Chain, NewAudit
from shopkeeper.stores.sql.session import Session

_AUDIT = ", ".join(AuditRow._fields)


class AuditReads:
    """Reading the audit log."""

    session: Session

    def audit(
        self, *, subject: str = "", actor: str = "", verb: str = "", before: int = 0, limit: int = 100
    ) -> list[AuditRow]:
        """Lines, latest first, that match what is given."""
        wanted: dict[str, Any] = {
            "subject = ?": subject, "actor = ?": actor, "verb = ?": verb, "id < ?": before,
        }  # fmt: skip
        given = {clause: value for clause, value in wanted.items() if value}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        sql = f"SELECT {_AUDIT} FROM audit{where} ORDER BY id DESC LIMIT ?"
        return list(map(AuditRow._make, self._rows(sql, *given.values(), limit)))

    def audit_after(self, number: int, limit: int) -> list[AuditRow]:
        """Lines in their order, after a number."""
        sql = f"SELECT {_AUDIT} FROM audit WHERE id > ? ORDER BY id LIMIT ?"
        return list(map(AuditRow._make, self._rows(sql, number, limit)))

    def _rows(self, sql: str, *values: object) -> list[Any]:
        return self.session.rows(sql, values)


class AuditWrites(AuditReads):
    """Appending to the audit log."""

    def next_number(self, name: str, by: int = 1) -> int:
        """Count a number up; its row is locked until the transaction ends."""
        self.session.run("UPDATE gate_number SET value = value + ? WHERE name = ?", (by, name))
        return int(self.session.rows("SELECT value FROM gate_number WHERE name = ?", (name,))[0][0])

    def append_audit(self, lines: Sequence[NewAudit], chain: Chain) -> None:
        """Append; the number's lock is what keeps two appenders in a row."""
        if not lines:
            return
        last = self.next_number("audit", len(lines)) - len(lines)
        found = self.session.rows("SELECT chain FROM audit WHERE id = ?", (last,))
        link = bytes(found[0][0]) if found else b""
        rows = []
        for number, line in enumerate(lines, last + 1):
            link = chain(link, line)
            rows.append((number, *line, link))
        marks = ", ".join("?" * len(AuditRow._fields))
        self.session.many(f"INSERT INTO audit ({_AUDIT}) VALUES ({marks})", rows)
