"""Reading in a process beside: it finds what reading here finds, and whatever befalls it, nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deliveries import bought, everybody, hand, hand_raw, known, until, viewed

import shopkeeper
from shopkeeper.shop import Shop, reading_ahead, working
from shopkeeper.shop.reading_ahead import ReadingAhead
from shopkeeper.shop.understanding import understand
from shopkeeper.shop.working import Worker
from shopkeeper.stores.contract.gate import KeptDelivery

CALLS = [
    [known(f"k{n}", str(n), f"anna.{n}+shop@gmail.com", firstName="Anna") for n in range(3)],
    [viewed("v1", "1"), {"type": "nod"}, viewed("v2", "2", anonymousId="cookie")],
    [bought("o1", "1"), {**bought("o2", "2"), "messageId": "o1"}],  # one id, two contents
]


@pytest.fixture
def beside(shop: Shop) -> Iterator[ReadingAhead]:
    shop.add_source("web", "tracking")
    reader = ReadingAhead(shop.places)
    yield reader
    reader.close()


def ask(beside: ReadingAhead, kept: list[KeptDelivery]) -> None:
    until(beside.ready)
    assert beside.ask(kept)


def waiting(shop: Shop) -> list[KeptDelivery]:
    for calls in CALLS:
        hand(shop, *calls)
    hand_raw(shop, b"no json")
    return shop.places.gate.inbox.waiting(0, 1 << 20)


def test_it_finds_what_reading_here_finds(shop: Shop, beside: ReadingAhead) -> None:
    kept = waiting(shop)
    assert not beside.ask(kept)  # it has to start first
    ask(beside, kept)
    there, here = beside.answer(), understand(shop.places, kept)
    assert there is not None
    assert (there.upto, there.ids, there.wishes) == (here.upto, here.ids, here.wishes)
    for found, expected in zip(there.told, here.told, strict=True):
        assert list(found.ready.events) == list(expected.ready.events)
        assert found.ready.offers.keys() == {hash_ for _, p in found.ready.prepared for hash_, _, _ in p.seen}
        found.ready.events, found.ready.offers = expected.ready.events, {}
        assert found == expected
    assert sum(len(told.ready.prepared) for told in there.told) == 7
    assert {refusal.rows[0].reason for told in there.told for refusal in told.refusals} == {
        "bad_type",
        "not_json",
    }


def test_one_that_dies_leaves_the_reading_to_whoever_asked(
    shop: Shop, beside: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = waiting(shop)
    assert not beside.ask(kept)  # it has to start first
    ask(beside, kept)
    assert beside.answer() is not None
    assert beside.pid is not None
    assert beside._process is not None
    monkeypatch.setattr(reading_ahead, "_AGAIN", 3600.0)
    os.kill(beside.pid, signal.SIGKILL)
    beside._process.wait(120)
    beside.ask(kept)
    assert beside.answer() is None
    assert beside.pid is None
    assert not beside.ask(kept)  # not at once again
    monkeypatch.setattr(beside, "_not_before", 0.0)
    ask(beside, kept)
    assert beside.answer() is not None


def test_it_ends_when_nobody_needs_it(
    shop: Shop, beside: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(beside, waiting(shop))
    assert beside.pid is not None
    beside.forget()
    assert beside.pid is None
    assert beside.answer() is None
    ask(beside, waiting(shop))
    assert beside.answer() is not None
    beside.rest()
    assert beside.pid is not None
    monkeypatch.setattr(reading_ahead, "_REST", 0.0)
    beside.rest()
    assert beside.pid is None


def test_it_ends_with_the_process_that_began_it(shop: Shop, beside: ReadingAhead) -> None:
    ask(beside, waiting(shop))
    assert beside.answer() is not None
    assert beside._process is not None
    assert beside._line is not None
    beside._line.close()  # as when we die, whatever of
    assert beside._process.wait(120) == 0


@pytest.mark.parametrize("deaths", [0, 2])
def test_a_worker_takes_the_same_in_with_it_and_without(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    story = [*CALLS * 2, *([viewed(f"w{n}", str(n % 4))] for n in range(40))]
    with shopkeeper.create(tmp_path / "plain", now="2026-05-01T12:00:00+00:00") as plain:
        plain.add_source("web", "tracking")
        for calls in story:
            hand(plain, *calls)
        plain.hear()
        expected = everybody(plain)
        (web,) = plain.flow().sources
    monkeypatch.setattr(working, "_GATHERING", 0.0)
    monkeypatch.setattr(working, "_EVENTS_AT_LEAST", 4)
    monkeypatch.setattr(working, "EVENTS_AT_ONCE", 8)
    monkeypatch.setattr(reading_ahead, "_AGAIN", 0.0)
    asked: list[int] = []
    plainly = ReadingAhead.ask

    def counting(self: ReadingAhead, kept: list[KeptDelivery]) -> bool:
        done = plainly(self, kept)
        if done and self.pid is not None:
            asked.append(self.pid)
            if len(asked) <= deaths:
                os.kill(self.pid, signal.SIGKILL)
                assert self._process is not None
                self._process.wait(120)  # it may have answered before, and be asked again while it dies
        return done

    monkeypatch.setattr(ReadingAhead, "ask", counting)
    shop.add_source("web", "tracking")
    rounds = 0

    def enough() -> bool:
        nonlocal rounds
        rounds += 1
        for calls in story:
            hand(shop, *calls)
        return len(asked) > deaths

    with Worker(shop.places):
        until(enough)
        until(lambda: not shop.places.gate.inbox.backlog(0).deliveries)
    assert len(set(asked)) == deaths + 1
    assert everybody(shop) == expected
    (same,) = shop.flow().sources
    assert (same.kept, same.refused // rounds) == (web.kept, web.refused)
    assert same.received == same.kept + same.repeated + same.refused == rounds * web.received
    shop.rebuild()
    assert everybody(shop) == expected
