"""Waits until all that was handed in is in the ledger, whoever takes it in."""

from __future__ import annotations

import time
from typing import Final

from msgspec import Struct

from shopkeeper.domain.errors import StoreBusy
from shopkeeper.shop.holding import working
from shopkeeper.shop.places import Places
from shopkeeper.shop.taking_in import INBOX, Took
from shopkeeper.shop.working import Worker

_PAUSE: Final = 0.02
"""Seconds between two looks at what others take in."""


class Drained(Struct, frozen=True):
    """Whether all that waited is in the ledger, and what was done for it here."""

    whole: bool
    took: Took


def drain(places: Places, patience: float = 30.0) -> Drained:
    """See that all that waits now is in the ledger: take it in here, and wait for what other workers hold."""
    until = time.monotonic() + patience
    inbox = places.gate.inbox
    end = inbox.last()
    took = Took()
    while True:
        with working(places) as ours:
            if ours:
                try:
                    took.add(Worker(places).drain(until))
                except StoreBusy:
                    return Drained(False, took)
        if not inbox.left(_taken(places), end):
            return Drained(True, took)
        if time.monotonic() > until:
            return Drained(False, took)
        time.sleep(_PAUSE)


def _taken(places: Places) -> int:
    if not places.gate.inbox.ordered:
        return 0
    with places.ledger.read() as reader:
        return int(reader.setting(INBOX) or 0)
