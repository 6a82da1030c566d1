"""Jobs: work that a door hands over to the worker of a shop, and follows until it is done.

What a job was given and what came of it is sealed under a salt of its own: an erasure names a person, an export tells
everything of one. Arguments are forgotten when it ends, results at the next erasure or after thirty days.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.delivery import Wish
from shopkeeper.domain.errors import (
    BadFile,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    ShopkeeperError,
    StoreBusy,
    StoreDamaged,
    StoreFailure,
    StoreFull,
    UnknownName,
)
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.reading import Reading
from shopkeeper.shop.places import Places
from shopkeeper.shop.segment_jobs import change_segment, recount_segments
from shopkeeper.stores.contract.gate import GateWriter, Job, NewJob

if TYPE_CHECKING:
    from shopkeeper.shop.facade import Shop

log = logging.getLogger("shopkeeper.worker")

_LOOK_EVERY: Final = 0.2
_RESUME_EVERY: Final = 10.0
"""Seconds between two looks for jobs whose worker died beside this one."""
_SAY_EVERY: Final = 0.3
_KEPT: Final = 30 * DAY
_ERRORS: Final = {
    error.code: error
    for error in (
        BadFile, Conflict, InvalidInput, NotFound, NotPermitted, StoreBusy, StoreDamaged, StoreFailure, StoreFull,
    )
} | {"unknown_name": InvalidInput, "bad_condition": InvalidInput}  # fmt: skip


class JobShown(msgspec.Struct, frozen=True, kw_only=True):
    """A job as far as everybody may see it."""

    id: int
    verb: str
    actor: str
    state: str
    """waiting, running, done or failed."""
    step: str
    progress: float
    error: str
    created_at: datetime
    began_at: datetime | None
    ended_at: datetime | None


QUICK: Final = ("settle",)
"""Jobs that take a moment and that somebody waits for."""


class _Failure(msgspec.Struct):
    code: str
    message: str
    hint: str = ""


def add(places: Places, verb: str, arguments: dict[str, Any], actor: str, reference: str = "") -> int:
    """Hand a job over; returns its number, or that of the one with the same reference."""
    if verb not in VERBS:
        raise UnknownName("kind of job", verb, VERBS)
    salt = places.vault.salt()
    sealed = places.vault.seal(salt, msgspec.to_builtins(arguments))
    job = NewJob(verb, actor, reference, salt, sealed, places.now())
    return places.gate.write(lambda tx: tx.add_job(job))


def wish(places: Places, wishes: Sequence[tuple[str, Wish]]) -> None:
    """Make jobs of what deliveries wish for; the same wish twice is one."""
    for source, one in wishes:
        arguments = {"identifiers": [[i.kind, i.value] for i in one.identifiers]}
        add(
            places,
            f"wished {one.verb}",
            arguments,
            f"source {source}",
            f"{source}/{one.verb}/{one.reference}",
        )


def shown(job: Job) -> JobShown:
    """A job without what it was given and what came of it."""
    return JobShown(
        id=job.id,
        verb=job.verb,
        actor=job.actor,
        state=job.state,
        step=job.step,
        progress=job.progress,
        error=_failure(job.error).message if job.error else "",
        created_at=instant(job.created_at),
        began_at=instant(job.began_at) if job.began_at else None,
        ended_at=instant(job.ended_at) if job.ended_at else None,
    )


def found(places: Places, number: int) -> Job:
    """A job by its number. Raises NotFound."""
    with places.gate.read() as reader:
        job = reader.job(number)
    if job is None:
        raise NotFound(f"there is no job {number}")
    return job


def outcome(places: Places, job: Job) -> Any:
    """What came of a job that ended, as plain data. Raises what it raised."""
    if job.state == "failed":
        failure = _failure(job.error)
        raise _ERRORS.get(failure.code, ShopkeeperError)(failure.message, hint=failure.hint)
    if not job.result:
        raise NotFound(f"what came of job {job.id} is not kept any more")
    return places.vault.unseal(job.salt, job.result)


def followed(
    places: Places, number: int, progress: Progress | None = None, patience: float | None = None
) -> Any:
    """Wait until a job is done; returns what came of it, raises what it raised.

    Raises StoreBusy where it is not done within ``patience`` seconds; it goes on all the same.
    """
    told = ("", -1.0)
    until = None if patience is None else time.monotonic() + patience
    while True:
        job = found(places, number)
        if progress and job.step and (job.step, job.progress) != told:
            told = (job.step, job.progress)
            progress(*told)
        if job.state in ("done", "failed"):
            return outcome(places, job)
        if until is not None and time.monotonic() > until:
            raise StoreBusy(
                f"job {number} waits behind longer work and will be done after it",
                hint="look again in a while",
            )
        time.sleep(_LOOK_EVERY / 2)


class Runner:
    """Runs the jobs of one shop, one after another, each on a thread of its own beside the live work.

    What somebody waits for at a screen (``QUICK``) does not wait behind a long job: it goes on a second thread.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self._thread: threading.Thread | None = None
        self._quick: threading.Thread | None = None
        self._looked_at = 0.0
        self._resumed_at = 0.0

    @property
    def running(self) -> bool:
        """Whether a job runs now."""
        return _alive(self._thread) or _alive(self._quick)

    def resume(self) -> None:
        """Say of jobs that an earlier worker left running that they failed; what a delivery wished waits again."""
        if left := self.places.gate.write(lambda tx: tx.resume_jobs(self.places.now())):
            log.warning("%d jobs were left unfinished by a worker that ended", len(left))

    def begin_next(self) -> None:
        """Begin the next job, where one waits and there is a thread for it."""
        now = time.monotonic()
        busy, quick_busy = _alive(self._thread), _alive(self._quick)
        if (busy and quick_busy) or now - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = now
        with self.places.gate.read() as reader:
            latest = reader.jobs(50)
        if busy:
            if any(job.state == "waiting" and job.verb in QUICK for job in latest):
                self._quick = self._begun(QUICK)
            return
        states = {job.state for job in latest}
        if "running" in states and not quick_busy and now - self._resumed_at > _RESUME_EVERY:
            self._resumed_at = now
            self.resume()  # it is not ours: where several work a shop, its worker may have died
        if "waiting" not in states:
            return
        self._thread = self._begun()

    def _begun(self, verbs: Sequence[str] = ()) -> threading.Thread | None:
        """A thread at the next job, where one waits."""
        job = self.places.gate.write(lambda tx: tx.begin_job(self.places.now(), verbs))
        if job is None:
            return None
        thread = threading.Thread(target=self._run, args=(job,), name=f"job-{job.id}", daemon=True)
        thread.start()
        return thread

    def _run(self, job: Job) -> None:
        places = self.places
        result, error = b"", ""
        try:
            arguments = places.vault.unseal(job.salt, job.arguments)
            made = perform(places, job.verb, arguments, job.actor, _Saying(places, job.id))
            result = places.vault.seal(job.salt, msgspec.to_builtins(made))
        except ShopkeeperError as failed:
            error = _told(_Failure(failed.code, failed.message, failed.hint))
        except Exception as failed:  # noqa: BLE001 - who handed it over must hear of it, whatever it is
            log.error("job %d, %s, failed with %s", job.id, job.verb, type(failed).__name__)  # noqa: TRY400
            error = _told(_Failure("error", f"an unexpected {type(failed).__name__}", "please report it"))

        def end(tx: GateWriter) -> None:
            tx.end_job(job.id, result=result, error=error, at=places.now(), keep=False)
            tx.drop_results(places.now() - _KEPT)

        until = time.monotonic() + 60
        while True:
            try:
                places.gate.write(end)
            except StoreFailure:
                if time.monotonic() > until:
                    raise
                time.sleep(_SAY_EVERY)
            else:
                return


