"""What people decided of identifiers, what a model believes of them, and who merged and split, in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shopkeeper.stores.contract.rows import Edge, Likeness, Member, NewTurn, Verdict
from shopkeeper.stores.sql.session import CHUNK, Session, among, change_among

_VERDICT = "a, b, same, decided_at, actor, why"
_LIKENESS = "a, b, weight, model, found_at"
_TURN = "id, at, kind, customer, other, a, b, seq, why, actor, ours, theirs"


class VerdictReads:
    """Reading decisions, likenesses and turns."""

    session: Session

    def verdicts(self, nodes: Sequence[int]) -> list[Verdict]:
        """Decisions on some nodes."""
        rows = set()
        for end in ("a", "b"):
            sql = f"SELECT {_VERDICT} FROM verdict WHERE {end} IN (...)"
            rows |= {(a, b, bool(same), *more) for a, b, same, *more in among(self.session, sql, nodes)}
        return sorted(map(Verdict._make, rows))

    def likenesses(self, nodes: Sequence[int]) -> list[Likeness]:
        """Likenesses of some nodes."""
        rows = among(self.session, f"SELECT {_LIKENESS} FROM likeness WHERE a IN (...)", nodes)
        rows += among(self.session, f"SELECT {_LIKENESS} FROM likeness WHERE b IN (...)", nodes)
        return sorted(set(map(Likeness._make, rows)))

    def all_likenesses(self) -> Iterator[list[Likeness]]:
        """All of them, in chunks."""
        a, b = 0, 0
        sql = f"SELECT {_LIKENESS} FROM likeness WHERE a > ? OR (a = ? AND b > ?) ORDER BY a, b LIMIT {CHUNK}"
        while rows := self.session.rows(sql, (a, a, b)):
            a, b = rows[-1][:2]
            yield list(map(Likeness._make, rows))

    def unjoined(self, limit: int) -> list[Likeness]:
        """Those that joined nobody."""
        sql = (
            "SELECT l.a, l.b, l.weight, l.model, l.found_at FROM likeness l JOIN member x ON x.node = l.a "
            "JOIN member y ON y.node = l.b WHERE x.customer <> y.customer AND NOT EXISTS "
            "(SELECT 1 FROM verdict v WHERE v.a = l.a AND v.b = l.b) ORDER BY l.weight DESC, l.a, l.b LIMIT ?"
        )
        return list(map(Likeness._make, self.session.rows(sql, (limit,))))

    def crossing(self, after: int, look: int) -> tuple[list[Edge], int | None]:
        """Edges between two customers, in a window of the primary key: members are looked up by theirs."""
        last = self.session.rows(
            "SELECT a FROM edge WHERE a > ? ORDER BY a LIMIT 1 OFFSET ?", (after, max(0, look - 1))
        )
        upto = last[0][0] if last else None
        sql = (
            "SELECT e.a, e.b, e.occurred_at, e.seq, e.why, e.until FROM edge e JOIN member x ON x.node = e.a "
            f"JOIN member y ON y.node = e.b WHERE e.a > ? {'AND e.a <= ? ' if last else ''}"
            "AND x.customer <> y.customer AND x.shared = 0 AND y.shared = 0 ORDER BY e.a, e.b"
        )
        rows = self.session.rows(sql, (after, upto) if last else (after,))
        return list(map(Edge._make, rows)), upto

    def turns(self, customers: Sequence[int], before: int | None, limit: int) -> list[NewTurn]:
        """Merges and splits, latest first."""
        last = before or 1 << 62
        if not customers:
            sql = f"SELECT {_TURN} FROM turn WHERE id < ? ORDER BY id DESC LIMIT ?"
            return list(map(NewTurn._make, self.session.rows(sql, (last, limit))))
        rows = set()
        for end in ("customer", "other"):
            sql = f"SELECT {_TURN} FROM turn WHERE {end} IN (...) AND id < ? ORDER BY id DESC LIMIT ?"
            rows |= set(map(tuple, among(self.session, sql, customers, last, limit)))
        return list(map(NewTurn._make, sorted(rows, reverse=True)[:limit]))

    def shared(self, after: int, limit: int) -> list[Member]:
        """Shared nodes that nobody has looked at."""
        sql = (
            "SELECT m.node, m.customer, m.shared FROM member m WHERE m.shared = 1 AND m.node > ? "
            "AND NOT EXISTS (SELECT 1 FROM looked_at l WHERE l.node = m.node) ORDER BY m.node LIMIT ?"
        )
        return [Member(n, c, bool(s)) for n, c, s in self.session.rows(sql, (after, limit))]

    def looked(self, nodes: Sequence[int]) -> set[int]:
        """Which of these somebody looked at."""
        return {
            row[0] for row in among(self.session, "SELECT node FROM looked_at WHERE node IN (...)", nodes)
        }

    def crowded(self, above: int, limit: int) -> list[tuple[int, int]]:
        """Customers with many nodes."""
        sql = "SELECT customer, count(*) FROM member GROUP BY customer HAVING count(*) > ? ORDER BY 2 DESC, 1 LIMIT ?"
        return [(customer, count) for customer, count in self.session.rows(sql, (above, limit))]


class VerdictWrites(VerdictReads):
    """Writing them."""

    def decide(self, rows: Sequence[Verdict]) -> None:
        """Keep decisions."""
        sql = (
            f"INSERT INTO verdict ({_VERDICT}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET "
            "same = excluded.same, decided_at = excluded.decided_at, actor = excluded.actor, why = excluded.why"
        )
        self.session.many(sql, [(r.a, r.b, int(r.same), r.decided_at, r.actor, r.why) for r in rows])

    def undecide(self, pairs: Sequence[tuple[int, int]]) -> int:
        """Take decisions back."""
        sql = "DELETE FROM verdict WHERE a = ? AND b = ?"
        return sum(self.session.run(sql, pair) for pair in pairs)

    def liken(self, rows: Sequence[Likeness]) -> None:
        """Keep likenesses."""
        sql = (
            f"INSERT INTO likeness ({_LIKENESS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET "
            "weight = excluded.weight, model = excluded.model, found_at = excluded.found_at"
        )
        self.session.many(sql, rows)

    def unliken(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Forget likenesses."""
        self.session.many("DELETE FROM likeness WHERE a = ? AND b = ?", pairs)

    def turned(self, rows: Sequence[NewTurn]) -> None:
        """Keep merges and splits."""
        self.session.many(f"INSERT INTO turn ({_TURN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def unpredict(self, customers: Sequence[int]) -> None:
        """Forget predictions."""
        change_among(self.session, "DELETE FROM prediction WHERE customer IN (...)", customers)

    def looked_at(self, node: int, at: int, actor: str) -> None:
        """Note a look."""
        sql = (
            "INSERT INTO looked_at (node, at, actor) VALUES (?, ?, ?) "
            "ON CONFLICT (node) DO UPDATE SET at = excluded.at, actor = excluded.actor"
        )
        self.session.run(sql, (node, at, actor))
