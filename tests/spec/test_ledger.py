"""What every ledger must do."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

import pytest

from shopkeeper.domain.errors import Conflict
from shopkeeper.stores.contract.ledger import Ledger, LedgerWriter
from shopkeeper.stores.contract.rows import (
    Edge,
    Member,
    NewEvent,
    NewNode,
    NewQuarantine,
    Prediction,
    Record,
    Sealed,
)


def key(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def new(
    message: str, node: int = 0, at: int = 0, name: str = "Product Viewed", payload: bytes = b"{}"
) -> NewEvent:
    return NewEvent(name, 1, "test", "", "web", at, at, node, "", key(message), payload, b"8 bytes.")


def nodes(tx: LedgerWriter, *names: str) -> list[int]:
    placed = tx.add_nodes([NewNode(key(n), "email", b"salt" + n.encode(), b"sealed", 0) for n in names])
    return [placed[key(n)] for n in names]


def record(customer: int, **values: object) -> Record:
    row = Record(customer, b"body", 0, b"", 1, 0, 0, 0, 0, 0, "")
    return row._replace(**values)  # type: ignore[arg-type]


def test_a_fresh_ledger_is_empty_and_sound(ledger: Ledger) -> None:
    with ledger.read() as reader:
        assert set(reader.counts().values()) == {0}
        assert reader.log_after(0, 10) == []
        assert reader.setting("nothing") is None
    assert ledger.check() == []


def test_events_come_back_as_they_were_appended_in_the_order_of_the_log(ledger: Ledger) -> None:
    rows = [new(f"m{i}", at=100 - i, payload=b'{"i":%d}' % i) for i in range(10)]
    appended = ledger.write(lambda tx: tx.append(rows))
    first = appended[0].seq
    with ledger.read() as reader:
        log = reader.log_after(0, 100)
        assert log == appended
        assert [e.seq for e in log] == list(range(first, first + 10))
        assert [e.payload for e in log] == [r.payload for r in rows]
        assert [e.key for e in reader.log_after(first + 7, 100)] == [r.key for r in rows[8:]]
        assert reader.event_names() == {"Product Viewed": 10}
        assert reader.event_names(first + 6) == {"Product Viewed": 3}
        assert reader.withdrawn_after(0) == []
    against = [new(f"no{n}", node=node, name="Consent Withdrawn") for n, node in enumerate((7, 5, 7, 0))]
    last = ledger.write(lambda tx: tx.append(against))[0].seq
    with ledger.read() as reader:
        assert reader.withdrawn_after(first) == [5, 7]
        assert reader.withdrawn_after(last) == [5, 7]
        assert reader.withdrawn_after(last + 2) == []


def test_a_node_was_first_seen_when_the_earliest_event_saw_it(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> list[int]:
        rows = [NewNode(key(name), "email", b"salt", b"sealed", 50) for name in "ab"]
        a, b = (tx.add_nodes(rows)[key(name)] for name in "ab")
        tx.seen_before([(a, 70), (b, 20)])
        tx.seen_before([(b, 30)])
        return [a, b]

    placed = ledger.write(work)
    with ledger.read() as reader:
        assert [row.first_seen for row in reader.identifiers(placed)] == [50, 20]


def test_a_failed_write_leaves_nothing(ledger: Ledger) -> None:
    def fail(tx: LedgerWriter) -> None:
        tx.append([new("m")])
        tx.keep("name", "value")
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        ledger.write(fail)
    with ledger.read() as reader:
        assert reader.counts()["events"] == 0
        assert reader.setting("name") is None


def test_a_failed_write_does_not_take_its_neighbours_along(ledger: Ledger) -> None:
    gate = threading.Event()

    def slow(tx: LedgerWriter) -> None:
        gate.wait(120)

    def fail(tx: LedgerWriter) -> None:
        tx.keep("bad", "1")
        raise RuntimeError("on purpose")

    with ThreadPoolExecutor(4) as pool:
        waiting = pool.submit(ledger.write, slow)
        good = [pool.submit(ledger.write, lambda tx, i=i: tx.keep(f"good{i}", "1")) for i in range(1)]
        bad = pool.submit(ledger.write, fail)
        gate.set()
        waiting.result(120)
        for one in good:
            one.result(120)
        with pytest.raises(RuntimeError):
            bad.result(120)
    with ledger.read() as reader:
        assert reader.setting("good0") == "1"
        assert reader.setting("bad") is None


def test_who_joins_a_write_that_was_alone_fails_alone(ledger: Ledger) -> None:
    begun, gate = threading.Event(), threading.Event()

    def alone(tx: LedgerWriter) -> None:
        tx.keep("first", "1")
        begun.set()
        gate.wait(10)

    def fail(tx: LedgerWriter) -> None:
        tx.keep("bad", "1")
        raise RuntimeError("on purpose")

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ledger.write, alone)
        assert begun.wait(10)  # nobody waited when it began
        bad = pool.submit(ledger.write, fail)
        last = pool.submit(ledger.write, lambda tx: tx.keep("last", "1"))
        gate.set()
        first.result(10)
        last.result(10)
        with pytest.raises(RuntimeError, match="on purpose"):
            bad.result(10)
    with ledger.read() as reader:
        assert [reader.setting(name) for name in ("first", "bad", "last")] == ["1", None, "1"]


def test_a_write_alone_that_fails_leaves_those_after_it_unharmed(ledger: Ledger) -> None:
    begun, gate = threading.Event(), threading.Event()

    def fail(tx: LedgerWriter) -> None:
        tx.keep("bad", "1")
        begun.set()
        gate.wait(10)
        raise RuntimeError("on purpose")

    with ThreadPoolExecutor(2) as pool:
        bad = pool.submit(ledger.write, fail)
        assert begun.wait(10)
        after = pool.submit(ledger.write, lambda tx: tx.keep("after", "1"))
        gate.set()
        with pytest.raises(RuntimeError, match="on purpose"):
            bad.result(10)
        after.result(10)
    with ledger.read() as reader:
        assert (reader.setting("bad"), reader.setting("after")) == (None, "1")


def test_many_writers_get_places_of_their_own(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        appended = list(
            pool.map(
                lambda i: ledger.write(lambda tx: tx.append([new(f"{i}-{j}") for j in range(5)])), range(40)
            )
        )
    assert sorted(rows[0].seq for rows in appended) == list(range(1, 201, 5))
    with ledger.read() as reader:
        assert len(reader.log_after(0, 1000)) == 200


def test_a_write_inside_a_write_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Conflict):
        ledger.write(lambda tx: ledger.write(lambda inner: inner.keep("a", "b")))


def test_a_reader_keeps_the_state_it_began_with(ledger: Ledger) -> None:
    ledger.write(lambda tx: tx.append([new("before")]))
    with ledger.read() as reader:
        ledger.write(lambda tx: tx.append([new("after")]))
        assert reader.counts()["events"] == 1
    with ledger.read() as reader:
        assert reader.counts()["events"] == 2


def test_repeats_are_known_for_ever_even_when_the_event_is_gone(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        (node,) = nodes(tx, "a")
        tx.append([new("m1", node)])
        tx.assign([Member(node, 1, False)])
        tx.forget([node], [1], [], [], 5)

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.counts()["events"] == 0
    known = ledger.write(lambda tx: tx.repeated([key("m1"), key("m2")]))
    assert known == {key("m1"): b"8 bytes."}


def test_a_pseudonym_keeps_its_node(ledger: Ledger) -> None:
    a, b = ledger.write(lambda tx: nodes(tx, "a", "b"))
    again, c = ledger.write(lambda tx: nodes(tx, "a", "c"))
    assert again == a
    assert len({a, b, c}) == 3
    with ledger.read() as reader:
        assert reader.nodes([key("a"), key("zzz")]) == {key("a"): a}
        assert reader.identifiers([a])[0].salt == b"salta"


def test_of_two_evidences_for_an_edge_the_earlier_stays_whatever_came_first(ledger: Ledger) -> None:
    ledger.write(lambda tx: tx.link([Edge(1, 2, 50, 1, "later")]))
    ledger.write(lambda tx: tx.link([Edge(1, 2, 20, 2, "earlier"), Edge(2, 3, 9, 3, "other")]))
    ledger.write(lambda tx: tx.link([Edge(1, 2, 90, 4, "latest")]))
    with ledger.read() as reader:
        assert reader.edges([1]) == [Edge(1, 2, 20, 2, "earlier")]
        assert len(reader.edges([2])) == 2


def test_aliases_are_followed_to_the_end_and_a_revived_id_is_none(ledger: Ledger) -> None:
    ledger.write(lambda tx: tx.became([(3, 2)]))
    ledger.write(lambda tx: tx.became([(2, 1)]))
    with ledger.read() as reader:
        assert reader.alias(3) == 1
        assert reader.alias(2) == 1
        assert reader.alias(1) is None
        assert reader.aliases([1]) == reader.aliases(None) == {2: 1, 3: 1}
        assert reader.aliases([2]) == {}


def test_events_to_fold_come_by_customer_in_the_order_of_time(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        a, b, c = nodes(tx, "a", "b", "c")
        tx.assign([Member(a, 1, False), Member(b, 1, False), Member(c, 2, False)])
        tx.append(
            [new("m3", a, 30), new("m1", b, 10), new("m2", c, 20), new("m0", a, 10), new("nobody", 0, 1)]
        )

    ledger.write(work)
    with ledger.read() as reader:
        folded = reader.to_fold([1, 2])
    assert [row[:2] for row in folded] == [(1, 10), (1, 10), (1, 30), (2, 20)]
    assert folded[0][2] < folded[1][2]


def test_a_timeline_pages_without_gaps_or_repeats(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> int:
        (a,) = nodes(tx, "a")
        tx.append([new(f"m{i}", a, i // 3) for i in range(20)])
        return a

    a = ledger.write(work)
    seen: list[int] = []
    before = None
    with ledger.read() as reader:
        while page := reader.log_of([a], before, 7):
            seen += [e.seq for e in page]
            before = (page[-1].occurred_at, page[-1].seq)
    assert len(seen) == len(set(seen)) == 20
    assert seen == sorted(seen, reverse=True)


def test_search_finds_customers_by_all_the_tokens_wherever_they_stand(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        a, b, c = nodes(tx, "a", "b", "c")
        tx.assign([Member(a, 1, False), Member(b, 1, False), Member(c, 2, False)])
        tx.seal([Sealed(a, 1, 0, "Identified", b"x")], [(b"anna", a), (b"berg", b), (b"anna", c)])

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.search([b"anna"], 10) == [1, 2]
        assert reader.search([b"anna", b"berg"], 10) == [1]
        assert reader.search([b"anna", b"nobody"], 10) == []
        assert reader.search([], 10) == []


def test_what_is_sealed_is_found_by_its_kind_and_replaced(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        a, b = nodes(tx, "a", "b")
        rows = [Sealed(b, 3, 5, "Customer Referred", b"b3"), Sealed(a, 1, 7, "Customer Referred", b"a1")]
        tx.seal([*rows, Sealed(a, 2, 7, "Identified", b"a2")], [])
        tx.reseal([rows[0]._replace(sealed=b"anew")])
        tx.reseal([])

    ledger.write(work)
    with ledger.read() as reader:
        assert [row.sealed for row in reader.sealed_as("Customer Referred")] == [b"a1", b"anew"]
        assert reader.sealed_as("Product Shared") == []


def test_who_never_bought_is_in_no_list_by_value(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        tx.remember([record(1, orders=1), record(2, orders=0)])
        tx.predict([Prediction(1, 5.0, 0.5, "active", b"{}"), Prediction(2, None, None, "", b"{}")], run=1)
        tx.switch(1)

    ledger.write(work)
    with ledger.read() as reader:
        assert [row.customer for row in reader.ranking("value", None, 9, None)] == [1]
        assert (reader.ranked("value"), reader.ranked("margin")) == (1, 2)
        assert set(reader.predictions([1, 2])) == {1, 2}


def test_rankings_page_in_order(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> None:
        tx.remember([record(i, orders=i % 4, margin=i * 10, last_day=100 - i) for i in range(1, 30)])
        tx.predict(
            [Prediction(i, float(i % 7), 0.5, "fading" if i % 2 else "active", b"{}") for i in range(1, 30)],
            run=1,
        )

    ledger.write(work)
    with ledger.read() as reader:
        assert reader.ranked("value") == 0, "a run is not seen before the switch"
    ledger.write(lambda tx: tx.switch(1))
    with ledger.read() as reader:
        for sort, count in (("value", 29), ("margin", 29), ("orders", 29), ("recent", 29), ("fading", 15)):
            rows, after = [], None
            while page := reader.ranking(sort, after, 4, None):
                rows += page
                after = (page[-1].sort, page[-1].customer)
            assert len({r.customer for r in rows}) == count == len(rows) == reader.ranked(sort)
            assert [(-r.sort, r.customer) for r in rows] == sorted((-r.sort, r.customer) for r in rows)
        assert [r.customer for r in reader.ranking("margin", None, 5, [3, 9])] == [9, 3]
        for sort in ("value", "margin", "orders", "recent"):
            of_state = reader.ranking(sort, None, 99, None, "active")
            assert [r for r in reader.ranking(sort, None, 99, None) if r.state == "active"] == of_state
            assert len(of_state) == reader.ranked(sort, "active") == 14


def test_a_new_run_replaces_the_old_one_at_once(ledger: Ledger) -> None:
    ledger.write(lambda tx: (tx.predict([Prediction(1, 5.0, 0.5, "new", b"{}")], run=1), tx.switch(1)))
    ledger.write(lambda tx: tx.predict([Prediction(1, 9.0, 0.5, "new", b"{}")], run=2))
    with ledger.read() as reader:
        assert reader.predictions([1])[1].clv == 5.0
    ledger.write(lambda tx: tx.switch(2))
    with ledger.read() as reader:
        assert reader.predictions([1])[1].clv == 9.0


def test_a_switch_leaves_what_a_later_run_has_written_so_far(ledger: Ledger) -> None:
    for run in (1, 2, 3):
        ledger.write(lambda tx, run=run: tx.predict([Prediction(1, float(run), 0.5, "new", b"{}")], run=run))
    ledger.write(lambda tx: tx.switch(2))
    with ledger.read() as reader:
        assert sorted(run for rows in reader.all_foretold() for run, *_ in rows) == [2, 3]
    ledger.write(lambda tx: tx.switch(3))
    with ledger.read() as reader:
        assert reader.predictions([1])[1].clv == 3.0


def test_every_prediction_can_be_told_otherwise_those_aside_among_them(ledger: Ledger) -> None:
    ledger.write(lambda tx: (tx.predict([Prediction(2, 5.0, 0.5, "new", b"two")], run=1), tx.switch(1)))
    ledger.write(lambda tx: tx.predict([Prediction(1, 9.0, 0.5, "new", b"one")], run=2))
    with ledger.read() as reader:
        assert [row for rows in reader.all_foretold() for row in rows] == [(1, 2, b"two"), (2, 1, b"one")]
    ledger.write(lambda tx: tx.retell([(b"else", 2, 1)]))
    with ledger.read() as reader:
        assert [body for rows in reader.all_foretold() for *_, body in rows] == [b"two", b"else"]
        assert reader.predictions([2])[2].body == b"two"


def test_stale_records_are_found_by_reducers_and_catalogue(ledger: Ledger) -> None:
    ledger.write(lambda tx: tx.remember([record(1), record(2, reducers=2), record(3, catalogue=7)]))
    with ledger.read() as reader:
        assert reader.stale(1, 0, 10) == [2, 3]


def test_reference_counts_what_is_new_or_changed(ledger: Ledger) -> None:
    assert ledger.write(lambda tx: tx.put_reference("product", [("a", b"1"), ("b", b"1")])) == 2
    assert ledger.write(lambda tx: tx.put_reference("product", [("a", b"1"), ("b", b"2")])) == 1
    with ledger.read() as reader:
        assert reader.reference("product") == [b"1", b"2"]
        assert reader.reference("store") == []


def test_order_lines_are_remembered(ledger: Ledger) -> None:
    ledger.write(lambda tx: tx.remember_lines({key("o1"): b"11111111"}))
    ledger.write(lambda tx: tx.remember_lines({key("o1"): b"1111111122222222", key("o2"): b"33333333"}))
    known = ledger.write(lambda tx: tx.known_lines([key("o1"), key("o3")]))
    assert known == {key("o1"): b"1111111122222222"}


def test_forgetting_takes_everything_but_what_must_stay_without_the_person(ledger: Ledger) -> None:
    def work(tx: LedgerWriter) -> tuple[int, int]:
        a, b = nodes(tx, "a", "b")
        tx.assign([Member(a, 1, False), Member(b, 2, False)])
        tx.append([new("view", a), new("order", a, name="Order Completed"), new("other", b)])
        tx.seal([Sealed(a, 1, 0, "Identified", b"secret")], [(b"anna", a), (b"bert", b)])
        tx.link([Edge(a, b, 0, 1, "x")])
        tx.remember([record(1), record(2)])
        tx.became([(9, 1)])
        tx.refuse(
            [
                NewQuarantine(0, "s", "k", 1, "bad", "d", b"salt", b"sealed", (key("cell"),)),
                NewQuarantine(0, "s", "k", 2, "bad", "d", b"salt", b"sealed", (key("another"),)),
            ]
        )
        return tx.forget([a], [1], ["Order Completed"], [key("cell")], 77)

    assert ledger.write(work) == (1, 1)
    with ledger.read() as reader:
        assert [(e.name, e.node > 0) for e in reader.log_after(0, 10)] == [
            ("Order Completed", False),
            ("Product Viewed", True),
        ]
        assert reader.erased([key("a"), key("b")]) == {key("a"): 77}
        assert reader.nodes([key("a")]) == {}
        assert reader.search([b"anna"], 5) == []
        assert reader.search([b"bert"], 5) == [2]
        assert [r.customer for r in reader.records([1, 2])] == [2]
        assert reader.alias(9) is None
        assert [q.line for q in reader.quarantine(None, 10)] == [2]
        assert reader.quarantine_reasons() == {("s", "bad"): 1}


def test_numbers_are_never_given_twice(ledger: Ledger) -> None:
    assert ledger.write(lambda tx: tx.numbers("x", 3)) == 1
    assert ledger.write(lambda tx: tx.numbers("x", 1)) == 4
    assert ledger.write(lambda tx: tx.numbers("y", 1)) == 1


def test_long_lists_are_asked_in_pieces(ledger: Ledger) -> None:
    ledger.write(lambda tx: nodes(tx, *[f"n{i}" for i in range(12_000)]))
    with ledger.read() as reader:
        assert len(reader.nodes([key(f"n{i}") for i in range(12_000)])) == 12_000


def test_a_closed_ledger_says_so(ledger: Ledger) -> None:
    ledger.close()
    with pytest.raises(Conflict):
        ledger.write(lambda tx: tx.keep("a", "b"))


def test_what_time_turns_comes_by_its_instant_and_what_is_written_live_is_told(ledger: Ledger) -> None:
    rows = [Prediction(i, float(i), 0.5, "active", b"{}", 100 - i) for i in range(1, 5)]
    ledger.write(lambda tx: (tx.predict(rows, run=1), tx.remember([record(i) for i in range(1, 6)])))
    with ledger.read() as reader:
        assert (reader.turning(1_000, 9), reader.next_turn(), reader.stood(9)) == ([], None, [])
    ledger.write(lambda tx: tx.switch(1))
    with ledger.read() as reader:
        assert reader.turning(98, 9) == [4, 3, 2]
        assert reader.turning(98, 2) == [4, 3]
        assert reader.next_turn() == 96
    live = [
        Prediction(3, None, None, "fading", b"[3]", 500, 70),
        Prediction(5, None, None, "new", b"[5]", 400, 71),
    ]
    ledger.write(lambda tx: tx.restand(live))
    with ledger.read() as reader:
        assert reader.turning(98, 9) == [4, 2]
        assert (reader.stood(9), reader.stood(1)) == ([3, 5], [3])
        told = reader.predictions([3, 5])
        assert told[3] == Prediction(3, 3.0, 0.5, "fading", b"[3]", 500, 70), "its value is the refresh's"
        assert told[5] == live[1]
        assert [row.customer for row in reader.ranking("fading", None, 9, None)] == [3]
        assert [row.customer for row in reader.ranking("value", None, 9, None)] == [4, 3, 2, 1]
        assert reader.ranked("value") == 4
    ledger.write(lambda tx: (tx.predict(rows[:1], run=2), tx.switch(2)))
    with ledger.read() as reader:
        assert reader.stood(9) == []
