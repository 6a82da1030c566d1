"""Live collection when stores fail again and again, workers die at the worst moment, and deliveries are large."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.deliveries import bought, hand, hand_raw, known, until, viewed

import shopkeeper
from shopkeeper.collect.webshops import shopify
from shopkeeper.domain.errors import BadEvent, NotFound, StoreDamaged, StoreFull
from shopkeeper.shop import Shop, jobs, living, taking_in, working
from shopkeeper.shop.working import Worker
from shopkeeper.stores.contract.gate import GateWriter, NewJob


def redact(reference: int, **customer: Any) -> bytes:
    """A web shop's request to forget somebody."""
    return msgspec.json.encode({"shop_id": reference, "customer": customer, "orders_to_redact": []})


def test_what_waited_is_no_poison_however_often_the_store_fails(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow, full = living.follow, itertools.chain([True] * (2 * working.DEATHS), itertools.repeat(False))

    def sometimes(places: Any, tx: Any, rows: Any) -> None:
        if next(full):
            raise StoreFull("no space left")
        follow(places, tx, rows)

    hand(shop, known("1"), viewed("2"))
    hand(shop, bought("3"))
    monkeypatch.setattr(living, "follow", sometimes)
    monkeypatch.setattr(working, "_BACK_OFF", (0.01,))
    with Worker(shop.places):
        until(lambda: shop.places.gate.inbox.backlog(0).deliveries == 0)
    assert shop.quarantine() == []
    assert shop.health()["events"] == 3


def test_a_wish_behind_much_that_was_taken_and_not_forgotten_is_granted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(10):
        hand(shop, viewed(str(n), "9", note="".join(chr(65 + (n * i * i) % 57) for i in range(900))))
    hand(shop, known("k"))
    hand_raw(shop, redact(1, id=7, email="anna@example.com"), format="shopify", topic="customers/redact")
    # The worker dies between the ledger's commit and noting the wish.
    with monkeypatch.context() as patch:
        patch.setattr(type(shop.places.gate.inbox), "forget", lambda *_: None)
        patch.setattr(working.jobs, "wish", lambda *_: None)
        shop.hear()
    assert shop.jobs() == []
    monkeypatch.setattr(working, "AT_ONCE", 2_000)
    with Worker(shop.places):
        until(lambda: [job.state for job in shop.jobs()] == ["done"])
    assert shop.health()["customers"] == 1


def test_somebody_who_shares_an_address_is_erased_by_their_number(shop: Shop) -> None:
    hand(shop, known("1", "7", "family@example.com"), bought("2", "7"))
    hand(shop, known("3", "8", "family@example.com"), bought("4", "8"))
    body = redact(1, email="family@example.com", id=7)
    hand_raw(shop, body, format="shopify", topic="customers/redact")
    with Worker(shop.places):
        until(lambda: [job.state for job in shop.jobs()] in (["done"], ["failed"]))
    assert shop.jobs()[0].state == "done", shop.jobs()[0].error
    with pytest.raises(NotFound):
        shop.customer("user_id:7")
    assert shop.customer("user_id:8").traits["orders"] == 1


def test_a_wish_whose_worker_died_is_granted_by_the_next(shop: Shop) -> None:
    hand(shop, known("1"), bought("2"))
    hand_raw(shop, redact(1, id=7, email="anna@example.com"), format="shopify", topic="customers/redact")
    shop.hear()
    began = shop.places.gate.write(lambda tx: tx.begin_job(shop.places.now()))  # and its worker dies
    assert began is not None
    with Worker(shop.places):
        until(lambda: shop.jobs()[0].state == "done")
    assert shop.health()["customers"] == 0


def test_a_wish_that_takes_worker_after_worker_with_it_fails_at_last(shop: Shop) -> None:
    jobs.add(shop.places, "wished erase", {"identifiers": [["user_id", "7"]]}, "source web", "web/erase/1")
    deaths = 0
    while shop.places.gate.write(lambda tx: tx.begin_job(shop.places.now())):
        deaths += 1
        assert deaths < 10
        shop.places.gate.write(lambda tx: tx.resume_jobs(shop.places.now()))
    assert shop.jobs()[0].state == "failed"


def test_where_several_work_a_shop_a_job_whose_worker_died_does_not_run_for_ever(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_RESUME_EVERY", 0.05)
    with shopkeeper.create(tmp_path / "s", ledger=postgres, now="2026-05-01T12:00:00+00:00") as shop:
        hand(shop, known("1"), bought("2"))
        with Worker(shop.places):
            until(lambda: shop.health()["events"] == 2)
            for verb in ("refresh", "wished erase"):
                with shopkeeper.open(tmp_path / "s") as beside:

                    def begin(tx: GateWriter, verb: str = verb) -> None:
                        told = {"identifiers": [["user_id", "7"]]}
                        salt = beside.places.vault.salt()
                        sealed = beside.places.vault.seal(salt, told)
                        tx.add_job(NewJob(verb, "somebody", "", salt, sealed, 1))
                        tx.begin_job(1)

                    beside.places.gate.write(
                        begin
                    )  # and with its connection the worker that began it is gone
            until(lambda: [job.state for job in shop.jobs()] == ["done", "failed"])
        assert shop.health()["customers"] == 0


def test_an_erasure_forgets_what_a_job_was_told_whose_worker_died(shop: Shop) -> None:
    hand(shop, known("1"))
    shop.hear()
    number = jobs.add(shop.places, "erase", {"who": "anna@example.com"}, "somebody")
    shop.places.gate.write(lambda tx: tx.begin_job(shop.places.now()))
    with Worker(shop.places):
        until(lambda: shop.jobs()[0].state == "failed")
    assert jobs.found(shop.places, number).arguments == b""
    assert shop.jobs()[0].ended_at is not None


def test_a_delivery_that_killed_its_workers_and_cannot_be_opened_is_set_aside(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: Any) -> None:
        raise StoreDamaged("not what was sealed")

    hand(shop, viewed("1"))
    (kept,) = shop.places.gate.inbox.waiting(0, 1_000)
    for _ in range(working.DEATHS):
        shop.places.gate.inbox.begun([kept.id])
    monkeypatch.setattr(taking_in, "opened", damaged)
    assert shop.hear().refused == 1
    assert [(row.kind, row.reason) for row in shop.quarantine()] == [("tracking/delivery", "poison")]


def test_a_large_order_that_was_refused_is_replayed_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        {"id": n, "product_id": n, "quantity": 1, "price": "1.00", "title": f"Lamp {n} " + "x" * 400}
        for n in range(1, 301)
    ]
    body = msgspec.json.encode(
        {
            "id": 5,
            "currency": "GBP",
            "created_at": "2026-04-03T12:00:00Z",
            "email": "anna@example.com",
            "line_items": lines,
        }
    )
    assert len(body) > 100_000

    def unreadable(*_: Any, **__: Any) -> None:
        raise BadEvent("bad_number", "what an earlier version could not read")

    with monkeypatch.context() as patch:
        patch.setattr(shopify, "read_order", unreadable)
        hand_raw(shop, body, format="shopify", topic="orders/create")
        assert shop.hear().refused == 1
    assert shop.replay().events == 1
    assert shop.quarantine() == []
    assert shop.customer("anna@example.com").traits["orders"] == 1


def test_an_erasure_finds_somebody_far_within_a_delivery_that_nobody_could_read(shop: Shop) -> None:
    hand(
        shop,
        known("1"),
        {
            "type": "identify",
            "messageId": "p",
            "userId": "8",
            "traits": {"phone": "+44 20 7946 0958"},
            "timestamp": "2026-05-01T10:00:00Z",
        },
    )
    shop.hear()
    calls = [viewed(f"v{n}", f"u{n}", f"product-{n}", note=f"word{n} other{n}") for n in range(400)]
    hand_raw(shop, msgspec.json.encode({"batch": [*calls, known("late")]})[:-3], events=401)
    phone = {"type": "identify", "userId": "new", "traits": {"phone": "+44 20 7946 0958"}}
    hand_raw(shop, msgspec.json.encode({"batch": [phone]})[:-3])
    shop.hear()
    assert len(shop.quarantine()) == 2
    shop.erase("anna@example.com")
    assert len(shop.quarantine()) == 1
    shop.erase("user_id:8")
    assert shop.quarantine() == []


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_step_that_failed_is_taken_by_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    follow, count = living.follow, itertools.count(1)

    def once(places: Any, tx: Any, rows: Any) -> None:
        if next(count) == fails_at:
            raise StoreFull("no space left")
        follow(places, tx, rows)

    monkeypatch.setattr(living, "follow", once)
    monkeypatch.setattr(working, "EVENTS_AT_ONCE", 1)
    hand(shop, known("1"))
    worker = Worker(shop.places)
    if fails_at == 2:
        worker.step()
    hand(shop, viewed("2"))
    hand(shop, bought("3"))
    with pytest.raises(StoreFull):
        worker.step()
    worker.drain()
    assert shop.health()["events"] == 3
    assert shop.places.gate.inbox.backlog(0).deliveries == 0


def test_jobs_are_done_also_while_what_waits_cannot_be_folded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(living, "catch_up", faulty)
    monkeypatch.setattr(working, "_BACK_OFF", (0.01,))
    with Worker(shop.places):
        number = shop.hand_over("backup")
        until(lambda: jobs.found(shop.places, number).state == "done")
