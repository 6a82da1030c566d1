"""Verbs of the shop about live work: taking in what waits, jobs, replays and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.errors import StoreBusy, UnknownName
from shopkeeper.domain.protocols import Progress
from shopkeeper.shop import flowing, jobs, replaying
from shopkeeper.shop.draining import drain
from shopkeeper.shop.holding import worked
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.shop.taking_in import Took

_NEEDS: Final[dict[str, Permission]] = {
    "import": Permission.COLLECT,
    "import table": Permission.COLLECT,
    "refresh": Permission.REFRESH,
    "rebuild": Permission.REFRESH,
    "erase": Permission.FORGET,
    "export": Permission.EXPORT,
    "backup": Permission.ADMINISTER,
    "replay": Permission.COLLECT,
    "settle": Permission.RESOLVE,
    "link": Permission.REFRESH,
    "segment": Permission.SEGMENT,
    "recount": Permission.REFRESH,
    "identity rules": Permission.RESOLVE,
    "identity junk": Permission.RESOLVE,
}
"""Jobs that may be handed over, and what that needs: the same as doing it here."""


class WorkVerbs:
    """Live work."""

    places: Places
    actor: Actor

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _sees_everything(self) -> None: ...

    def hear(self) -> Took:
        """Take in all that was handed in until now; returns what this call did for it.

        Where a worker holds the shop it is waited for. Raises StoreBusy where that takes longer than half a minute.
        """
        self._may(Permission.COLLECT, "take in what waits")
        drained = drain(self.places)
        if not drained.whole:
            raise StoreBusy("what waits is not taken in yet", hint="is the worker running? try again")
        return drained.took

    def replay(
        self,
        *,
        ids: Sequence[int] | None = None,
        source: str | None = None,
        reason: str | None = None,
        progress: Progress | None = None,
    ) -> replaying.Replayed:
        """Read rows of the quarantine again: those numbered, or those of a source or reason, or all."""
        self._may(Permission.COLLECT, "replay the quarantine")
        return replaying.replay(self.places, ids, source, reason, progress)

    def flow(self) -> flowing.Flow:
        """Figures of live collection."""
        self._may(Permission.REPORT, "see the flow")
        return flowing.flow(self.places)

    def worked(self) -> bool:
        """Whether a worker holds the shop now: then long work is handed over to it (``hand_over``)."""
        return worked(self.places)

    def hand_over(self, verb: str, **arguments: Any) -> int:
        """Hand a job over to the worker; returns its number. A job is what the verb of that name does: import, import
        table, refresh, rebuild, erase, export, backup or replay.
        """
        if verb not in _NEEDS:
            raise UnknownName("kind of job", verb, _NEEDS)
        needs = Permission.ADMINISTER if arguments.get("apply") else _NEEDS[verb]
        self._may(needs, f"hand over the job {verb!r}")
        if verb == "export":
            self._sees_everything()
        if verb == "identity junk":
            arguments["sees"] = sorted(self.actor.sees)
        return jobs.add(self.places, verb, arguments, self.actor.name)

    def follow(self, job: int, progress: Progress | None = None, *, patience: float | None = None) -> Any:
        """Wait for a job of one's own; returns what came of it as plain data, raises what it raised.

        Raises StoreBusy where it is not done within ``patience`` seconds; it goes on all the same.
        """
        self._mine(job)
        return jobs.followed(self.places, job, progress, patience)

    def jobs(self, limit: int = 50) -> list[jobs.JobShown]:
        """The latest jobs, latest first."""
        self._may(Permission.REFRESH, "see jobs")
        with self.places.gate.read() as reader:
            return [jobs.shown(job) for job in reader.jobs(limit)]

    def outcome(self, job: int) -> Any:
        """What came of a job that ended, as plain data."""
        self._mine(job)
        return jobs.outcome(self.places, jobs.found(self.places, job))

    def _mine(self, job: int) -> None:
        """What came of somebody else's job may be personal: it takes who may do everything."""
        if jobs.found(self.places, job).actor != self.actor.name:
            self._may(Permission.ADMINISTER, "see what came of another's job")
