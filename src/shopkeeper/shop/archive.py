"""What a backup is made of: one private zip file with settings, secret, ledger, lake and models."""

from __future__ import annotations

import errno
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import msgspec

from shopkeeper import settings as table
from shopkeeper.domain.errors import BadFile, StoreBusy, StoreFailure, StoreFull
from shopkeeper.shop.places import Places

_FORMAT = "shopkeeper-backup-1"
_NEEDED = ("ledger.db", table.FILE, "secret.key")
_ROOMS = ("lake", "models", "backups")
_TRIES = 5
_ODD = (
    zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError, ValueError,
    FileExistsError, NotADirectoryError, IsADirectoryError,
)  # fmt: skip


def pack(places: Places, room: Path) -> Path:
    """The whole shop as one file in ``room``, a scratch folder on the disk where it is to lie.

    The lake is taken first and the ledger after it: a ledger that is ahead feeds its lake at the next refresh, a lake
    that is ahead would never again be fed what it misses.
    """
    packed, copy, gate = room / "packed.zip", room / "ledger.db", room / "gate.db"
    for _ in range(_TRIES):
        packed.unlink(missing_ok=True)
        with (
            os.fdopen(os.open(packed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            archive.writestr("format", _FORMAT)
            archive.writestr(table.FILE, _settings(places))
            archive.write(places.folder / "secret.key", "secret.key")
            if not _add_lake(places, archive):
                continue
            places.gate.backup(gate)  # before the ledger: what moves on meanwhile is in both, and taken once
            archive.write(gate, "gate.db")
            places.ledger.backup(copy)
            archive.write(copy, "ledger.db")
            for model in sorted((places.folder / "models").rglob("[!.]*")):
                with suppress(FileNotFoundError):  # a refresh removed an older run meanwhile
                    if model.is_file():
                        archive.write(model, model.relative_to(places.folder).as_posix())
        copy.unlink()
        gate.unlink()
        with packed.open("rb+") as written:
            os.fsync(written.fileno())
        return packed
    raise StoreBusy("the lake changes faster than it can be copied", hint="try again when nobody refreshes")


def _settings(places: Places) -> bytes:
    """The settings file; a backup holds its ledger itself, whatever database it came from."""
    kept = table.load(places.folder)
    if not kept.ledger:
        return (places.folder / table.FILE).read_bytes()
    return table.written(msgspec.structs.replace(kept, ledger="")).encode()


def _add_lake(places: Places, archive: zipfile.ZipFile) -> bool:
    """Add the files of the manifest in force; False when one of them was put out of use and went meanwhile."""
    manifest = places.lake.manifest()
    body = msgspec.json.encode(msgspec.structs.replace(manifest, retired=()))
    archive.writestr("lake/manifest.json", body)
    for files in manifest.tables.values():
        for file in files:
            try:
                archive.write(places.folder / "lake" / file.path, f"lake/{file.path}", zipfile.ZIP_STORED)
            except FileNotFoundError:
                if places.lake.manifest().generation == manifest.generation:
                    raise StoreFailure("the lake misses a file", hint="run 'shopkeeper doctor'") from None
                return False
    return True


def unpack(source: Path, target: Path) -> None:
    """Lay a backup out as a folder that only its owner can read. Raises BadFile for anything that is no backup."""
    try:
        with zipfile.ZipFile(source) as archive:
            _checked(source, archive)
            target.mkdir(mode=0o700)
            for name in _ROOMS:
                (target / name).mkdir(mode=0o700)
            for entry in archive.infolist():
                if not entry.is_dir() and entry.filename != "format":
                    _lay(archive, entry, target)
    except BadFile:
        raise
    except _ODD:
        raise BadFile(f"{source.name} is not a backup of a shop, or it is damaged") from None
    except OSError as error:
        raise _failure(error, "cannot be unpacked") from None


def _checked(source: Path, archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    if archive.read("format").decode("ascii", "replace") != _FORMAT:
        raise BadFile(f"{source.name} is not a backup of a shop")
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise BadFile(
            f"{source.name} is not a whole backup: {missing[0]} is missing", hint="take another one"
        )
    for name in names:
        parts = PurePosixPath(name).parts
        known = name in (*_NEEDED, "gate.db", "format") or (parts and parts[0] in _ROOMS)
        if not known or ".." in parts or "\\" in name or ":" in name:
            raise BadFile(f"{source.name} holds a file that is not a shop's")


def _lay(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    place = target / entry.filename
    for folder in reversed(
        place.relative_to(target).parents[:-1]
    ):  # one by one: only the last would get the mode
        (target / folder).mkdir(mode=0o700, exist_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file, archive.open(entry) as body:
        shutil.copyfileobj(body, file, 1 << 20)


@contextmanager
def written() -> Iterator[None]:
    """Turn the system's errors while a backup is written into the shop's."""
    try:
        yield
    except OSError as error:
        raise _failure(error, "cannot be written") from None


def put(packed: Path, target: Path) -> None:
    """Put a packed file in its place, whole or not at all, also when the power goes."""
    packed.replace(target)
    if os.name != "nt":
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _failure(error: OSError, what: str) -> StoreFailure:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StoreFull("no space left for the backup", hint="free some space; nothing was kept")
    return StoreFailure(
        f"the backup {what}: {error.strerror or 'the disk refuses'}", hint="look at its permissions"
    )
