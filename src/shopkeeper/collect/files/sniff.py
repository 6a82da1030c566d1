"""What a file really is: format by its first bytes, encoding by all of them, delimiter by its first rows."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from msgspec import Struct

from shopkeeper.domain.errors import BadFile

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BLOCK: Final = 1 << 22
_HEAD: Final = 1 << 16
_ENDINGS: Final = {
    "csv": "csv",
    "tsv": "csv",
    "tab": "csv",
    "txt": "csv",
    "parquet": "parquet",
    "pq": "parquet",
    "jsonl": "json",
    "ndjson": "json",
    "json": "json",
    "xlsx": "excel",
    "xlsm": "excel",
    "xls": "excel",
    "xlsb": "excel",
    "ods": "excel",
    "xml": "xml",
}
_NAMES: Final = {
    "csv": "delimited text",
    "parquet": "Parquet",
    "json": "JSON",
    "excel": "an Excel workbook",
    "xml": "POSLog XML",
}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH: Final = bytes(range(0x80, 0x100))
_UNDEFINED: Final = b"\x81\x8d\x8f\x90\x9d"
"""Bytes that mean nothing in Windows-1252."""
_MULTIBYTE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")

_POSLOG: Final = re.compile(rb"<(?:[\w.-]+:)?(?:POSLog|Transaction)[\s/>]")
"""What tells a POSLog among XML."""


class Nature(Struct, frozen=True):
    """What was found: ``format`` is csv, parquet, json, excel or xml; ``packed`` means gzip around it."""

    format: str
    packed: bool
    ending: str


class Encoding(Struct, frozen=True):
    """How the bytes of a text file are read. ``damaged``: UTF-8 with some broken places, whose rows are refused."""

    name: str
    damaged: bool = False
    note: str = ""


def examine(path: Path) -> Nature:
    """The format of a file. Raises BadFile where it is missing, no file, empty, or not what its ending says."""
    name = path.name or str(path)  # "." has no name of its own
    if not path.exists():
        raise BadFile(f"there is no file {name!r}", hint="check the path")
    if path.is_dir():
        raise BadFile(f"{name!r} is a directory, not a file", hint="give the files in it one by one")
    if not path.is_file():
        raise BadFile(f"{name!r} is no ordinary file", hint="copy its content into a file first")
    endings = [part.lower() for part in path.suffixes]
    packed = bool(endings) and endings[-1] in (".gz", ".gzip")
    ending = (endings[-2 if packed else -1].lstrip(".") if len(endings) > packed else "") if endings else ""
    if path.stat().st_size == 0:
        raise BadFile(f"{name!r} is empty", hint="export it again")
    with reading(path), path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    if packed and not zipped:
        raise BadFile(f"{name!r} ends in .gz but is not compressed by gzip", hint="rename it to what it is")
    with reading(path), open_bytes(path, packed=zipped) as file:
        head = file.read(_HEAD)
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise BadFile(f"{name!r} holds nothing", hint="export it again")
    found = _by_content(head, name)
    said = _ENDINGS.get(ending)
    if said and said != found and not (said == "csv" and ending == "txt"):
        raise BadFile(
            f"{name!r} ends in .{ending} but holds {_NAMES[found]}",
            hint="rename it to what it is, or export it again",
        )
    return Nature(found, zipped, ending)


def _by_content(head: bytes, name: str) -> str:
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:4] == b"PK\x03\x04" or head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "excel"
    if head[:5] == b"%PDF-":
        raise BadFile(f"{name!r} is a PDF", hint="export a table as CSV, Excel or Parquet")
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        wide = head[: len(head) & ~1].decode("utf-16", "replace").lstrip()
        return "xml" if wide[:1] == "<" and _POSLOG.search(wide.encode("utf-8", "replace")) else "csv"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if b"\0" in head:
        share = head.count(b"\0") / len(head)
        if 0.3 < share < 0.7:
            raise BadFile(f"{name!r} looks like UTF-16 without its mark", hint="save it as UTF-8")
        raise BadFile(
            f"{name!r} holds binary data of no known format", hint="give CSV, Excel, Parquet or JSON Lines"
        )
    if start[:1] in (b"{", b"["):
        return "json"
    if start[:1] == b"<" and _POSLOG.search(start):
        return "xml"
    if re.match(rb"<(!doctype|html|\?xml|table|workbook)", start[:12].lower()):
        raise BadFile(f"{name!r} is a web page or XML, whatever its ending", hint="export it as CSV or Excel")
    return "csv"


class reading:  # noqa: N801  (reads as a word in a with statement)
    """Turns the errors of files and compression into BadFile."""

    def __init__(self, path: Path) -> None:
        self.name = path.name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EOFError | gzip.BadGzipFile | zlib.error):
            raise BadFile(
                f"{self.name!r} is cut off or damaged: gzip cannot unpack it", hint="copy it again"
            ) from None
        if isinstance(error, PermissionError):
            raise BadFile(
                f"{self.name!r} may not be read by this user", hint="change its permissions"
            ) from None
        if isinstance(error, OSError):
            raise BadFile(
                f"{self.name!r} cannot be read: {error.strerror}", hint="check the disk or the path"
            ) from None


def open_bytes(path: Path, *, packed: bool) -> BinaryIO:
    """The bytes of a file, unpacked on the way."""
    return cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb")


def blocks(path: Path, *, packed: bool, size: int = BLOCK) -> Iterator[bytes]:
    """The bytes of a file in blocks."""
    with reading(path), open_bytes(path, packed=packed) as file:
        while block := file.read(size):
            yield block


def encoding_of(path: Path, *, packed: bool) -> Encoding:
    """The encoding of a text, decided on every byte of it.

    A byte order mark is believed and checked. Then UTF-8; then UTF-8 with broken places where whole characters
    outnumber the broken ones; else Windows-1252, and it is said so. Raises BadFile where none of them can be.
    """
    with reading(path), open_bytes(path, packed=packed) as file:
        start = file.read(4)
    named = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8-sig")
    if named == "utf-16":
        _check_utf16(path, packed=packed)
        return Encoding("utf-16")
    decoder = codecs.getincrementaldecoder("utf-8")()
    broken = False
    for block in blocks(path, packed=packed):
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            broken = True
            break
    else:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            broken = True
    return (
        _other(path, packed=packed, marked=start.startswith(codecs.BOM_UTF8))
        if broken
        else Encoding("utf-8-sig")
    )


def _check_utf16(path: Path, *, packed: bool) -> None:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        for block in blocks(path, packed=packed):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise BadFile(
            f"{path.name!r} begins with the mark of UTF-16 but is not UTF-16 throughout",
            hint="save it as UTF-8",
        ) from None


def _other(path: Path, *, packed: bool, marked: bool) -> Encoding:
    whole = broken = undefined = 0
    for block in blocks(path, packed=packed):
        whole += len(_MULTIBYTE.findall(block))
        rest = _MULTIBYTE.sub(b"", block)
        broken += len(rest) - len(rest.translate(None, _HIGH))
        undefined += len(block) - len(block.translate(None, _UNDEFINED))
    if marked or whole > broken:
        return Encoding(
            "utf-8-sig",
            damaged=True,
            note=f"the file is UTF-8 with {broken} broken bytes; their rows are refused",
        )
    if undefined:
        raise BadFile(
            f"{path.name!r} is neither UTF-8 nor Windows-1252 (Western European) text",
            hint="save it as UTF-8, or name its encoding, such as encoding='cp1251'",
        )
    return Encoding("cp1252", note="the file is not UTF-8; it was read as Windows-1252 (Western European)")


def checked_encoding(name: str) -> Encoding:
    """An encoding the user named."""
    try:
        return Encoding(codecs.lookup(name).name)
    except LookupError:
        raise BadFile(f"no encoding is called {name[:40]!r}", hint="use utf-8, utf-16 or cp1252") from None


def delimiter_of(head: str) -> str:
    r"""The character between the columns of a text, from its first rows; a comma where there is only one column.

    >>> delimiter_of("id;price\n1;2,50\n2;3,75\n")
    ';'
    """
    best, best_score = ",", (0.0, 1)
    for candidate in DELIMITERS:
        widths: list[int] = []
        try:
            for row in csv.reader(io.StringIO(head, newline=""), delimiter=candidate):
                if row:
                    widths.append(len(row))
                if len(widths) > 200:
                    break
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        same = sum(width == widths[0] for width in widths) / len(widths)
        if (score := (round(same, 1), widths[0])) > best_score:
            best, best_score = candidate, score
    return best
