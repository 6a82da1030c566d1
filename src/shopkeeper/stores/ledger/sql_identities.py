"""Identities: nodes, edges, who is who, and the sealed values told on nodes, in plain SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from shopkeeper.stores.contract.rows import Edge, Member, NewNode, Node, Sealed
from shopkeeper.stores.sql.session import CHUNK, Session, among, change_among, chunks

_PAIRS: Final = 400
"""Pairs asked for in one statement."""
_EARLIER: Final = ", ".join(
    f"{name} = CASE WHEN excluded.occurred_at < edge.occurred_at THEN excluded.{name} ELSE edge.{name} END"
    for name in ("occurred_at", "seq", "why")
)
_LATER: Final = "edge.until > 0 AND excluded.until > edge.until"
_LINK: Final = (
    "INSERT INTO edge (a, b, occurred_at, seq, why, until) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (a, b) DO UPDATE "
    f"SET {_EARLIER}, until = CASE WHEN {_LATER} THEN excluded.until ELSE edge.until END "
    f"WHERE excluded.occurred_at < edge.occurred_at OR ({_LATER})"
)
"""An old edge of which the last month is not known stays so."""


class IdentityReads:
    """Reading identities."""

    session: Session

    def nodes(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Known nodes by pseudonym."""
        return dict(among(self.session, "SELECT hash, node FROM node WHERE hash IN (...)", hashes))

    def erased(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Erased pseudonyms and when."""
        if not self.session.rows("SELECT 1 FROM erased LIMIT 1"):
            return {}
        return dict(among(self.session, "SELECT hash, occurred_at FROM erased WHERE hash IN (...)", hashes))

    def identifiers(self, nodes: Sequence[int]) -> list[Node]:
        """The identifiers of some nodes."""
        sql = "SELECT node, kind, salt, sealed, first_seen FROM node WHERE node IN (...)"
        return sorted(map(Node._make, among(self.session, sql, nodes)))

    def marks(self, nodes: Sequence[int]) -> dict[int, tuple[str, bytes]]:
        """Identifier kinds and pseudonyms by node."""
        rows = among(self.session, "SELECT node, kind, hash FROM node WHERE node IN (...)", nodes)
        return {node: (kind, mark) for node, kind, mark in rows}

    def edges(self, nodes: Sequence[int]) -> list[Edge]:
        """Edges that touch some nodes."""
        rows = among(
            self.session, "SELECT a, b, occurred_at, seq, why, until FROM edge WHERE a IN (...)", nodes
        )
        rows += among(
            self.session, "SELECT a, b, occurred_at, seq, why, until FROM edge WHERE b IN (...)", nodes
        )
        return sorted(set(map(Edge._make, rows)))

    def edges_since(self, at: int) -> Iterator[list[Edge]]:
        """Edges that came later."""
        last = (-1, -1)
        sql = (
            "SELECT a, b, occurred_at, seq, why, until FROM edge WHERE (a, b) > (?, ?) AND occurred_at >= ? "
            "ORDER BY a, b LIMIT ?"
        )
        while rows := self.session.rows(sql, (*last, at, 10 * CHUNK)):
            last = rows[-1][:2]
            yield list(map(Edge._make, rows))

    def edges_of_pairs(self, pairs: Sequence[tuple[int, int]]) -> list[Edge]:
        """Edges of some pairs."""
        rows: list[Any] = []
        for piece in chunks(pairs, _PAIRS):
            values = ", ".join(["(CAST(? AS BIGINT), CAST(? AS BIGINT))"] * len(piece))
            sql = (
                f"SELECT e.a, e.b, e.occurred_at, e.seq, e.why, e.until FROM (VALUES {values}) v "
                "JOIN edge e ON e.a = v.column1 AND e.b = v.column2"
            )
            rows += self.session.rows(sql, [node for pair in piece for node in pair])
        return list(map(Edge._make, rows))

    def beside(self, node: int, limit: int) -> list[int]:
        """Neighbours of a node."""
        found: list[int] = []
        for here, there in (("a", "b"), ("b", "a")):
            sql = f"SELECT {there} FROM edge WHERE {here} = ? ORDER BY {there} LIMIT ?"
            found += [row[0] for row in self.session.rows(sql, (node, limit))]
        return sorted(found)[:limit]

    def members(self, nodes: Sequence[int]) -> list[Member]:
        """Memberships of some nodes."""
        sql = "SELECT node, customer, shared FROM member WHERE node IN (...)"
        return [Member(n, c, bool(s)) for n, c, s in among(self.session, sql, nodes)]

    def nodes_of(self, customers: Sequence[int]) -> list[Member]:
        """Memberships of some customers."""
        sql = "SELECT node, customer, shared FROM member WHERE customer IN (...) ORDER BY node"
        return [Member(n, c, bool(s)) for n, c, s in among(self.session, sql, customers)]

    def all_members(self) -> Iterator[list[tuple[int, int, str, bool]]]:
        """Everybody, in chunks."""
        last = 0
        sql = (
            "SELECT m.node, m.customer, n.kind, m.shared FROM member m JOIN node n ON n.node = m.node "
            "WHERE m.node > ? ORDER BY m.node LIMIT ?"
        )
        while rows := self.session.rows(sql, (last, 10 * CHUNK)):
            last = rows[-1][0]
            yield [(node, customer, kind, bool(shared)) for node, customer, kind, shared in rows]

    def alias(self, customer: int) -> int | None:
        """What an old customer id became."""
        rows = self.session.rows("SELECT customer FROM alias WHERE old = ?", (customer,))
        return rows[0][0] if rows else None

    def aliases(self, customers: Sequence[int] | None) -> dict[int, int]:
        """Old ids and what they became."""
        if customers is None:
            return dict(self.session.rows("SELECT old, customer FROM alias"))
        return dict(among(self.session, "SELECT old, customer FROM alias WHERE customer IN (...)", customers))

    def search(self, tokens: Sequence[bytes], limit: int) -> list[int]:
        """Nodes whose customers carry all the tokens, by customer so that words may stand on different nodes."""
        if not tokens:
            return []
        marks = ",".join("?" * len(set(tokens)))
        sql = (
            f"SELECT m.customer FROM token t JOIN member m ON m.node = t.node WHERE t.token IN ({marks}) "
            "GROUP BY m.customer HAVING count(DISTINCT t.token) = ? ORDER BY 1 LIMIT ?"
        )
        return [row[0] for row in self.session.rows(sql, (*set(tokens), len(set(tokens)), limit))]

    def sealed(self, nodes: Sequence[int]) -> list[Sealed]:
        """Sealed values of some nodes, by time."""
        sql = "SELECT node, seq, occurred_at, name, sealed FROM sealed WHERE node IN (...)"
        rows = map(Sealed._make, among(self.session, sql, nodes))
        return sorted(rows, key=lambda r: (r.occurred_at, r.seq))

    def sealed_as(self, name: str) -> list[Sealed]:
        """Everything sealed of one kind of event."""
        sql = "SELECT node, seq, occurred_at, name, sealed FROM sealed WHERE name = ? ORDER BY node, seq"
        return list(map(Sealed._make, self.session.rows(sql, (name,))))


class IdentityWrites(IdentityReads):
    """Writing identities. An engine combines this with the log, which gives the numbers, and segments."""

    numbers: Callable[[str, int], int]
    forget_members: Callable[[Sequence[int], int], None]

    def add_nodes(self, rows: Sequence[NewNode]) -> dict[bytes, int]:
        """Give pseudonyms their nodes."""
        known = self.nodes([row.hash for row in rows])
        fresh = {row.hash: row for row in rows if row.hash not in known}
        first = self.numbers("last_node", len(fresh))
        placed = {row.hash: node for node, row in enumerate(fresh.values(), first)}
        self.session.many(
            "INSERT INTO node (node, hash, kind, salt, sealed, first_seen) VALUES (?, ?, ?, ?, ?, ?)",
            ((placed[r.hash], r.hash, r.kind, r.salt, r.sealed, r.first_seen) for r in fresh.values()),
        )
        return known | placed

    def seen_before(self, rows: Sequence[tuple[int, int]]) -> None:
        """Nodes that were seen earlier than was known."""
        sql = "UPDATE node SET first_seen = ? WHERE node = ? AND first_seen > ?"
        self.session.many(sql, [(at, node, at) for node, at in sorted(rows)])

    def seal(self, rows: Sequence[Sealed], tokens: Iterable[tuple[bytes, int]]) -> None:
        """Keep sealed values and search tokens."""
        self.session.many(
            "INSERT INTO sealed (node, seq, occurred_at, name, sealed) VALUES (?, ?, ?, ?, ?)", rows
        )
        sql = "INSERT INTO token (token, node) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self.session.many(sql, sorted(set(tokens)))

    def reseal(self, rows: Sequence[Sealed]) -> None:
        """Replace sealed values."""
        self.session.many(
            "UPDATE sealed SET sealed = ? WHERE node = ? AND seq = ?",
            [(r.sealed, r.node, r.seq) for r in rows],
        )

    def link(self, rows: Sequence[Edge]) -> None:
        """Keep edges; the earliest evidence and the latest month stay, whatever the order of arrival."""
        self.session.many(_LINK, rows)

    def assign(self, rows: Sequence[Member]) -> None:
        """Say to which customer nodes belong."""
        sql = (
            "INSERT INTO member (node, customer, shared) VALUES (?, ?, ?) ON CONFLICT (node) DO UPDATE SET "
            "customer = excluded.customer, shared = excluded.shared"
        )
        self.session.many(sql, ((m.node, m.customer, int(m.shared)) for m in rows))

    def became(self, rows: Sequence[tuple[int, int]]) -> None:
        """Keep aliases; chains are shortened and a revived id is no alias any more."""
        for old, new in rows:
            self.session.run("UPDATE alias SET customer = ? WHERE customer = ?", (new, old))
        sql = (
            "INSERT INTO alias (old, customer) VALUES (?, ?) "
            "ON CONFLICT (old) DO UPDATE SET customer = excluded.customer"
        )
        self.session.many(sql, rows)
        self.session.run("DELETE FROM alias WHERE old = customer")

    def forget(
        self,
        nodes: Sequence[int],
        customers: Sequence[int],
        keep: Sequence[str],
        cells: Sequence[bytes],
        at: int,
    ) -> tuple[int, int]:
        """Delete what is known of some nodes; events named in ``keep`` stay without a node."""
        removed = kept = 0
        for piece in chunks(nodes):
            these = ",".join("?" * len(piece))
            stay = ",".join("?" * len(keep))
            kept += self.session.run(
                f"UPDATE event SET node = 0, others = '' WHERE node IN ({these}) AND node > 0 AND name IN ({stay})",
                (*piece, *keep),
            )
            removed += self.session.run(
                f"DELETE FROM event WHERE node IN ({these}) AND node > 0", tuple(piece)
            )
            self.session.run(
                f"INSERT INTO erased (hash, occurred_at) SELECT hash, ? FROM node WHERE node IN ({these}) "
                "ON CONFLICT (hash) DO UPDATE SET occurred_at = excluded.occurred_at",
                (at, *piece),
            )
        for table, column in (
            ("sealed", "node"), ("token", "node"), ("edge", "a"), ("edge", "b"), ("member", "node"), ("node", "node"),
            ("verdict", "a"), ("verdict", "b"), ("likeness", "a"), ("likeness", "b"), ("looked_at", "node"),
            ("turn", "a"), ("turn", "b"), ("aside", "node"), ("busy", "node"), ("moved", "node"),
        ):  # fmt: skip
            change_among(self.session, f"DELETE FROM {table} WHERE {column} IN (...)", nodes)
        older = [
            row[0] for row in among(self.session, "SELECT old FROM alias WHERE customer IN (...)", customers)
        ]
        self.forget_members([*customers, *older], at)
        for column in ("customer", "other"):
            change_among(self.session, f"DELETE FROM turn WHERE {column} IN (...)", [*customers, *older])
        for table, column in (
            ("record", "customer"), ("prediction", "customer"), ("alias", "customer"), ("alias", "old"),
        ):  # fmt: skip
            change_among(self.session, f"DELETE FROM {table} WHERE {column} IN (...)", customers)
        rows = [
            r[0] for r in among(self.session, "SELECT id FROM quarantine_cell WHERE hash IN (...)", cells)
        ]
        change_among(self.session, "DELETE FROM quarantine WHERE id IN (...)", rows)
        change_among(self.session, "DELETE FROM quarantine_cell WHERE id IN (...)", rows)
        return removed, kept
