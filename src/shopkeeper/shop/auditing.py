"""Keeps the audit log: who saw and did what. Looks are noted together a moment later, changes at once.

Lines are bound to each other by a keyed hash, so that one changed, added or left out among them shows. None holds a
personal value: people are customer ids, users and keys are numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from shopkeeper.domain.access import AuditLine
from shopkeeper.domain.clock import SystemClock, instant, micros
from shopkeeper.domain.errors import InvalidInput, StoreFailure
from shopkeeper.stores.contract.access import AuditRow, NewAudit
from shopkeeper.stores.contract.gate import Gate
from shopkeeper.stores.contract.vault import Vault

if TYPE_CHECKING:
    from shopkeeper.shop.places import Places

_MOMENT = 0.25
"""Seconds in which lines gather before they are written."""
_MOST = 20_000
"""Lines that may wait for a gate that does not answer; then verbs fail rather than go unrecorded."""
_CHECKED = 5_000


def present(places: Places) -> int:
    """The instant, in microseconds, that sessions, links and the audit log go by.

    A shop whose clock stands in the past for its figures' sake has doors all the same, and they are of today.
    """
    clock = SystemClock() if places.settings.now else places.clock
    return micros(clock.now())


class AuditTrail:
    """Gathers lines and appends them to the gate's audit log, in order, on a thread of its own."""

    def __init__(self, gate: Gate, vault: Vault) -> None:
        self._gate = gate
        self._vault = vault
        self._waiting: list[NewAudit] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._awake = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False

    def note(self, line: NewAudit) -> None:
        """Note a line; it is written within a moment, at the latest when the trail is closed."""
        with self._guard:
            self._waiting.append(line)
            waiting = len(self._waiting)
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._serve, name="audit-writer", daemon=True)
                self._thread.start()
        if waiting >= _MOST or self._closing:
            self.flush()
        else:
            self._awake.set()

    def flush(self) -> None:
        """Write what waits; returns when it is on disk. What cannot be written goes on waiting."""
        with self._writing:
            with self._guard:
                lines, self._waiting = self._waiting, []
            if not lines:
                return
            try:
                self._gate.write(lambda tx: tx.append_audit(lines, self.chain))
            except BaseException:
                with self._guard:
                    self._waiting = lines + self._waiting
                raise

    def chain(self, before: bytes, line: NewAudit) -> bytes:
        """What binds a line to those before it; only who has the shop's secret can make it."""
        return self._vault.pseudonym("audit", before.hex() + msgspec.json.encode(line).decode())

    def close(self) -> None:
        """Write what waits and end."""
        with self._guard:
            self._closing = True
            thread = self._thread
        self._ended.set()
        self._awake.set()
        if thread is not None:
            thread.join()
        self.flush()

    def _serve(self) -> None:
        while not self._closing:
            self._awake.wait()
            self._awake.clear()
            if not self._closing:
                self._ended.wait(_MOMENT)
            try:
                self.flush()
            except StoreFailure:  # a full disk may be mended; the next line tries again, the last one raises
                continue


def audit(
    places: Places, *, subject: str, actor: str, verb: str, before: int, limit: int
) -> tuple[AuditLine, ...]:
    """Lines of the audit log, latest first."""
    from shopkeeper.shop.enrolling import known_as

    if not 1 <= limit <= 1000:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 1000")
    places.trail.flush()
    with places.gate.read() as reader:
        rows = reader.audit(subject=subject, actor=actor, verb=verb, before=before, limit=limit)
        called = known_as(places, reader, {row.actor for row in rows})
    return tuple(
        AuditLine(
            number=row.id, at=instant(row.at), actor=row.actor, who=called.get(row.actor, row.actor),
            verb=row.verb, subject=row.subject, permission=row.permission, outcome=row.outcome, detail=row.detail,
        )
        for row in rows
    )  # fmt: skip


def check(places: Places) -> list[str]:
    """What is wrong with the audit log, in sentences; empty when every line is as it was written."""
    places.trail.flush()
    last, before = 0, b""
    for row in _every(places):
        if row.id != last + 1:
            return [f"the audit log lacks the lines {last + 1} to {row.id - 1}"]
        if places.trail.chain(before, NewAudit(*row[1:-1])) != bytes(row.chain):
            return [f"line {row.id} of the audit log is not what was written, or the line before it is not"]
        last, before = row.id, bytes(row.chain)
    written = places.gate.write(lambda tx: tx.next_number("audit", 0))
    return [f"the audit log lacks the lines {last + 1} to {written}"] if written > last else []


def _every(places: Places) -> Iterator[AuditRow]:
    last = 0
    while True:
        with places.gate.read() as reader:
            rows: Iterable[AuditRow] = reader.audit_after(last, _CHECKED)
        if not rows:
            return
        for row in rows:
            last = row.id
            yield row
