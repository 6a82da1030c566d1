"""What every reader gives: rows as columns, each with the line it stood on, and the rows it had to refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from shopkeeper.domain.batch import Refused

if TYPE_CHECKING:
    import pyarrow as pa

RAW: Final = 65_536
"""Characters kept of a refused row."""

Lines = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Chunk:
    """Some rows of a file. ``lines`` are physical line numbers (row numbers in Parquet), counted from 1."""

    columns: dict[str, pa.Array]
    lines: Lines
    refused: list[Refused] = field(default_factory=list)
    fraction: float = 0.0
    """How much of the file was read when this chunk was complete."""

    @property
    def read(self) -> int:
        """Rows of the file in this chunk, usable or not."""
        return len(self.lines) + len(self.refused)


class Table(Protocol):
    """A file opened as rows of named columns."""

    format: str
    notes: list[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        ...

    def chunks(self, only: Sequence[str] | None = None) -> Iterator[Chunk]:
        """All rows from the first on; only those columns where they are named."""
        ...


def refuse(line: int, reason: str, detail: str, cells: Sequence[object] = (), raw: str = "") -> Refused:
    """A refused row; without ``raw`` its cells are joined as a tab-separated line."""
    texts = tuple("" if cell is None else str(cell)[:RAW] for cell in cells)
    return Refused(
        line=line,
        reason=reason,
        detail=detail,
        raw=(raw or "\t".join(texts))[:RAW],
        cells=tuple(text for text in texts if text),
    )
