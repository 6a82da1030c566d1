"""A figure: plain data that a notebook shows as a drawing.

Every figure has its numbers as an Arrow table (``table()``), for a plotting library of one's own, and draws itself
as SVG: the last line of a notebook's cell shows it, ``save("tracking.svg")`` keeps it.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopkeeper.predict.value.drawing import Chart, Heat, svg

if TYPE_CHECKING:
    import pyarrow as pa


class Figure:
    """What every figure can do. A new one says its ``columns`` and its ``chart``."""

    __slots__ = ()

    @abstractmethod
    def columns(self) -> dict[str, Any]:
        """Give the figure's numbers: columns of one length, by name."""

    @abstractmethod
    def chart(self) -> Chart | Heat:
        """Give what is drawn."""

    def table(self) -> pa.Table:
        """Give the figure's numbers as an Arrow table: ``figure.table().to_pandas()``."""
        import pyarrow as pa

        return pa.table(self.columns())

    def svg(self, *, width: int = 640, height: int = 380) -> str:
        """Draw the figure as SVG, sizes in pixels."""
        return svg(self.chart(), width=width, height=height)

    def save(self, path: Path | str) -> None:
        """Write the drawing to an SVG file."""
        Path(path).write_text(self.svg(), encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg()
