"""Kills a server in the middle of load, again and again, and then looks whether anything is lost or there twice.

    uv run python benchmarks/kill.py [--quick] [--engines sqlite,postgres] [--kills 50] [--seed 1] [--json FILE]

Each round the server, its worker, or both get SIGKILL at a moment drawn from the seed while batches of events come in.
What was not answered is sent again in the next round, as every client does. At the end every event that was answered
200 must be in the log exactly once, in the order of things: nothing else may be there, nothing may be refused, and
every customer's record must equal one folded anew.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from load import Plan, Result, message_of
from msgspec import Struct, field
from serving import Load, Server, empty_shop, with_source

import shopkeeper
from shopkeeper.domain.errors import StoreBusy
from shopkeeper.know.fold import unpack
from shopkeeper.shop import Shop

BATCH = 20
VICTIMS = ("server", "worker", "both")


class Story(Struct):
    """What was done and what came of it."""

    kills: dict[str, int] = field(default_factory=dict)
    """Kills by whom they hit."""
    answered: int = 0
    """Events in requests that were answered 200."""
    sent_again: int = 0
    """Events sent again because their request was not answered."""
    restarts: list[float] = field(default_factory=list)
    """Seconds from each start until the server answered."""
    other_answers: dict[str, int] = field(default_factory=dict)
    drained: float = 0.0
    """Seconds until everything that waited at the end was in the records."""
    found: Found | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.found is not None and not any(
            (self.found.lost, self.found.twice, self.found.strange, self.found.refused, self.found.differ,
             self.found.waiting, len(self.found.damage))
        )  # fmt: skip


class Found(Struct):
    """What a look at the shop found."""

    events: int = 0
    lost: int = 0
    """Answered 200 and not in the log."""
    twice: int = 0
    """In the log more than once."""
    strange: int = 0
    """In the log, but never sent."""
    refused: int = 0
    """In quarantine."""
    waiting: int = 0
    """Still in the inbox."""
    customers: int = 0
    differ: int = 0
    """Customers whose record is not what folding all their events gives."""
    damage: list[str] = field(default_factory=list)
    """What the stores themselves find wrong."""


class Killing:
    """One shop that is killed over and over."""

    def __init__(self, where: Path, *, seed: int, say: Callable[[str], None] = print) -> None:
        self.chance = random.Random(seed)
        self.say = say
        self.key = with_source(where)
        self.server = Server(where)
        self.story = Story()
        self.plan = Plan(
            port=self.server.port, key=self.key, requests=0, seconds=240.0, batch=BATCH, connections=6,
            customers=200, strangers=0.05, run="kill", seed=seed,
        )  # fmt: skip
        self.answered: set[int] = set()
        self.sent: set[int] = set()
        self.unanswered: list[int] = []

    def round(
        self, victim: str | None, requests: int, *, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Send some requests; somewhere on the way kill ``victim``, or nobody, and do something else."""
        if self.server.process is None or self.server.process.poll() is not None:
            began = time.perf_counter()
            self.server.start()
            self.story.restarts.append(time.perf_counter() - began)
        again = tuple(self.unanswered)
        self.plan.again, self.plan.first, self.plan.requests = (
            again,
            self.plan.first + self.plan.requests,
            requests,
        )
        load = Load(self.plan).ready().go()
        if victim:
            time.sleep(self.chance.uniform(0.01, 0.6))
            self.kill(victim)
            self.story.kills[victim] = self.story.kills.get(victim, 0) + 1
        meanwhile()
        self._heard(load.result(), again)

    def kill(self, victim: str) -> None:
        """SIGKILL, and nothing else."""
        children = self.server.children()
        if victim in ("server", "both"):
            targets = [self.server.pid, *(children if victim == "both" else ())]
        else:
            targets = children
        for pid in targets:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if victim in ("server", "both"):
            assert self.server.process is not None
            self.server.process.wait()

    def _heard(self, result: Result, again: tuple[int, ...]) -> None:
        done = set(result.answered)
        self.answered |= done
        tried = done | set(result.unanswered)
        self.sent |= tried
        self.story.sent_again += len(tried & set(again)) * BATCH
        # Those never sent are not owed anything, but those sent once are sent until they are answered.
        self.unanswered = sorted((set(again) | set(result.unanswered)) - self.answered)
        for status, count in result.answers.items():
            if status != "200":
                self.story.other_answers[status] = self.story.other_answers.get(status, 0) + count

    def end(self) -> Story:
        """A last round in peace, then look."""
        for _ in range(5):
            self.round(None, 0 if self.unanswered else 1)
            if not self.unanswered:
                break
        began = time.perf_counter()
        self.server.stop()
        with shopkeeper.open(self.server.where) as shop:
            self._drain(shop)
            self.story.drained = time.perf_counter() - began
            self.story.answered = len(self.answered) * BATCH
            self.story.found = look(shop, self._messages(self.answered), self._messages(self.sent))
        return self.story

    def _drain(self, shop: Shop) -> None:
        """Take in what waits, however long that takes."""
        until = time.monotonic() + 900.0
        while True:
            try:
                shop.hear()
                return
            except StoreBusy:
                if time.monotonic() > until:
                    raise
                self.say(f"  {shop.flow().waiting_events:,} events wait still")

    def _messages(self, numbers: set[int]) -> set[bytes]:
        plan = self.plan
        return {key_of(message_of(plan, n, place)) for n in numbers for place in range(BATCH)}


