"""Plays a power cut: what a disk holds after it, worked out from the log that ``powercut.c`` wrote.

What was synced is there. Of what was written since, nothing, all or any part may be there, in pieces of 512 octets; of
files made, renamed or deleted since their folder was synced, any first part of those changes. So one recorded run can
be cut at every point of its log.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

OPENED, WRITTEN, TRUNCATED, SYNCING, SYNCED, UNLINKED, RENAMED, FOLDER_SYNCED, MAPPED = range(1, 10)
_HEAD = struct.Struct("<IIQQQ")
_MAGIC = 0x50435554
_SECTOR = 512
_Write = tuple[int, bytes] | int
"""Offset and octets, or the length to which a file was cut."""


def built(into: Path) -> Path:
    """The compiled recorder."""
    library = into / "powercut.so"
    source = Path(__file__).with_name("powercut.c")
    subprocess.run(
        ["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"],
        check=True, capture_output=True,
    )  # fmt: skip
    return library


class _File:
    """One file: what is on disk for sure, and what was written since."""

    def __init__(self, content: bytes = b"") -> None:
        self.safe = bytearray(content)
        self.since: list[_Write] = []

    def synced(self, count: int) -> None:
        for write in self.since[:count]:
            _apply(self.safe, write)
        del self.since[:count]

    def after_cut(self, chance: random.Random | None, share: float) -> bytes:
        content = bytearray(self.safe)
        for write in self.since:
            if chance is None or chance.random() >= share:
                continue
            _apply(content, _torn(write, chance) if chance.random() < 0.2 else write)
        return bytes(content)


def _torn(write: _Write, chance: random.Random) -> _Write:
    """The first sectors of a write."""
    if isinstance(write, int):
        return write
    at, data = write
    return at, data[: _SECTOR * chance.randint(0, len(data) // _SECTOR)]


def _apply(content: bytearray, write: _Write) -> None:
    if isinstance(write, int):
        del content[write:]
        content.extend(bytes(write - len(content)))
        return
    at, data = write
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data


class Disk:
    """The disk under a folder that was recorded from a known state on."""

    def __init__(self, folder: Path, before: Path, log: Path) -> None:
        """``before`` is a copy of the folder as it was, safely on disk, when the recording began."""
        self.folder = folder.resolve()
        self.log = log.read_bytes()
        self.at = 0
        self.mapped: set[str] = set()
        """Files written through memory: what of them is on disk cannot be told."""
        self._safe_names: dict[str, _File] = {}
        for file in before.rglob("*"):
            if file.is_file() and not file.name.endswith("-shm"):
                self._safe_names[str(file.relative_to(before))] = _File(file.read_bytes())
        self._names = dict(self._safe_names)
        self._changes: list[tuple[str, str, _File | None]] = []
        """Names given or taken since their folder was synced: path, the folder's path, the file."""
        self._by_inode: dict[int, _File] = {}
        places = [self.folder, *(place for place in self.folder.rglob("*") if place.is_dir())]
        self._folders = {place.stat().st_ino: str(place.relative_to(self.folder)) for place in places}
        self._begun: dict[tuple[int, int], int] = {}

    @property
    def size(self) -> int:
        """Octets of the log."""
        return len(self.log)

    def play(self, until: int) -> None:
        """Go on to a place in the log: every record that ends there or before has happened."""
        while self.at + _HEAD.size <= until:
            magic, op, inode, offset, length = _HEAD.unpack_from(self.log, self.at)
            if magic != _MAGIC:
                raise ValueError(f"no record at {self.at} of the log")
            end = self.at + _HEAD.size + (length if op in (OPENED, WRITTEN, UNLINKED, RENAMED) else 0)
            if end > min(until, len(self.log)):
                return
            self._happen(op, inode, offset, length, self.log[self.at + _HEAD.size : end])
            self.at = end

    def cut(self, to: Path, chance: random.Random | None = None, share: float = 0.5) -> None:
        """Write the folder as it is after a power cut now; without ``chance`` nothing but what was synced is there."""
        names = dict(self._safe_names)
        for name, _, file in self._changes[: chance.randint(0, len(self._changes)) if chance else 0]:
            _rename(names, name, file)
        shutil.rmtree(to, ignore_errors=True)
        for name, file in names.items():
            place = to / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.after_cut(chance, share))

    def _happen(self, op: int, inode: int, offset: int, length: int, data: bytes) -> None:
        if op == OPENED:
            self._opened(inode, self._name(data), emptied=bool(offset))
        elif op == WRITTEN:
            self._by_inode[inode].since.append((offset, data))
        elif op == TRUNCATED:
            self._by_inode[inode].since.append(length)
        elif op == SYNCING:
            self._begun[offset, inode] = len(self._by_inode[inode].since)
        elif op == SYNCED:
            file, count = self._by_inode[inode], self._begun.pop((offset, inode))
            file.synced(count)
            for key, other in self._begun.items():  # another thread's sync of the same file
                if key[1] == inode:
                    self._begun[key] = max(0, other - count)
        elif op == UNLINKED:
            self._change(self._name(data), None)
        elif op == RENAMED:
            source, _, target = data.partition(b"\0")
            file = self._names[self._name(source)]
            self._change(self._name(target), file)
            self._change(self._name(source), None)
        elif op == FOLDER_SYNCED:
            self._folder_synced(self._folders[inode])
        elif op == MAPPED:
            self.mapped.add(next((n for n, f in self._names.items() if f is self._by_inode.get(inode)), "?"))

    def _name(self, path: bytes) -> str:
        return str(Path(path.decode()).relative_to(self.folder))

    def _opened(self, inode: int, name: str, *, emptied: bool) -> None:
        file = self._names.get(name)
        if file is None:
            file = _File()
            self._change(name, file)
        self._by_inode[inode] = file
        if emptied:
            file.since.append(0)

    def _change(self, name: str, file: _File | None) -> None:
        _rename(self._names, name, file)
        self._changes.append((name, str(Path(name).parent), file))

    def _folder_synced(self, folder: str) -> None:
        for name, parent, file in self._changes:
            if parent == folder:
                _rename(self._safe_names, name, file)
        self._changes = [change for change in self._changes if change[1] != folder]


def _rename(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file
