"""What every ledger must do about decisions, likenesses and turns."""

from __future__ import annotations

from tests.spec.test_ledger import nodes

from shopkeeper.stores.contract.ledger import Ledger, LedgerWriter
from shopkeeper.stores.contract.rows import Edge, Likeness, Member, NewTurn, Verdict


def five(ledger: Ledger) -> list[int]:
    return ledger.write(lambda tx: nodes(tx, "a", "b", "c", "d", "e"))


def test_edges_are_found_by_pair_and_neighbours_by_node(ledger: Ledger) -> None:
    a, b, c, d, e = five(ledger)
    edges = [Edge(a, b, 10, 1, "x"), Edge(a, c, 20, 2, "y"), Edge(b, d, 30, 3, "z")]
    ledger.write(lambda tx: tx.link(edges))
    with ledger.read() as reader:
        found = reader.edges_of_pairs([(a, b), (b, c), (b, d), (d, e)])
        assert sorted(found) == [edges[0], edges[2]]
        assert reader.edges_of_pairs([]) == []
        latest = max(edge.occurred_at for edge in edges)
        for at in (0, latest, latest + 1):
            later = [edge for batch in reader.edges_since(at) for edge in batch]
            assert sorted(later) == sorted(edge for edge in edges if edge.occurred_at >= at)
        many = [(a, n) for n in range(10_000, 11_500)]
        assert reader.edges_of_pairs([*many, (a, c)]) == [edges[1]]
        assert reader.beside(b, 10) == [a, d]
        assert reader.beside(a, 1) == [b]
        assert reader.beside(e, 10) == []


def test_of_two_decisions_on_one_pair_the_later_stays(ledger: Ledger) -> None:
    a, b, c, *_ = five(ledger)
    with ledger.read() as reader:
        assert not reader.standing().verdicts
    first, other = Verdict(a, b, True, 1, "u1", "review"), Verdict(b, c, False, 2, "u1", "unlink")
    ledger.write(lambda tx: tx.decide([first, other]))
    later = Verdict(a, b, False, 3, "u2", "review")
    ledger.write(lambda tx: tx.decide([later]))
    with ledger.read() as reader:
        assert reader.standing().verdicts
        assert reader.verdicts([b]) == [later, other]
        assert reader.verdicts([a]) == [later]
    assert ledger.write(lambda tx: tx.undecide([(a, b), (a, c)])) == 1
    with ledger.read() as reader:
        assert reader.verdicts([a, b, c]) == [other]


def test_likenesses_are_kept_by_pair_and_listed_where_they_joined_nobody(ledger: Ledger) -> None:
    a, b, c, d, _ = five(ledger)
    rows = [Likeness(a, b, 3.5, "m", 1), Likeness(b, c, 9.25, "m", 1), Likeness(c, d, 7.0, "m", 1)]

    def work(tx: LedgerWriter) -> None:
        tx.liken(rows)
        tx.liken([rows[0]._replace(weight=4.5)])
        tx.assign([Member(a, 1, False), Member(b, 2, False), Member(c, 3, False), Member(d, 3, False)])

    ledger.write(work)
    weightier = rows[0]._replace(weight=4.5)
    with ledger.read() as reader:
        assert reader.standing().likenesses
        assert [row for chunk in reader.all_likenesses() for row in chunk] == [weightier, *rows[1:]]
        assert reader.likenesses([b]) == [weightier, rows[1]]
        assert reader.unjoined(10) == [rows[1], weightier]
        assert reader.unjoined(1) == [rows[1]]
    ledger.write(lambda tx: tx.decide([Verdict(b, c, False, 1, "u1", "review")]))
    ledger.write(lambda tx: tx.unliken([(c, d)]))
    with ledger.read() as reader:
        assert reader.unjoined(10) == [weightier]
        assert reader.likenesses([d]) == []


