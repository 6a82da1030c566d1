"""A load generator for the tracking API, in a process of its own: bodies are made beforehand, sockets are kept open.

Started by ``serving.Load``: reads a ``Plan`` as JSON from its input, says ``ready`` when every request lies in memory,
begins when it is told ``go``, and writes a ``Result``. Closed: every connection sends its next request as soon as the
last is answered. Paced: requests are due at even intervals whatever the server does, and a latency counts from when
the request was due, so that a server that stalls cannot hide it.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import random
import sys
import time
import zlib
from collections import Counter, deque
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import world as worlds
from msgspec import Struct


class Plan(Struct, kw_only=True):
    """What to send, where, and how fast."""

    host: str = "127.0.0.1"
    port: int
    key: str
    requests: int
    """Requests made beforehand; when they are used up the run ends."""
    seconds: float
    batch: int = 100
    """Events a request; 1 sends single calls, not compressed, as server-side clients do."""
    connections: int = 8
    rate: float = 0.0
    """Requests a second; 0 for as fast as they are answered."""
    customers: int = 50_000
    """Accounts that the events are of, as in ``world``."""
    strangers: float = 0.1
    """Share of visits by browsers never seen before."""
    visit: int = 8
    """Successive events of one visitor."""
    shares: tuple[int, ...] = ()
    """How often each of ``world.KINDS`` happens; as there, if empty."""
    run: str = "a"
    """Part of every message id."""
    first: int = 0
    """Number of the first request."""
    again: tuple[int, ...] = ()
    """Requests of the same run to send first, once more: what an earlier run was not answered."""
    seed: int = 1
    gzip: bool = True
    answers: str = ""
    """Where given, a file that grows by a line with each answer's status, for whoever waits for one."""


class Result(Struct, kw_only=True):
    """What came of it."""

    seconds: float
    requests: int
    events: int
    """Events in requests that were answered 200."""
    latency: dict[str, float]
    """Milliseconds by percentile."""
    answers: dict[str, int]
    """Requests by status; ``lost`` where the connection ended without an answer."""
    cpu_seconds: float
    """What the generator itself took."""
    answered: list[int]
    """Numbers of the requests that were answered 200."""
    unanswered: list[int]
    """Numbers of those sent that were not."""
    log_sizes: list[int] = []
    """Where a file is watched: its size when each answer was there."""


def events_of(plan: Plan, number: int) -> list[dict[str, Any]]:
    """The calls of one request; the same plan and number give the same calls."""
    chance = random.Random(f"{plan.seed} {plan.run} {number}")
    now = worlds.moment(int(time.time() * 1e6))
    shares = plan.shares or [k.share for k in worlds.KINDS]
    calls = []
    for place, kind in enumerate(chance.choices(range(len(shares)), shares, k=plan.batch)):
        message = message_of(plan, number, place)
        pick = chance.randrange(worlds.PICKS)
        visitor = random.Random(f"{plan.seed} {plan.run} {(number * plan.batch + place) // plan.visit}")
        customer = visitor.randrange(plan.customers)
        if visitor.random() < plan.strangers:
            kind, pick = 1, pick & ~1  # noqa: PLW2901 - a look at a product, by a browser alone
            customer = 500_000_000 + visitor.getrandbits(28)
        # Numbers of orders and contacts of its own: beyond those of any shop made in bulk.
        about = 1_000_000_000 + (chance.getrandbits(30) if worlds.KINDS[kind].of < 0 else customer)
        call = worlds.call(customer, kind, pick, 0, about, message)
        call["timestamp"] = call["sentAt"] = now
        calls.append(call)
    return calls


def message_of(plan: Plan, number: int, place: int) -> str:
    """The message id of an event: 36 characters, as clients send."""
    return f"{plan.run:0>8}-{number:012d}-{place:014d}"


def request(plan: Plan, number: int) -> bytes:
    """A whole request as it goes over the wire."""
    calls = events_of(plan, number)
    now = calls[0]["sentAt"]
    if plan.batch == 1:
        call = calls[0]
        path, body = f"/v1/{call['type']}", msgspec.json.encode(call)
    else:
        path, body = "/v1/batch", msgspec.json.encode({"batch": calls, "sentAt": now})
    coding = b""
    if plan.gzip and plan.batch > 1:
        packer = zlib.compressobj(6, wbits=31)
        body = packer.compress(body) + packer.flush()
        coding = b"Content-Encoding: gzip\r\n"
    key = base64.b64encode(f"{plan.key}:".encode())
    return b"".join(
        (f"POST {path} HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\n".encode(), b"Authorization: Basic ", key,
         b"\r\nContent-Type: application/json\r\n", coding, b"Content-Length: %d\r\n\r\n" % len(body), body)
    )  # fmt: skip


class Run:
    """One run of a plan."""

    def __init__(self, plan: Plan, watched: str = "") -> None:
        self.plan = plan
        self.watched = watched
        numbers = [*plan.again, *range(plan.first, plan.first + plan.requests)]
        self.queue = deque((number, request(plan, number)) for number in numbers)
        self.due: deque[float] = deque()
        self.took: list[float] = []
        self.answers: Counter[str] = Counter()
        self.answered: list[int] = []
        self.unanswered: list[int] = []
        self.sizes: list[int] = []
        self.idle: deque[Line] = deque()
        self.open = 0
        self.over = asyncio.Event()
        self.until = 0.0

    async def go(self) -> Result:
        """Connect, send until the time or the requests are over, and sum up."""
        loop = asyncio.get_running_loop()
        lines = []
        for _ in range(self.plan.connections):
            _, line = await loop.create_connection(lambda: Line(self), self.plan.host, self.plan.port)
            lines.append(line)
        self.open = len(lines)
        cpu, began = time.process_time(), time.perf_counter()
        self.until = began + self.plan.seconds
        if self.plan.rate:
            self.idle.extend(lines)
            await self._paced(began)
        else:
            for line in lines:
                self.next(line)
        await self.over.wait()
        took = np.array(self.took or [0.0]) * 1e3
        spent = time.perf_counter() - began
        return Result(
            seconds=spent, requests=len(self.answered), events=len(self.answered) * self.plan.batch,
            latency={f"p{p:g}": round(float(np.percentile(took, p)), 3) for p in (50, 90, 99, 99.9, 100)},
            answers=dict(self.answers), cpu_seconds=time.process_time() - cpu, answered=self.answered,
            unanswered=self.unanswered, log_sizes=self.sizes,
        )  # fmt: skip

    def next(self, line: Line) -> None:
        """Give a free line its next request, or let it rest."""
        now = time.perf_counter()
        if self.plan.rate:
            if self.due:
                self._send(line, self.due.popleft())
            else:
                self.idle.append(line)
        elif now < self.until and self.queue:
            self._send(line, now)
        else:
            self.end(line)

    def end(self, line: Line) -> None:
        """A line is done for good."""
        if line.live:
            line.live = False
            self.open -= 1
            line.transport.close()
        if not self.open:
            self.over.set()

    async def _paced(self, began: float) -> None:
        at, step = began, 1.0 / self.plan.rate
        while (now := time.perf_counter()) < self.until and self.open:
            while at <= now:
                self.due.append(at)
                at += step
            while self.idle and self.due and self.queue:
                self._send(self.idle.popleft(), self.due.popleft())
            if not self.queue:
                break
            await asyncio.sleep(min(0.001, max(0.0, at - time.perf_counter())))
        self.plan.rate = 0.0
        self.until = 0.0
        for line in list(self.idle):
            self.end(line)

    def _send(self, line: Line, due: float) -> None:
        if not self.queue:
            self.end(line)
            return
        line.number, body = self.queue.popleft()
        line.due = due
        line.transport.write(body)


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.number = -1
        self.due = 0.0
        self.live = True
        self.buffer = b""
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer = buffer = self.buffer + data if self.buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        place = buffer.find(b"content-length: ")
        if place < 0:
            place = buffer.lower().find(b"content-length: ")
        length = int(buffer[place + 16 : buffer.index(b"\r\n", place)])
        if len(buffer) < head + 4 + length:
            return
        self.buffer = b""
        run, number = self.run, self.number
        self.number = -1
        status = buffer[9:12].decode()
        run.answers[status] += 1
        if run.plan.answers:
            with Path(run.plan.answers).open("a") as told:
                told.write(status + "\n")
        if status == "200":
            run.took.append(time.perf_counter() - self.due)
            run.answered.append(number)
            if run.watched:
                run.sizes.append(Path(run.watched).stat().st_size)
        else:
            run.unanswered.append(number)
        run.next(self)

    def connection_lost(self, _error: Exception | None) -> None:
        run = self.run
        if self.number >= 0:
            run.answers["lost"] += 1
            run.unanswered.append(self.number)
            self.number = -1
        run.end(self)


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    run = Run(plan, sys.argv[1] if len(sys.argv) > 1 else "")
    gc.collect()
    gc.disable()
    print("ready", flush=True)
    if sys.stdin.buffer.readline().strip() != b"go":
        return
    import uvloop

    result = uvloop.run(run.go())
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