def key_of(message: str) -> bytes:
    """An event's key in the log."""
    return blake2b(message.encode(), digest_size=16).digest()


def look(shop: Shop, answered: set[bytes], sent: set[bytes]) -> Found:
    """What a shop holds, against what it was told and what it said that it had."""
    ledger = shop.places.ledger
    found = Found(damage=[*ledger.check(), *shop.places.gate.check()])
    keys: Counter[bytes] = Counter()
    with ledger.read() as reader:
        seq = 0
        while rows := reader.log_after(seq, 50_000):
            keys.update(row.key for row in rows)
            seq = rows[-1].seq
        found.refused = reader.counts()["quarantined"]
    found.events = keys.total()
    found.lost = len(answered - keys.keys())
    found.twice = sum(1 for count in keys.values() if count > 1)
    found.strange = len(keys.keys() - sent)
    found.waiting = shop.flow().waiting_deliveries
    before = records(shop)
    shop.rebuild()
    after = records(shop)
    found.customers = len(after)
    found.differ = sum(1 for who in before.keys() | after.keys() if before.get(who) != after.get(who))
    return found


def records(shop: Shop) -> dict[int, Any]:
    """Everybody's record."""
    with shop.places.ledger.read() as reader:
        return {row.customer: (unpack(row.body), *row[2:]) for chunk in reader.all_records() for row in chunk}


def tell(where: Path, *, kills: int, seed: int, requests: int, say: Callable[[str], None] = print) -> Story:
    """Kill a new shop so often, and look."""
    killing = Killing(where, seed=seed, say=say)
    try:
        for number in range(kills):
            victim = VICTIMS[number % len(VICTIMS)]
            killing.round(victim, requests)
            if number % 10 == 9:
                say(f"  {number + 1} kills, {len(killing.answered) * BATCH:,} events answered")
        return killing.end()
    finally:
        if killing.server.process is not None and killing.server.process.poll() is None:
            killing.server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="six kills on each engine, below three minutes")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--requests", type=int, default=600, help="requests of 20 events a round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", default="sqlite,postgres")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    kills = 6 if options.quick else options.kills
    rows: list[dict[str, Any]] = []
    for engine in options.engines.split(","):
        print(f"{engine}: {kills} kills, seed {options.seed}", flush=True)
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if engine == "postgres":
                import postgres

                where = postgres.empty(scratch / "shop", stack.enter_context(postgres.running()))
            else:
                where = empty_shop(scratch / "shop")
            story = tell(where, kills=kills, seed=options.seed, requests=options.requests)
            shutil.rmtree(where, ignore_errors=True)
        found = story.found or Found()
        print(
            f"  {story}\n  {'nothing lost, nothing twice' if story.whole else 'SOMETHING IS WRONG'}",
            flush=True,
        )
        for name, value, unit, goal in (
            ("kills", sum(story.kills.values()), "", None),
            ("events answered 200", story.answered, "", None),
            ("of them lost", found.lost, "events", 0),
            ("there twice", found.twice, "events", 0),
            ("customers that differ from a rebuild", found.differ, "customers", 0),
            ("longest restart", max(story.restarts, default=0.0), "s", None),
        ):
            rows.append(
                {"name": f"{engine}: {name}", "value": round(value, 3), "unit": unit, "better": "lower", "goal": goal,
                 "peer": None, "peer_value": None}
            )  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    sys.exit(any(row["goal"] == 0 and row["value"] for row in rows))


if __name__ == "__main__":
    main()
