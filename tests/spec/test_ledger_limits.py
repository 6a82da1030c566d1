"""What every ledger must do about identifiers that are no single person's."""

from __future__ import annotations

from tests.spec.test_ledger import nodes

from shopkeeper.stores.contract.ledger import Ledger, LedgerWriter
from shopkeeper.stores.contract.limits import Aside, Busy, Standing
from shopkeeper.stores.contract.rows import Edge, Likeness, Member, Verdict


def five(ledger: Ledger) -> list[int]:
    return ledger.write(lambda tx: nodes(tx, "a", "b", "c", "d", "e"))


def test_what_there_is_to_ask_for_is_told_in_one_answer(ledger: Ledger) -> None:
    a, b, *_ = five(ledger)
    with ledger.read() as reader:
        assert reader.standing() == Standing(False, False, False, False, None)

    def work(tx: LedgerWriter) -> None:
        tx.decide([Verdict(a, b, True, 1, "u", "review")])
        tx.liken([Likeness(a, b, 1.0, "m", 1)])
        tx.set_aside([Aside(a, 1, "u", "review", 0)])
        tx.move([(b, 5)], [])
        tx.keep("identity_rules", "{}")

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.standing() == Standing(True, True, True, True, "{}")


def test_of_an_edge_the_earliest_event_and_the_latest_month_stay(ledger: Ledger) -> None:
    a, b, c, d, _ = five(ledger)
    ledger.write(lambda tx: tx.link([Edge(a, b, 50, 5, "x", 40), Edge(c, d, 50, 5, "x")]))
    ledger.write(lambda tx: tx.link([Edge(a, b, 70, 7, "y", 60), Edge(c, d, 70, 7, "y", 60)]))
    ledger.write(lambda tx: tx.link([Edge(a, b, 30, 3, "z", 20)]))
    with ledger.read() as reader:
        assert reader.edges([a]) == [Edge(a, b, 30, 3, "z", 60)]
        assert reader.edges_of_pairs([(c, d)]) == [Edge(c, d, 50, 5, "x", 0)], (
            "what is not known stays unknown"
        )


def test_identifiers_are_set_aside_and_taken_back(ledger: Ledger) -> None:
    a, b, c, *_ = five(ledger)
    first, other = Aside(a, 1, "u1", "names", 9), Aside(b, 2, "u1", "review", 0)
    ledger.write(lambda tx: tx.set_aside([first, other]))
    ledger.write(lambda tx: tx.set_aside([first._replace(names=12)]))
    with ledger.read() as reader:
        assert reader.asides() == [first._replace(names=12), other]
        assert reader.asides([b, c]) == [other]
    assert ledger.write(lambda tx: tx.take_back([a, c])) == 1
    with ledger.read() as reader:
        assert reader.asides() == [other]


def test_the_busiest_are_listed_unless_somebody_looked_or_set_them_aside(ledger: Ledger) -> None:
    a, b, c, d, e = five(ledger)
    rows = [Busy(a, 2, 9, 1, 30), Busy(b, 1, 14, 4, 31), Busy(c, 3, 7, 3, 32), Busy(d, 3, 50, 9, 32)]

    def work(tx: LedgerWriter) -> None:
        tx.note_busy([Busy(e, 1, 1, 1, 1)])
        tx.note_busy(rows)
        tx.assign([Member(n, n, False) for n in (a, b, c, e)])

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.busy(10) == [rows[1], rows[2], rows[0]], "d is nobody any more, e was noted before"
        assert reader.busy(1) == [rows[1]]
    ledger.write(lambda tx: tx.looked_at(b, 1, "u1"))
    ledger.write(lambda tx: tx.set_aside([Aside(c, 1, "u1", "review", 0)]))
    with ledger.read() as reader:
        assert reader.busy(10) == [rows[0]]


def test_numbers_move_and_move_back(ledger: Ledger) -> None:
    a, b, *_ = five(ledger)
    ledger.write(lambda tx: tx.move([(a, 10), (b, 20)], []))
    ledger.write(lambda tx: tx.move([(a, 15)], [b]))
    with ledger.read() as reader:
        assert reader.moved([a, b]) == {a: 15}
        assert reader.first_event(a) is None


def test_nodes_with_many_edges_and_shared_ones_are_found(ledger: Ledger) -> None:
    a, b, c, d, e = five(ledger)
    ledger.write(lambda tx: tx.link([Edge(a, n, 1, 1, "x") for n in (b, c, d)]))
    ledger.write(lambda tx: tx.assign([Member(e, 1, True), Member(d, 2, False)]))
    with ledger.read() as reader:
        assert [node for chunk in reader.manifold(2) for node in chunk] == [a, e]
        assert [node for chunk in reader.manifold(0) for node in chunk] == [a, b, c, d, e]


def test_customers_with_many_identifiers_and_those_kept_apart_are_found(ledger: Ledger) -> None:
    a, b, c, d, e = five(ledger)
    ledger.write(lambda tx: tx.link([Edge(a, b, 1, 1, "x"), Edge(a, c, 1, 1, "x"), Edge(a, e, 1, 1, "x")]))
    ledger.write(lambda tx: tx.liken([Likeness(b, d, 9.0, "m", 1)]))
    ledger.write(
        lambda tx: tx.assign([Member(n, who, n == e) for n, who in ((a, 1), (b, 1), (c, 2), (d, 3), (e, 4))])
    )
    with ledger.read() as reader:
        kinds = sorted({kind for kind, _ in reader.marks([a, b]).values()})
        assert reader.larger(kinds, 1) == [1]
        assert reader.larger(kinds, 2) == []
        assert reader.larger(["gift_card"], 0) == []
        assert reader.separated() == [(a, c), (b, d)]


def test_two_are_parted_for_good(ledger: Ledger) -> None:
    a, b, c, *_ = five(ledger)
    ledger.write(lambda tx: tx.link([Edge(a, b, 1, 1, "x"), Edge(a, c, 1, 1, "x")]))
    ledger.write(lambda tx: tx.cut([(a, b)]))
    ledger.write(lambda tx: tx.cut([]))
    with ledger.read() as reader:
        assert [(edge.a, edge.b) for edge in reader.edges([a])] == [(a, c)]


def test_forgetting_forgets_them_too(ledger: Ledger) -> None:
    a, b, *_ = five(ledger)

    def work(tx: LedgerWriter) -> None:
        tx.assign([Member(a, 1, False), Member(b, 2, False)])
        tx.set_aside([Aside(a, 1, "u1", "review", 0), Aside(b, 1, "u1", "review", 0)])
        tx.note_busy([Busy(a, 2, 9, 1, 30)])
        tx.move([(a, 10)], [])
        tx.forget([a], [1], (), (), 5)

    ledger.write(work)
    with ledger.read() as reader:
        assert [one.node for one in reader.asides()] == [b]
        assert reader.busy(10) == []
        assert reader.moved([a]) == {}
