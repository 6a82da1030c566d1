"""Reads the numbered schema files in order."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

_FILES = sorted(
    (int(entry.name[:4]), entry.name) for entry in files(__package__).iterdir() if entry.name.endswith(".sql")
)
LATEST = _FILES[-1][0]
"""The newest schema this Shopkeeper knows."""


def steps(after: int) -> Iterator[tuple[int, list[str]]]:
    """Every schema change later than ``after``: its number and its statements.

    >>> [number for number, _ in steps(after=0)][0]
    1
    """
    for number, name in _FILES:
        if number > after:
            text = files(__package__).joinpath(name).read_text("utf-8")
            bare = "\n".join(line.split("--", 1)[0] for line in text.splitlines())
            yield number, [statement.strip() for statement in bare.split(";") if statement.strip()]
