"""Segments beside the fold: a watch for each transaction that changes records, time that passes, and sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from shopkeeper.know.live import definitions, sweeping
from shopkeeper.know.live.network import Network
from shopkeeper.know.live.person import Values
from shopkeeper.know.live.watch import Watch
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.standing import turn
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter

TRAITS: Final = (*KNOWN, *FORETOLD)
_MOMENT: Final = 0.05
"""Seconds a transaction of a sweep should take: live work waits no longer."""
_AT_ONCE: Final = (20, 5_000)
_DUE_AT_ONCE: Final = 500


class Compiled(Struct):
    """All conditions in force as of a state of the definitions and of the catalogue."""

    version: str
    catalogue: int
    network: Network
    values: Values
    sweeping: bool


def compiled(places: Places, reader: LedgerReader) -> Compiled | None:
    """The conditions in force; None while no segment is in use."""
    version = reader.setting(definitions.IN_USE)
    if not version:
        return None
    catalogue = places.catalogue(reader)
    found = places.compiled
    if isinstance(found, Compiled) and (found.version, found.catalogue) == (version, catalogue.version):
        return found
    all_ = definitions.known(reader, TRAITS)
    network = Network(
        definitions.in_force(all_),
        all_.traits,
        catalogue,
        places.scale,
        {name: row.id for name, row in all_.rows.items() if row.state != "archived"},
    )
    network.live = {row.id: row.live or row.coming for row in all_.rows.values()}
    coming = any(row.coming for row in all_.rows.values())
    made = Compiled(version, catalogue.version, network, Values(network.traits, places.scale), coming)
    places.compiled = made
    return made


def watching(places: Places, tx: LedgerWriter, cause: str) -> Watch | None:
    """What memory is to tell of the customers it folds; None while no segment is in use."""
    found = compiled(places, tx)
    if found is None:
        return None
    swept = {row.id: row.swept for row in tx.segments() if row.coming} if found.sweeping else {}
    return _watch(places, tx, found, swept, cause)


def _watch(places: Places, tx: LedgerWriter, found: Compiled, swept: Mapping[int, int], cause: str) -> Watch:
    return Watch(tx, found.network, found.values, places.now(), swept, cause)


class Tending:
    """Keeps states and segments up where no event does: a little at a time, for a worker between its steps."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._most = 200

    def tend(self) -> bool:
        """Do one piece of what is to be done; False where nothing is."""
        places = self.places
        with places.ledger.read() as reader:
            found = compiled(places, reader)
            times = [reader.next_turn()]
            if found is not None:
                clock = found.network.next_for_all(int(reader.setting(definitions.CLOCK) or places.now()))
                times += [reader.next_due(), None if clock is None else clock[0]]
        now = places.now()
        if not (any(at is not None and at <= now for at in times) or (found is not None and found.sweeping)):
            return False
        with without_collecting():
            return places.ledger.write(self._piece) > 0

    def _piece(self, tx: LedgerWriter) -> int:
        places = self.places
        if turned := turn(places, tx, watching(places, tx, "time"), _DUE_AT_ONCE):
            return turned
        found = compiled(places, tx)
        if found is None:
            return 0
        if sweeping.tick(tx, found.network, places.now()):
            return 1
        done = 0
        watch = watching(places, tx, "time")
        if watch is not None:
            done = sweeping.wake(tx, watch, _DUE_AT_ONCE)
        if found.sweeping and done < _DUE_AT_ONCE:
            began = time.perf_counter()
            swept = sweeping.sweep(
                tx, found.network, lambda upto: _watch(places, tx, found, upto, "backfill"), self._most
            )
            if swept is not None:
                took = max(1e-4, time.perf_counter() - began)
                if swept:
                    self._most = int(
                        max(_AT_ONCE[0], min(_AT_ONCE[1], swept * _MOMENT / took, self._most * 2))
                    )
                done += swept + 1
        return done


def keep_up(places: Places, progress: Callable[[str, float], None] | None = None) -> None:
    """Do all that is to be done for segments now: time that passed, and sweeps to their end."""
    tending = Tending(places)
    while tending.tend():
        if progress:
            with places.ledger.read() as reader:
                progress("segments", swept_share(reader))


def swept_share(reader: LedgerReader, segment: int | None = None) -> float:
    """How far sweeps are: one segment's, or the last one's."""
    last = max(1, int(reader.setting("last_customer") or 1))
    rows = [row for row in reader.segments() if row.coming and segment in (None, row.id)]
    return min((min(1.0, row.swept / last) for row in rows), default=1.0)
