"""What every ledger must keep of segments."""

from __future__ import annotations

import pytest
from tests.spec.test_ledger import nodes

from shopkeeper.domain.clock import DAY
from shopkeeper.stores.contract.ledger import Ledger, LedgerWriter
from shopkeeper.stores.contract.rows import Member, NewEvent, Record
from shopkeeper.stores.contract.segments import Entry, Membership, SegmentRow, VersionRow

ONE = SegmentRow(1, "one", "live", 1, 0, 0, "", 0)
TWO = SegmentRow(2, "two", "draft", 0, 0, 0, "", 0)


def test_definitions_and_versions_are_kept(ledger: Ledger) -> None:
    first = VersionRow(1, 1, "One", "", "orders > 1", 5, "u1")
    second = first._replace(version=2, condition="orders > 2", at=6)

    def work(tx: LedgerWriter) -> None:
        tx.put_segment(TWO)
        tx.put_segment(ONE)
        tx.put_segment(TWO._replace(state="backfilling", coming=1, cause="backfill"))
        for row in (second, first, first._replace(segment=2)):
            tx.put_version(row)
        tx.swept([(2, 70)])

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.segments() == [
            ONE,
            TWO._replace(state="backfilling", coming=1, cause="backfill", swept=70),
        ]
        assert reader.segment_versions(1) == [first, second]
        assert reader.segment_versions() == [first, second, first._replace(segment=2)]


def test_members_enter_and_leave_and_are_paged(ledger: Ledger) -> None:
    rows = [Membership(1, customer, 10 * customer, 1) for customer in range(1, 8)]

    def work(tx: LedgerWriter) -> None:
        tx.put_segment(ONE)
        tx.enter(rows)
        tx.enter([Membership(2, 3, 5, 1)])
        tx.leave([(1, 4), (1, 99)])
        tx.grow([(1, 7), (1, -1)])

    ledger.write(work)
    with ledger.read() as reader:
        page = reader.members_in(1, 0, 4)
        assert [row.customer for row in page] == [1, 2, 3, 5]
        assert reader.members_in(1, page[-1].customer, 4) == rows[5:]
        assert reader.members_between(1, 2, 5) == [2, 3, 5]
        assert reader.memberships([1, 2, 3], 3) == [rows[2], Membership(2, 3, 5, 1)]
        assert reader.segments()[0].size == 6
    with pytest.raises(Exception, match=r".*"):
        ledger.write(lambda tx: tx.enter([rows[0]]))
    assert ledger.write(lambda tx: tx.dissolve(1)) == 6


