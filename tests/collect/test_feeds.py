"""Files that are documents of one system, through the file door: recognised, looked at, loaded in bounded memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.collect.test_poslog import FOLDER, sale, transaction

from shopkeeper.collect.files.door import guess
from shopkeeper.collect.tills.pieces import Pieces
from shopkeeper.domain.errors import BadFile, UnknownName


def test_a_poslog_is_recognised_by_what_it_holds_and_says_what_it_left_out(bring) -> None:
    brought = bring(
        (FOLDER / "day.xml").read_bytes(), "till-3.xml", zone="Europe/London", now=1_777_000_000_000_000
    )
    assert (brought.guess.kind, brought.guess.format, brought.guess.rows) == ("poslog", "xml", 6)
    assert [event.name for event in brought.events].count("Order Completed") == 3
    assert {event.source for event in brought.events} == {"till"}
    assert "1 training transactions left out" in brought.notes
    assert brought.refused == []


@pytest.mark.parametrize("name", ["tills.xml.gz", "tills.xml", "tills.log"])
def test_it_may_be_packed_and_called_anything(bring, name: str) -> None:
    body = f"<POSLog>{transaction(sale())}</POSLog>".encode()
    assert len(bring(gzip.compress(body) if name.endswith("gz") else body, name, now=1 << 60).events) == 1


def test_a_broken_file_is_refused_whole_with_its_line(bring) -> None:
    with pytest.raises(BadFile, match="no element found in line 3"):
        bring(f"<POSLog>{transaction(sale())}\n", "tills.xml", now=1 << 60)
    with pytest.raises(BadFile, match="document type"):
        bring("<!DOCTYPE POSLog [<!ENTITY a 'b'>]><POSLog><Transaction/></POSLog>", "tills.xml")


def test_a_kind_that_does_not_fit_is_said(tmp_path: Path) -> None:
    path = tmp_path / "tills.xml"
    path.write_text(f"<POSLog>{transaction(sale())}</POSLog>")
    with pytest.raises(BadFile, match="poslog"):
        guess(path, "orders")
    table = tmp_path / "orders.csv"
    table.write_text("order id,time,product id,price,quantity\n1,2026-01-01,p,1.00,1\n")
    with pytest.raises(BadFile, match="POSLog"):
        guess(table, "poslog")
    with pytest.raises(UnknownName, match="poslog"):
        guess(path, "poslogs")
    other = tmp_path / "other.xml"
    other.write_text("<?xml version='1.0'?><workbook/>")
    with pytest.raises(BadFile, match="web page or XML"):
        guess(other)


def test_many_refused_transactions_make_a_file_doubtful(tmp_path: Path) -> None:
    path = tmp_path / "tills.xml"
    path.write_text("<POSLog>" + transaction(sale("ten")) * 3 + transaction(sale()) + "</POSLog>")
    seen = guess(path)
    assert (seen.rows, seen.refused, seen.doubtful) == (4, 3, True)
    assert seen.reasons == {"ExtendedAmount is no number": 3}


def test_a_long_document_is_read_in_little_memory() -> None:
    body = (sale("1.00", 1, "<Description>" + "d" * 200 + "</Description>") * 20).encode()

    def blocks() -> Iterator[bytes]:
        yield b"<POSLog>"
        for number in range(3_000):
            yield b"<Transaction><SequenceNumber>%d</SequenceNumber>" % number + body + b"</Transaction>"
        yield b"</POSLog>"

    tracemalloc.start()
    try:
        count = sum(len(piece.node.children) for piece in Pieces(blocks(), "Transaction"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 3_000 * 21
    assert most < 2_000_000  # the document has 19 MB
