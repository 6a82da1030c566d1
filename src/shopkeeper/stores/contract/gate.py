"""The gate's contract: what the doors write, apart from the ledger, so that neither waits for the other.

The *inbox* keeps every delivery from the moment its sender is told 200 until it is in the ledger. One worker takes
deliveries from it in the order they came, puts them into the ledger in one transaction together with the number of
the last one (setting ``inbox``), and only then lets the inbox forget them: after a crash in between, what the ledger
says was taken is skipped. Beside it the gate keeps sources with their keys, jobs, accounts, sessions and the audit
log. On SQLite the gate is a file of its own beside the ledger; on PostgreSQL it is tables in the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from shopkeeper.domain.source import Source
from shopkeeper.stores.contract.access import AccessReader, AccessWriter
from shopkeeper.stores.contract.ledger import LedgerWriter

T = TypeVar("T")
Done = Callable[[Exception | None], None]


class NewDelivery(NamedTuple):
    """A delivery about to be kept. ``body`` is sealed under ``salt``."""

    received_at: int
    source: str
    format: str
    topic: str
    events: int
    """About how many events it holds, for the figures."""
    salt: bytes
    body: bytes


class KeptDelivery(NamedTuple):
    """A delivery as it waits. ``attempts`` counts how often a worker began it and did not finish."""

    id: int
    received_at: int
    source: str
    format: str
    topic: str
    events: int
    salt: bytes
    body: bytes
    attempts: int


class Backlog(NamedTuple):
    """What waits in the inbox."""

    deliveries: int
    events: int
    octets: int
    oldest: int
    """When the oldest one was received; 0 where nothing waits."""


class Inbox(Protocol):
    """Keeps deliveries until they are in the ledger."""

    ordered: bool
    """Whether one worker takes everything in the order of numbers, so that one number says what was taken. Where
    several take side by side it is False, ``after`` is 0, and each is given what no other holds.
    """

    def put(self, delivery: NewDelivery, done: Done) -> None:
        """Keep a delivery; ``done`` is called, on another thread, when it is on disk (None) or failed (the error).

        Never blocks. Raises StoreBusy where too much waits already, in memory or on disk.
        """
        ...

    def waiting(self, after: int, octets: int) -> list[KeptDelivery]:
        """Deliveries with a greater number, in their order, about ``octets`` of them at most (at least one)."""
        ...

    def begun(self, ids: Sequence[int]) -> None:
        """Note that a worker begins these."""
        ...

    def survived(self, ids: Sequence[int]) -> None:
        """Take that back: a store failed, which is not the fault of these."""
        ...

    def settle(self, tx: LedgerWriter, ids: Sequence[int]) -> None:
        """Where inbox and ledger are in one database: let the inbox forget these in the ledger's own transaction, so
        that they are taken once whatever dies. Raises StoreBusy where another worker took one. Elsewhere nothing.
        """
        ...

    def forget(self, upto: int) -> None:
        """Delete deliveries up to a number, of those that this worker was given: they are in the ledger. No byte of
        them stays in the file once ``Gate.scrub`` said True.
        """
        ...

    def backlog(self, after: int) -> Backlog:
        """What waits after a number."""
        ...

    def last(self) -> int:
        """The number given last; 0 where none was given yet."""
        ...

    def left(self, after: int, upto: int) -> bool:
        """Whether any delivery after a number and up to another is kept still, whoever may be taking it in."""
        ...

    def begin_after(self, number: int) -> None:
        """Give no number up to this one: a ledger that is older or newer than this gate has seen them."""
        ...


class WriteKey(NamedTuple):
    """A source's write key as it is kept: never the key itself."""

    hash: bytes
    """Its pseudonym (vault, kind ``write_key``)."""
    source: str
    hint: str
    """Its last four characters, to tell keys apart."""
    created_at: int
    used_at: int
    """About when it was last used; 0 for never."""
    ends_at: int
    """From when on it does not work any more; 0 for never."""


class SealedSecret(NamedTuple):
    """What a source signs with, sealed."""

    source: str
    salt: bytes
    sealed: bytes
    created_at: int


