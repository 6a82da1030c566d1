"""Opens any file the door understands as a table of rows."""

from __future__ import annotations

from pathlib import Path

from shopkeeper.collect.files.delimited import LONGEST
from shopkeeper.collect.files.rows import Table
from shopkeeper.collect.files.sniff import checked_encoding, encoding_of, examine
from shopkeeper.domain.errors import BadFile


def open_table(
    path: str | Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    longest: int = LONGEST,
) -> Table:
    """A file as rows of named columns, whatever its format, also packed by gzip.

    ``encoding`` and ``delimiter`` override what is found out for delimited text, ``sheet`` names one of a workbook,
    ``longest`` is how many bytes a row may have. Raises BadFile where the file cannot be read as a table.
    """
    path = Path(path)
    nature = examine(path)
    if nature.format == "parquet":
        from shopkeeper.collect.files.columnar import Columnar

        return Columnar(path, packed=nature.packed)
    if nature.format == "excel":
        from shopkeeper.collect.files.sheets import Sheet

        return Sheet(path, sheet=sheet, packed=nature.packed)
    if nature.format == "xml":
        raise BadFile(f"{path.name!r} holds POSLog XML, which is no table", hint="its kind is poslog")
    if nature.format == "json":
        from shopkeeper.collect.files.documents import Documents

        return Documents(path, packed=nature.packed, longest=longest)
    from shopkeeper.collect.files.delimited import Delimited

    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
        raise BadFile("a delimiter must be one character", hint="use , ; tab or |")
    found = checked_encoding(encoding) if encoding else encoding_of(path, packed=nature.packed)
    if nature.ending == "tsv" and delimiter is None:
        delimiter = "\t"
    return Delimited(path, found, packed=nature.packed, delimiter=delimiter, longest=longest)
