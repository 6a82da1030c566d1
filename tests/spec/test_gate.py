"""What every gate must do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.source import Source
from shopkeeper.stores.contract.gate import Gate, GateWriter, NewDelivery, NewJob, SealedSecret, WriteKey

_ALL = 1 << 40


def delivery(body: bytes = b"body", *, events: int = 1, at: int = 7) -> NewDelivery:
    return NewDelivery(at, "web-shop", "tracking", "batch", events, b"salt", body)


def put(gate: Gate, *deliveries: NewDelivery) -> None:
    """Put and wait until all are on disk."""
    left = threading.Semaphore(0)
    failed: list[Exception] = []

    def done(error: Exception | None) -> None:
        if error is not None:
            failed.append(error)
        left.release()

    for one in deliveries:
        gate.inbox.put(one, done)
    for _ in deliveries:
        assert left.acquire(timeout=120), "a delivery was neither kept nor refused"
    assert failed == []


def job(reference: str = "") -> NewJob:
    return NewJob("export", "owner", reference, b"salt", b"arguments", 5)


def test_a_fresh_gate_is_empty_and_sound(gate: Gate) -> None:
    assert gate.inbox.waiting(0, _ALL) == []
    assert gate.inbox.backlog(0) == (0, 0, 0, 0)
    assert gate.check() == []
    with gate.read() as reader:
        assert reader.sources() == reader.write_keys() == reader.secrets() == reader.jobs(10) == []


def test_deliveries_come_back_as_they_were_put_in_their_order(gate: Gate) -> None:
    given = [delivery(b"%d" % n, events=n, at=100 + n) for n in range(1, 30)]
    put(gate, *given)
    kept = gate.inbox.waiting(0, _ALL)
    assert [(k.received_at, k.source, k.format, k.topic, k.events, k.salt, k.body) for k in kept] == given
    assert [k.id for k in kept] == sorted({k.id for k in kept})
    assert {k.attempts for k in kept} == {0}


def test_about_as_much_is_given_as_was_asked_for_and_at_least_one(gate: Gate) -> None:
    put(gate, *[delivery(bytes(10_000)) for _ in range(10)])
    assert len(gate.inbox.waiting(0, 1)) == 1
    assert 2 <= len(gate.inbox.waiting(0, 35_000)) <= 4
    assert len(gate.inbox.waiting(0, _ALL)) == 10


def test_what_was_not_forgotten_is_given_again_and_what_was_is_not(gate: Gate) -> None:
    put(gate, *[delivery(b"%d" % n) for n in range(6)])
    first = gate.inbox.waiting(0, _ALL)
    assert gate.inbox.waiting(0, _ALL) == first
    gate.inbox.forget(first[3].id)
    assert [k.body for k in gate.inbox.waiting(0, _ALL)] == [b"4", b"5"]
    gate.inbox.forget(first[5].id)
    assert gate.inbox.waiting(0, _ALL) == []


def test_the_backlog_is_what_waits(gate: Gate) -> None:
    put(gate, *[delivery(bytes(100), events=3, at=50 + n) for n in range(5)])
    backlog = gate.inbox.backlog(0)
    assert (backlog.deliveries, backlog.events, backlog.oldest) == (5, 15, 50)
    assert backlog.octets >= 500
    kept = gate.inbox.waiting(0, _ALL)
    gate.inbox.forget(kept[1].id)
    after = gate.inbox.backlog(0)
    assert (after.deliveries, after.events, after.oldest) == (3, 9, 52)
    assert after.octets < backlog.octets


def test_numbers_are_not_given_again_when_everything_was_forgotten(gate_again: Callable[[], Gate]) -> None:
    gate = gate_again()
    put(gate, delivery(), delivery())
    last = gate.inbox.waiting(0, _ALL)[-1].id
    gate.inbox.forget(last)
    gate.close()
    again = gate_again()
    put(again, delivery())
    assert again.inbox.waiting(0, _ALL)[0].id > last


def test_numbers_begin_after_what_a_ledger_has_seen(gate: Gate) -> None:
    gate.inbox.begin_after(500)
    gate.inbox.begin_after(20)
    put(gate, delivery())
    assert gate.inbox.waiting(0, _ALL)[0].id == 501


def test_what_is_left_of_a_span_is_known_whoever_holds_it(gate: Gate) -> None:
    assert gate.inbox.last() == 0
    assert not gate.inbox.left(0, 10)
    put(gate, delivery(), delivery(), delivery())
    _, second, third = (kept.id for kept in gate.inbox.waiting(0, _ALL))
    assert gate.inbox.last() == third
    gate.inbox.forget(second)
    assert not gate.inbox.left(0, second)
    assert gate.inbox.left(0, third)
    assert not gate.inbox.left(third, third + 5)
    gate.inbox.forget(third)
    assert (gate.inbox.last(), gate.inbox.left(0, third)) == (third, False)


def test_what_was_told_to_be_on_disk_is_there_when_the_gate_is_opened_again(
    gate_again: Callable[[], Gate],
) -> None:
    gate = gate_again()
    put(gate, *[delivery(b"%d" % n) for n in range(50)])
    gate.close()
    assert len(gate_again().inbox.waiting(0, _ALL)) == 50


def test_many_hand_in_at_once(gate: Gate) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(gate, *[delivery(b"%d-%d" % (n, i)) for i in range(10)]), range(20)))
    kept = gate.inbox.waiting(0, _ALL)
    assert len({k.body for k in kept}) == len({k.id for k in kept}) == 200


def test_attempts_are_counted(gate: Gate) -> None:
    put(gate, delivery(), delivery())
    first, second = gate.inbox.waiting(0, _ALL)
    gate.inbox.begun([first.id])
    gate.inbox.begun([first.id, second.id])
    assert [k.attempts for k in gate.inbox.waiting(0, _ALL)] == [2, 1]


def test_sources_keys_and_secrets_are_kept_and_every_change_is_noticed(gate: Gate) -> None:
    def seen() -> int:
        with gate.read() as reader:
            return reader.generation()

    steps: list[Callable[[GateWriter], None]] = [
        lambda tx: tx.put_source(Source(name="web-shop", kind="tracking")),
        lambda tx: tx.add_write_key(WriteKey(b"hash", "web-shop", "abcd", 1, 0, 0)),
        lambda tx: tx.put_secret(SealedSecret("web-shop", b"salt", b"sealed", 2), "web-shop"),
        lambda tx: tx.end_write_keys([b"hash"], 90),
        lambda tx: tx.put_source(Source(name="web-shop", kind="tracking", disabled=True)),
    ]
    for step in steps:
        before = seen()
        gate.write(step)
        assert seen() > before
    quiet = seen()
    gate.write(lambda tx: tx.note_used([(b"hash", 33)]))
    assert seen() == quiet
    gate.write(lambda tx: tx.end_write_keys([b"hash"], 95))
    with gate.read() as reader:
        assert reader.sources() == [Source(name="web-shop", kind="tracking", disabled=True)]
        assert reader.write_keys() == [WriteKey(b"hash", "web-shop", "abcd", 1, 33, 90)]
        assert reader.secrets() == [SealedSecret("web-shop", b"salt", b"sealed", 2)]
    gate.write(lambda tx: tx.put_secret(None, "web-shop"))
    with gate.read() as reader:
        assert reader.secrets() == []


def test_a_job_is_asked_for_once_begun_once_and_ends(gate: Gate) -> None:
    first = gate.write(lambda tx: tx.add_job(job("request-1")))
    assert gate.write(lambda tx: tx.add_job(job("request-1"))) == first
    second = gate.write(lambda tx: tx.add_job(job()))
    assert second != first
    begun = gate.write(lambda tx: tx.begin_job(10))
    assert begun is not None
    assert (begun.id, begun.state, begun.began_at, begun.arguments) == (first, "running", 10, b"arguments")
    gate.write(lambda tx: tx.note_progress(first, "looking", 0.5))
    with gate.read() as reader:
        running = reader.job(first)
        assert running is not None
        assert (running.step, running.progress) == ("looking", 0.5)
    gate.write(lambda tx: tx.end_job(first, result=b"result", error="", at=20, keep=False))
    with gate.read() as reader:
        done = reader.job(first)
        assert done is not None
        assert (done.state, done.result, done.arguments, done.ended_at) == ("done", b"result", b"", 20)
        assert [one.id for one in reader.jobs(10)] == [second, first]
    assert gate.write(lambda tx: tx.begin_job(30)).id == second  # type: ignore[union-attr]
    assert gate.write(lambda tx: tx.begin_job(30)) is None


def test_jobs_of_a_worker_that_died_fail(gate_again: Callable[[], Gate]) -> None:
    gate = gate_again()
    number = gate.write(lambda tx: tx.add_job(job()))
    gate.write(lambda tx: tx.begin_job(10))
    gate.close()
    again = gate_again()
    assert again.write(lambda tx: tx.resume_jobs(1)) == [number]
    with again.read() as reader:
        failed = reader.job(number)
        assert failed is not None
        assert (failed.state, bool(failed.error)) == ("failed", True)


def test_a_failed_write_leaves_nothing(gate: Gate) -> None:
    def fail(tx: GateWriter) -> None:
        tx.put_source(Source(name="web-shop", kind="tracking"))
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        gate.write(fail)
    with gate.read() as reader:
        assert reader.sources() == []


def test_a_reader_keeps_the_state_it_began_with(gate: Gate) -> None:
    with gate.read() as reader:
        gate.write(lambda tx: tx.put_source(Source(name="web-shop", kind="tracking")))
        assert reader.sources() == []


def test_forgotten_deliveries_can_be_scrubbed(gate: Gate) -> None:
    put(gate, delivery(b"secret" * 100))
    gate.inbox.forget(gate.inbox.waiting(0, _ALL)[-1].id)
    assert gate.scrub()


def test_a_backup_is_a_sqlite_gate(gate: Gate, tmp_path: Path) -> None:
    from shopkeeper.stores.gate.sqlite import SqliteGate

    put(gate, *[delivery(b"%d" % n) for n in range(3)])
    gate.write(lambda tx: tx.put_source(Source(name="web-shop", kind="tracking")))
    gate.backup(tmp_path / "copy.db")
    copy = SqliteGate(tmp_path / "copy.db")
    assert [k.body for k in copy.inbox.waiting(0, _ALL)] == [b"0", b"1", b"2"]
    with copy.read() as reader:
        assert [source.name for source in reader.sources()] == ["web-shop"]
    copy.close()


def test_a_closed_gate_says_so(gate: Gate) -> None:
    gate.close()
    with pytest.raises(Conflict):
        gate.write(lambda tx: tx.resume_jobs(1))
    with pytest.raises(Conflict):
        gate.inbox.put(delivery(), lambda error: None)