class SourceReader(Protocol):
    """Reads sources."""

    def generation(self) -> int:
        """Grows whenever a source, key or secret changes, so that others know when to look again."""
        ...

    def sources(self) -> list[Source]:
        """Every source, by name."""
        ...

    def write_keys(self) -> list[WriteKey]:
        """Every key, ended ones too, oldest first."""
        ...

    def secrets(self) -> list[SealedSecret]:
        """What each source signs with."""
        ...


class SourceWriter(SourceReader, Protocol):
    """Writes sources."""

    def put_source(self, source: Source) -> None:
        """Add a source or put it in the place of the one of that name."""
        ...

    def add_write_key(self, key: WriteKey) -> None:
        """Keep a key."""
        ...

    def end_write_keys(self, hashes: Sequence[bytes], at: int) -> None:
        """Let keys work no longer than until then; what ended before stays so."""
        ...

    def note_used(self, hashes: Sequence[tuple[bytes, int]]) -> None:
        """Note when keys were last used; no change that others must look at."""
        ...

    def put_secret(self, secret: SealedSecret | None, source: str) -> None:
        """Keep what a source signs with, or with None forget it."""
        ...


class NewJob(NamedTuple):
    """Work for the worker. ``arguments`` are sealed under ``salt``: they may name a person."""

    verb: str
    actor: str
    reference: str
    """Whatever tells it from another of the same: asked for twice, it is one job. Empty for none."""
    salt: bytes
    arguments: bytes
    created_at: int


class Job(NamedTuple):
    """A job as it is kept."""

    id: int
    verb: str
    actor: str
    reference: str
    state: str
    """waiting, running, done or failed."""
    step: str
    """What it is doing now."""
    progress: float
    """How far that step is, 0 to 1."""
    salt: bytes
    arguments: bytes
    result: bytes
    """Sealed under ``salt``; empty until it is done."""
    error: str
    created_at: int
    began_at: int
    ended_at: int


class JobReader(Protocol):
    """Reads jobs."""

    def job(self, number: int) -> Job | None:
        """One job."""
        ...

    def jobs(self, limit: int) -> list[Job]:
        """The latest jobs, latest first."""
        ...


class JobWriter(JobReader, Protocol):
    """Writes jobs."""

    def add_job(self, job: NewJob) -> int:
        """Queue a job; returns its number, or that of the one with the same reference."""
        ...

    def begin_job(self, at: int, verbs: Sequence[str] = ()) -> Job | None:
        """The oldest job that waits, of some verbs only where given, running from now on; None where none waits."""
        ...

    def note_progress(self, number: int, step: str, fraction: float) -> None:
        """Say how far a job is."""
        ...

    def end_job(self, number: int, *, result: bytes, error: str, at: int, keep: bool) -> None:
        """A job is done, or failed where there is an error; without ``keep`` its arguments are forgotten."""
        ...

    def drop_results(self, before: int) -> None:
        """Forget arguments and results of jobs that ended before a time."""
        ...

    def resume_jobs(self, at: int) -> list[int]:
        """Jobs that were running when their worker died fail, their arguments forgotten; returns their numbers.

        A wish of a delivery, which nobody follows and which may be done twice, waits once more instead.
        """
        ...


class Gate(Protocol):
    """A place for what the doors write. Reader and writer are given in ``stores/gate``: see its parts."""

    @property
    def inbox(self) -> Inbox:
        """Where deliveries wait."""
        ...

    def read(self) -> AbstractContextManager[GateReader]:
        """One unchanging state, until the context ends."""
        ...

    def write(self, work: Callable[[GateWriter], T]) -> T:
        """Run ``work`` in a transaction and return what it returned once that is durable; an error undoes it."""
        ...

    def scrub(self) -> bool:
        """Make sure that deleted bytes are gone from the files. False where a reader keeps some: try again."""
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


class GateReader(SourceReader, JobReader, AccessReader, Protocol):
    """Reads one unchanging state of the gate."""


class GateWriter(GateReader, SourceWriter, JobWriter, AccessWriter, Protocol):
    """Reads and writes inside one transaction."""
