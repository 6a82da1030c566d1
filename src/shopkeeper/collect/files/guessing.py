"""Which kind a file is, by its columns and by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shopkeeper.collect.files.columns import folded, recognise
from shopkeeper.collect.files.kinds import KINDS, Kind
from shopkeeper.collect.files.rows import Table
from shopkeeper.domain.errors import BadFile, InvalidInput

_NAMED: Final = 3.0
"""What a file's name that speaks for a kind is worth, in tells of columns."""
_UNKNOWN: Final = 0.3
"""What each column without a meaning in the kind costs."""
_AHEAD: Final = 1.15
"""How far the best kind must be ahead of the next."""


def guess_kind(table: Table, path: Path, mapping: Mapping[str, str]) -> tuple[str, float]:
    """The kind that fits best, and how far it is ahead (0 to 1).

    Raises BadFile where none fits, InvalidInput at a tie.
    """
    given = {folded(column) for column in mapping.values()}
    columns = [column for column in table.columns if folded(column) not in given]
    words = {word.removesuffix("s") for word in re.split(r"[\W_\d]+", path.name.casefold()) if word}
    scores: dict[str, float] = {}
    nearest: list[tuple[int, str]] = []
    for kind in KINDS.values():
        if not all(any(f.name == field for f in kind.fields) for field in mapping):
            continue
        found = recognise(columns, kind)
        fields = found.fields | dict(mapping)
        missing = sum(not any(field in fields for field in group) for group in kind.needs)
        if missing:
            nearest.append((missing, kind.name))
            continue
        scores[kind.name] = _score(kind, fields, len(found.unmapped), words)
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    if not ranked:
        raise _none(table, path, nearest)
    best, score = ranked[0]
    second = max(ranked[1][1], 0.0) if len(ranked) > 1 else 0.0
    if second and score < second * _AHEAD:
        raise InvalidInput(
            f"{path.name!r} may be {best} or {ranked[1][0]}", hint=f"say which one it is: kind='{best}'"
        )
    return best, round(1.0 - second / score, 2) if score > 0 else 0.0


def _score(kind: Kind, fields: Mapping[str, str], unknown: int, words: set[str]) -> float:
    score = sum(field.tells for field in kind.fields if field.name in fields)
    if kind.name != "attributes":
        score -= _UNKNOWN * unknown
    if any(word.removesuffix("s") in words for word in kind.files):
        score += _NAMED
    return score


def _none(table: Table, path: Path, nearest: list[tuple[int, str]]) -> BadFile:
    if len(table.columns) == 1:
        return BadFile(
            f"{path.name!r} has one column only, and it is none of e-mail, phone or customer number",
            hint="its delimiter may be another: , ; tab and | are recognised",
        )
    listed = ", ".join(table.columns[:20])
    closest = f" (closest: {min(nearest)[1]})" if nearest else ""
    return BadFile(
        f"the columns of {path.name!r} fit no kind of file{closest}; they are {listed}",
        hint=f"give a kind ({', '.join(KINDS)}) and a mapping of fields to columns",
    )
