"""JSON Lines, or one JSON array, as objects with their line, or as rows of columns."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from shopkeeper.collect.files.delimited import LONGEST
from shopkeeper.collect.files.rows import RAW, Chunk, refuse
from shopkeeper.collect.files.sniff import BLOCK, blocks
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.errors import BadFile

MOST_ARRAY: Final = 1 << 28
"""Bytes a JSON array may have, for it has to be read as a whole; JSON Lines have no limit."""
_ROWS: Final = 20_000
_decode = msgspec.json.Decoder().decode

Found = tuple[int, dict[str, Any] | Refused]


class Documents:
    """A file of JSON objects: one a line, or in one array, or in the one list of a wrapping object."""

    format = "json"

    def __init__(
        self, path: Path, *, packed: bool = False, longest: int = LONGEST, block: int = BLOCK
    ) -> None:
        self.path = path
        self.packed = packed
        self.longest = longest
        self.block = block
        self.notes: list[str] = []
        self._size = max(path.stat().st_size, 1)
        self._done = 0
        self._whole = self._is_whole()
        if self._whole:
            self.notes.append("one JSON array; line numbers count its elements")
        self._columns: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the members of the first 10,000 objects, in their order."""
        if self._columns is None:
            names: dict[str, None] = {}
            for number, (_, found) in enumerate(self.objects()):
                if isinstance(found, dict):
                    names.update(dict.fromkeys(found))
                if number >= 10_000:
                    break
            self._columns = tuple(names)
        return self._columns

    @property
    def whole(self) -> bool:
        """Whether it is one document, which has to be read as a whole, rather than JSON Lines."""
        return self._whole

    @property
    def fraction(self) -> float:
        """How much of the file was read."""
        return min(self._done / self._size, 1.0)

    def objects(self) -> Iterator[Found]:
        """Every object with its line number, or the refused row in its place."""
        if self._whole:
            yield from self._elements()
            return
        for number, line in self._lines():
            if line is None or len(line) > self.longest:
                raw = (line or b"")[:RAW].decode("utf-8", errors="replace")
                yield (
                    number,
                    refuse(number, "line_too_long", f"a row may have at most {self.longest} bytes", (), raw),
                )
                continue
            if line.isspace() or not line:
                continue
            yield number, self._object(number, line)

    def chunks(self, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """The objects as rows of text columns."""
        wanted = self.columns if only is None else tuple(only)
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        refused: list[Refused] = []
        for number, found in self.objects():
            if isinstance(found, Refused):
                refused.append(found)
            else:
                rows.append(found)
                lines.append(number)
            if len(rows) + len(refused) >= _ROWS:
                yield self._chunk(rows, lines, refused, wanted)
                rows, lines, refused = [], [], []
        yield self._chunk(rows, lines, refused, wanted)

    def _chunk(
        self, rows: list[dict[str, Any]], lines: list[int], refused: list[Refused], wanted: Sequence[str]
    ) -> Chunk:
        columns = {
            name: pa.array([_cell(row.get(name)) for row in rows], pa.string()).dictionary_encode()
            for name in wanted
        }
        return Chunk(columns, np.array(lines, np.int64), refused, self.fraction)

    def _object(self, number: int, line: bytes) -> dict[str, Any] | Refused:
        try:
            value = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raw = line[:RAW].decode("utf-8", errors="replace")
            return refuse(number, "bad_json", "the line is no JSON object", (), raw)
        if type(value) is not dict:
            raw = line[:RAW].decode("utf-8", errors="replace")
            return refuse(number, "not_an_object", "the line is JSON but no object", (), raw)
        return value

    def _utf8(self) -> Iterator[bytes]:
        self._done, decoder = 0, None
        for block in blocks(self.path, packed=self.packed, size=self.block):
            if self._done == 0:
                if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    decoder = codecs.getincrementaldecoder("utf-16")()
                cleaned = block.removeprefix(codecs.BOM_UTF8)
            else:
                cleaned = block
            self._done += len(block)
            try:
                yield cleaned if decoder is None else decoder.decode(block).encode()
            except UnicodeError:
                raise BadFile(
                    f"{self.path.name!r} is not UTF-16 throughout", hint="save it as UTF-8"
                ) from None

    def _lines(self) -> Iterator[tuple[int, bytes | None]]:
        number, carry, skipping = 1, b"", False
        for block in self._utf8():
            if skipping:
                at = block.find(b"\n")
                if at < 0:
                    continue
                carry, skipping, number = block[at + 1 :], False, number + 1
            else:
                carry += block
            *complete, carry = carry.split(b"\n")
            for line in complete:
                yield number, line
                number += 1
            if len(carry) > self.longest:
                yield number, carry
                carry, skipping = b"", True
        if carry.strip():
            yield number, carry

    def _is_whole(self) -> bool:
        head = b""
        for block in self._utf8():
            head += block
            if len(head) > self.longest or b"\n" in head.strip():
                break
        text = head.strip()
        if text[:1] == b"[":
            return True
        first = text.split(b"\n", 1)[0]
        if len(first) > self.longest:
            return False
        try:
            whole = type(value := _decode(first)) is dict and _inner(value) is not None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # a wrapping object over several lines, or JSON Lines whose first one is broken
            return first.rstrip() in (b"{", b"{}") or first.rstrip().endswith((b"{", b"[", b","))
        return whole and b"\n" not in text

    def _elements(self) -> Iterator[Found]:
        data = b""
        for block in self._utf8():
            data += block
            if len(data) > MOST_ARRAY:
                raise BadFile(
                    f"{self.path.name!r} is one JSON array of more than {MOST_ARRAY >> 20} MB",
                    hint="write one object a line (JSON Lines)",
                )
        try:
            top = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadFile(
                f"{self.path.name!r} begins like one JSON document but is broken or cut off",
                hint="export it again",
            ) from None
        elements = _inner(top) if type(top) is dict else top
        if type(elements) is not list:
            raise BadFile(
                f"{self.path.name!r} is JSON but no list of objects", hint="write one object a line"
            )
        for number, element in enumerate(elements, 1):
            if type(element) is dict:
                yield number, element
            else:
                yield number, refuse(number, "not_an_object", "the element is no object", (), str(element))


def _inner(top: dict[str, Any]) -> list[Any] | None:
    """The list of objects in a wrapping object such as ``{"batch": [...]}``."""
    if "type" in top or "event" in top:
        return None
    lists = [value for value in top.values() if type(value) is list and value and type(value[0]) is dict]
    return lists[0] if len(lists) == 1 and len(top) <= 5 else None


def _cell(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in (int, float):
        return repr(value)
    return msgspec.json.encode(value).decode()
