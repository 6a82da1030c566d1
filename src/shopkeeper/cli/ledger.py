"""A table that stays readable where the page is narrow: where its figures do not fit, each row becomes a small card."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_SHORTENED = 24
"""Signs of a name that must fit; longer names may end in an ellipsis, figures may not."""
_INDENT = "  "
_GAP = 3
"""Signs between two columns: a space of either, and the line between."""


class Ledger(Table):
    """A table whose first column names and whose others tell; without rows it shows nothing.

    >>> made = Ledger("file", "read", "kept")
    >>> made.columns[1].no_wrap = made.columns[2].no_wrap = True
    >>> made.add_row(Text("orders.csv"), Text("1,044,847"), Text("1,044,847"))
    >>> Console(width=20).print(made)
    orders.csv
      read 1,044,847,
      kept 1,044,847
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, or its rows as cards."""
        if not self.rows:
            return
        if self.box is None or self.least_width() <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        yield from self.cards(options.max_width)

    def least_width(self) -> int:
        """Below how many signs a figure would be cut.

        >>> from rich.box import SIMPLE_HEAD
        >>> made = Ledger("id", "value", box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        >>> made.columns[1].no_wrap = True
        >>> made.add_row("c1", "1,044,847")
        >>> made.least_width(), made.__rich_measure__(Console(width=80), Console(width=80).options).maximum
        (14, 14)
        """
        total = 0
        for place, column in enumerate(self.columns):
            cells = [cell if isinstance(cell, Text) else Text(str(cell)) for cell in column.cells]
            whole = [cell.cell_len for cell in cells]
            if not column.no_wrap:
                whole = [max(map(len, cell.plain.split()), default=0) for cell in cells]
            needed = max(whole, default=0)
            if place == 0 or not column.no_wrap:
                needed = min(needed, _SHORTENED)
            total += max(needed, len(str(column.header)) if column.no_wrap else 0)
        return total + _GAP * (len(self.columns) - 1)

    def cards(self, width: int) -> Iterator[Text]:
        """Every row as its name and, below it, what its columns tell; columns without a heading are pictures."""
        columns = [list(column.cells) for column in self.columns]
        for row in zip(*columns, strict=True):
            lines, line = [str(row[0])], _INDENT
            told = [
                f"{column.header} {cell}"
                for column, cell in zip(self.columns[1:], row[1:], strict=True)
                if str(column.header) and str(cell)
            ]
            for place, part in enumerate(told):
                piece = part + ("," if place < len(told) - 1 else "")
                if line != _INDENT and len(line) + len(piece) + 1 > width:
                    lines.append(line)
                    line = _INDENT
                line += piece if line == _INDENT else f" {piece}"
            yield Text("\n".join([*lines, line] if told else lines))
