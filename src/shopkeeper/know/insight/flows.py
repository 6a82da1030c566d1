"""Where customers went: how many moved from one segment to another in each period, ready for a Sankey picture.

Made of the record of entering and leaving. At each boundary between periods every customer stands in one place: the
first in the order of ``segments`` of those they are in, or in none. What happens and is undone within a period does
not flow; it is counted as entered and left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.clock import micros
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.shares import wilson

NONE: Final = ""
"""Stands for being in none of the segments."""


class Flow(Struct, frozen=True, kw_only=True):
    """Customers who stood in one place at the beginning of a period and in another (or the same) at its end."""

    period: int
    source: str
    target: str
    customers: int
    share: float
    """Of those who stood in ``source``, with its 95 % interval (Wilson)."""
    low: float
    high: float


class Traffic(Struct, frozen=True, kw_only=True):
    """What happened to one segment in a period. ``entered`` and ``left`` count every passing, so that
    ``at_start + entered - left == at_end``.
    """

    period: int
    segment: str
    at_start: int
    entered: int
    left: int
    at_end: int


class Flows(Struct, frozen=True, kw_only=True):
    """Flows between the segments over time."""

    boundaries: tuple[datetime, ...]
    segments: tuple[str, ...]
    """In order of precedence: who is in several stands in the first."""
    flows: tuple[Flow, ...]
    traffic: tuple[Traffic, ...]
    customers: int
    """Who was in any of the segments at any time."""

    def sankey(self) -> dict[str, list[dict[str, Any]]]:
        """Nodes (a segment at a boundary) and links, as ECharts takes them. Those in none at both ends are left out."""
        links = [
            {
                "source": f"{flow.source}@{flow.period}",
                "target": f"{flow.target}@{flow.period + 1}",
                "value": flow.customers,
            }
            for flow in self.flows
            if flow.source or flow.target
        ]
        names = sorted({str(link[end]) for link in links for end in ("source", "target")})
        return {"nodes": [{"name": name} for name in names], "links": links}


def flows(
    *,
    customer: ArrayLike,
    segment: Sequence[str] | NDArray[Any],
    at: ArrayLike,
    entered: ArrayLike,
    boundaries: Sequence[datetime],
    segments: Sequence[str],
) -> Flows:
    """Count transitions between ``segments`` from one boundary to the next.

    Rows tell of one passing each: who, which segment, when (microseconds since 1970), and whether in or out; rows of
    one instant count in their order. Entering twice or leaving without having entered changes nothing. A passing at a
    boundary belongs to the period before it.

    Raises InvalidInput for columns of different length, boundaries that do not rise, or fewer than two.

    >>> from datetime import UTC, datetime
    >>> day = 86_400_000_000
    >>> seen = flows(customer=[1, 1, 1], segment=["new", "new", "loyal"], at=[0, 15 * day, 15 * day],
    ...              entered=[True, False, True], segments=["loyal", "new"],
    ...              boundaries=[datetime(1970, 1, 2, tzinfo=UTC), datetime(1970, 2, 1, tzinfo=UTC)])
    >>> [(f.source, f.target, f.customers) for f in seen.flows]
    [('new', 'loyal', 1)]
    """
    marks = np.array([micros(boundary) for boundary in boundaries], np.int64)
    if marks.size < 2 or (np.diff(marks) <= 0).any():
        raise InvalidInput("flows need two or more boundaries, each later than the one before")
    who, when, into = np.asarray(customer, np.int64), np.asarray(at, np.int64), np.asarray(entered, np.bool_)
    what = np.asarray(segment)
    if len({who.size, when.size, into.size, what.size}) > 1:
        raise InvalidInput("columns of passings differ in length", hint="one row a passing")
    code = np.full(what.size, -1, np.int64)
    for place, name in enumerate(segments):
        code[what == name] = place
    kept = (code >= 0) & (when <= marks[-1])
    people, rows = np.unique(who[kept], return_inverse=True)
    pairs, when, into = rows * len(segments) + code[kept], when[kept], into[kept]
    order = np.lexsort((np.arange(pairs.size), when, pairs))
    pairs, when, into = pairs[order], when[order], into[order]
    first = np.concatenate(([True], pairs[1:] != pairs[:-1])) if pairs.size else np.empty(0, bool)
    before = np.where(first, False, np.concatenate(([False], into[:-1]))) if pairs.size else first
    change = into != before
    pairs, when, into = pairs[change], when[change], into[change]
    stand, counts = _standing(pairs, when, into, marks, people.size, len(segments))
    return Flows(
        boundaries=tuple(boundaries), segments=tuple(segments), customers=int(people.size),
        flows=tuple(_flows(stand, list(segments))),
        traffic=tuple(_traffic(pairs, when, into, marks, counts, list(segments))),
    )  # fmt: skip


def _standing(
    pairs: NDArray[Any], when: NDArray[Any], into: NDArray[Any], marks: NDArray[Any], people: int, places: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where everybody stands at each boundary (places for none), and how many are in each segment then."""
    stand = np.full((marks.size, people), places, np.int16)
    counts = np.zeros((marks.size, places), np.int64)
    # After what is left out, passings of a pair alternate: in, out, in. A stay is an 'in' and the row after it.
    last = np.concatenate((pairs[1:] != pairs[:-1], [True])) if pairs.size else np.empty(0, bool)
    until = np.where(last, np.iinfo(np.int64).max, np.concatenate((when[1:], [0]))) if pairs.size else when
    who, place = pairs[into] // places, pairs[into] % places
    begin = np.searchsorted(marks, when[into], side="left")
    end = np.searchsorted(marks, until[into], side="left")
    for mark in range(marks.size):
        inside = (begin <= mark) & (mark < end)
        counts[mark] = np.bincount(place[inside], minlength=places)
        np.minimum.at(stand[mark], who[inside], place[inside].astype(np.int16))
    return stand, counts


def _flows(stand: NDArray[Any], segments: list[str]) -> list[Flow]:
    names, size = [*segments, NONE], len(segments) + 1
    told = []
    for period in range(stand.shape[0] - 1):
        moved = np.bincount(
            stand[period].astype(np.int64) * size + stand[period + 1], minlength=size * size
        ).reshape(size, size)
        total = moved.sum(axis=1)
        for source, target in np.argwhere(moved):
            low, high = wilson(moved[source, target], total[source])
            told.append(
                Flow(
                    period=period, source=names[source], target=names[target],
                    customers=int(moved[source, target]), share=float(moved[source, target] / total[source]),
                    low=float(low), high=float(high),
                )
            )  # fmt: skip
    return told


def _traffic(
    pairs: NDArray[Any], when: NDArray[Any], into: NDArray[Any], marks: NDArray[Any], counts: NDArray[Any],
    segments: list[str],
) -> list[Traffic]:  # fmt: skip
    period = np.searchsorted(marks, when, side="left") - 1
    place = pairs % len(segments)
    told = []
    for at in range(marks.size - 1):
        inside = period == at
        enter = np.bincount(place[inside & into], minlength=len(segments))
        leave = np.bincount(place[inside & ~into], minlength=len(segments))
        told += [
            Traffic(
                period=at, segment=name, at_start=int(counts[at, row]), entered=int(enter[row]), left=int(leave[row]),
                at_end=int(counts[at + 1, row]),
            )
            for row, name in enumerate(segments)
        ]  # fmt: skip
    return told
