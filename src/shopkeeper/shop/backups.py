"""Where a shop's backups lie, and who may work on them: one at a time, so that an erasure misses none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from shopkeeper.domain.errors import StoreBusy
from shopkeeper.shop import scratch
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.lake.lock import writing

PATIENCE = 10.0
"""Seconds to wait for another who writes or cleans backups of this shop."""
_LIST = "backups"
_MAKING = "backup_making"


@contextmanager
def held(places: Places, patience: float = 0.0) -> Iterator[bool]:
    """Whether the backups are ours until the context ends: nobody else writes or cleans one meanwhile.

    Holding them twice in one call waits for oneself: do it at the outermost place only.
    """
    room = places.folder / "backups"
    room.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(writing(room, patience=patience))
            ours = True
        except StoreBusy:
            ours = False
        yield ours


def listed(places: Places) -> list[Path]:
    """Every backup that was made or lies in the shop's own folder, whether it is still there or not."""
    with places.ledger.read() as reader:
        names: list[str] = json.loads(reader.setting(_LIST) or "[]")
        making = reader.setting(_MAKING)
    found = [places.folder / name for name in names]  # an absolute name stays as it is
    if making and (file := places.folder / making).exists():
        found.append(file)  # whoever made it was killed before noting that it was done
    here = sorted((places.folder / "backups").glob("*.zip"))
    return list(dict.fromkeys([*found, *here]))


def begin(places: Places, target: Path) -> None:
    """Note a backup before its first byte is written: from here on it is found, however its making ends.

    Only for the one who holds the backups.
    """

    def work(tx: LedgerWriter) -> None:
        _settle(places, tx)
        tx.keep(_MAKING, _name(places, target))

    places.ledger.write(work)


def end(places: Places) -> None:
    """Note how the backup in the making ended: listed where its file is there, forgotten where it is not."""
    places.ledger.write(lambda tx: _settle(places, tx))


def forget_all(tx: LedgerWriter) -> None:
    """List no backups: for a shop that was restored elsewhere, whose ledger names those of another."""
    tx.keep(_LIST, "[]")
    tx.keep(_MAKING, "")


def sweep(places: Places) -> None:
    """Remove what killed processes left beside the backups: it may hold a whole shop."""
    rooms = {places.folder / "backups", *(file.parent for file in listed(places))}
    with places.ledger.read() as reader:
        making = reader.setting(_MAKING)
    if making:
        rooms.add((places.folder / making).parent)
    for room in rooms:
        with suppress(OSError):
            scratch.sweep(room)


def _settle(places: Places, tx: LedgerWriter) -> None:
    making = tx.setting(_MAKING)
    if not making:
        return
    if (places.folder / making).exists():
        names = json.loads(tx.setting(_LIST) or "[]")
        tx.keep(_LIST, json.dumps([*dict.fromkeys([*names, making])]))
    tx.keep(_MAKING, "")


def _name(places: Places, target: Path) -> str:
    """A name within the shop's folder moves with it; any other is absolute."""
    place, folder = target.resolve(), places.folder.resolve()
    return str(place.relative_to(folder)) if place.is_relative_to(folder) else str(place)
