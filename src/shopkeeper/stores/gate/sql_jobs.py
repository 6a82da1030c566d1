"""Jobs in plain SQL."""

from __future__ import annotations

from collections.abc import Sequence

from shopkeeper.stores.contract.gate import Job, NewJob
from shopkeeper.stores.sql.session import Session

_JOB = (
    "id, verb, actor, reference, state, step, progress, salt, arguments, result, error, created_at, began_at, "
    "ended_at"
)
_AGAIN = "again"
"""The step of a job that waits a second time."""


class JobReads:
    """Reading jobs."""

    session: Session

    def job(self, number: int) -> Job | None:
        """One job."""
        rows = self.session.rows(f"SELECT {_JOB} FROM job WHERE id = ?", (number,))
        return Job._make(rows[0]) if rows else None

    def jobs(self, limit: int) -> list[Job]:
        """The latest jobs."""
        rows = self.session.rows(f"SELECT {_JOB} FROM job ORDER BY id DESC LIMIT ?", (limit,))
        return list(map(Job._make, rows))


class JobWrites(JobReads):
    """Writing jobs."""

    def add_job(self, job: NewJob) -> int:
        """Queue a job, once per reference."""
        number = self.session.rows(
            "UPDATE gate_number SET value = value + 1 WHERE name = 'job' RETURNING value"
        )[0][0]  # first, so that on every engine two that ask at once come one after the other
        if job.reference:
            there = self.session.rows("SELECT id FROM job WHERE reference = ?", (job.reference,))
            if there:
                return int(there[0][0])
        self.session.run(
            f"INSERT INTO job ({_JOB}) VALUES (?, ?, ?, ?, 'waiting', '', 0, ?, ?, ?, '', ?, 0, 0)",
            (
                number,
                job.verb,
                job.actor,
                job.reference,
                job.salt,
                job.arguments,
                b"",
                job.created_at,
            ),
        )
        return int(number)

    def begin_job(self, at: int, verbs: Sequence[str] = ()) -> Job | None:
        """The oldest that waits, from now on running."""
        of_these = f"AND verb IN ({', '.join('?' * len(verbs))})" if verbs else ""
        rows = self.session.rows(
            "UPDATE job SET state = 'running', began_at = ? WHERE id = "
            f"(SELECT id FROM job WHERE state = 'waiting' {of_these} ORDER BY id LIMIT 1) AND state = 'waiting' "
            f"RETURNING {_JOB}",
            (at, *verbs),
        )
        return Job._make(rows[0]) if rows else None

    def note_progress(self, number: int, step: str, fraction: float) -> None:
        """Say how far a job is."""
        self.session.run("UPDATE job SET step = ?, progress = ? WHERE id = ?", (step, fraction, number))

    def end_job(self, number: int, *, result: bytes, error: str, at: int, keep: bool) -> None:
        """A job is done or failed."""
        self.session.run(
            "UPDATE job SET state = ?, result = ?, error = ?, ended_at = ?, progress = 1 WHERE id = ?",
            ("failed" if error else "done", result, error, at, number),
        )
        if not keep:
            self.session.run("UPDATE job SET arguments = ? WHERE id = ?", (b"", number))

    def drop_results(self, before: int) -> None:
        """Forget arguments and results of jobs that ended long ago."""
        self.session.run(
            "UPDATE job SET arguments = ?, result = ? WHERE ended_at > 0 AND ended_at < ?",
            (b"", b"", before),
        )

    def resume_jobs(self, at: int) -> list[int]:
        """Jobs whose worker died fail; wishes wait once more."""
        return self._resume(at)

    def _resume(self, at: int, left: str = "", parameters: tuple[object, ...] = ()) -> list[int]:
        """The same for those running ones that were ``left``."""
        self.session.run(
            "UPDATE job SET state = 'waiting', step = ? WHERE state = 'running' AND substr(verb, 1, 7) = 'wished ' "
            f"AND step <> ? {left}",
            (_AGAIN, _AGAIN, *parameters),
        )
        rows = self.session.rows(
            "UPDATE job SET state = 'failed', error = 'the worker ended before it was done', arguments = ?, "
            f"ended_at = ? WHERE state = 'running' {left} RETURNING id",
            (b"", at, *parameters),
        )
        return sorted(row[0] for row in rows)
