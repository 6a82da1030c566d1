"""Hands tables and data out of a command: into a file by its ending, or to standard output for the next in a pipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shopkeeper.cli.screen import count, screen, text
from shopkeeper.domain.errors import BadFile

if TYPE_CHECKING:
    import pyarrow as pa

_FORMATS = (".csv", ".parquet")
_STDOUT = "-"


def checked(out: Path) -> None:
    """Refuse a file whose ending tells no format, before anything is worked out for it."""
    if str(out) != _STDOUT and out.suffix.lower() not in _FORMATS:
        raise BadFile(
            f"{out} has no ending that tells its format",
            hint=f"end it in {' or '.join(_FORMATS)}, or give - for CSV on standard output",
        )


def table_out(found: pa.Table, out: Path, told: str = "", *, silent: bool = False) -> None:
    """Write a table of customers, as CSV where ``out`` is ``-``, and say so where nothing else goes into a pipe."""
    if str(out) != _STDOUT:
        part = out.with_name(f".{out.stem}.part{out.suffix}")
        try:
            write(found, part)
            part.replace(out)  # whoever looks for the file finds all of it or none
        finally:
            part.unlink(missing_ok=True)
        if not silent:
            screen().print(text(f"{count(found.num_rows, 'customer')} {told}written to {out}"))
        return
    from shopkeeper.shop.sheets import as_csv

    sys.stdout.write(as_csv(found).decode())


def write(found: pa.Table, out: Path) -> None:
    """Write a table as CSV (see ``shop.sheets``) or Parquet, by the file's ending."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(found, out)
        return
    from shopkeeper.shop.sheets import as_csv

    out.write_bytes(as_csv(found))
