"""Keeps a shop safe: backups that are the whole shop, and restoring them elsewhere.

A backup is one zip file: settings, secret, a consistent copy of the ledger, the lake's files and the models. It holds
personal values, sealed, and the secret that opens them: guard it like the shop itself. Where backups were made is
remembered, so that an erasure reaches into them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shopkeeper import settings as table
from shopkeeper.domain.errors import (
    BadFile,
    Conflict,
    InvalidInput,
    NotFound,
    StoreBusy,
    StoreDamaged,
    StoreFailure,
)
from shopkeeper.shop import archive, backups, databases, erasing
from shopkeeper.shop.places import Places
from shopkeeper.shop.scratch import scratch, sweep

if TYPE_CHECKING:
    from shopkeeper.shop.facade import Shop


def backup(places: Places, to: str | Path | None) -> Path:
    """Write a backup that only its owner can read; returns where it lies. It appears whole or not at all.

    Somebody who is erased while it is written is taken out of it before this returns.
    """
    with backups.held(places, backups.PATIENCE) as ours:
        if not ours:
            raise StoreBusy(
                "a backup of this shop is being written or cleaned", hint="try again when that has finished"
            )
        erasing.finish_held(places)
        backups.sweep(places)
        target = _target(places, to)
        with archive.written():
            target.parent.mkdir(parents=True, exist_ok=True)
        backups.begin(places, target)
        try:
            with archive.written(), scratch(target.parent) as room:
                archive.put(archive.pack(places, room), target)
        except BaseException:
            with suppress(StoreFailure):
                backups.end(places)
            raise
        backups.end(places)
        erasing.finish_held(places)
    return target


def _target(places: Places, to: str | Path | None) -> Path:
    stamp = places.clock.now().strftime("%Y%m%d-%H%M%S")
    target = Path(to) if to is not None else places.folder / "backups" / f"shop-{stamp}.zip"
    if target.is_dir():
        target = target / f"shop-{stamp}.zip"
    if target.exists() and to is not None:
        raise Conflict(f"{target.name} exists already", hint="choose another name")
    free, number = target, 2
    while free.exists():
        free, number = target.with_name(f"{target.stem}-{number}.zip"), number + 1
    return free


def restore(backup: str | Path, into: str | Path, *, ledger: str | None = None) -> Shop:
    """The shop in a backup, as a new folder. What is no whole backup raises BadFile and leaves nothing behind.

    ``ledger`` is the address of an empty PostgreSQL database, where the ledger is to be in one.
    The new shop knows of no backups: those of the shop it came from are not its own to clean.
    """
    from shopkeeper.shop.opening import open_folder

    where = databases.address(ledger) if ledger else None
    source, target = Path(backup), Path(into)
    if not source.is_file():
        raise NotFound(f"there is no backup {source.name!r}")
    if target.exists() and not target.is_dir():
        raise Conflict(f"{target.name!r} is a file", hint="restore into a new folder")
    there = target.is_dir()
    if there and any(target.iterdir()):
        raise Conflict(f"the folder {target.name!r} is not empty", hint="restore into a new folder")
    with archive.written():
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        # A folder that is there may be a disk of its own, so the shop is laid out within it.
        with scratch(target if there else target.parent) as room:
            fresh = room / "shop"
            archive.unpack(source, fresh)
            _made_new(source, fresh)
            if where is not None:
                databases.move_in(fresh, where)
            if there:
                # The settings go last: a folder with settings is a whole shop.
                for part in sorted(fresh.iterdir(), key=lambda part: part.name == table.FILE):
                    part.replace(target / part.name)
            else:
                fresh.replace(target)
    return open_folder(target, where)


def _made_new(source: Path, folder: Path) -> None:
    """Let an unpacked shop begin a life of its own, and see that it opens."""
    from shopkeeper.shop.opening import open_copy

    try:
        with open_copy(folder) as shop:
            shop.places.ledger.write(backups.forget_all)
    except (InvalidInput, NotFound, StoreDamaged) as error:
        raise BadFile(f"{source.name} holds a shop that does not open: {error.message}") from None
