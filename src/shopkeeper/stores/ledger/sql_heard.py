"""What live sources told, by the hour, and what was refused, to be read again: in plain SQL."""

from __future__ import annotations

from collections.abc import Sequence

from shopkeeper.stores.contract.rows import Heard, Quarantined
from shopkeeper.stores.sql.session import Session, among, change_among


class HeardReads:
    """Reading what was heard and refused."""

    session: Session

    def heard(self, since: int) -> list[Heard]:
        """Counts by source and hour, from an hour on."""
        sql = (
            "SELECT source, hour, received, kept, repeated, refused, last_at FROM heard WHERE hour >= ? "
            "ORDER BY source, hour"
        )
        return list(map(Heard._make, self.session.rows(sql, (since,))))

    def last_heard(self) -> dict[str, int]:
        """When each source last told something."""
        return dict(self.session.rows("SELECT source, max(last_at) FROM heard GROUP BY source"))

    def refusals(self, after: int, limit: int, source: str | None, reason: str | None) -> list[Quarantined]:
        """What was refused after a number, of a source or for a reason if given, oldest first."""
        sql = (
            "SELECT id, received_at, source, kind, line, reason, detail, salt, sealed FROM quarantine "
            "WHERE id > ?"
        )
        parameters: list[object] = [after]
        for column, value in (("source", source), ("reason", reason)):
            if value is not None:
                sql += f" AND {column} = ?"
                parameters.append(value)
        rows = self.session.rows(sql + " ORDER BY id LIMIT ?", (*parameters, limit))
        return list(map(Quarantined._make, rows))

    def refusal(self, ids: Sequence[int]) -> list[Quarantined]:
        """Some of what was refused, by number."""
        sql = (
            "SELECT id, received_at, source, kind, line, reason, detail, salt, sealed FROM quarantine "
            "WHERE id IN (...)"
        )
        return sorted(map(Quarantined._make, among(self.session, sql, ids)))

    def references(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Those records of a kind that are kept, by key."""
        sql = "SELECT key, body FROM reference WHERE key IN (...) AND kind = ?"
        return dict(among(self.session, sql, keys, kind))


class HeardWrites(HeardReads):
    """Writing them."""

    def hear(self, rows: Sequence[Heard]) -> None:
        """Add counts."""
        self.session.many(
            "INSERT INTO heard (source, hour, received, kept, repeated, refused, last_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, hour) DO UPDATE SET "
            "received = heard.received + excluded.received, kept = heard.kept + excluded.kept, "
            "repeated = heard.repeated + excluded.repeated, refused = heard.refused + excluded.refused, "
            "last_at = CASE WHEN excluded.last_at > heard.last_at THEN excluded.last_at ELSE heard.last_at END",
            rows,
        )

    def release(self, ids: Sequence[int]) -> int:
        """Take rows out of quarantine; returns how many there were."""
        change_among(self.session, "DELETE FROM quarantine_cell WHERE id IN (...)", ids)
        return change_among(self.session, "DELETE FROM quarantine WHERE id IN (...)", ids)
