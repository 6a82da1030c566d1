"""The ledger's contract: what any place for live data must do, row by row, in transactions.

A reader sees one unchanging state; a writer works inside a transaction that either happens whole or not at all.
Concurrent writers may be joined into one commit. Rows are plain structs, so that no engine shows through.

Parts: the log (events, dedupe, order lines, quarantine), identities (nodes, edges, who is who), the vault's rows,
memory (customer records, predictions) and reference (catalogue, imports, settings).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from shopkeeper.stores.contract.foretold import ForetoldReader, ForetoldWriter
from shopkeeper.stores.contract.limits import LimitReader, LimitWriter
from shopkeeper.stores.contract.rows import (
    Edge,
    Folded,
    FoldedRow,
    Heard,
    Likeness,
    Logged,
    Member,
    NewEvent,
    NewNode,
    NewQuarantine,
    NewTurn,
    Node,
    Observed,
    Quarantined,
    Ranking,
    Record,
    Sealed,
    Verdict,
)
from shopkeeper.stores.contract.segments import SegmentReader, SegmentWriter
from shopkeeper.stores.contract.verdicts import VerdictReader

T = TypeVar("T")


class LedgerReader(ForetoldReader, LimitReader, SegmentReader, VerdictReader, Protocol):
    """Reads one unchanging state of the ledger."""

    def setting(self, name: str) -> str | None:
        """A kept value by name."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows per part: events, nodes, customers, edges, quarantine, last_seq, cursor."""
        ...

    def event_names(self, after: int = 0) -> dict[str, int]:
        """Events in the log by name, those after a place in it."""
        ...

    def log_after(self, seq: int, limit: int) -> list[Logged]:
        """Events after a place in the log, in its order."""
        ...

    def observed_after(self, seq: int, limit: int) -> list[Observed]:
        """The same without what identity resolution does not need: payloads are most of the bytes."""
        ...

    def withdrawn_after(self, seq: int) -> list[int]:
        """Nodes that withdrew a consent, or objected, after a place in the log."""
        ...

    def log_of(
        self, nodes: Sequence[int], before: tuple[int, int] | None, limit: int, names: Sequence[str] = ()
    ) -> list[Logged]:
        """Events of some nodes, latest first, strictly before (occurred_at, seq); only the named ones, if any."""
        ...

    def to_fold(self, customers: Sequence[int]) -> list[FoldedRow]:
        """Every event of some customers, ordered by customer and then as in ``domain.ordering``."""
        ...

    def withdrawn_beside(self, customers: Sequence[int]) -> list[Folded]:
        """Withdrawals (``domain.consent.WITHDRAWALS``) on shared identifiers that some customers are tied to, each with
        the customer it is beside; ordered as for folding.
        """
        ...

    def nodes(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """The nodes of those pseudonyms that are known."""
        ...

    def erased(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Which of those pseudonyms were erased, and when."""
        ...

    def identifiers(self, nodes: Sequence[int]) -> list[Node]:
        """The identifiers of some nodes."""
        ...

    def marks(self, nodes: Sequence[int]) -> dict[int, tuple[str, bytes]]:
        """Identifier kind and pseudonym of some nodes."""
        ...

    def edges(self, nodes: Sequence[int]) -> list[Edge]:
        """Every edge that touches one of the nodes."""
        ...

    def edges_since(self, at: int) -> Iterator[list[Edge]]:
        """Edges whose first evidence is of that instant (microseconds) or later, in batches."""
        ...

    def edges_of_pairs(self, pairs: Sequence[tuple[int, int]]) -> list[Edge]:
        """Those edges that are there of some pairs, the smaller node first: a node may have a hundred thousand."""
        ...

    def beside(self, node: int, limit: int) -> list[int]:
        """Nodes that share an edge with one, at most so many of them, by number."""
        ...

    def members(self, nodes: Sequence[int]) -> list[Member]:
        """To which customer some nodes belong."""
        ...

    def nodes_of(self, customers: Sequence[int]) -> list[Member]:
        """The nodes of some customers."""
        ...

    def all_members(self) -> Iterator[list[tuple[int, int, str, bool]]]:
        """Chunks of (node, customer, kind, shared), everybody, by node."""
        ...

    def turns(self, customers: Sequence[int], before: int | None, limit: int) -> list[NewTurn]:
        """Merges and splits of some customers (of everybody where none is given), latest first."""
        ...

    def shared(self, after: int, limit: int) -> list[Member]:
        """Nodes that many share and nobody has looked at, after a node, by node."""
        ...

    def looked(self, nodes: Sequence[int]) -> set[int]:
        """Which of some nodes somebody looked at and leaves as they are."""
        ...

    def crowded(self, above: int, limit: int) -> list[tuple[int, int]]:
        """Customers with more than so many nodes, and how many, the largest first."""
        ...

    def alias(self, customer: int) -> int | None:
        """The customer that an old id became."""
        ...

    def aliases(self, customers: Sequence[int] | None) -> dict[int, int]:
        """Old ids that became some customers, and which each became; every one there is where None is given."""
        ...

    def search(self, tokens: Sequence[bytes], limit: int) -> list[int]:
        """Customers on whose nodes all the tokens are found, smallest first."""
        ...

    def sealed(self, nodes: Sequence[int]) -> list[Sealed]:
        """Sealed values told on some nodes, by time."""
        ...

    def sealed_as(self, name: str) -> list[Sealed]:
        """Everything sealed of one kind of event, by node and place in the log. Reads all that is sealed: for what is
        seldom done.
        """
        ...

    def records(self, customers: Sequence[int]) -> list[Record]:
        """The folded records of some customers."""
        ...

    def stale(self, reducers: int, catalogue: int, limit: int) -> list[int]:
        """Customers whose record was folded by other reducers or another catalogue."""
        ...

    def all_records(self) -> Iterator[list[Record]]:
        """Chunks of every record, by customer."""
        ...

    def ranking(
        self,
        sort: str,
        after: tuple[float, int] | None,
        limit: int,
        among: Sequence[int] | None,
        state: str = "",
    ) -> list[Ranking]:
        """Customers sorted by value, margin, orders, recent or fading, after a place in that list; of one state if
        it is given.
        """
        ...

    def ranked(self, sort: str, state: str = "") -> int:
        """How many customers that list has."""
        ...

    def reference(self, kind: str) -> list[bytes]:
        """Every kept record of a kind, as JSON."""
        ...

    def imports(self) -> list[bytes]:
        """Summaries of finished imports, oldest first, as JSON."""
        ...

    def quarantine(self, before: int | None, limit: int) -> list[Quarantined]:
        """What was refused, latest first."""
        ...

    def quarantine_reasons(self) -> dict[tuple[str, str], int]:
        """How much was refused by source and reason."""
        ...

    def refusals(self, after: int, limit: int, source: str | None, reason: str | None) -> list[Quarantined]:
        """What was refused after a number, of a source or for a reason if given, oldest first."""
        ...

    def refusal(self, ids: Sequence[int]) -> list[Quarantined]:
        """Some of what was refused, by number, oldest first."""
        ...

    def references(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Those records of a kind that are kept, by key."""
        ...

    def heard(self, since: int) -> list[Heard]:
        """What live sources told, by source and hour, from an hour (since 1970) on."""
        ...

    def last_heard(self) -> dict[str, int]:
        """When each live source last told something."""
        ...


class LedgerWriter(LedgerReader, ForetoldWriter, LimitWriter, SegmentWriter, Protocol):
    """Reads and writes inside one transaction."""

    def numbers(self, counter: str, count: int) -> int:
        """The first of ``count`` successive numbers that this counter never gave before."""
        ...

    def keep(self, name: str, value: str) -> None:
        """Keep a value by name."""
        ...

    def add_nodes(self, rows: Sequence[NewNode]) -> dict[bytes, int]:
        """Give every pseudonym a node; known ones keep theirs."""
        ...

    def seen_before(self, rows: Sequence[tuple[int, int]]) -> None:
        """Nodes with a time at which they were seen; where that is earlier than what is known, it is kept."""
        ...

    def repeated(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Which message keys are in the log already (erased events included), with their body."""
        ...

    def append(self, rows: Sequence[NewEvent]) -> list[Logged]:
        """Log events whose keys are not in the log yet; returns them with their places, which follow each other."""
        ...

    def seal(self, rows: Sequence[Sealed], tokens: Iterable[tuple[bytes, int]]) -> None:
        """Keep sealed values and the tokens (token, node) that find them."""
        ...

    def reseal(self, rows: Sequence[Sealed]) -> None:
        """Put other sealed values in the place of those of the same node and event."""
        ...

    def refused(self, marks: Sequence[bytes]) -> set[bytes]:
        """Which of those cells are in quarantine already."""
        ...

    def refuse(self, rows: Sequence[NewQuarantine]) -> None:
        """Put into quarantine."""
        ...

    def release(self, ids: Sequence[int]) -> int:
        """Take rows out of quarantine; returns how many there were."""
        ...

    def hear(self, rows: Sequence[Heard]) -> None:
        """Add to what live sources told."""
        ...

    def known_lines(self, orders: Sequence[bytes]) -> dict[bytes, bytes]:
        """See domain.batch.LineMemory."""
        ...

    def remember_lines(self, lines: Mapping[bytes, bytes]) -> None:
        """See domain.batch.LineMemory."""
        ...

    def link(self, rows: Sequence[Edge]) -> None:
        """Keep edges; of two for one pair the earlier evidence stays."""
        ...

    def assign(self, rows: Sequence[Member]) -> None:
        """Say to which customer nodes belong."""
        ...

    def decide(self, rows: Sequence[Verdict]) -> None:
        """Keep what was decided; of two for one pair the later stays."""
        ...

    def undecide(self, pairs: Sequence[tuple[int, int]]) -> int:
        """Take decisions back; returns how many there were."""
        ...

    def liken(self, rows: Sequence[Likeness]) -> None:
        """Keep what a model believes; of two for one pair the later stays."""
        ...

    def unliken(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Forget what was believed of some pairs."""
        ...

    def turned(self, rows: Sequence[NewTurn]) -> None:
        """Keep merges and splits."""
        ...

    def looked_at(self, node: int, at: int, actor: str) -> None:
        """Note that somebody looked at a node, or at the customer for whom it speaks, and leaves it as it is."""
        ...

    def became(self, rows: Sequence[tuple[int, int]]) -> None:
        """Aliases: old customer id, present one. Older aliases of the old id follow."""
        ...

    def remember(self, rows: Sequence[Record]) -> None:
        """Put customers' records."""
        ...

    def drop_records(self, customers: Sequence[int]) -> None:
        """Forget records (and predictions) of customers that no longer exist."""
        ...

    def put_reference(self, kind: str, rows: Sequence[tuple[str, bytes]]) -> int:
        """Keep records by key; returns how many were new or changed."""
        ...

    def note_import(self, summary: bytes) -> None:
        """Keep the summary of a finished import."""
        ...

    def forget(
        self,
        nodes: Sequence[int],
        customers: Sequence[int],
        keep: Sequence[str],
        cells: Sequence[bytes],
        at: int,
    ) -> tuple[int, int]:
        """Delete nodes with everything sealed, their edges, tokens, memberships, records, and quarantined rows that
        hold one of the ``cells``; their events go too, but those named in ``keep`` stay without a node. Pseudonyms
        move to the list of the erased. Returns (events removed, events kept).
        """
        ...


class Ledger(Protocol):
    """A place for live data."""

    def read(self) -> AbstractContextManager[LedgerReader]:
        """One unchanging state, until the context ends."""
        ...

    def write(self, work: Callable[[LedgerWriter], T]) -> T:
        """Run ``work`` in a transaction and return what it returned once that is durable; an error undoes it."""
        ...

    def scrub(self, *, rebuild: bool = True) -> bool:
        """Make sure that deleted bytes are gone from the files. False where somebody who reads keeps some of them
        in a log: try again later, with ``rebuild=False``.
        """
        ...

    def backup(self, to: Path) -> None:
        """A consistent copy into a new file."""
        ...

    def check(self) -> list[str]:
        """What is wrong with it, in sentences; empty when all is well."""
        ...

    def close(self) -> None:
        """Finish what was begun and let go."""
        ...
