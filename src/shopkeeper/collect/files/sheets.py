"""Excel and OpenDocument sheets as rows of text, so that they meet the same conversion as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from shopkeeper.collect.files.delimited import named
from shopkeeper.collect.files.rows import Chunk
from shopkeeper.collect.files.sniff import open_bytes, reading
from shopkeeper.domain.errors import BadFile, UnknownName

_ROWS = 20_000
Cell = str | float | int | bool | datetime | date | time | timedelta | None


class Sheet:
    """One sheet of a workbook: the first, or the one that is named."""

    format = "excel"

    def __init__(self, path: Path, *, sheet: str | None = None, packed: bool = False) -> None:
        import python_calamine as calamine

        self.notes: list[str] = []
        with reading(path), open_bytes(path, packed=packed) as file:
            content = BytesIO(file.read())
        try:
            book = calamine.CalamineWorkbook.from_filelike(content)
            names = list(book.sheet_names)
            if not names:
                raise BadFile(f"{path.name!r} has no sheets", hint="export it again")
            if sheet is not None and sheet not in names:
                raise UnknownName("sheet", sheet, names)
            chosen = sheet if sheet is not None else names[0]
            if len(names) > 1:
                self.notes.append(f"sheet {chosen!r} of {len(names)} was read")
            rows = cast("list[list[Cell]]", book.get_sheet_by_name(chosen).to_python(skip_empty_area=False))
        except calamine.PasswordError:
            raise BadFile(f"{path.name!r} is protected by a password", hint="save it without one") from None
        except calamine.CalamineError:
            raise BadFile(
                f"{path.name!r} is no workbook that can be read", hint="save it as CSV or xlsx"
            ) from None
        head = next((i for i, row in enumerate(rows) if any(cell not in ("", None) for cell in row)), None)
        if head is None:
            raise BadFile(f"sheet {chosen!r} of {path.name!r} is empty", hint="name another with sheet=")
        width = max(i for i, cell in enumerate(rows[head]) if cell not in ("", None)) + 1
        width = max(width, *(_width(row) for row in rows[head : head + 1000]))
        self.columns = named([as_text(cell) for cell in rows[head][:width]], path.name)
        self._rows = rows
        self._first = head + 1

    def chunks(self, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """All rows below the header that are not empty; line numbers are those of the sheet."""
        wanted = self.columns if only is None else tuple(only)
        places = [self.columns.index(column) for column in wanted]
        for start in range(self._first, max(len(self._rows), self._first + 1), _ROWS):
            stop = min(start + _ROWS, len(self._rows))
            kept = [i for i in range(start, stop) if _width(self._rows[i])]
            columns = {
                column: pa.array(
                    [as_text(self._rows[i][place]) for i in kept], pa.string()
                ).dictionary_encode()
                for column, place in zip(wanted, places, strict=True)
            }
            yield Chunk(columns, np.array(kept, np.int64) + 1, [], stop / max(len(self._rows), 1))


def _width(row: list[Cell]) -> int:
    return max((i + 1 for i, cell in enumerate(row) if cell not in ("", None)), default=0)


def as_text(cell: Cell) -> str:
    """A cell as text: whole numbers without a point, dates in ISO form.

    >>> as_text(489434.0), as_text(2.55), as_text(date(2011, 12, 9)), as_text(True)
    ('489434', '2.55', '2011-12-09', 'true')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)
