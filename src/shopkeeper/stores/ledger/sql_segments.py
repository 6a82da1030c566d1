"""Segments in plain SQL: definitions, memberships, what entered and left, behaviour states and what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from shopkeeper.domain.clock import DAY
from shopkeeper.stores.contract.segments import Entry, Membership, SegmentRow, TermEvent, VersionRow
from shopkeeper.stores.sql.session import CHUNK, Session, among, change_among

_SEGMENT: Final = "id, name, state, live, coming, swept, cause, size"
_VERSION: Final = "segment, version, title, sentence, condition, at, actor"
_ENTRY: Final = "id, at, segment, version, customer, entered, cause"
_MOST: Final = 1 << 62


class SegmentReads:
    """Reading them."""

    session: Session

    def segments(self) -> list[SegmentRow]:
        """Every segment."""
        return list(map(SegmentRow._make, self.session.rows(f"SELECT {_SEGMENT} FROM segment ORDER BY id")))

    def segment_versions(self, segment: int | None = None) -> list[VersionRow]:
        """Versions, oldest first."""
        sql = f"SELECT {_VERSION} FROM segment_version"
        if segment is None:
            rows = self.session.rows(f"{sql} ORDER BY segment, version")
        else:
            rows = self.session.rows(f"{sql} WHERE segment = ? ORDER BY version", (segment,))
        return list(map(VersionRow._make, rows))

    def members_in(self, segment: int, after: int, limit: int) -> list[Membership]:
        """Who is in a segment."""
        sql = (
            "SELECT segment, customer, since, version FROM membership WHERE segment = ? AND customer > ? "
            "ORDER BY customer LIMIT ?"
        )
        return list(map(Membership._make, self.session.rows(sql, (segment, after, limit))))

    def members_between(self, segment: int, first: int, last: int) -> list[int]:
        """Who of some customers is in a segment."""
        sql = (
            "SELECT customer FROM membership WHERE segment = ? AND customer BETWEEN ? AND ? ORDER BY customer"
        )
        return [row[0] for row in self.session.rows(sql, (segment, first, last))]

    def memberships(self, segments: Sequence[int], customer: int) -> list[Membership]:
        """In which of some segments a customer is."""
        sql = (
            "SELECT segment, customer, since, version FROM membership WHERE segment IN (...) AND customer = ?"
        )
        return sorted(map(Membership._make, among(self.session, sql, segments, customer)))

    def audience(self, after: int, limit: int, segment: int | None = None) -> list[Entry]:
        """What entered and left, in order."""
        sql = f"SELECT {_ENTRY} FROM audience WHERE "
        if segment is None:
            rows = self.session.rows(f"{sql} id > ? ORDER BY id LIMIT ?", (after, limit))
        else:
            rows = self.session.rows(
                f"{sql} segment = ? AND id > ? ORDER BY id LIMIT ?", (segment, after, limit)
            )
        return [_entry(row) for row in rows]

    def audience_of(self, customers: Sequence[int], before: int | None, limit: int) -> list[Entry]:
        """What some customers entered and left, latest first."""
        sql = f"SELECT {_ENTRY} FROM audience WHERE customer IN (...) AND id < ? ORDER BY id DESC LIMIT ?"
        rows = among(self.session, sql, customers, before or _MOST, limit)
        return [_entry(row) for row in sorted(rows, reverse=True)[:limit]]

    def audience_days(
        self, segment: int, since: int, until: int | None = None, ahead: int = 0
    ) -> list[tuple[int, int, int]]:
        """How many entered and left by day."""
        sql = (
            f"SELECT (at + ?) / {DAY}, sum(entered), count(*) - sum(entered) FROM audience "
            "WHERE segment = ? AND at >= ? AND at < ? GROUP BY 1 ORDER BY 1"
        )
        asked = ahead, segment, since, _MOST if until is None else until
        return [(int(day), int(in_), int(out)) for day, in_, out in self.session.rows(sql, asked)]

    def erased_exits(self, before: int) -> list[int]:
        """Exits of the erased."""
        sql = "SELECT id FROM audience WHERE cause = 'erasure' AND at < ? ORDER BY id"
        return [row[0] for row in self.session.rows(sql, (before,))]

    def behaviours(self, customers: Sequence[int]) -> dict[int, bytes]:
        """What is kept of some customers."""
        sql = "SELECT customer, body FROM behaviour WHERE customer IN (...)"
        return dict(among(self.session, sql, customers))

    def all_behaviours(self) -> Iterator[list[tuple[int, bytes]]]:
        """The same of everybody."""
        last = -1
        sql = f"SELECT customer, body FROM behaviour WHERE customer > ? ORDER BY customer LIMIT {CHUNK}"
        while rows := self.session.rows(sql, (last,)):
            last = rows[-1][0]
            yield [(customer, body) for customer, body in rows]

    def due(self, at: int, limit: int) -> list[int]:
        """Who is due."""
        sql = "SELECT customer FROM due WHERE at <= ? ORDER BY at, customer LIMIT ?"
        return [row[0] for row in self.session.rows(sql, (at, limit))]

    def next_due(self) -> int | None:
        """When the next is."""
        rows = self.session.rows("SELECT at FROM due ORDER BY at LIMIT 1")
        return rows[0][0] if rows else None

    def customers_after(self, customer: int, limit: int) -> list[int]:
        """Customers with a record."""
        sql = "SELECT customer FROM record WHERE customer > ? ORDER BY customer LIMIT ?"
        return [row[0] for row in self.session.rows(sql, (customer, limit))]

    def term_events(self, customers: Sequence[int], names: Sequence[str]) -> list[TermEvent]:
        """Events of some names."""
        if not names:
            return []
        marks = ",".join("?" * len(names))
        sql = (
            "SELECT m.customer, e.occurred_at, e.key, e.name, e.version, e.channel, e.source, e.brand, e.payload "
            "FROM member m JOIN event e ON e.node = m.node AND e.node > 0 "
            f"WHERE m.customer IN (...) AND e.name IN ({marks})"
        )
        rows: list[TermEvent] = among(self.session, sql, customers, *names)
        return sorted(rows, key=lambda row: row[0])


class SegmentWrites(SegmentReads):
    """Writing them. An engine combines this with the log, which gives the numbers."""

    numbers: Callable[[str, int], int]

    def put_segment(self, row: SegmentRow) -> None:
        """Keep a segment's state."""
        fields = _SEGMENT.split(", ")
        sql = (
            f"INSERT INTO segment ({_SEGMENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in fields[1:])
        )
        self.session.run(sql, row)

    def put_version(self, row: VersionRow) -> None:
        """Keep a version."""
        self.session.run(f"INSERT INTO segment_version ({_VERSION}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def swept(self, rows: Sequence[tuple[int, int]]) -> None:
        """Note how far sweeps are."""
        self.session.many("UPDATE segment SET swept = ? WHERE id = ?", [(upto, one) for one, upto in rows])

    def enter(self, rows: Sequence[Membership]) -> None:
        """Put customers into segments."""
        sql = "INSERT INTO membership (segment, customer, since, version) VALUES (?, ?, ?, ?)"
        self.session.many(sql, sorted(rows))

    def leave(self, rows: Sequence[tuple[int, int]]) -> None:
        """Take customers out."""
        self.session.many("DELETE FROM membership WHERE segment = ? AND customer = ?", sorted(rows))

    def dissolve(self, segment: int) -> int:
        """Take everybody out."""
        return self.session.run("DELETE FROM membership WHERE segment = ?", (segment,))

    def grow(self, rows: Sequence[tuple[int, int]]) -> None:
        """Count along."""
        self.session.many("UPDATE segment SET size = size + ? WHERE id = ?", [(by, one) for one, by in rows])

    def note_audience(self, rows: Sequence[Entry]) -> None:
        """Keep what entered and left."""
        sql = f"INSERT INTO audience ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self.session.many(
            sql, [(a, at, segment, v, c, int(entered), why) for a, at, segment, v, c, entered, why in rows]
        )

    def prune_audience(self, before: int, limit: int) -> int:
        """Delete the oldest. They were numbered as time went by."""
        upto = 0
        for number, at in self.session.rows("SELECT id, at FROM audience ORDER BY id LIMIT ?", (limit,)):
            if at >= before:
                break
            upto = number
        return self.session.run("DELETE FROM audience WHERE id <= ?", (upto,)) if upto else 0

    def drop_audience(self, ids: Sequence[int]) -> None:
        """Delete some."""
        change_among(self.session, "DELETE FROM audience WHERE id IN (...)", ids)

    def keep_behaviours(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Keep what segments need."""
        sql = (
            "INSERT INTO behaviour (customer, body) VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET "
            "body = excluded.body"
        )
        self.session.many(sql, sorted(rows))

    def drop_behaviours(self, customers: Sequence[int]) -> None:
        """Forget it."""
        for table in ("behaviour", "due"):
            change_among(self.session, f"DELETE FROM {table} WHERE customer IN (...)", customers)

    def put_due(self, rows: Sequence[tuple[int, int]]) -> None:
        """Keep when something may change."""
        sql = "INSERT INTO due (customer, at) VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET at = excluded.at"
        self.session.many(sql, sorted(rows))

    def drop_due(self, customers: Sequence[int]) -> None:
        """Nothing will change."""
        change_among(self.session, "DELETE FROM due WHERE customer IN (...)", customers)

    def forget_members(self, customers: Sequence[int], at: int) -> None:
        """Delete what is known of erased customers; that a number left its segments is kept for who follows."""
        inside = among(
            self.session, "SELECT segment, customer FROM membership WHERE customer IN (...)", customers
        )
        for table in ("membership", "audience", "behaviour", "due"):
            change_among(self.session, f"DELETE FROM {table} WHERE customer IN (...)", customers)
        if inside:
            versions = {row.id: row.live or row.coming for row in self.segments()}
            first = self.numbers("last_audience", len(inside))
            self.note_audience(
                [
                    Entry(number, at, segment, versions[segment], customer, False, "erasure")
                    for number, (segment, customer) in enumerate(sorted(inside), first)
                ]
            )
            counts: dict[int, int] = {}
            for segment, _ in inside:
                counts[segment] = counts.get(segment, 0) - 1
            self.grow(sorted(counts.items()))


def _entry(row: tuple[int, int, int, int, int, int, str]) -> Entry:
    return Entry(*row[:5], bool(row[5]), row[6])
