"""What was acknowledged survives a power cut, a full disk and a disk that became read-only.

A SIGKILL does not test disk syncs: the kernel keeps what was written. Here every write and sync of the real server is
recorded, and the disk is put together as it would be after a power cut, at many moments.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journey import powercut
from tests.postgres import server

import shopkeeper
from shopkeeper.domain.errors import ShopkeeperError
from shopkeeper.shop import Shop

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_BATCH = 20


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmarks' server, load generator and look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(_BENCHMARKS))
        import kill

        yield kill


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorder, compiled for this machine."""
    if not sys.platform.startswith("linux") or shutil.which("gcc") is None:
        pytest.skip("recording writes needs Linux and gcc")
    return powercut.built(tmp_path_factory.mktemp("powercut"))


class Recorded:
    """A folder whose writes are recorded from now on."""

    def __init__(self, recorder: Path, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.log = scratch / "writes.log"
        self.before = scratch / "before"
        shutil.copytree(folder, self.before)
        self.environment = {
            "LD_PRELOAD": str(recorder), "POWERCUT_FOLDER": str(folder), "POWERCUT_LOG": str(self.log),
        }  # fmt: skip

    def disk(self) -> powercut.Disk:
        return powercut.Disk(self.folder, self.before, self.log)


def _acknowledging(program: str, recorded: Recorded, *arguments: str) -> list[int]:
    """Run a program that says a line for each thing that is done; where the log then stood.

    It waits until the place is noted: a line that is read late would be given a place too late.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", _SAYING + program, str(recorded.folder), *arguments], text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **recorded.environment},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    places = []
    for _ in child.stdout:
        places.append(recorded.log.stat().st_size)
        child.stdin.write("go on\n")
    child.stdin.close()
    child.stdout.close()
    assert child.wait() == 0
    return places


_SAYING = """
import sys
def say(done):
    print(done, flush=True)
    sys.stdin.readline()
"""

_CARELESS = """
import sqlite3
ledger = sqlite3.connect(sys.argv[1] + "/some.db", isolation_level=None)
ledger.execute("PRAGMA journal_mode=WAL").fetchall()
ledger.execute("PRAGMA synchronous=" + sys.argv[2])
for n in range(20):
    ledger.execute("INSERT INTO t VALUES (?)", (n,))
    say(n)
"""


@pytest.mark.parametrize(("synchronous", "loses"), [("OFF", "some"), ("NORMAL", "some"), ("FULL", "nothing")])
def test_the_power_cut_does_bite(tmp_path: Path, recorder: Path, synchronous: str, loses: str) -> None:
    """Without syncs it loses what was acknowledged; with them it does not: then the tests below mean something."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with sqlite3.connect(folder / "some.db") as some:
        some.execute("CREATE TABLE t (n)")
    some.close()
    recorded = Recorded(recorder, folder, tmp_path)
    places = _acknowledging(_CARELESS, recorded, synchronous)
    disk = recorded.disk()
    lost = 0
    for done, place in enumerate(places, 1):
        disk.play(place)
        disk.cut(tmp_path / "after")
        after = sqlite3.connect(tmp_path / "after" / "some.db")
        assert after.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        lost += done - after.execute("SELECT count(*) FROM t").fetchone()[0]
        after.close()
    assert ("some" if lost else "nothing") == loses


_COLLECT = """
import json, shopkeeper
with shopkeeper.open(sys.argv[1]) as shop:
    for n in range(20):
        file = sys.argv[2] + f"/{n}.jsonl"
        calls = [{"type": "track", "event": "Product Viewed", "messageId": f"{n}-{i}", "userId": f"u{i}",
                  "timestamp": "2026-04-01T10:00:00Z", "properties": {"product_id": "p1"}} for i in range(30)]
        with open(file, "w") as out:
            out.write("\\n".join(map(json.dumps, calls)))
        shop.collect(file)
        say(n)
        if n % 4 == 3:
            shop.advance()
    shop.erase("u7")
    say("erased")
"""


def test_a_collect_or_an_erasure_that_returned_survives_a_power_cut(tmp_path: Path, recorder: Path) -> None:
    folder, files = tmp_path / "shop", tmp_path / "files"
    files.mkdir()
    shopkeeper.create(folder, now="2026-05-01T12:00:00+00:00").close()
    recorded = Recorded(recorder, folder, tmp_path)
    *places, erased = _acknowledging(_COLLECT, recorded, str(files))
    disk = recorded.disk()
    chance = random.Random(11)
    for place in sorted([*chance.sample(range(places[-1]), 8), *places[::4]]):
        disk.play(place)
        for luck in (None, chance):
            disk.cut(tmp_path / "after", luck)
            with shopkeeper.open(tmp_path / "after") as shop:
                events = shop.health()["events"]
                assert events % 30 == 0, "whole files or nothing"
                assert events >= 30 * sum(p <= place for p in places)
                _as_rebuilt(shop)
    for place in (erased, disk.size):
        disk.play(place)
        disk.cut(tmp_path / "after", chance)
        with shopkeeper.open(tmp_path / "after") as shop:
            assert shop.health()["events"] == 30 * 20 - 20
            with pytest.raises(ShopkeeperError):
                shop.customer("user_id:u7")
    assert not disk.mapped, "nothing is written behind the recorder's back"


def test_what_the_server_answered_200_survives_a_power_cut(
    tmp_path: Path, recorder: Path, bench: Any
) -> None:
    folder = tmp_path / "shop"
    shopkeeper.create(folder).close()
    killing = bench.Killing(folder, seed=3)
    recorded = Recorded(recorder, folder, tmp_path)
    killing.server.environment |= recorded.environment
    plan = killing.plan
    plan.requests = 250
    killing.server.start()
    try:
        result = bench.Load(plan, recorded.log).ready().go().result()
        _wait(lambda: _cursor(folder) >= plan.requests * _BATCH)  # the worker's commits are cut as well
        late = bench.Load(_more(plan), recorded.log).ready().go().result()
    finally:
        killing.server.kill()
    assert result.answers == {"200": 250} == {"200": len(result.log_sizes)}
    answered = [
        *zip(result.log_sizes, result.answered, strict=True),
        *zip(late.log_sizes, late.answered, strict=True),
    ]
    sent = {n for _, n in answered} | set(late.unanswered)
    disk = recorded.disk()
    chance = random.Random(5)
    end = max(size for size, _ in answered)
    moments = sorted(
        [*chance.sample(range(disk.size), 6), *(size for size, _ in chance.sample(answered, 5)), end]
    )
    for moment in moments:
        disk.play(moment)
        for luck in (None, chance):
            disk.cut(tmp_path / "after", luck)
            owed = {number for size, number in answered if size <= moment}
            with shopkeeper.open(tmp_path / "after") as shop:
                shop.hear()
                found = bench.look(shop, killing._messages(owed), killing._messages(sent))
            assert found == bench.Found(events=found.events, customers=found.customers)
            assert found.events >= len(owed) * _BATCH
    assert not disk.mapped


@pytest.mark.parametrize("way", ["full", "read-only", "syncs fail"])
def test_an_ill_disk_is_said_and_outlived(tmp_path: Path, recorder: Path, bench: Any, way: str) -> None:
    """Senders are told to come again, the server stays up, and once the disk is well all goes on; nothing is lost."""
    folder, trouble, felt = tmp_path / "shop", tmp_path / "trouble", tmp_path / "trouble.felt"
    shopkeeper.create(folder).close()
    killing = bench.Killing(folder, seed=4)
    recorded = Recorded(recorder, folder, tmp_path)
    killing.server.environment |= recorded.environment | {"POWERCUT_TROUBLE": str(trouble)}
    try:
        killing.round(None, 100)
        assert killing.story.other_answers == {}
        server = killing.server.pid
        trouble.write_text(way[0])
        killing.round(None, 30)
        assert killing.story.other_answers == {"503": 30}, "503: every client sends it again"
        assert len(killing.unanswered) == 30
        trouble.unlink()
        killing.round(None, 100)
        assert killing.server.pid == server
        assert killing.unanswered == []
        # Now while the worker is at it, with more waiting than it takes at once.
        with killing.server.worker_paused():
            killing.round(None, 200)
            felt.unlink()
            trouble.write_text(way[0])
        workers = {str(pid) for pid in killing.server.children()}
        _wait(lambda: felt.exists() and not workers.isdisjoint(felt.read_text().split()))
        trouble.unlink()
        killing.round(None, 20)
        story = killing.end()
    finally:
        trouble.unlink(missing_ok=True)
        killing.server.kill()
    assert story.found == bench.Found(events=story.answered, customers=story.found.customers)
    assert story.answered == (100 + 30 + 100 + 200 + 20 + 1) * _BATCH


def test_postgres_is_restarted_under_load_and_nothing_is_lost(tmp_path: Path, bench: Any) -> None:
    with server() as postgres:
        folder = tmp_path / "shop"
        shopkeeper.create(folder, ledger=postgres.address()).close()
        killing = bench.Killing(folder, seed=6)

        answers = tmp_path / "answers"
        killing.plan.answers = str(answers)

        def restarted() -> None:
            _wait(lambda: answers.read_text().count("200") >= 150)
            postgres.crash()
            _wait(lambda: "503" in answers.read_text())
            postgres.start()

        def all_answered() -> bool:
            killing.round(None, 20)
            return not killing.unanswered

        try:
            killing.round(None, 50)
            answering = killing.server.pid
            killing.round(None, 2_000, meanwhile=restarted)
            assert "503" in killing.story.other_answers, "it was away while requests came"
            assert set(killing.story.other_answers) == {"503"}
            _wait(all_answered)
            assert killing.server.pid == answering
            story = killing.end()
        finally:
            killing.server.kill()
    assert story.found == bench.Found(events=story.answered, customers=story.found.customers)


def _more(plan: Any) -> Any:
    """As many requests again, of which nobody waits for the records."""
    from msgspec.structs import replace

    return replace(plan, first=plan.first + plan.requests)


def _cursor(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True) as ledger:
        rows = ledger.execute("SELECT value FROM setting WHERE name = 'cursor'").fetchall()
    ledger.close()
    return int(rows[0][0]) if rows else 0


def _wait(done: Callable[[], bool], patience: float = 120.0) -> None:
    until = time.monotonic() + patience
    while not done():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)


def _as_rebuilt(shop: Shop) -> None:
    shop.advance()
    assert shop.places.ledger.check() == []
    with shop.places.ledger.read() as reader:
        before = sorted(row for chunk in reader.all_records() for row in chunk)
    shop.rebuild()
    with shop.places.ledger.read() as reader:
        assert sorted(row for chunk in reader.all_records() for row in chunk) == before
