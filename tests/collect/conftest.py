"""Bringing a file through the file door without a ledger: the memory of lines is a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.collect.files.door import Guess, Reading, guess, load
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.event import Event

NOW = 1_400_000_000_000_000
"""2014-05-13T16:53:20Z."""


class Memory:
    """Known lines, as a ledger keeps them."""

    def __init__(self) -> None:
        self.lines: dict[bytes, bytes] = {}

    def known_lines(self, orders: Sequence[bytes]) -> dict[bytes, bytes]:
        return {key: self.lines[key] for key in orders if key in self.lines}

    def remember_lines(self, lines: Mapping[bytes, bytes]) -> None:
        assert all(len(key) == 16 and len(value) % 8 == 0 for key, value in lines.items())
        self.lines.update(lines)


@dataclass
class Brought:
    """What came out of a file."""

    guess: Guess
    batches: list[Batch]
    notes: list[str]

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch.events]

    @property
    def records(self) -> list[Any]:
        return [record for batch in self.batches for _, record in batch.records]

    @property
    def refused(self) -> list[Refused]:
        return [row for batch in self.batches for row in batch.refused]

    @property
    def reasons(self) -> dict[int, str]:
        return {row.line: row.reason for row in self.refused}

    def total(self, field: str) -> int:
        return sum(getattr(batch, field) for batch in self.batches)


Bring = Callable[..., Brought]


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def bring(tmp_path: Path, memory: Memory) -> Bring:
    """Write a file, guess it, load it."""

    def do(
        content: str | bytes | Path,
        name: str = "orders.csv",
        *,
        kind: str | None = None,
        mapping: Mapping[str, str] | None = None,
        zone: str = "UTC",
        now: int = NOW,
        source: str = "till",
        **reading: Any,
    ) -> Brought:
        if isinstance(content, Path):
            path = content
        else:
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        seen = guess(path, kind, mapping, reading=Reading(**reading))
        notes: list[str] = []
        batches = list(
            load(
                path, guess=seen, source=source, now=now, zone=zone, currency="GBP", lines=memory, notes=notes
            )
        )
        for batch in batches:
            assert batch.read == batch.kept + batch.repeated + len(batch.refused) or not batch.kept
        return Brought(seen, batches, notes)

    return do
