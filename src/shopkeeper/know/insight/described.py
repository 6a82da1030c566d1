"""Says who is in a group by a condition: a small decision tree over what the group was found in, grown in a sample.

A tree of three questions is what people read and change; it is an approximation, so whoever shows it says how many of
the group meet it (recall) and how many of those who meet it are of the group (precision), counted over customers that
the tree has not seen. Splits are those of CART (Breiman et al. 1984): the greatest fall of Gini impurity.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.insight.features import HABITS, Habit
from shopkeeper.know.insight.people import Mask, People

Floats = NDArray[np.float64]

_DEPTH: Final = 3
_FEWEST: Final = 25
"""Customers below which a leaf tells of chance."""
_PLACES: Final = 63
"""Thresholds tried for each figure."""
_SAMPLE: Final = 20_000


class Figure(NamedTuple):
    """A figure as the language of conditions writes it, and everybody's value (NaN where it is not known)."""

    text: str
    values: Floats
    whole: bool


class Side(NamedTuple):
    """A figure beside a threshold: from it on, or below it."""

    figure: int
    threshold: float
    above: bool


class Described(Struct, frozen=True, kw_only=True):
    """A condition for a group, and which rows it was made from."""

    condition: str
    seen: NDArray[np.int64]


def figures(people: People, habits: tuple[Habit, ...] = HABITS) -> list[Figure]:
    """What groups are found in, as figures; a rate is a share of whatever it is a rate of."""
    kinds = {trait.name: trait.kind for trait in people.traits}
    found = []
    for habit in habits:
        if not {habit.name, habit.of or habit.name} <= kinds.keys():
            continue
        values = people.column(habit.name)
        if not isinstance(values, np.ndarray):
            continue
        if not habit.of:
            found.append(Figure(habit.name, values, kinds[habit.name] == "int"))
            continue
        of = people.column(habit.of)
        if isinstance(of, np.ndarray):
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(of != 0, values / of, np.nan)
            found.append(Figure(f"{habit.name} / {habit.of}", share, whole=False))
    return found


def described(people: People, group: Mask, among: Mask, *, seed: int = 1) -> Described | None:
    """A condition that says who of ``among`` is in a group; None where no few questions tell them apart."""
    rows = np.flatnonzero(among)
    draw = np.random.default_rng(seed)
    seen = np.sort(draw.choice(rows, min(_SAMPLE, rows.size // 2), replace=False))
    known = figures(people)
    if not known or seen.size < 2 * _FEWEST:
        return None
    table = np.stack([figure.values[seen] for figure in known], axis=1)
    inside = group[seen]
    leaves = _grown(table, inside, np.ones(seen.size, np.bool_), known, ())
    chosen = _chosen(table, inside, leaves)
    if not chosen:
        return None
    parts = [_conjunction(known, leaf) for leaf in chosen]
    said = parts[0] if len(parts) == 1 else " or ".join(f"({part})" for part in parts)
    return Described(condition=f"orders >= 1 and ({said})", seen=seen)


def _grown(
    table: Floats, inside: Mask, here: Mask, known: list[Figure], path: tuple[Side, ...]
) -> list[tuple[Side, ...]]:
    """The leaves of the tree below a place, each as the way to it."""
    split = _split(table[here], inside[here], known) if len(path) < _DEPTH else None
    if split is None:
        return [path]
    column, threshold = split
    with np.errstate(invalid="ignore"):
        above = table[:, column] >= threshold
        below = table[:, column] < threshold
    return [
        *_grown(table, inside, here & above, known, (*path, Side(column, threshold, above=True))),
        *_grown(table, inside, here & below, known, (*path, Side(column, threshold, above=False))),
    ]


def _split(table: Floats, inside: Mask, known: list[Figure]) -> tuple[int, float] | None:
    """The figure and the threshold that tell best who is in; None where nothing does. Who is unknown is on no side."""
    total, hits = inside.size, int(inside.sum())
    if hits in (0, total) or total < 2 * _FEWEST:
        return None
    best, found = 1e-9, None
    for column, figure in enumerate(known):
        values = table[:, column]
        there = ~np.isnan(values)
        if there.sum() < 2 * _FEWEST:
            continue
        order = np.argsort(values[there], kind="stable")
        ranked, sums = values[there][order], np.cumsum(inside[there][order])
        for threshold in _thresholds(ranked, whole=figure.whole):
            low = int(np.searchsorted(ranked, threshold, side="left"))
            high = ranked.size - low
            if min(low, high) < _FEWEST:
                continue
            in_low = int(sums[low - 1])
            in_high = int(sums[-1]) - in_low
            # Of what Gini's impurity falls by only this part depends on the split.
            gain = in_low**2 / low + in_high**2 / high - int(sums[-1]) ** 2 / ranked.size
            if gain > best:
                best, found = gain, (column, threshold)
    return found


def _thresholds(ranked: Floats, *, whole: bool) -> list[float]:
    """Thresholds worth trying, as people write them: whole numbers, or two digits that count."""
    tried = np.quantile(ranked, np.linspace(0, 1, _PLACES + 2)[1:-1])
    if whole:
        return sorted({float(np.floor(one) + step) for one in tried for step in (0, 1)})
    return sorted({float(f"{one:.2g}") for one in tried})


def _chosen(table: Floats, inside: Mask, leaves: list[tuple[Side, ...]]) -> list[tuple[Side, ...]]:
    """The purest leaves, as many as give the best mean of precision and recall (F1)."""
    told = []
    for leaf in leaves:
        met = _met(table, leaf)
        if met.any() and leaf:
            told.append((float(inside[met].mean()), leaf, int(met.sum()), int(inside[met].sum())))
    told.sort(key=lambda one: -one[0])
    best, chosen = 0.0, 0
    meeting = hits = 0
    for count, (_, _, many, right) in enumerate(told, 1):
        meeting, hits = meeting + many, hits + right
        score = 2 * hits / (meeting + int(inside.sum()))
        if score > best + 1e-12:
            best, chosen = score, count
    return [leaf for _, leaf, _, _ in told[:chosen]]


def _met(table: Floats, leaf: tuple[Side, ...]) -> Mask:
    met = np.ones(len(table), np.bool_)
    with np.errstate(invalid="ignore"):
        for side in leaf:
            values = table[:, side.figure]
            met &= values >= side.threshold if side.above else values < side.threshold
    return met


def _conjunction(known: list[Figure], leaf: tuple[Side, ...]) -> str:
    """A way as text: of several bounds on one side of a figure the tightest is enough."""
    bounds: dict[tuple[int, bool], float] = {}
    for side in leaf:
        key = side.figure, side.above
        tightest = max if side.above else min
        bounds[key] = tightest(bounds.get(key, side.threshold), side.threshold)
    return " and ".join(
        f"{known[figure].text} {'>=' if above else '<'} {_number(threshold)}"
        for (figure, above), threshold in sorted(bounds.items())
    )


def _number(value: float) -> str:
    """A threshold as the language writes it.

    >>> _number(3.0), _number(0.25), _number(0.00001)
    ('3', '0.25', '0.00001')
    """
    return f"{value:.6f}".rstrip("0").rstrip(".")