def _alive(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()


class _Saying:
    """Keeps how far a job is, not too often."""

    def __init__(self, places: Places, number: int) -> None:
        self.places = places
        self.number = number
        self._step = ""
        self._at = 0.0

    def __call__(self, step: str, fraction: float) -> None:
        now = time.monotonic()
        if step != self._step or now - self._at > _SAY_EVERY:
            self._step, self._at = step, now
            with contextlib.suppress(StoreFailure):
                self.places.gate.write(lambda tx: tx.note_progress(self.number, step, fraction))


def perform(places: Places, verb: str, arguments: dict[str, Any], actor: str, progress: Progress) -> Any:
    """Do a job. Whoever handed it over was asked for permission then."""
    from shopkeeper.shop.facade import Shop

    return VERBS[verb](Shop(places, Actor(actor, "administrator")), arguments, progress)


def _import(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    reading = told.get("reading")
    return shop.collect(
        told["path"],
        told.get("kind"),
        source=told.get("source"),
        mapping=told.get("mapping"),
        reading=None if reading is None else msgspec.convert(reading, type=Reading),
        numbering=told.get("numbering"),
        progress=progress,
    )


def _import_table(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    return shop.collect_table(told["url"], told["query"], told["kind"], progress=progress, **told["how"])


def _refresh(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    return shop.refresh(full=bool(told.get("full")), progress=progress)


def _rebuild(shop: Shop, _: dict[str, Any], progress: Progress) -> Any:
    return shop.rebuild(progress)


def _erase(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return shop.erase(told["who"])


def _export(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return shop.export(told["who"])


def _backup(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return str(shop.backup(told.get("to")))


def _replay(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    return shop.replay(
        ids=told.get("ids"), source=told.get("source"), reason=told.get("reason"), progress=progress
    )


def _settle(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return shop.settle(
        told["what"],
        *told["identifiers"],
        customer=told.get("customer", ""),
        dry_run=bool(told.get("dry_run")),
    )


def _rules(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return shop.identity_rules(apply=bool(told["apply"]), lately=bool(told.get("lately")))


def _junk(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    scopes = frozenset({*Permission, *(f"see_{one}" for one in told["sees"])})
    asker = shop.as_actor(Actor(shop.actor.name, "key", scopes))
    return asker.junk_identifiers(apply=bool(told["apply"]), progress=progress)


def _link(shop: Shop, told: dict[str, Any], progress: Progress) -> Any:
    return shop.link_people(full=bool(told.get("full")), progress=progress)


def _wished_erase(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return _each(shop.erase, told)


def _wished_export(shop: Shop, told: dict[str, Any], _: Progress) -> Any:
    return _each(shop.export, told)


def _each(do: Callable[[str], Any], told: dict[str, Any]) -> list[Any]:
    """Do it for everybody whom one of the identifiers names; nobody known under one is no failure.

    Nor is one that several share, where another says who is meant. Raises Conflict where none does.
    """
    made: list[Any] = []
    unclear: Conflict | None = None
    for kind, value in told["identifiers"]:
        try:
            made.append(msgspec.to_builtins(do(f"{kind}:{value}")))
        except (NotFound, InvalidInput):
            continue
        except Conflict as error:
            unclear = unclear or error
    if unclear is not None and not made:
        raise unclear
    return made


VERBS: Final[dict[str, Callable[[Shop, dict[str, Any], Progress], Any]]] = {
    "import": _import,
    "import table": _import_table,
    "refresh": _refresh,
    "rebuild": _rebuild,
    "erase": _erase,
    "export": _export,
    "backup": _backup,
    "replay": _replay,
    "settle": _settle,
    "link": _link,
    "segment": change_segment,
    "recount": recount_segments,
    "identity rules": _rules,
    "identity junk": _junk,
    "wished erase": _wished_erase,
    "wished export": _wished_export,
}
"""What a job may be."""


def _told(failure: _Failure) -> str:
    return msgspec.json.encode(failure).decode()


def _failure(error: str) -> _Failure:
    try:
        return msgspec.json.decode(error, type=_Failure)
    except msgspec.MsgspecError:
        return _Failure("error", error)
