"""Reads deliveries in a process of its own while this one writes the ones before: two cores for one ledger's writer.

Reading needs the shop's secret and settings and no store; what it finds comes back as plain values. The process is
started when much waits and ends when it was idle for long, when its parent is gone, or when anything about it fails:
whoever asked then reads by himself.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, overload

from shopkeeper.collect.intake import Intake, Ready
from shopkeeper.collect.prepare import Prepared
from shopkeeper.domain.event import Event
from shopkeeper.shop.places import Places, keys_of
from shopkeeper.shop.understanding import Told, Understanding, read, settled, understand
from shopkeeper.stores.contract.gate import KeptDelivery

log = logging.getLogger("shopkeeper.worker")

_PROGRAM: Final = (
    "import sys; from shopkeeper.shop.reading_ahead import main; main(int(sys.argv[1]), sys.argv[2])"
)
_REST: Final = 60.0
"""Seconds without work after which the process ends."""
_AGAIN: Final = 15.0
"""Seconds after one failed until another is started."""
_ENDING: Final = 5.0
_OFFERED: Final = 1_000_000
"""Identifiers that are remembered as offered."""
_READY: Final = b"ready"
_FAILURES: Final = (OSError, EOFError, pickle.UnpicklingError)


class ReadingAhead:
    """Asks the process beside for one portion at a time."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._ready = False
        self._asked: Sequence[KeptDelivery] = ()
        self._used_at = 0.0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The process's number, while there is one."""
        return None if self._process is None else self._process.pid

    def ready(self) -> bool:
        """Whether it can be asked; a process is started where there is none, which takes some tenths of a second."""
        self._used_at = time.monotonic()
        if self._ready or self._used_at < self._not_before:
            return self._ready
        try:
            line = self._line or self._start()
            self._ready = line.poll() and line.recv_bytes() == _READY
        except _FAILURES as error:
            self._fail(error)
        return self._ready

    def ask(self, kept: Sequence[KeptDelivery]) -> bool:
        """Let these be read beside; False where that cannot be now."""
        line = self._line
        if not self.ready() or line is None:
            return False
        try:
            told = {source: settled(self.places, source) for source in {one.source for one in kept}}
            line.send_bytes(pickle.dumps((told, [tuple(one) for one in kept]), 5))
        except _FAILURES as error:
            self._fail(error)
            return False
        self._asked = kept
        return True

    def answer(self) -> Understanding | None:
        """What those that were asked for say; None where that failed, and they are to be read here."""
        kept, self._asked = self._asked, ()
        if self._line is None:
            return None
        try:
            found = pickle.loads(self._line.recv_bytes())  # noqa: S301 - from a process of our own, over a line of its own
        except _FAILURES as error:
            self._fail(error)
            return None
        return _unpacked(found, kept, self.places)

    def forget(self) -> None:
        """Nobody waits for what was asked any more."""
        if self._asked:
            self.close()

    def rest(self) -> None:
        """End the process if it had nothing to do for long."""
        if self._line is not None and time.monotonic() - self._used_at > _REST:
            self.close()

    def close(self) -> None:
        """End the process; the next who asks starts another."""
        self._asked = ()
        self._ready = False
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            try:
                self._process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(self.places.folder)]
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
            self._line = Connection(os.dup(ours.fileno()))
        return self._line

    def _fail(self, error: Exception) -> None:
        log.warning("reading ahead failed with %s; reading here", type(error).__name__)
        self.close()
        self._not_before = time.monotonic() + _AGAIN


class _Again(Sequence[Event]):
    """The events of one source as they were read, read again when somebody asks: few are asked for."""

    def __init__(self, find: Callable[[], Sequence[Event]]) -> None:
        self._find = find

    @cached_property
    def _events(self) -> Sequence[Event]:
        return self._find()

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | Sequence[Event]:
        return self._events[place]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)


_Packed = tuple[list[tuple[Any, ...]], list[Any], int, list[int]]


def _packed(understanding: Understanding, intake: Intake, offered: set[bytes]) -> _Packed:
    """An understanding without its events, as plain values: naming them costs more than sending them."""
    told = [
        (
            one.source, one.format, [place for place, _ in one.ready.prepared],
            [tuple(prepared) for _, prepared in one.ready.prepared], one.ready.refused,
            intake.offers(one.ready, offered), one.records, one.sold, one.refusals, one.received, one.last_at,
        )
        for one in understanding.told
    ]  # fmt: skip
    return told, understanding.wishes, understanding.upto, understanding.ids


def _unpacked(found: _Packed, kept: Sequence[KeptDelivery], places: Places) -> Understanding:
    told, wishes, upto, ids = found
    again: dict[tuple[str, str], Sequence[Event]] = {}

    def events_of(source: str, of_format: str) -> Sequence[Event]:
        if not again:
            again.update(
                {(one.source, one.format): one.ready.events for one in understand(places, kept).told}
            )
        return again[source, of_format]

    understanding = Understanding([], wishes, upto, ids)
    for source, of_format, at, prepared, refused, offers, records, sold, refusals, received, last_at in told:
        events = _Again(lambda source=source, of_format=of_format: events_of(source, of_format))  # type: ignore[misc]
        ready = Ready(events, list(zip(at, map(Prepared._make, prepared), strict=True)), refused, offers)
        understanding.told.append(Told(source, of_format, ready, records, sold, refusals, received, last_at))
    return understanding


def main(line: int, folder: str) -> None:
    """Read what is asked for until the other end is gone."""
    from shopkeeper import settings as table
    from shopkeeper.domain import events as _declared  # noqa: F401 - fills the table of events
    from shopkeeper.shop.pace import settle, without_collecting
    from shopkeeper.stores.vault.aes import open_vault

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the first process's to answer
    settings = table.load(Path(folder))
    vault = open_vault(Path(folder) / "secret.key")
    intake = Intake(vault, keys_of(settings), currency=settings.currency)
    offered: set[bytes] = set()
    settle()
    try:
        with Connection(line) as ends, without_collecting(), contextlib.suppress(EOFError, ConnectionError):
            ends.send_bytes(_READY)
            while True:
                told, rows = pickle.loads(ends.recv_bytes())  # noqa: S301 - from our parent, over a line of its own
                if len(offered) > _OFFERED:
                    offered.clear()
                understanding = read(vault, intake, map(KeptDelivery._make, rows), told.__getitem__)
                found = _packed(understanding, intake, offered)
                ends.send_bytes(pickle.dumps(found, 5))
                gc.collect(0)
    except Exception as error:  # noqa: BLE001 - a message may name a person
        sys.exit(f"reading ahead ended with {type(error).__name__}")


def available(places: Places) -> bool:
    """Whether a process of its own could help: it cannot share one core."""
    return (os.cpu_count() or 1) > 1 and places.gate.inbox.ordered
