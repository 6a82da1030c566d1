"""CSV and its relatives in blocks: quick where quoting is clean, line by line where it is not.

A block whose quotes all stand where quotes belong is cut into rows with NumPy (which gives the line number and the
number of cells of every row) and handed to Arrow. Any other block goes through the careful path, which settles each
line on its own, so that a stray quote costs one row and not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from shopkeeper.collect.files.rows import RAW, Chunk, Flags, Lines, refuse
from shopkeeper.collect.files.sniff import BLOCK, DELIMITERS, Encoding, blocks, delimiter_of
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.errors import BadFile

LONGEST: Final = 1 << 20
"""Bytes a row may have; a longer one is refused and skipped without being held in memory."""
_MOST_LINES: Final = 500
"""Lines a quoted cell may span before its opening quote counts as stray."""
_TELLING: Final = 1 << 16
"""Characters of a line that is looked at to find the delimiter."""
_QUOTE, _NEWLINE, _RETURN = 34, 10, 13
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())

Piece = tuple[list[pa.Array], Lines]
"""Columns of some rows, and the rows' lines."""


class Delimited:
    """A delimited text file."""

    format = "csv"

    def __init__(
        self,
        path: Path,
        encoding: Encoding,
        *,
        packed: bool = False,
        delimiter: str | None = None,
        longest: int = LONGEST,
        block: int = BLOCK,
    ) -> None:
        self.path = path
        self.encoding = encoding
        self.packed = packed
        self.longest = longest
        self.block = block
        self.notes: list[str] = [encoding.note] if encoding.note else []
        self._size = max(path.stat().st_size, 1)
        head = self._head()
        self.delimiter = delimiter or delimiter_of(head)
        self.columns, self._skip = self._header(head)
        if len(self.columns) > 1 and self.delimiter != ",":
            self.notes.append(
                f"columns are separated by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}"
            )
        self._keys = [f"c{i}" for i in range(len(self.columns))]

    def chunks(self, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """All rows after the header."""
        wanted = self.columns if only is None else tuple(only)
        places = [(column, self.columns.index(column)) for column in wanted]
        carry, line, done = b"", self._skip + 1, 0
        skipping = False
        for last, fresh in _ahead(self._body()):
            block = fresh
            done += len(block)
            if skipping:
                at = block.find(b"\n")
                if at < 0:
                    continue
                block, skipping = block[at + 1 :], False
                line += 1
            data = carry + block
            refused: list[Refused] = []
            pieces: list[Piece] = []
            if last and not data.endswith(b"\n"):
                data += b"\n"
            while data:
                used, piece = self._clean(data, line, refused, places)
                if used:
                    line += data.count(b"\n", 0, used)
                    data = data[used:]
                    pieces.append(piece)
                    continue
                first = data.find(b"\n")
                if first < 0 and len(data) > self.longest:
                    refused.append(self._too_long(line, data))
                    data, skipping = b"", True
                    break
                pending = len(data) <= self.longest and data.count(b"\n") < _MOST_LINES
                if first < 0 or (pending and not last and not self._settled(data)):
                    break
                used, piece = self._careful(data, line, refused, places, last=last)
                if not used:
                    break
                line += data.count(b"\n", 0, used)
                data = data[used:]
                pieces.append(piece)
            carry = data
            yield self._chunk(pieces, refused, wanted, done)

    def _body(self) -> Iterator[bytes]:
        """UTF-8 blocks after the header, with newlines as line feeds."""
        skip = self._skip
        for block in self._utf8():
            start = 0
            while skip and (at := block.find(b"\n", start)) >= 0:
                start, skip = at + 1, skip - 1
            if not skip:
                yield block[start:] if start else block

    def _utf8(self) -> Iterator[bytes]:
        name = self.encoding.name
        first = True
        if name in ("utf-8-sig", "utf-8", "ascii"):
            for raw in blocks(self.path, packed=self.packed, size=self.block):
                block = raw.removeprefix(codecs.BOM_UTF8) if first else raw
                if first:
                    first, self._old = False, b"\n" not in block and b"\r" in block
                yield block.replace(b"\r", b"\n") if self._old else block
            return
        decoder = codecs.getincrementaldecoder(name)()
        try:
            for block in blocks(self.path, packed=self.packed, size=self.block):
                text = decoder.decode(block)
                if first:
                    first, self._old = False, "\n" not in text and "\r" in text
                yield (text.replace("\r", "\n") if self._old else text).encode()
            yield decoder.decode(b"", final=True).encode()
        except UnicodeError:
            raise BadFile(
                f"{self.path.name!r} is not {name} text throughout", hint="save it as UTF-8"
            ) from None

    def _head(self) -> str:
        head = b""
        for block in self._utf8():
            head += block
            if len(head) > 200_000:
                break
        if len(head) > self.longest and b"\n" not in head[: self.longest]:
            raise BadFile(
                f"the first line of {self.path.name!r} is longer than {self.longest} bytes",
                hint="expected a line with the columns' names",
            )
        text = head.decode("utf-8", errors="replace")
        first, *more = (text[: text.rfind("\n") + 1] or text).splitlines(keepends=True)
        return first + "".join(
            line for line in more if len(line) <= _TELLING
        )  # the columns show in the others

    def _header(self, head: str) -> tuple[tuple[str, ...], int]:
        """Names of the columns, and how many lines stand before the first row."""
        if head[:4].lower() == "sep=" and len(head.splitlines()[0]) == 5:
            self.delimiter = head[4]
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=self.delimiter)
        for row in reader:
            if any(cell.strip() for cell in row) and not (
                reader.line_num == 1 and row[0].lower().startswith("sep=")
            ):
                return named(row, self.path.name), reader.line_num
        raise BadFile(f"{self.path.name!r} holds no rows", hint="export it again")

    def _too_long(self, line: int, data: bytes) -> Refused:
        raw = data[:RAW].decode("utf-8", errors="replace")
        return refuse(line, "line_too_long", f"a row may have at most {self.longest} bytes", (), raw)

    def _clean(
        self, data: bytes, line: int, refused: list[Refused], places: list[tuple[str, int]]
    ) -> tuple[int, Piece]:
        """Complete rows at the start of ``data`` whose quoting is clean: bytes used, and the rows."""
        nothing: tuple[int, Piece] = 0, ([], np.zeros(0, np.int64))
        array = np.frombuffer(data, np.uint8)
        newlines = np.flatnonzero(array == _NEWLINE)
        if not len(newlines) or (self.encoding.damaged and not _decodes(data)):
            return nothing
        if b"\r" in data and not _returns_clean(array):
            return nothing
        quotes = np.flatnonzero(array == _QUOTE)
        ends = newlines
        if len(quotes):
            ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
            if not len(ends):
                return nothing
            quotes = quotes[quotes < ends[-1]]
            if not _quotes_clean(array, quotes, ord(self.delimiter)):
                return nothing
        used = int(ends[-1]) + 1
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends + 1 - starts
        marks = np.flatnonzero(array[:used] == ord(self.delimiter))
        if len(quotes):
            marks = marks[np.searchsorted(quotes, marks) % 2 == 0]
        cells = np.diff(np.searchsorted(marks, np.concatenate(([0], ends)))) + 1
        content = lengths - 1 - (array[np.maximum(ends - 1, 0)] == _RETURN)
        at = line + np.searchsorted(newlines, starts)
        fits = (cells == len(self.columns)) & (content > 0) & (lengths <= self.longest)
        refused.extend(
            self._rejected(int(at[i]), data[starts[i] : ends[i]])
            for i in np.flatnonzero(~fits & (content > 0))
        )
        good = data[:used] if fits.all() else array[:used][np.repeat(fits, lengths)].tobytes()
        if not fits.any():
            return used, ([], np.zeros(0, np.int64))
        table = pacsv.read_csv(
            pa.BufferReader(good),
            read_options=pacsv.ReadOptions(
                column_names=self._keys, block_size=len(good) + 1024, use_threads=False, skip_rows=0
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=bool(len(quotes)), ignore_empty_lines=False
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self._keys, _TEXT),
                include_columns=[self._keys[i] for _, i in places],
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        if len(table) != int(fits.sum()):  # Arrow saw other rows than we counted: never guess
            return nothing
        return used, ([column.combine_chunks() for column in table.columns], at[fits].astype(np.int64))

    def _rejected(self, line: int, row: bytes) -> Refused:
        if len(row) >= self.longest:
            return self._too_long(line, row)
        return self._misfit(line, row.decode("utf-8", errors="replace"))

    def _misfit(self, line: int, row: str) -> Refused:
        try:
            cells = next(csv.reader([row], delimiter=self.delimiter), [])
        except csv.Error:
            cells = row.split(self.delimiter)
        few = len(cells) < len(self.columns)
        detail = f"{len(cells)} cells where {len(self.columns)} columns are"
        return refuse(line, "too_few_cells" if few else "too_many_cells", detail, cells, row.rstrip("\r\n"))

    def _settled(self, data: bytes) -> bool:
        """Whether the first row of ``data`` ends in it, as far as its quotes tell."""
        first = data[: data.find(b"\n")]
        return first.count(b'"') % 2 == 0

    def _careful(
        self, data: bytes, line: int, refused: list[Refused], places: list[tuple[str, int]], *, last: bool
    ) -> tuple[int, Piece]:
        """Line by line: rows that parse strictly are taken, others are refused one physical line at a time."""
        used, count = 0, 0
        rows: list[list[str]] = []
        numbers: list[int] = []
        while (end := data.find(b"\n", used)) >= 0:
            number = line + count
            row, stop, spans = self._one(data, used, end, number, refused)
            if row is None and stop < 0:  # the row may go on in the next block
                if not last and len(data) - used <= self.longest and data.count(b"\n", used) < _MOST_LINES:
                    break
                text = data[used:end].decode("utf-8", errors="replace")
                refused.append(refuse(number, "open_quote", "a quoted cell that does not end", (), text))
                stop, spans = end, 1
            if row is not None:
                rows.append(row)
                numbers.append(number)
            used, count = stop + 1, count + spans
        columns = [pa.array([row[i] for row in rows], pa.string()).dictionary_encode() for _, i in places]
        return used, (columns if rows else [], np.array(numbers, np.int64))

    def _one(
        self, data: bytes, start: int, end: int, number: int, refused: list[Refused]
    ) -> tuple[list[str] | None, int, int]:
        """One row from ``start`` on: its cells (None: refused, or unfinished where the end is -1), end, lines."""
        if end - start > self.longest:
            refused.append(self._too_long(number, data[start:end]))
            return None, end, 1
        spans, stop = 1, end
        while True:
            try:
                text = data[start:stop].decode().removesuffix("\r")
            except UnicodeDecodeError:
                raw = data[start:end].decode("utf-8", errors="replace")
                refused.append(refuse(number, "bad_encoding", "bytes that are no UTF-8", (), raw))
                return None, end, 1
            if not text.strip():
                return None, end, 1
            row, open_quote = _parse(text, self.delimiter)
            if not open_quote:
                break
            stop = data.find(b"\n", stop + 1)
            spans += 1
            if stop < 0 or spans > _MOST_LINES or stop - start > self.longest:
                return None, -1, 0
        if row is not None and len(row) != len(self.columns) and ' "' in text:
            row = _parse(text, self.delimiter, spaced=True)[0] or row
        if row is None or len(row) != len(self.columns):
            text = data[start:end].decode("utf-8", errors="replace").removesuffix("\r")
            if row is None:
                refused.append(
                    refuse(
                        number, "bad_quote", "a quote where no quote can be", text.split(self.delimiter), text
                    )
                )
            else:
                refused.append(self._misfit(number, text))
            return None, end, 1
        return row, stop, spans

    def _chunk(
        self,
        pieces: list[Piece],
        refused: list[Refused],
        wanted: Sequence[str],
        done: int,
    ) -> Chunk:
        filled = [piece for piece in pieces if len(piece[1])]
        lines = np.concatenate([piece[1] for piece in filled]) if filled else np.zeros(0, np.int64)
        columns = {}
        for i, column in enumerate(wanted):
            arrays = [piece[0][i] for piece in filled]
            if len(arrays) > 1:
                arrays = [pa.chunked_array(arrays).unify_dictionaries().combine_chunks()]
            columns[column] = arrays[0] if arrays else pa.array([], _TEXT)
        refused.sort(key=lambda row: row.line)
        return Chunk(columns, lines, refused, min(done / self._size, 1.0))


def named(cells: Sequence[object], file: str) -> tuple[str, ...]:
    """Columns' names from a header row; nameless ones are counted. Raises BadFile for doubles and for data."""
    names = [str(cell).strip() if cell is not None else "" for cell in cells]
    told = [name for name in names if name]
    if any("@" in name for name in told) or sum(_is_number(name) for name in told) * 2 > len(told):
        raise BadFile(
            f"the first row of {file!r} looks like data, not like columns' names", hint="add a header row"
        )
    seen: set[str] = set()
    for name in told:
        if name.casefold() in seen:
            raise BadFile(f"two columns of {file!r} are called {name[:60]!r}", hint="rename one of them")
        seen.add(name.casefold())
    return tuple(name or f"column {i + 1}" for i, name in enumerate(names))


def _is_number(text: str) -> bool:
    return bool(text) and all(letter.isdigit() or letter in "+-.,:/ TZ" for letter in text)


def _parse(text: str, delimiter: str, *, spaced: bool = False) -> tuple[list[str] | None, bool]:
    """The cells of one row (None where quoting is broken), and whether a quote is still open at its end."""
    if '"' not in text:
        return text.split(delimiter), False
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=spaced))
    except csv.Error as error:
        return None, "unexpected end of data" in str(error)
    return (rows[0] if len(rows) == 1 else None), False


def _decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start > len(data) - 4
    return True


def _returns_clean(array: np.ndarray) -> bool:
    returns = np.flatnonzero(array[:-1] == _RETURN)
    return bool((array[returns + 1] == _NEWLINE).all())


def _quotes_clean(array: np.ndarray, quotes: Lines, delimiter: int) -> bool:
    """Whether each opening quote follows a delimiter, a line's start or a quote, and each closing one precedes such."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, array[np.maximum(opening - 1, 0)], _NEWLINE)
    after = array[np.minimum(closing + 1, len(array) - 1)]
    fine_before: Flags = (before == delimiter) | (before == _NEWLINE) | (before == _QUOTE)
    fine_after: Flags = (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == _QUOTE)
    return bool(fine_before.all() and fine_after.all())


def _ahead(items: Iterator[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Each item with whether it is the last; an empty last one where there is none."""
    held: bytes | None = None
    for item in items:
        if held is not None:
            yield False, held
        held = item
    yield True, held if held is not None else b""
