"""Memory: customers' records, predictions and rankings, reference data, imports and kept values, in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shopkeeper.stores.contract.rows import Prediction, Ranking, Record
from shopkeeper.stores.sql.session import Session, among, change_among

_RECORD = "customer, body, last_at, last_key, reducers, catalogue, orders, amount, margin, last_day, country"

_PREDICTION = "customer, clv, p_alive, state, body, turns_at, stood"
_SORTS = {
    "value": "p.clv",
    "fading": "p.clv",
    "margin": "r.margin",
    "orders": "r.orders",
    "recent": "r.last_day",
}


class MemoryReads:
    """Reading memory."""

    session: Session

    def setting(self, name: str) -> str | None:
        """A kept value."""
        rows = self.session.rows("SELECT value FROM setting WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def counts(self) -> dict[str, int]:
        """Rows per part."""
        sql = " UNION ALL ".join(
            f"SELECT '{table}s', count(*) FROM {table}"
            for table in ("event", "node", "edge", "record", "erased")
        )
        found = dict(self.session.rows(sql))
        found["quarantined"] = self.session.rows("SELECT count(*) FROM quarantine")[0][0]
        found["customers"] = found.pop("records")
        for name in ("last_seq", "cursor"):
            found[name] = int(self.setting(name) or 0)
        return found

    def records(self, customers: Sequence[int]) -> list[Record]:
        """Records of some customers."""
        sql = f"SELECT {_RECORD} FROM record WHERE customer IN (...)"
        return list(map(Record._make, among(self.session, sql, customers)))

    def stale(self, reducers: int, catalogue: int, limit: int) -> list[int]:
        """Customers folded by other reducers or another catalogue."""
        sql = "SELECT customer FROM record WHERE reducers <> ? OR catalogue <> ? ORDER BY 1 LIMIT ?"
        return [row[0] for row in self.session.rows(sql, (reducers, catalogue, limit))]

    def all_records(self) -> Iterator[list[Record]]:
        """Every record, in chunks."""
        last = 0
        sql = f"SELECT {_RECORD} FROM record WHERE customer > ? ORDER BY customer LIMIT 5000"
        while rows := self.session.rows(sql, (last,)):
            last = rows[-1][0]
            yield list(map(Record._make, rows))

    def ranking(
        self,
        sort: str,
        after: tuple[float, int] | None,
        limit: int,
        among: Sequence[int] | None,
        state: str = "",
    ) -> list[Ranking]:
        """A page of a sorted list of customers."""
        column = _SORTS[sort]
        where, parameters = self._listed(sort, state)
        source = "prediction p JOIN record r ON r.customer = p.customer"
        if not where:
            where, parameters = "TRUE", [self._run()]
            source = "record r LEFT JOIN prediction p ON p.customer = r.customer AND p.run = ?"
        sql = f"SELECT r.customer AS customer, {column} AS place FROM {source} WHERE {where}"
        if after is not None:
            sql += f" AND ({column} < ? OR ({column} = ? AND r.customer > ?))"
            parameters += [after[0], after[0], after[1]]
        if among is not None:
            sql += f" AND r.customer IN ({','.join('?' * len(among))})"
            parameters += among
        # What is sorted is numbers, not the records of all of a state.
        sql = (
            "SELECT r.customer, r.body, k.place, p.clv, p.p_alive, p.state FROM "
            f"({sql} ORDER BY {column} DESC, r.customer LIMIT ?) k JOIN record r ON r.customer = k.customer "
            "LEFT JOIN prediction p ON p.customer = k.customer AND p.run = ? ORDER BY k.place DESC, k.customer"
        )
        rows = self.session.rows(sql, [*parameters, limit, self._run()])
        return list(map(Ranking._make, rows))

    def ranked(self, sort: str, state: str = "") -> int:
        """How long a sorted list is."""
        where, parameters = self._listed(sort, state)
        table = f"prediction p WHERE {where}" if where else "record"
        return int(self.session.rows(f"SELECT count(*) FROM {table}", parameters)[0][0])

    def _listed(self, sort: str, state: str) -> tuple[str, list[object]]:
        """The condition on predictions that a list has; none where everybody is in it."""
        state = state or ("fading" if sort == "fading" else "")
        conditions = ["p.run = ?"]
        parameters: list[object] = [self._run()]
        valued = _SORTS[sort] == "p.clv"
        if valued:
            conditions.append("p.clv IS NOT NULL")
        if state:
            conditions.append("p.state = ?")
            parameters.append(state)
        return (" AND ".join(conditions), parameters) if valued or state else ("", [])

    def predictions(self, customers: Sequence[int]) -> dict[int, Prediction]:
        """Current predictions of some customers."""
        sql = (
            f"SELECT {_PREDICTION} FROM prediction WHERE customer IN (...) "
            "AND run = (SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'run')"
        )
        rows = map(Prediction._make, among(self.session, sql, customers))
        return {row.customer: row for row in rows}

    def turning(self, at: int, limit: int) -> list[int]:
        """Who turns by an instant."""
        sql = "SELECT customer FROM prediction WHERE run = ? AND turns_at <= ? ORDER BY turns_at, customer LIMIT ?"
        return [row[0] for row in self.session.rows(sql, (self._run(), at, limit))]

    def next_turn(self) -> int | None:
        """When the next one turns."""
        sql = "SELECT turns_at FROM prediction WHERE run = ? ORDER BY turns_at LIMIT 1"
        rows = self.session.rows(sql, (self._run(),))
        return int(rows[0][0]) if rows else None

    def stood(self, limit: int) -> list[int]:
        """Who was written live since the refresh."""
        sql = "SELECT customer FROM prediction WHERE run = ? AND stood > 0 ORDER BY customer LIMIT ?"
        return [row[0] for row in self.session.rows(sql, (self._run(), limit))]

    def all_foretold(self) -> Iterator[list[tuple[int, int, bytes]]]:
        """Every prediction, in chunks."""
        last = (-1, -1)
        sql = (
            "SELECT run, customer, body FROM prediction WHERE (run, customer) > (?, ?) "
            "ORDER BY run, customer LIMIT 5000"
        )
        while rows := self.session.rows(sql, last):
            last = rows[-1][0], rows[-1][1]
            yield [(run, customer, bytes(body)) for run, customer, body in rows]

    def reference(self, kind: str) -> list[bytes]:
        """Every record of a kind."""
        return [
            r[0] for r in self.session.rows("SELECT body FROM reference WHERE kind = ? ORDER BY key", (kind,))
        ]

    def imports(self) -> list[bytes]:
        """Summaries of imports."""
        return [row[0] for row in self.session.rows("SELECT summary FROM import ORDER BY id")]

    def _run(self) -> int:
        return int(self.setting("run") or 0)


class MemoryWrites(MemoryReads):
    """Writing memory."""

    def keep(self, name: str, value: str) -> None:
        """Keep a value by name."""
        sql = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self.session.run(sql, (name, value))

    def remember(self, rows: Sequence[Record]) -> None:
        """Put records."""
        fields = _RECORD.split(", ")
        sql = (
            f"INSERT INTO record ({_RECORD}) VALUES ({', '.join('?' * len(fields))}) "
            "ON CONFLICT (customer) DO UPDATE SET " + ", ".join(f"{f} = excluded.{f}" for f in fields[1:])
        )
        self.session.many(sql, rows)

    def drop_records(self, customers: Sequence[int]) -> None:
        """Forget records and predictions of customers that are no more."""
        change_among(self.session, "DELETE FROM record WHERE customer IN (...)", customers)
        change_among(self.session, "DELETE FROM prediction WHERE customer IN (...)", customers)

    def predict(self, rows: Sequence[Prediction], *, run: int) -> None:
        """Write predictions of a run aside."""
        sql = f"INSERT INTO prediction (run, {_PREDICTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self.session.many(sql, ((run, *row) for row in rows))

    def restand(self, rows: Sequence[Prediction]) -> None:
        """Put what is said of customers now."""
        run = self._run()
        sql = (
            f"INSERT INTO prediction (run, {_PREDICTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (run, customer) DO UPDATE SET state = excluded.state, body = excluded.body, "
            "turns_at = excluded.turns_at, stood = excluded.stood"
        )
        self.session.many(sql, ((run, *row) for row in rows))

    def retell(self, rows: Sequence[tuple[bytes, int, int]]) -> None:
        """Put other bodies."""
        self.session.many("UPDATE prediction SET body = ? WHERE run = ? AND customer = ?", rows)

    def switch(self, run: int) -> None:
        """Make a run's predictions current; older ones go. Those of a later one, which is still written, stay."""
        self.keep("run", str(run))
        self.session.run("DELETE FROM prediction WHERE run < ?", (run,))

    def put_reference(self, kind: str, rows: Sequence[tuple[str, bytes]]) -> int:
        """Keep records; returns how many were new or changed."""
        sql = "SELECT key, body FROM reference WHERE key IN (...) AND kind = ?"
        known = dict(among(self.session, sql, [key for key, _ in rows], kind))
        changed = {key: body for key, body in rows if known.get(key) != body}
        self.session.many(
            "INSERT INTO reference (kind, key, body) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            ((kind, key, body) for key, body in changed.items()),
        )
        return len(changed)

    def note_import(self, summary: bytes) -> None:
        """Keep an import's summary."""
        self.session.run("INSERT INTO import (summary) VALUES (?)", (summary,))