def test_turns_come_latest_first_of_one_customer_or_of_all(ledger: Ledger) -> None:
    rows = [
        NewTurn(n, 100 + n, "merge" if n % 2 else "split", customer, other, 1, 2, 3, "why", "u1")
        for n, (customer, other) in enumerate([(7, 8), (7, 9), (5, 7), (5, 6)], 1)
    ]
    ledger.write(lambda tx: tx.turned(rows))
    with ledger.read() as reader:
        assert reader.turns([], None, 10) == rows[::-1]
        assert reader.turns([7], None, 10) == [rows[2], rows[1], rows[0]]
        assert reader.turns([7], 3, 1) == [rows[1]]
        assert reader.turns([4], None, 10) == []


def test_shared_nodes_are_listed_until_somebody_looked_at_them(ledger: Ledger) -> None:
    a, b, c, d, _ = five(ledger)
    ledger.write(
        lambda tx: tx.assign(
            [Member(a, 1, True), Member(b, 2, False), Member(c, 3, True), Member(d, 3, False)]
        )
    )
    with ledger.read() as reader:
        assert [m.node for m in reader.shared(0, 10)] == [a, c]
        assert [m.node for m in reader.shared(a, 10)] == [c]
        assert reader.crowded(1, 5) == [(3, 2)]
    ledger.write(lambda tx: tx.looked_at(a, 5, "u1"))
    ledger.write(lambda tx: tx.looked_at(a, 6, "u2"))
    with ledger.read() as reader:
        assert [m.node for m in reader.shared(0, 10)] == [c]


def test_who_is_forgotten_is_in_no_decision_likeness_or_turn(ledger: Ledger) -> None:
    a, b, c, *_ = five(ledger)

    def work(tx: LedgerWriter) -> None:
        tx.assign([Member(a, 1, False), Member(b, 2, True), Member(c, 3, False)])
        tx.decide([Verdict(a, b, True, 1, "u1", "review"), Verdict(b, c, True, 1, "u1", "review")])
        tx.liken([Likeness(a, c, 1.0, "m", 1), Likeness(b, c, 1.0, "m", 1)])
        tx.looked_at(a, 1, "u1")
        tx.turned(
            [NewTurn(1, 1, "merge", 1, 9, a, b, 0, "x", ""), NewTurn(2, 1, "merge", 3, 4, c, b, 0, "x", "")]
        )

    ledger.write(work)
    ledger.write(lambda tx: tx.forget([a], [1], [], [], 50))
    with ledger.read() as reader:
        assert [(v.a, v.b) for v in reader.verdicts([a, b, c])] == [(b, c)]
        assert [(x.a, x.b) for x in reader.likenesses([a, b, c])] == [(b, c)]
        assert [turn.id for turn in reader.turns([], None, 10)] == [2]


def test_edges_between_two_customers_are_found_window_by_window(ledger: Ledger) -> None:
    a, b, c, d, e = five(ledger)
    edges = [Edge(x, y, 10, 1, "z") for x, y in ((a, b), (a, c), (b, c), (c, d), (d, e))]

    def work(tx: LedgerWriter) -> None:
        tx.link(edges)
        whose = {a: 1, b: 1, c: 2, d: 3, e: 4}
        tx.assign([Member(node, customer, node == e) for node, customer in whose.items()])

    ledger.write(work)
    crossing = [edges[1], edges[2], edges[3]]
    with ledger.read() as reader:
        assert reader.crossing(0, 100) == (crossing, None)
        assert reader.crossing(0, 5) == (crossing, d), "there may be more"
        assert reader.crossing(d, 5) == ([], None)
        for look in (1, 2, 3, 4):
            found, after, windows = [], 0, 0
            while after is not None:
                rows, after = reader.crossing(after, look)
                found, windows = found + rows, windows + 1
            assert found == crossing
            assert windows > 1
    ledger.write(lambda tx: tx.forget([c], [], [], [], 50))
    with ledger.read() as reader:
        assert reader.crossing(0, 100) == ([], None)
