"""Identifiers that are no single person's, in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from shopkeeper.stores.contract.limits import Aside, Busy, Standing
from shopkeeper.stores.sql.session import CHUNK, Session, among, change_among

_STANDING: Final = (
    "SELECT EXISTS (SELECT 1 FROM verdict), EXISTS (SELECT 1 FROM likeness), EXISTS (SELECT 1 FROM aside), "
    "EXISTS (SELECT 1 FROM moved), (SELECT value FROM setting WHERE name = 'identity_rules')"
)


class LimitReads:
    """Reading them."""

    session: Session

    def standing(self) -> Standing:
        """What there is."""
        ((verdicts, likenesses, asides, moves, rules),) = self.session.rows(_STANDING)
        return Standing(bool(verdicts), bool(likenesses), bool(asides), bool(moves), rules)

    def asides(self, nodes: Sequence[int] | None = None) -> list[Aside]:
        """Those set aside."""
        sql = "SELECT node, at, actor, why, names FROM aside"
        if nodes is None:
            return list(map(Aside._make, self.session.rows(f"{sql} ORDER BY node")))
        return sorted(map(Aside._make, among(self.session, f"{sql} WHERE node IN (...)", nodes)))

    def busy(self, limit: int) -> list[Busy]:
        """The busiest."""
        sql = (
            "SELECT b.node, b.days, b.orders, b.places, b.last FROM busy b "
            "WHERE NOT EXISTS (SELECT 1 FROM looked_at l WHERE l.node = b.node) "
            "AND NOT EXISTS (SELECT 1 FROM aside a WHERE a.node = b.node) "
            "AND EXISTS (SELECT 1 FROM member m WHERE m.node = b.node) "
            "ORDER BY b.places * b.orders DESC, b.node LIMIT ?"
        )
        return list(map(Busy._make, self.session.rows(sql, (limit,))))

    def moved(self, nodes: Sequence[int]) -> dict[int, int]:
        """Since when."""
        return dict(among(self.session, "SELECT node, since FROM moved WHERE node IN (...)", nodes))

    def first_event(self, node: int) -> int | None:
        """The earliest."""
        sql = "SELECT min(occurred_at) FROM event WHERE node = ? AND node > 0"
        first: int | None = self.session.rows(sql, (node,))[0][0]
        return first

    def manifold(self, more_than: int) -> Iterator[list[int]]:
        """Nodes with many edges, by node: one pass over the edges."""
        sql = (
            "SELECT node FROM (SELECT a AS node FROM edge UNION ALL SELECT b AS node FROM edge) ends "
            "GROUP BY node HAVING count(*) > ? UNION SELECT node FROM member WHERE shared = 1 ORDER BY 1"
        )
        found = [row[0] for row in self.session.rows(sql, (more_than,))]
        for start in range(0, len(found), CHUNK):
            yield found[start : start + CHUNK]

    def larger(self, kinds: Sequence[str], than: int) -> list[int]:
        """Who has more: one pass over the members."""
        sql = (
            "SELECT m.customer FROM member m JOIN node n ON n.node = m.node "
            f"WHERE n.kind IN ({','.join('?' * len(kinds))}) GROUP BY m.customer HAVING count(*) > ? ORDER BY 1"
        )
        return [row[0] for row in self.session.rows(sql, (*kinds, than))]

    def separated(self) -> list[tuple[int, int]]:
        """One pass over what could join."""
        sql = " UNION ".join(
            f"SELECT e.a, e.b FROM {table} e JOIN member x ON x.node = e.a JOIN member y ON y.node = e.b "
            "WHERE x.customer <> y.customer AND x.shared = 0 AND y.shared = 0"
            for table in ("edge", "likeness")
        )
        return sorted((a, b) for a, b in self.session.rows(sql))


class LimitWrites(LimitReads):
    """Writing them."""

    def set_aside(self, rows: Sequence[Aside]) -> None:
        """Keep them."""
        sql = (
            "INSERT INTO aside (node, at, actor, why, names) VALUES (?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET "
            "at = excluded.at, actor = excluded.actor, why = excluded.why, names = excluded.names"
        )
        self.session.many(sql, rows)

    def take_back(self, nodes: Sequence[int]) -> int:
        """Forget them."""
        there = self.asides(nodes)
        change_among(self.session, "DELETE FROM aside WHERE node IN (...)", [one.node for one in there])
        return len(there)

    def note_busy(self, rows: Sequence[Busy]) -> None:
        """Put these in the place of all."""
        self.session.run("DELETE FROM busy")
        self.session.many("INSERT INTO busy (node, days, orders, places, last) VALUES (?, ?, ?, ?, ?)", rows)

    def move(self, rows: Sequence[tuple[int, int]], back: Sequence[int]) -> None:
        """Keep since when."""
        sql = "INSERT INTO moved (node, since) VALUES (?, ?) ON CONFLICT (node) DO UPDATE SET since = excluded.since"
        self.session.many(sql, rows)
        change_among(self.session, "DELETE FROM moved WHERE node IN (...)", back)

    def cut(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Forget them."""
        self.session.many("DELETE FROM edge WHERE a = ? AND b = ?", pairs)
