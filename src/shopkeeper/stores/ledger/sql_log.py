"""The log: events, deduplication, order lines and quarantine, in plain SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shopkeeper.stores.contract.ordering import in_order
from shopkeeper.stores.contract.rows import (
    Folded,
    FoldedRow,
    Logged,
    NewEvent,
    NewQuarantine,
    Observed,
    Quarantined,
)
from shopkeeper.stores.sql.session import Session, among

_LOGGED = "seq, name, version, source, brand, channel, occurred_at, received_at, node, others, key, payload"


class LogReads:
    """Reading the log."""

    session: Session

    def event_names(self, after: int = 0) -> dict[str, int]:
        """Events by name."""
        sql = "SELECT name, count(*) FROM event WHERE seq > ? GROUP BY name ORDER BY 2 DESC, 1"
        return dict(self.session.rows(sql, (after,)))

    def log_after(self, seq: int, limit: int) -> list[Logged]:
        """Events after a place in the log."""
        sql = f"SELECT {_LOGGED} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        return list(map(Logged._make, self.session.rows(sql, (seq, limit))))

    def observed_after(self, seq: int, limit: int) -> list[Observed]:
        """Events after a place in the log, without their payload."""
        sql = "SELECT seq, name, occurred_at, node, others FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        return list(map(Observed._make, self.session.rows(sql, (seq, limit))))

    def withdrawn_after(self, seq: int) -> list[int]:
        """Who withdrew a consent after a place in the log."""
        sql = "SELECT DISTINCT node FROM event WHERE seq > ? AND name = 'Consent Withdrawn' AND node > 0 ORDER BY 1"
        return [row[0] for row in self.session.rows(sql, (seq,))]

    def log_of(
        self, nodes: Sequence[int], before: tuple[int, int] | None, limit: int, names: Sequence[str] = ()
    ) -> list[Logged]:
        """Events of some nodes, latest first."""
        sql = f"SELECT {_LOGGED} FROM event WHERE node IN (...) AND node > 0"
        after: list[object] = []
        if names:
            sql += f" AND name IN ({','.join('?' * len(names))})"
            after += names
        if before is not None:
            sql += " AND (occurred_at < ? OR (occurred_at = ? AND seq < ?))"
            after += [before[0], *before]
        rows = among(self.session, sql + " ORDER BY occurred_at DESC, seq DESC LIMIT ?", nodes, *after, limit)
        found = sorted(map(Logged._make, rows), key=lambda e: (-e.occurred_at, -e.seq))
        return found[:limit]

    def to_fold(self, customers: Sequence[int]) -> list[FoldedRow]:
        """Events of some customers in the order of folding."""
        sql = (
            "SELECT m.customer, e.occurred_at, e.key, e.name, e.version, e.channel, e.source, e.node, e.others, "
            "e.payload FROM member m JOIN event e ON e.node = m.node AND e.node > 0 WHERE m.customer IN (...)"
        )
        return in_order(among(self.session, sql, customers))

    def withdrawn_beside(self, customers: Sequence[int]) -> list[Folded]:
        """Withdrawals on shared identifiers beside some customers."""
        found: list[tuple[Any, ...]] = []
        for near, far in (("a", "b"), ("b", "a")):
            sql = (
                "SELECT m.customer, e.occurred_at, e.key, e.name, e.version, e.channel, e.source, e.node, e.others, "
                f"e.payload FROM member m JOIN edge g ON g.{near} = m.node "
                f"JOIN member s ON s.node = g.{far} AND s.shared = 1 JOIN event e ON e.node = s.node AND e.node > 0 "
                "AND (e.name = 'Consent Withdrawn' OR e.name = 'Email Unsubscribed' "
                "OR e.name = 'Email Marked as Spam') "
                "WHERE m.shared = 0 AND m.customer IN (...)"
            )
            found += among(self.session, sql, customers)
        return list(map(Folded._make, sorted(set(found))))

    def known_lines(self, orders: Sequence[bytes]) -> dict[bytes, bytes]:
        """The known lines of some orders."""
        return dict(among(self.session, "SELECT key, lines FROM order_line WHERE key IN (...)", orders))

    def repeated(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Which message keys are known, with their bodies."""
        return dict(among(self.session, "SELECT key, body FROM message WHERE key IN (...)", keys))

    def refused(self, marks: Sequence[bytes]) -> set[bytes]:
        """Which of those cells are in quarantine."""
        sql = "SELECT DISTINCT hash FROM quarantine_cell WHERE hash IN (...)"
        return {row[0] for row in among(self.session, sql, marks)}

    def quarantine(self, before: int | None, limit: int) -> list[Quarantined]:
        """What was refused, latest first."""
        sql = (
            "SELECT id, received_at, source, kind, line, reason, detail, salt, sealed FROM quarantine "
            "WHERE id < ? ORDER BY id DESC LIMIT ?"
        )
        return list(map(Quarantined._make, self.session.rows(sql, (before or 1 << 62, limit))))

    def quarantine_reasons(self) -> dict[tuple[str, str], int]:
        """How much was refused by source and reason."""
        rows = self.session.rows(
            "SELECT source, reason, count(*) FROM quarantine GROUP BY 1, 2 ORDER BY 3 DESC"
        )
        return {(source, reason): count for source, reason, count in rows}


class LogWrites(LogReads):
    """Writing the log."""

    def append(self, rows: Sequence[NewEvent]) -> list[Logged]:
        """Log events that are new; returns them with their places."""
        first = self.numbers("last_seq", len(rows))
        named = partial(tuple.__new__, Logged)  # the class itself costs a microsecond an event
        logged: list[Logged] = [named((seq, *row[:11])) for seq, row in enumerate(rows, first)]
        self.session.many(
            "INSERT INTO message (key, body) VALUES (?, ?)", sorted([(row.key, row.body) for row in rows])
        )
        self.session.many(
            f"INSERT INTO event ({_LOGGED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            logged,
        )
        return logged

    def remember_lines(self, lines: Mapping[bytes, bytes]) -> None:
        """Put the lines of some orders."""
        sql = "INSERT INTO order_line (key, lines) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET lines = excluded.lines"
        self.session.many(sql, sorted(lines.items()))

    def refuse(self, rows: Sequence[NewQuarantine]) -> None:
        """Put into quarantine."""
        first = self.numbers("last_quarantine", len(rows))
        self.session.many(
            "INSERT INTO quarantine (id, received_at, source, kind, line, reason, detail, salt, sealed) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (i, r.received_at, r.source, r.kind, r.line, r.reason, r.detail, r.salt, r.sealed)
                for i, r in enumerate(rows, first)
            ),
        )
        cells = sorted((cell, i) for i, r in enumerate(rows, first) for cell in set(r.cells))
        self.session.many(
            "INSERT INTO quarantine_cell (hash, id) VALUES (?, ?) ON CONFLICT DO NOTHING", cells
        )

    def numbers(self, counter: str, count: int) -> int:
        """The first of ``count`` numbers never given before."""
        last = self.session.rows(
            "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
            "value = CAST(CAST(setting.value AS BIGINT) + ? AS TEXT) RETURNING value",
            (counter, str(count), count),
        )[0][0]
        return int(last) - count + 1
