"""Readers: whatever a table was written as, the same cells and the right lines come back."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkeeper.collect.files.delimited import Delimited
from shopkeeper.collect.files.reader import open_table
from shopkeeper.collect.files.sniff import Encoding, delimiter_of, encoding_of
from shopkeeper.domain.errors import BadFile, UnknownName

relaxed = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
letters = st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=("Cs",))
cells = st.text(st.one_of(letters, st.sampled_from('",;\t|\n x1')), max_size=12)
tables = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=25)
)


def rows_of(table):
    """Cells of all rows, their lines, the refused rows."""
    rows, lines, refused = [], [], []
    for chunk in table.chunks():
        rows += zip(*(chunk.columns[name].to_pylist() for name in table.columns), strict=True)
        lines += chunk.lines.tolist()
        refused += chunk.refused
        assert chunk.read == len(chunk.lines) + len(chunk.refused)
    return [list(row) for row in rows], lines, refused


def written(rows, head, **dialect):
    """The text of a table, and the line each row starts on."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)
    writer.writerow(head)
    starts = []
    for row in rows:
        starts.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    return out.getvalue(), starts


@relaxed
@given(
    tables,
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.integers(64, 200),
    st.booleans(),
)
def test_any_table_in_any_dialect_is_read_back(tmp_path, rows, delimiter, quoting, end, encoding, block, cut):
    head = [f"c{i}" for i in range(len(rows[0]))]
    text, starts = written(rows, head, delimiter=delimiter, quoting=quoting, lineterminator=end)
    path = tmp_path / "table.csv"
    path.write_bytes(
        (text.removesuffix(end) if cut and text[-1:] == "\n" and rows[-1][-1] else text).encode(encoding)
    )
    found = encoding_of(path, packed=False)
    table = Delimited(path, found, delimiter=delimiter, block=block)
    assert table.columns == tuple(head)
    assert rows_of(table) == (rows, starts, [])


@relaxed
@given(
    st.lists(st.text(st.sampled_from('ab",\n\r;é'), max_size=30), max_size=30),
    st.integers(64, 100),
    st.booleans(),
)
def test_no_text_at_all_breaks_the_reader_and_every_line_is_accounted_for(tmp_path, lines, block, quote_all):
    body = "\n".join(f'"{line}"' if quote_all else line for line in lines)
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + body + "\n", newline="")
    _, at, refused = rows_of(Delimited(path, Encoding("utf-8-sig"), delimiter=",", block=block, longest=500))
    assert at == sorted(set(at))
    assert len({row.line for row in refused}) == len(refused)
    assert not set(at) & {row.line for row in refused}
    starts = sorted(at + [row.line for row in refused])
    text = body.split("\n")
    for line, following in itertools.pairwise([*starts, len(text) + 2]):
        # what stands between two rows is blank, or the rest of a quoted cell
        between = text[line - 1 : following - 2]
        assert all(not part.strip() for part in between) or '"' in text[line - 2]
    if starts:
        assert all(not part.strip() for part in text[: starts[0] - 2])


@relaxed
@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_are_read_or_refused_in_words(tmp_path, data):
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    hints = ["fine"]
    try:
        rows_of(open_table(path))
    except BadFile as error:
        hints.append(error.hint)
    assert all(hints)


@pytest.mark.parametrize("block", [64, 1 << 22])
def test_quoted_line_breaks_keep_physical_line_numbers(tmp_path, block):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,"x\ny\nz"\n2,w\n\n3,"q"\n', newline="")
    rows, lines, _ = rows_of(Delimited(path, Encoding("utf-8-sig"), block=block))
    assert rows == [["1", "x\ny\nz"], ["2", "w"], ["3", "q"]]
    assert lines == [2, 5, 7]


def test_old_line_ends_and_an_excel_preamble_are_understood(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a;b\r1;2\r3;4\r")
    assert rows_of(open_table(path)) == ([["1", "2"], ["3", "4"]], [2, 3], [])
    path.write_bytes(b"sep=|\r\na|b\r\n1|2\r\n")
    assert rows_of(open_table(path)) == ([["1", "2"]], [3], [])


def test_the_delimiter_is_the_one_that_gives_even_rows():
    assert delimiter_of("a;b;c\n1,5;2,5;3,5\n1;2;3\n") == ";"
    assert delimiter_of('a,"b;c",d\n1,"x;y;z",3\n') == ","
    assert delimiter_of("only\none\ncolumn\n") == ","


def test_parquet_keeps_types_and_counts_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": ["x", None], "n": [1.5, 2.0], "l": [[1], [2]]}), path)
    table = open_table(path)
    assert table.columns == ("a", "n")
    assert any("lists or structures" in note for note in table.notes)
    assert rows_of(table) == ([["x", 1.5], [None, 2.0]], [1, 2], [])


def workbook(path: Path, rows, sheets=("first",)):
    book = openpyxl.Workbook()
    for i, name in enumerate(sheets):
        sheet = book.active if i == 0 else book.create_sheet()
        sheet.title = name
        for row in rows if i == 0 else [["other"], ["x"]]:
            sheet.append(row)
    book.save(path)


def test_excel_sheets_are_read_with_their_row_numbers(tmp_path):
    path = tmp_path / "t.xlsx"
    rows = [
        [], ["Order", "When", "Units", "Day"], [489434, datetime(2009, 12, 1, 7, 45), 2.5, date(2009, 12, 1)], [],
        ["C1", None, 3, None],
    ]  # fmt: skip
    workbook(path, rows, ("first", "second"))
    table = open_table(path)
    assert any("sheet 'first' of 2" in note for note in table.notes)
    assert rows_of(table) == (
        [["489434", "2009-12-01T07:45:00", "2.5", "2009-12-01"], ["C1", "", "3", ""]],
        [3, 5],
        [],
    )
    assert open_table(path, sheet="second").columns == ("other",)
    with pytest.raises(UnknownName, match="did you mean 'second'"):
        open_table(path, sheet="secnd")


def test_json_lines_arrays_and_wrapped_arrays_are_read(tmp_path):
    rows = [["1", "x"], ["2", None]]
    for text, lines in (
        ('{"a":1,"b":"x"}\n\n{"a":2}\n', [1, 3]),
        ('[{"a":1,"b":"x"},\n{"a":2}]', [1, 2]),
        ('{"rows":[{"a":1,"b":"x"},{"a":2}]}', [1, 2]),
        ('{\n "rows": [\n {"a":1,"b":"x"},\n {"a":2}]}', [1, 2]),
    ):
        path = tmp_path / "t.json"
        path.write_text(text)
        table = open_table(path)
        assert table.columns == ("a", "b")
        assert rows_of(table) == (rows, lines, [])
