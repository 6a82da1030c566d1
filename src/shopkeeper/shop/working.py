"""The worker: takes what waits in the inbox into the ledger, and does the jobs that doors hand over.

One worker holds a shop whose ledger has one writer. It runs as a child process of ``shopkeeper serve``, as a thread
(``with Worker(places)``) in a program of one's own, or for one go (``drain``).
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Self

from shopkeeper.domain.errors import Conflict, ShopkeeperError, StoreFailure
from shopkeeper.shop import jobs, living
from shopkeeper.shop.holding import working
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.reading_ahead import ReadingAhead, available
from shopkeeper.shop.taking_in import INBOX, Took, set_aside, take_in
from shopkeeper.shop.understanding import understand
from shopkeeper.shop.watching import Tending
from shopkeeper.stores.contract.gate import KeptDelivery

log = logging.getLogger("shopkeeper.worker")

AT_ONCE: Final = 1024 * 1024
"""Octets of kept deliveries fetched at once."""
EVENTS_AT_ONCE: Final = 6_000
"""Events in one step at most."""
_EVENTS_AT_LEAST: Final = 1_000
_STEP: Final = 0.25
"""Seconds a step should take: what is handed in while one begins is in its record two steps later."""
DEATHS: Final = 4
"""How many workers a delivery may take with it before it is set aside unread."""
_TOGETHER: Final = {0: 1_000_000, 1: 64, 2: 8}
"""Deliveries begun at once, by how often one of them was begun before and its worker died; else one."""
_FAR_BEHIND: Final = 4
"""Steps' worth of events that wait where a worker looks to its pace no more, only to come to the end."""
_PAUSE: Final = 0.02
"""Seconds between two looks into an empty inbox."""
_FULL: Final = 1_000
"""Events that make a step worth its commit; after a smaller one it waits for company."""
_GATHERING: Final = 0.05
"""Seconds it waits then."""
_LAST_DRAIN: Final = 5.0
"""Seconds it goes on taking in what waits when it is to end."""
_FORGET_EVERY: Final = 0.3
_TEND_EVERY: Final = 1.0
"""Seconds between two looks for what is to be folded anew."""
_CATCH_UP: Final = 5_000
"""Events folded in one transaction where many wait, so that what is new waits no longer than a second."""
_STALE_AT_ONCE: Final = 500
_BACK_OFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds to wait after one failure of a store, and after each further one."""


class Worker:
    """Works one shop: ``step`` by step, or on a thread of its own as a context."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.took = Took()
        """What it did since it began."""
        self.failures = 0
        """Failures of a store one after another; 0 when the last step went well."""
        self._after = 0
        """Up to this number deliveries are in the ledger."""
        self._seen = 0
        """Up to this number they were fetched."""
        self._next: list[KeptDelivery] = []
        """What is being read ahead."""
        self._ahead: ReadingAhead | None = None
        self._pace = EVENTS_AT_ONCE / _STEP
        """Events a second of late."""
        self._forgotten = 0
        self._forgot_at = 0.0
        self._tended_at = 0.0
        self._recovering = 0
        """Up to this number deliveries waited when it began: one of them may have killed the one before."""
        self._ready = False
        self._small = False
        self._end = threading.Event()
        self._wake = threading.Event()
        self._jobs = jobs.Runner(places)
        self._tending = Tending(places)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        started = threading.Event()
        refused: list[ShopkeeperError] = []

        def serve() -> None:
            try:
                self.run(started)
            except ShopkeeperError as error:
                refused.append(error)
            finally:
                started.set()

        self._thread = threading.Thread(target=serve, name="worker", daemon=True)
        self._thread.start()
        started.wait()
        if refused:
            raise refused[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Let it end after its present step."""
        self._end.set()
        self._wake.set()

    def wake(self) -> None:
        """Something was handed in: look now."""
        self._wake.set()

    def run(
        self, started: threading.Event | None = None, patience: float = 0.0, grace: float = 3600.0
    ) -> None:
        """Work until ``stop`` is called, then for as long as a job runs, up to ``grace`` seconds.

        Raises Conflict where another worker holds the shop longer than ``patience`` seconds.
        """
        with working(self.places, patience) as ours, self._closing():
            if not ours:
                raise Conflict("another worker holds this shop", hint="is a server running?")
            self._jobs.resume()
            self._ahead = ReadingAhead(self.places) if available(self.places) else None
            if started is not None:
                started.set()
            while not self._end.is_set():
                with without_collecting():
                    busy = self._guarded_step()
                if not busy:
                    self._wake.wait(_PAUSE)
                    self._wake.clear()
                elif self._small:
                    self._end.wait(_GATHERING)
            with contextlib.suppress(StoreFailure):
                self.drain(time.monotonic() + min(grace, _LAST_DRAIN))
            until = time.monotonic() + grace
            while self._jobs.running and time.monotonic() < until:
                if not self._guarded_step():
                    time.sleep(_PAUSE)
            with contextlib.suppress(StoreFailure):
                self._forget()

    @contextlib.contextmanager
    def _closing(self) -> Iterator[None]:
        """Let go of the process that reads ahead at the end."""
        try:
            yield
        finally:
            if self._ahead is not None:
                self._ahead.close()

    def drain(self, until: float | None = None) -> Took:
        """Take all that waits, until nothing waits or that time (monotonic) is over; for the one who holds the shop."""
        before = Took()
        while until is None or time.monotonic() < until:
            step = self.step()
            if not step:
                break
            before.add(step)
        self._forget()
        return before

    def step(self) -> Took | None:
        """Take some of what waits; None where nothing waits. Raises StoreFailure, and then it is to be tried again."""
        try:
            return self._step()
        except BaseException:
            self._ready = False  # what is on disk says where to go on
            self._next = []
            if self._ahead is not None:
                self._ahead.forget()
            raise

    def _step(self) -> Took | None:
        if not self._ready:
            self._begin()
        inbox = self.places.gate.inbox
        kept, read_ahead = self._next or self._fetched(), bool(self._next)
        self._next = []
        if not kept:
            return None
        left = not inbox.ordered and any(one.attempts for one in kept)
        if left or kept[0].id <= self._recovering:
            took = self._recover(kept)
        else:
            took = self._take(kept, read_ahead=read_ahead)
        self.took.add(took)
        if time.monotonic() - self._forgot_at > _FORGET_EVERY:
            self._forget()
        return took

    def _guarded_step(self) -> bool:
        """A step, and what is to be done beside; False where there was nothing to do."""
        try:
            took = self.step()
            busy = took is not None
            self._small = took is not None and took.received < _FULL
            if not busy:
                self._forget()
                if self._ahead is not None:
                    self._ahead.rest()
            if not self._end.is_set():
                self._jobs.begin_next()  # before what may fail for long: an erasure does not wait for a fold
            busy = self._tend(quiet=not busy) or busy
        except (StoreFailure, OSError) as error:
            self._fail(error)
            return True
        except Exception as error:  # noqa: BLE001 - a worker that ends helps nobody
            log.error("a step failed with %s", type(error).__name__)  # noqa: TRY400 - a message may name a person
            self._fail(error)
            return True
        self.failures = 0
        return busy

    def _fail(self, error: Exception) -> None:
        pause = _BACK_OFF[min(self.failures, len(_BACK_OFF) - 1)]
        self.failures += 1
        reason = error.message if isinstance(error, ShopkeeperError) else type(error).__name__
        log.warning("cannot work now: %s; trying again in %.1f s", reason, pause)
        self._end.wait(pause)

    def _begin(self) -> None:
        """Find out what was taken before, and let the inbox forget it."""
        inbox = self.places.gate.inbox
        if inbox.ordered:
            with self.places.ledger.read() as reader:
                self._after = self._seen = int(reader.setting(INBOX) or 0)
            self._wish_again()
            inbox.forget(self._after)
            self._forgotten = self._after
            backlog = inbox.backlog(self._after)
            waiting = inbox.waiting(self._after, 1)
            self._recovering = (
                waiting[0].id + backlog.deliveries - 1 if waiting and not self.took.deliveries else 0
            )
        self._ready = True

    def _wish_again(self) -> None:
        """What was taken and not forgotten may wish for something that was not noted any more."""
        at = 0
        while taken := [one for one in self.places.gate.inbox.waiting(at, AT_ONCE) if one.id <= self._after]:
            jobs.wish(self.places, understand(self.places, taken).wishes)
            at = taken[-1].id

    def _fetched(self, at_least: int = 1) -> list[KeptDelivery]:
        """What to take next: about as many events as a step should take; none where fewer wait than that."""
        waiting = self.places.gate.inbox.waiting(self._seen, AT_ONCE)
        enough = max(_EVENTS_AT_LEAST, min(EVENTS_AT_ONCE, int(self._pace * _STEP)))
        if sum(max(1, one.events) for one in waiting) >= _FAR_BEHIND * enough:
            enough = (
                EVENTS_AT_ONCE  # what waits so long gains nothing by small steps, and each step has its price
            )
        events = upto = 0
        for upto, one in enumerate(waiting, 1):  # noqa: B007 - the last one's place is what counts
            events += max(1, one.events)
            if events >= enough:
                break
        if events < at_least:
            return []
        if upto and self.places.gate.inbox.ordered:
            self._seen = waiting[upto - 1].id
        return waiting[:upto]

    def _look_ahead(self) -> None:
        """Let the next ones be read while these are written, where that is worth it."""
        if self._ahead is None or self._next or self._seen <= self._recovering:
            return  # whoever begins one of those notes it first
        seen = self._seen
        following = self._fetched(_EVENTS_AT_LEAST)
        if following and self._ahead.ask(following):
            self._next = following
        else:
            self._seen = seen

    def _take(self, kept: list[KeptDelivery], *, read_ahead: bool = False) -> Took:
        began = time.monotonic()
        understanding = self._ahead.answer() if read_ahead and self._ahead is not None else None
        if understanding is None:
            understanding = understand(self.places, kept)
        self._look_ahead()
        took, wishes = take_in(self.places, kept, understanding)
        jobs.wish(self.places, wishes)
        self._after = kept[-1].id if self.places.gate.inbox.ordered else 0
        self._forgotten = kept[-1].id
        if not self.places.gate.inbox.ordered:
            self._forget()
        if self._ahead is not None and took.received >= _EVENTS_AT_LEAST // 2:
            self._ahead.ready()  # so that it is when it is needed
        if took.received >= _EVENTS_AT_LEAST:
            self._pace += (took.received / (time.monotonic() - began) - self._pace) / 4
        return took

    def _recover(self, kept: list[KeptDelivery]) -> Took:
        """Take what waited when this worker began, or what a dead one held: the fewer at once the more often begun."""
        took = Took()
        for some in together(kept):
            if some[0].attempts >= DEATHS:
                (one,) = some
                log.warning("a delivery of source %s is set aside: its workers died", one.source)
                took.add(set_aside(self.places, one, f"{one.attempts} workers died while reading it"))
                self._after = one.id if self.places.gate.inbox.ordered else 0
                self._forgotten = one.id
            else:
                took.add(self._begun(some))
        return took

    def _begun(self, kept: list[KeptDelivery]) -> Took:
        """Take these, and note before that they were begun: whoever dies of them leaves that note."""
        inbox, ids = self.places.gate.inbox, [one.id for one in kept]
        inbox.begun(ids)
        try:
            return self._take(kept)
        except StoreFailure:
            with contextlib.suppress(StoreFailure):
                inbox.survived(ids)
            raise

    def _forget(self) -> None:
        """Let the inbox forget what is in the ledger."""
        self._forgot_at = time.monotonic()
        if self._forgotten:
            self.places.gate.inbox.forget(self._forgotten)
            self._forgotten = 0

    def _tend(self, *, quiet: bool) -> bool:
        """Fold what waits to be folded, a little at a time; True where more of it waits."""
        now = time.monotonic()
        if not quiet and now - self._tended_at < _TEND_EVERY:
            return False
        if quiet and now - self._tended_at < _TEND_EVERY / 4:
            return False
        more = self._tending.tend()
        more = living.catch_up(self.places, _CATCH_UP) or more
        if not more and quiet:
            more = living.refresh_stale(self.places, _STALE_AT_ONCE)
        if not more:
            self._tended_at = now
        return more


def together(kept: Sequence[KeptDelivery]) -> Iterator[list[KeptDelivery]]:
    """Neighbours to begin at once, so that who kills its workers is alone in the end and delays the others little."""
    group: list[KeptDelivery] = []
    most = len(kept)
    for one in kept:
        allowed = min(most, _TOGETHER.get(one.attempts, 1))
        if group and len(group) >= allowed:
            yield group
            group, allowed = [], _TOGETHER.get(one.attempts, 1)
        group.append(one)
        most = allowed
    if group:
        yield group
