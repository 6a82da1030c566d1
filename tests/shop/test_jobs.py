"""Long work handed over to the worker: done once, followed, and nobody's personal values are left behind."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.deliveries import bought, hand, known, until

import shopkeeper
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import BadFile, InvalidInput, NotFound, NotPermitted, UnknownName
from shopkeeper.shop import Shop, jobs
from shopkeeper.shop.serving import worker_beside
from shopkeeper.shop.working import Worker

CSV = "order_id,ordered_at,customer_id,product_id,quantity,unit_price\n1,2026-01-02,7,p1,1,2.00\n"


def test_an_import_and_a_refresh_are_done_and_followed(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(CSV)
    steps: list[tuple[str, float]] = []
    with Worker(shop.places):
        job = shop.hand_over("import", path=str(file), kind="orders")
        summary = shop.follow(job, lambda step, done: steps.append((step, done)))
        assert (summary["kept"], summary["orders"]) == (1, 1)
        seconds = shop.follow(shop.hand_over("refresh"), lambda step, done: steps.append((step, done)))
        assert set(seconds) == {"resolve and fold", "predict", "segments", "lake"}
        assert shop.follow(shop.hand_over("rebuild")) == 1
        made = Path(shop.follow(shop.hand_over("backup", to=str(tmp_path / "b.zip"))))
        assert made.is_file()
    assert {step for step, _ in steps} >= {"lake"}
    assert [(job.verb, job.state) for job in reversed(shop.jobs())] == [
        ("import", "done"), ("refresh", "done"), ("rebuild", "done"), ("backup", "done"),
    ]  # fmt: skip
    assert shop.report().trade.orders == 1


def test_live_work_goes_on_while_a_job_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setitem(jobs.VERBS, "refresh", lambda *_: go.wait())
    with Worker(shop.places), ExitStack() as at_the_end:
        at_the_end.callback(go.set)  # also where the test fails
        job = shop.hand_over("refresh")
        until(lambda: shop.jobs()[0].state == "running")
        hand(shop, known("1"), bought("2"))
        until(lambda: shop.health()["events"] == 2)
        assert shop.jobs()[0].state == "running"
        go.set()
        assert shop.follow(job) is True


def test_what_a_job_raises_is_raised_by_who_follows_it(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with Worker(shop.places):
        with pytest.raises(NotFound) as caught:
            shop.follow(shop.hand_over("erase", who="nobody@example.com"))
        assert caught.value.hint
        with pytest.raises((BadFile, InvalidInput)):
            shop.follow(shop.hand_over("import", path=str(tmp_path / "broken.parquet")))
    assert [job.state for job in shop.jobs()] == ["failed", "failed"]


def test_an_unexpected_fault_fails_its_job_alone_and_tells_no_values(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: Any) -> None:
        raise ZeroDivisionError("anna@example.com")

    monkeypatch.setitem(jobs.VERBS, "rebuild", faulty)
    with Worker(shop.places):
        job = shop.hand_over("rebuild")
        until(lambda: shop.jobs()[0].state == "failed")
        assert "anna" not in shop.jobs()[0].error
        assert "ZeroDivisionError" in shop.jobs()[0].error
        assert shop.follow(shop.hand_over("refresh"))
    assert job == 1


def test_arguments_and_results_are_sealed_and_go(shop: Shop) -> None:
    hand(shop, known("1", firstName="Zaphodia"), bought("2"))
    shop.hear()
    folder = shop.places.folder

    def lies_about() -> list[str]:
        files = [f for f in folder.iterdir() if f.name.startswith("gate.db")]
        return [
            f.name for f in files for word in (b"anna@example.com", b"Zaphodia") if word in f.read_bytes()
        ]

    with Worker(shop.places):
        copied = shop.hand_over("export", who="anna@example.com")
        assert "Zaphodia" in str(shop.follow(copied))
        assert lies_about() == []
        with shop.places.gate.read() as reader:
            exported = reader.job(copied)
        assert exported is not None
        assert exported.arguments == b""
        receipt = shop.follow(shop.hand_over("erase", who="anna@example.com"))
        assert receipt["events_removed"] == 1
        assert not [
            f for f in folder.iterdir() if f.name.startswith("gate.db") and exported.result in f.read_bytes()
        ]
    with pytest.raises(NotFound):
        shop.outcome(copied)


def test_who_may_hand_over_what(shop: Shop) -> None:
    analyst = shop.as_actor(Actor("u1", "analyst"))
    for verb, arguments in (
        ("erase", {"who": "x"}),
        ("export", {"who": "x"}),
        ("backup", {}),
        ("import", {"path": "x"}),
    ):
        with pytest.raises(NotPermitted):
            analyst.hand_over(verb, **arguments)
    with pytest.raises(UnknownName, match="refresh"):
        shop.hand_over("refesh")
    with pytest.raises(UnknownName):
        shop.hand_over("wished erase", identifiers=[])
    job = shop.hand_over("refresh")
    mine = analyst.hand_over("refresh")
    with Worker(shop.places):
        assert analyst.follow(mine)
        until(lambda: all(one.state == "done" for one in shop.jobs()))
        with pytest.raises(NotPermitted):
            analyst.outcome(job)
        assert shop.outcome(mine)


def test_a_job_left_by_a_worker_that_died_has_failed(shop: Shop) -> None:
    job = shop.hand_over("refresh")
    assert shop.places.gate.write(lambda tx: tx.begin_job(1)) is not None
    with Worker(shop.places), pytest.raises(Exception, match="ended before it was done"):
        shop.follow(job)


def test_a_worker_process_works_is_started_again_when_killed_and_ends_with_its_server(tmp_path: Path) -> None:
    import os
    import signal

    folder = tmp_path / "shop"
    with shopkeeper.create(folder) as shop:
        shop.add_source("web", "tracking")
        with worker_beside(folder) as process:
            until(shop.worked)
            hand(shop, known("1"))
            until(lambda: shop.health()["events"] == 1)
            killed = process.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            until(lambda: process.starts == 2 and process.pid != killed)
            hand(shop, bought("2"))
            until(lambda: shop.health()["events"] == 2)
            hand(shop, bought("3"))
        assert shop.health()["events"] == 3  # it took what waited before it ended
        assert shop.worked() is False


def test_what_somebody_waits_for_does_not_wait_behind_a_long_job(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setitem(jobs.VERBS, "refresh", lambda *_: go.wait())
    with Worker(shop.places), ExitStack() as at_the_end:
        at_the_end.callback(go.set)  # also where the test fails
        hand(shop, known("1"), bought("2"))
        until(lambda: shop.health()["events"] == 2)
        job = shop.hand_over("refresh")
        until(lambda: shop.jobs()[0].state == "running")
        waits = shop.hand_over("backup")
        looked = shop.hand_over("settle", what="leave", identifiers=["user_id:7"])
        shop.follow(looked, patience=120)
        assert {job.id: job.state for job in shop.jobs()} == {
            job: "running", waits: "waiting", looked: "done",
        }  # fmt: skip
        go.set()
        assert shop.follow(job) is True
        shop.follow(waits)