def test_the_audience_is_read_in_order(ledger: Ledger) -> None:
    rows = [Entry(n, n * DAY // 2, 1 + n % 2, 1, 10 + n % 3, n % 4 < 2, "event") for n in range(1, 9)]
    ledger.write(lambda tx: tx.note_audience(rows))
    with ledger.read() as reader:
        assert reader.audience(0, 3) == rows[:3]
        assert reader.audience(3, 100) == rows[3:]
        assert reader.audience(2, 2, segment=2) == [rows[2], rows[4]]
        assert reader.audience_of([10, 11], None, 3) == [rows[6], rows[5], rows[3]]
        assert reader.audience_of([10, 11], 6, 9) == [rows[3], rows[2], rows[0]]
        assert reader.audience_days(2, DAY) == [(1, 0, 1), (2, 1, 0), (3, 0, 1)]
        assert reader.audience_days(2, DAY, 3 * DAY, DAY // 2) == [(2, 0, 1), (3, 1, 0)]


def test_behaviours_and_what_is_due(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        tx.keep_behaviours([(3, b"c"), (1, b"a"), (2, b"b")])
        tx.keep_behaviours([(2, b"bb")])
        tx.put_due([(1, 50), (2, 20), (3, 20)])
        tx.put_due([(3, 10)])

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.behaviours([2, 3, 9]) == {2: b"bb", 3: b"c"}
        assert [row for chunk in reader.all_behaviours() for row in chunk] == [
            (1, b"a"),
            (2, b"bb"),
            (3, b"c"),
        ]
        assert reader.due(20, 10) == [3, 2]
        assert reader.due(50, 1) == [3]
        assert reader.next_due() == 10

    def more(tx: LedgerWriter) -> None:
        tx.drop_due([3])
        tx.drop_behaviours([2])

    ledger.write(more)
    with ledger.read() as reader:
        assert reader.due(100, 10) == [1]
        assert reader.behaviours([1, 2, 3]) == {1: b"a", 3: b"c"}


def test_events_of_terms_are_read_by_name(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        a, b = nodes(tx, "a", "b")
        tx.assign([Member(a, 5, False), Member(b, 4, False)])
        tx.append(
            [
                NewEvent(
                    name, 1, "till", "acme", "store", at, at, node, "", bytes([at]) * 16, b"{}", bytes(8)
                )
                for at, name, node in ((1, "A", a), (2, "B", b), (3, "C", a), (4, "B", 0))
            ]
        )
        tx.remember([Record(c, b"", 0, b"", 1, 1, 0, 0, 0, 0, "") for c in (4, 5, 9)])

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.term_events([4, 5], ["A", "B"]) == [
            (4, 2, bytes([2]) * 16, "B", 1, "store", "till", "acme", b"{}"),
            (5, 1, bytes([1]) * 16, "A", 1, "store", "till", "acme", b"{}"),
        ]
        assert reader.term_events([4], []) == []
        assert reader.customers_after(4, 5) == [5, 9]


def test_who_is_erased_leaves_and_nothing_else_of_them_stays(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        (a,) = nodes(tx, "a")
        tx.assign([Member(a, 5, False)])
        tx.became([(8, 5)])
        tx.put_segment(ONE)
        tx.enter([Membership(1, 5, 1, 1), Membership(1, 6, 1, 1)])
        tx.grow([(1, 2)])
        first = tx.numbers("last_audience", 3)
        for number, customer in enumerate((8, 5, 6), first):
            tx.note_audience([Entry(number, 1, 1, 1, customer, True, "event")])
        tx.keep_behaviours([(5, b"x"), (6, b"y")])
        tx.put_due([(5, 1), (6, 1)])
        tx.forget([a], [5], ["Order Completed"], [], 77)

    ledger.write(work)
    with ledger.read() as reader:
        assert [row.customer for row in reader.members_in(1, 0, 9)] == [6]
        assert reader.segments()[0].size == 1
        assert reader.audience(0, 9) == [
            Entry(3, 1, 1, 1, 6, True, "event"),
            Entry(4, 77, 1, 1, 5, False, "erasure"),
        ]
        assert reader.behaviours([5, 6]) == {6: b"y"}
        assert reader.due(9, 9) == [6]


def test_what_entered_and_left_is_deleted_from_the_oldest_on_and_exits_of_the_erased_by_themselves(
    ledger: Ledger,
) -> None:
    def work(tx: LedgerWriter) -> None:
        tx.put_segment(ONE)
        first = tx.numbers("last_audience", 6)
        for at, cause in enumerate(("event", "erasure", "event", "time", "erasure", "event")):
            tx.note_audience([Entry(first + at, at, 1, 1, 5, at % 2 == 0, cause)])

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.erased_exits(4) == [2]
        assert reader.erased_exits(5) == [2, 5]
    assert ledger.write(lambda tx: tx.prune_audience(2, 1)) == 1
    assert ledger.write(lambda tx: tx.prune_audience(2, 9)) == 1
    assert ledger.write(lambda tx: tx.prune_audience(2, 9)) == 0
    ledger.write(lambda tx: tx.drop_audience([5]))
    with ledger.read() as reader:
        assert [row.id for row in reader.audience(0, 9)] == [3, 4, 6]
