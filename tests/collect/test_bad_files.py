"""Bad input: each a clear error or a reported row, nothing lost, nothing silently wrong."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from tests.collect.conftest import NOW

from shopkeeper.collect.files.door import guess
from shopkeeper.domain.errors import BadFile, InvalidInput, UnknownName

HEAD = "order_id,date,product_id,quantity,unit_price,email\n"
GOOD = "1,2011-12-09 12:50,p1,2,6.95,anna@example.com\n"


def failing(bring, content, name="orders.csv", **how):
    with pytest.raises(BadFile) as caught:
        bring(content, name, **how)
    assert caught.value.hint
    assert "anna" not in str(caught.value)
    return str(caught.value)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(BadFile, match=r"there is no file 'none\.csv'"):
        guess(tmp_path / "none.csv")


def test_a_directory_says_so(tmp_path):
    with pytest.raises(BadFile, match="is a directory"):
        guess(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\n\n  \n", "holds nothing"), (b"\xef\xbb\xbf", "holds nothing")],
)
def test_an_empty_file_says_so(bring, content, words):
    assert words in failing(bring, content)


def test_a_header_without_rows_brings_nothing(bring, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert bring(HEAD).total("read") == 0
    pq.write_table(
        pa.table({name: pa.array([], pa.string()) for name in HEAD.strip().split(",")}),
        tmp_path / "o.parquet",
    )
    assert bring(tmp_path / "o.parquet", kind="orders").total("read") == 0


def test_a_wrong_delimiter_says_so(bring):
    hashes = (HEAD + GOOD).replace(",", "#")
    assert "one column only" in failing(bring, hashes)
    assert "delimiter" in failing(bring, hashes, kind="orders")
    assert "one column only" in failing(bring, (HEAD + GOOD).replace(",", ";"), delimiter=",")


def test_an_unusual_delimiter_can_be_given(bring):
    assert bring((HEAD + GOOD).replace(",", "#"), delimiter="#").total("kept") == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_delimiters_are_recognised(bring, delimiter):
    assert bring((HEAD + GOOD * 3).replace(",", delimiter)).total("kept") == 3


def test_western_european_text_is_recognised_and_said(bring):
    brought = bring((HEAD.replace("email", "name") + "1,2011-12-09,p1,1,2,Größe für Zoë\n").encode("cp1252"))
    assert brought.events[0].properties.products[0].name == "Größe für Zoë"
    assert any("Windows-1252" in note for note in brought.guess.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_in_all_its_forms_is_read(bring, encoding):
    brought = bring((HEAD.replace("email", "name") + "1,2011-12-09,p1,1,2,Größe 正\n").encode(encoding))
    assert brought.events[0].properties.products[0].name == "Größe 正"


def test_a_file_that_is_no_known_encoding_is_refused(bring):
    russian = (HEAD.replace("email", "name") + "1,2011-12-09,p1,1,2,Привет ЭЭЭ\n").encode(
        "cp1251"
    ) + b"\x81\x8d\n"
    assert "neither UTF-8 nor Windows-1252" in failing(bring, russian)


def test_utf8_with_a_broken_place_loses_that_row_only(bring):
    rows = (
        b"1,2011-12-09,p1,1,2,Gr\xc3\xb6\xc3\x9fe\n2,2011-12-09,p1,1,2,Gr\xf6\n3,2011-12-09,p1,1,2,\xc3\xb6\n"
    )
    brought = bring(HEAD.replace("email", "name").encode() + rows)
    assert brought.reasons == {3: "bad_encoding"}
    assert brought.total("kept") == 2


def test_utf16_that_breaks_off_is_refused(bring):
    assert "UTF-16" in failing(bring, (HEAD + GOOD).encode("utf-16") + b"\x00")


def test_utf16_without_mark_is_named(bring):
    assert "UTF-16 without its mark" in failing(bring, (HEAD + GOOD).encode("utf-16-le"))


def test_binary_rubbish_is_refused(bring):
    assert "binary" in failing(bring, b"\x00\x01\x02" + bytes(range(1, 200)) * 20)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("orders.parquet", b"a,b\n1,2\n", "delimited text"),
        ("orders.csv", b"PAR1 and something", "Parquet"),
        ("orders.xlsx", b"a,b\n1,2\n", "delimited text"),
        ("orders.csv", b"PK\x03\x04 zipped", "Excel"),
        ("orders.xls", b"<html><table><tr></table>", "web page"),
        ("orders.csv", b"%PDF-1.4 ...", "PDF"),
        ("orders.jsonl", b"a,b\n1,2\n", "delimited text"),
        ("orders.csv.gz", b"a,b\n1,2\n", "gzip"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says(bring, name, content, word):
    assert word in failing(bring, content, name)


@pytest.mark.parametrize("name", ["orders.parquet", "orders.xlsx"])
def test_a_cut_off_file_is_refused(bring, name):
    start = b"PAR1" if name.endswith("parquet") else b"PK\x03\x04"
    failing(bring, start + b"\x00" * 300, name)


def test_a_zip_that_is_no_workbook_is_refused(bring, tmp_path):
    path = tmp_path / "orders.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("note.txt", "no sheets")
    assert "no workbook" in failing(bring, path)


def test_a_packed_file_is_read_and_a_cut_one_refused_before_anything_is_yielded(bring):
    packed = gzip.compress((HEAD + GOOD * 5000).encode())
    assert bring(packed, "orders.csv.gz").total("kept") == 5000
    assert "gzip cannot unpack it" in failing(bring, packed[: len(packed) // 2], "cut.csv.gz")


def test_a_very_long_line_is_refused_and_reading_goes_on(bring):
    long = "2,2011-12-09,p1,1,2," + "x" * 60_000 + "\n"
    brought = bring(HEAD + GOOD + long + GOOD.replace("1,", "3,", 1), longest=10_000)
    assert brought.reasons == {3: "line_too_long"}
    assert [event.properties.order_id for event in brought.events] == ["1", "3"]
    assert len(brought.refused[0].raw) < 70_000


@pytest.mark.parametrize("length", [3_000_000, 9_000_000])
@pytest.mark.parametrize("before", ["", GOOD])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_very_long_line_near_the_beginning_costs_itself_only(bring, length, before, delimiter):
    long = '2,2011-12-09,p1,1,2,"' + "x" * length + '"\n'
    brought = bring((HEAD + before + long + GOOD.replace("1,", "3,", 1)).replace(",", delimiter))
    assert list(brought.reasons.values()) == ["line_too_long"]
    assert brought.total("kept") == 1 + bool(before)


def test_a_line_longer_than_many_blocks_is_skipped_without_being_held(tmp_path):
    from shopkeeper.collect.files.delimited import Delimited
    from shopkeeper.collect.files.sniff import Encoding

    path = tmp_path / "long.csv"
    path.write_text("a,b\n1,2\n" + "x" * 200_000 + ",y\n3,4\n")
    table = Delimited(path, Encoding("utf-8-sig"), block=1_000, longest=5_000)
    chunks = list(table.chunks())
    assert [line for chunk in chunks for line in chunk.lines.tolist()] == [2, 4]
    refused = [row for chunk in chunks for row in chunk.refused]
    assert [(row.line, row.reason) for row in refused] == [(3, "line_too_long")]
    assert len(refused[0].raw) < 8_000


def test_a_very_long_json_line_is_refused_and_reading_goes_on(bring):
    good = '{"type":"track","event":"Product Viewed","anonymousId":"c1","timestamp":"2011-12-09T12:50:00Z"}\n'
    brought = bring(good + '{"x":"' + "y" * 60_000 + '"}\n' + good, "events.jsonl", longest=10_000)
    assert brought.reasons == {2: "line_too_long"}
    assert len(brought.events) == 2


def test_rows_with_too_many_or_too_few_cells_are_reported_with_their_line(bring):
    brought = bring(HEAD + GOOD + "2,2011-12-09\n" + GOOD + "\n" + GOOD.strip() + ",more\n")
    assert brought.reasons == {3: "too_few_cells", 6: "too_many_cells"}
    assert "anna@example.com" in brought.refused[1].cells
    assert brought.total("read") == 4


@pytest.mark.parametrize(("end", "reason"), [("", "open_quote"), ('4,2011-12-09,p"1,1,2,x\n', "bad_quote")])
def test_a_stray_quote_costs_one_row(bring, end, reason):
    more = GOOD.replace("1,", "3,", 1) * 3
    brought = bring(HEAD + GOOD + '2,2011-12-09,"p1,1,2,x\n' + more + end)
    assert brought.reasons == {3: reason}
    assert brought.total("kept") == 4 + bool(end)


def test_wrong_types_are_reported_by_line_reason_and_column_but_not_by_value(bring):
    rows = [
        "1,2011-12-09,p1,2,6.95,a@example.com",
        "2,someday,p1,2,6.95,a@example.com",
        "3,2011-12-09,p1,two,6.95,a@example.com",
        "4,2011-12-09,p1,2,cheap,a@example.com",
        "5,2011-02-30,p1,2,1,a@example.com",
        ",2011-12-09,p1,2,1,a@example.com",
        "6,2011-12-09,p1,0,1,a@example.com",
        "7,2011-12-09,,2,1,a@example.com",
        "8,2011-12-09,p1,2,99999999999999999999,a@example.com",
        "9,2011-12-09,p1,999999999,99999999999,a@example.com",
        "5.01E+12,2011-12-09,p1,2,1,a@example.com",
    ]
    brought = bring(HEAD + "\n".join(rows) + "\n")
    assert brought.reasons == {
        3: "bad_time", 4: "bad_number", 5: "bad_number", 6: "bad_time", 7: "missing_value", 8: "zero_quantity",
        9: "missing_value", 10: "bad_number", 11: "too_large", 12: "bad_identifier",
    }  # fmt: skip
    assert brought.total("kept") == 1
    for row in brought.refused:
        assert "someday" not in row.detail
        assert "cheap" not in row.detail
        assert "a@example.com" in row.cells


def test_where_no_row_can_be_used_nothing_is_brought(bring):
    rows = "".join(f"{i},2011-12-09,p1,many,1,x\n" for i in range(50))
    message = failing(bring, HEAD + rows)
    assert "no row" in message
    assert "'quantity'" in message
    assert "line 2" in message


def test_duplicate_headers_are_refused(bring):
    assert "two columns" in failing(bring, "order_id,Date,date\n1,2,3\n")


def test_a_file_without_header_is_refused_without_showing_its_values(bring):
    assert "looks like data" in failing(bring, "1,2011-12-09 12:50,p1,2,6.95,anna@example.com\n" * 3)


def test_what_lies_in_the_future_is_refused_before_it_is_counted_or_remembered(bring):
    later = HEAD + GOOD + "2,2014-05-15 12:00,p1,2,6.95,b@example.com\n"
    brought = bring(later)
    assert brought.reasons == {3: "in_the_future"}
    assert [brought.total(f) for f in ("read", "kept", "orders", "exact_micros")] == [2, 1, 1, 13_900_000]
    in_time = bring(later, now=NOW + 3 * 86_400_000_000)
    assert [in_time.total(f) for f in ("kept", "repeated", "orders")] == [1, 1, 1]


def test_a_preview_says_how_much_cannot_be_used_and_why(bring):
    rows = [f"{i},2011-12-09,p1,1,2,x\n" for i in range(40)]
    assert not bring(HEAD + "".join(rows) + "a,never,p1,1,2,x\n" * 2).guess.doubtful
    seen = bring(HEAD + "".join(rows) + "a,never,p1,1,2,x\n" * 3).guess
    assert (seen.doubtful, seen.refused, list(seen.reasons.values())) == (True, 3, [3])


def test_unknown_columns_are_listed_and_missing_ones_named(bring):
    assert bring(HEAD.strip() + ",shoe size\n" + GOOD.strip() + ",42\n").guess.unknown == ("shoe size",)
    message = failing(bring, "colour,shoe size\nred,42\n")
    assert "fit no kind" in message
    assert "colour, shoe size" in message
    assert "unit_price or amount" in failing(
        bring, "order_id,date,product_id,quantity\n1,2011-12-09,p,1\n", kind="orders"
    )


def test_names_of_kinds_fields_and_columns_are_checked(bring):
    with pytest.raises(UnknownName, match="did you mean 'orders'"):
        bring(HEAD + GOOD, kind="ordrs")
    with pytest.raises(UnknownName, match="did you mean 'quantity'"):
        bring(HEAD + GOOD, kind="orders", mapping={"quantty": "quantity"})
    with pytest.raises(UnknownName, match="did you mean 'unit_price'"):
        bring(HEAD + GOOD, kind="orders", mapping={"unit_price": "unit_prise"})
    with pytest.raises(InvalidInput, match="two fields"):
        bring(HEAD + GOOD, kind="orders", mapping={"unit_price": "quantity", "quantity": "quantity"})


def test_a_broken_json_array_is_refused_and_a_broken_line_reported(bring):
    call = '{"type":"track","event":"Product Viewed","anonymousId":"c1","timestamp":"2011-12-09T12:50:00Z"}'
    assert "broken or cut off" in failing(bring, "[" + call + ",", "events.json")
    brought = bring(call + "\n{not json}\n[1]\n" + call + "\n", "events.jsonl")
    assert brought.reasons == {2: "bad_json", 3: "not_an_object"}


def test_a_damaged_parquet_file_is_refused(bring, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(tmp_path / "orders.parquet")
    pq.write_table(
        pa.table({"order_id": [str(i) for i in range(5000)], "email": ["a@b.example"] * 5000}), path
    )
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(data[: len(data) // 2]))
    assert "cut off" in failing(bring, path)
