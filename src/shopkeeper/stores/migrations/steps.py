"""Reads the numbered schema files of a place in order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


@cache
def _files(place: str) -> tuple[tuple[int, str], ...]:
    folder = files(__package__).joinpath(place)
    return tuple(
        sorted((int(entry.name[:4]), entry.name) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    )


def latest(place: str) -> int:
    """The newest schema of a place (``ledger``, ``gate``) that this Shopkeeper knows.

    >>> latest("ledger") >= 1
    True
    """
    return _files(place)[-1][0]


def steps(place: str, after: int) -> Iterator[tuple[int, list[str]]]:
    """Every schema change of a place later than ``after``: its number and its statements.

    >>> [number for number, _ in steps("ledger", after=0)][0]
    1
    """
    for number, name in _files(place):
        if number > after:
            text = files(__package__).joinpath(place, name).read_text("utf-8")
            bare = "\n".join(line.split("--", 1)[0] for line in text.splitlines())
            yield number, [statement.strip() for statement in bare.split(";") if statement.strip()]
