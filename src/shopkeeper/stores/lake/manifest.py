"""The manifest on disk: read with suspicion, written so that after any crash there is the old one or the new one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path, PurePosixPath

import msgspec

from shopkeeper.domain.errors import StoreDamaged, StoreFailure, StoreFull, StoreTooNew
from shopkeeper.stores.contract.lake import SCHEMA_VERSION, LakeFile, Manifest

NAME = "manifest.json"
REBUILD = "move the lake's folder away and refresh the shop: the lake is made of the log"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def read(folder: Path) -> Manifest | None:
    """The manifest of the lake in ``folder``, None where there is none yet."""
    try:
        text = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failure(error) from None
    try:
        version = msgspec.json.decode(text, type=_Version).schema_version
        if version > SCHEMA_VERSION:
            raise StoreTooNew(
                f"the lake has layout {version}, this Shopkeeper knows up to {SCHEMA_VERSION}",
                hint="update it",
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError:
        raise StoreDamaged(f"the lake's {NAME} cannot be read", hint=REBUILD) from None
    for file in files_of(manifest):
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or path.suffix != ".parquet":
            raise StoreDamaged(f"the lake's {NAME} names a file that is not the lake's", hint=REBUILD)
    return manifest


def write(folder: Path, manifest: Manifest) -> None:
    """Swap the manifest in. When this raises StoreFull, the old one is in force and whole."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    aside = folder / f"{NAME}.{secrets.token_hex(6)}.tmp"
    with disk():
        try:
            with aside.open("xb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(folder / NAME)
        except BaseException:
            with suppress(OSError):
                aside.unlink()
            raise
    sync_folder(folder)


def files_of(manifest: Manifest) -> Iterator[LakeFile]:
    """Every listed file."""
    for files in manifest.tables.values():
        yield from files


def missing(folder: Path, manifest: Manifest) -> list[str]:
    """Listed files that are not there or have another size, in sentences. Reads no contents."""
    wrong = []
    for file in files_of(manifest):
        try:
            size = (folder / file.path).stat().st_size
        except OSError:
            wrong.append(f"{file.path} is missing")
            continue
        if size != file.bytes:
            wrong.append(f"{file.path} has {size} bytes instead of {file.bytes}")
    return wrong


def changed(folder: Path, manifest: Manifest) -> list[str]:
    """What is wrong with the listed files, in sentences. Reads every byte."""
    wrong = missing(folder, manifest)
    if wrong:
        return wrong
    for file in files_of(manifest):
        try:
            same = checksum(folder / file.path) == file.checksum
        except OSError:
            same = False
        if not same:
            wrong.append(f"{file.path} is not what was written")
    return wrong


def checksum(path: Path) -> str:
    """BLAKE2b of a file's bytes, 16 bytes as hexadecimal digits."""
    state = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            state.update(chunk)
    return state.hexdigest()


def sync_file(path: Path) -> None:
    """Have a written file's bytes on the disk."""
    with disk():
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk, where the system can (Windows cannot)."""
    if os.name == "nt":
        return
    sync_file(folder)


@contextmanager
def disk() -> Iterator[None]:
    """Turn the system's errors into the domain's."""
    try:
        yield
    except OSError as error:
        raise _failure(error) from None


def _failure(error: OSError) -> StoreFailure:
    if error.errno in _NO_SPACE:
        return StoreFull("no space left for the lake; nothing of the change was kept", hint="free some space")
    return StoreFailure(
        f"the lake's folder: {error.strerror or 'it cannot be used'}", hint="look at its permissions"
    )


class _Version(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION
