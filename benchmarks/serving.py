"""A real ``shopkeeper serve`` in processes of its own, and load generators beside it."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

import msgspec
from load import Plan, Result

import shopkeeper

HERE = Path(__file__).parent
SOURCE = "site"
_TICK = os.sysconf("SC_CLK_TCK")
_SERVE = "import sys; from shopkeeper.cli import main; sys.argv[0] = 'shopkeeper'; main()"


class Server:
    """A served shop. ``where`` is a folder, or an address that ``shopkeeper.open`` takes."""

    def __init__(
        self, where: str | Path, *, environment: Mapping[str, str] | None = None, quiet: bool = True
    ) -> None:
        self.where = str(where)
        self.environment = {**os.environ, **(environment or {})}
        self.port = free_port()
        self.log: IO[bytes] | int = subprocess.DEVNULL if quiet else 2
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, patience: float = 240.0) -> None:
        """Start it; returns when it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, "serve", "--shop", self.where, "--port", str(self.port)],
            env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + patience
        while not self.answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}")
            if time.monotonic() > until:
                raise RuntimeError("the server does not answer")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether the tracking door answers."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as line:
            line.sendall(b"OPTIONS /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return line.recv(12).startswith(b"HTTP/1.1 204")
        return False

    @property
    def pid(self) -> int:
        """The process that answers HTTP."""
        assert self.process is not None
        return self.process.pid

    def children(self) -> list[int]:
        """Its worker's process and what that started."""
        found: list[int] = []
        waiting = [self.pid]
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    mine = [int(child) for child in (task / "children").read_text().split()]
                    found += mine
                    waiting += mine
        return found

    def worker(self) -> int:
        """The process that takes in: of the children the one that has run longest (0 where there is none)."""
        spent = {pid: cpu_seconds(pid) for pid in self.children() if "tracker" not in command_of(pid)}
        return max(spent, key=lambda pid: spent[pid], default=0)

    @contextlib.contextmanager
    def worker_paused(self) -> Iterator[None]:
        """Stop the worker in its tracks, so that only accepting is measured.

        Not while it makes the inbox forget what it took: stopped there, it would hold the file against the server.
        """
        self._at_rest()
        pids = self.children()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _at_rest(self, patience: float = 240.0) -> None:
        """Wait until the inbox, where it is a file, holds nothing that the worker could be at."""
        file = Path(self.where) / "gate.db"
        if not file.exists():
            return
        until = time.monotonic() + patience
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as gate:
            while gate.execute("SELECT 1 FROM inbox LIMIT 1").fetchall():
                if time.monotonic() > until:
                    raise RuntimeError("the worker does not take in what waits")
                time.sleep(0.05)

    def stop(self, patience: float = 240.0) -> None:
        """Let it finish, as an operator would."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL it and everything it started."""
        assert self.process is not None
        for pid in [*self.children(), self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Load:
    """A load generator in a process of its own, its requests lying ready."""

    def __init__(self, plan: Plan, watched: Path | None = None) -> None:
        command = [sys.executable, str(HERE / "load.py"), *([str(watched)] if watched else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(plan) + b"\n")
        self.process.stdin.flush()

    def ready(self) -> Load:
        """Return when every request lies in memory."""
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != b"ready":
            raise RuntimeError("the load generator failed")
        return self

    def go(self) -> Load:
        """Begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        return self

    def result(self) -> Result:
        """Wait for the end."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        line = self.process.stdout.readline()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()
        if not line:
            raise RuntimeError("the load generator failed")
        return msgspec.json.decode(line, type=Result)


def run(plan: Plan) -> Result:
    """One run of a plan, from making the requests to the end."""
    return Load(plan).ready().go().result()


def with_source(where: str | Path, **values: Any) -> str:
    """Give a shop a tracking source; returns its write key."""
    with shopkeeper.open(where) as shop:
        return shop.add_source(SOURCE, "tracking", **values)


def free_port() -> int:
    """A port that nobody listens on now, below those that connections are given: it stays free between two starts."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as line, contextlib.suppress(OSError):
            line.bind(("127.0.0.1", port))
            return port


def stolen() -> tuple[float, float]:
    """Seconds that this machine's cores were due and other machines on the same host got, and all of their seconds."""
    ticks = [int(word) for word in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    each = os.sysconf("SC_CLK_TCK")
    return ticks[7] / each, sum(ticks) / each


def cpu_seconds(pid: int) -> float:
    """What a process has used, user and system."""
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
    return 0.0


def memory_mib(pid: int) -> float:
    """What a process holds in memory at its most, in MiB."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        if found:
            return int(found[1]) / 1024
    return 0.0


def command_of(pid: int) -> str:
    """The command line of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


def empty_shop(into: Path) -> Path:
    """A new shop whose clock runs."""
    shutil.rmtree(into, ignore_errors=True)
    shopkeeper.create(into, name="Simulated shop").close()
    return into
