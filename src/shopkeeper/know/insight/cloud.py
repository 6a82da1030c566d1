"""Whether a cloud of points falls apart, and where: it is cut where a line shows two hills with a valley between them.

K-means always finds as many groups as it is asked for. Here its centres only say along which lines to look. On the line
with the deepest valley the cloud is cut, if points that had no part in choosing the line show the valley too, beyond
chance; each side is then looked at in the same way. Every shadow of a cloud with one hill that falls off as normal,
uniform or exponential ones do (any log-concave density; Prekopa 1973) has one hill as well, on whatever line, and so
has each side of a cut: a single cloud is not cut, however many points there are. Looking for hills on the lines between
centres is the idea of Hennig (2010), "Methods for merging Gaussian mixture components".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 40
_STARTS = 2
_CENTRES: Final = (2, 3, 5, 8)
_BINS = 40
_DEPTH = 0.65
"""A valley holds less than this share of the lower of its two hills."""
_SURE = 3.0
"""Standard errors by which the lower hill stands above the valley in points that did not choose the line."""
_TAIL = 0.005
"""Share of the points at either end of a line that is not looked at."""


class Cut(Struct, frozen=True):
    """A plane: points with ``direction @ point <= threshold`` lie on the low side."""

    direction: Any
    threshold: float
    low: Cut | int
    high: Cut | int
    """What follows on each side: another cut, or a cluster's number."""


class Cloud(Struct, frozen=True):
    """A cloud and how it falls apart."""

    clusters: int
    """1 means that it does not."""
    root: Cut | int

    def assign(self, points: Floats) -> NDArray[np.int64]:
        """The cluster of each point, 0 to ``clusters - 1``."""
        told = np.zeros(len(points), np.int64)

        def follow(node: Cut | int, rows: NDArray[np.int64]) -> None:
            if isinstance(node, int):
                told[rows] = node
                return
            low = points[rows] @ node.direction <= node.threshold
            follow(node.low, rows[low])
            follow(node.high, rows[~low])

        follow(self.root, np.arange(len(points)))
        return told


def fall_apart(points: Floats, *, most: int = 8, smallest: float = 0.03, seed: int = 1) -> Cloud:
    """Cut a cloud (one row a point, columns on comparable scales) wherever a valley shows.

    No cut leaves less than ``smallest`` of all points on a side, and there are at most ``most`` clusters.
    """
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(points))
    half = len(points) // 2
    least = max(smallest * half, _BINS / 2)
    count = 1

    def grow(train: Floats, test: Floats) -> Cut | int:
        nonlocal count
        if count < most and min(len(train), len(test)) >= 2 * least:
            found = _deepest(train, least, draw)
            if found is not None and _holds(test @ found[0], found[1], found[2], least):
                direction, threshold, _ = found
                count += 1
                low, low_test = train @ direction <= threshold, test @ direction <= threshold
                return Cut(
                    direction, threshold, grow(train[low], test[low_test]), grow(train[~low], test[~low_test])
                )
        return -1

    numbers = iter(range(len(points) + 1))

    def number(node: Cut | int) -> Cut | int:
        if isinstance(node, int):
            return next(numbers)
        return Cut(node.direction, node.threshold, number(node.low), number(node.high))

    root = number(grow(points[order[:half]], points[order[half:]]))
    return Cloud(count, root)


def _deepest(points: Floats, least: float, draw: np.random.Generator) -> tuple[Floats, float, Floats] | None:
    """The line with the deepest valley: its direction, where the valley is, and the edges that showed it."""
    best: tuple[float, Floats, float, Floats] | None = None
    for direction in _lines(points, draw):
        along = points @ direction
        low, high = np.quantile(along, [_TAIL, 1 - _TAIL])
        if high <= low:
            continue
        edges = np.linspace(low, high, _BINS + 1)
        height = _heights(along, edges)
        below = np.cumsum(np.histogram(along, np.concatenate(([-np.inf], edges[1:-1], [np.inf])))[0])
        for at in range(2, _BINS - 2):
            if not least <= below[at] <= len(along) - least:
                continue
            hill = min(height[:at].max(), height[at + 1 :].max())
            depth = height[at] / hill if hill > 0 else 1.0
            if depth < _DEPTH and (best is None or depth < best[0]):
                best = float(depth), direction, float((edges[at] + edges[at + 1]) / 2), edges
    return None if best is None else best[1:]


def _lines(points: Floats, draw: np.random.Generator) -> list[Floats]:
    """Along which lines to look: the axes, and from centre to centre of the cloud cut into pieces."""
    lines = list(np.eye(points.shape[1]))
    for pieces in _CENTRES:
        centres = kmeans(points, pieces, draw)
        for one in range(len(centres)):
            for other in range(one + 1, len(centres)):
                line = centres[other] - centres[one]
                length = float(np.sqrt(line @ line))
                if length > 0:
                    lines.append(line / length)
    return lines


def _holds(along: Floats, threshold: float, edges: Floats, least: float) -> bool:
    """Whether other points show the valley at the same place."""
    below = int((along <= threshold).sum())
    if not least / 2 <= below <= len(along) - least / 2:
        return False
    height = _heights(along, edges)
    at = int(np.searchsorted(edges, threshold)) - 1
    hill = min(height[:at].max(), height[at + 1 :].max())
    # Three bins share each smoothed height, which makes its variance a third of a count's.
    return bool(height[at] < _DEPTH * hill and hill - height[at] > _SURE * np.sqrt((hill + height[at]) / 3))


def _heights(along: Floats, edges: Floats) -> Floats:
    counts = np.histogram(along, edges)[0].astype(float)
    return np.convolve(np.pad(counts, 1, mode="edge"), np.ones(3) / 3, mode="valid")


def nearest(points: Floats, centres: Floats, chunk: int = 65_536) -> tuple[NDArray[np.int64], Floats]:
    """The nearest centre of each point, and its squared distance."""
    at, away = np.empty(len(points), np.int64), np.empty(len(points))
    norm = (centres**2).sum(axis=1)
    for start in range(0, len(points), chunk):
        part = points[start : start + chunk]
        square = norm - 2 * (part @ centres.T)
        own = square.argmin(axis=1)
        at[start : start + chunk] = own
        away[start : start + chunk] = square[np.arange(len(part)), own] + (part**2).sum(axis=1)
    return at, np.maximum(away, 0)


def kmeans(points: Floats, pieces: int, draw: np.random.Generator) -> Floats:
    """Centres by Lloyd (1982) from k-means++ starts (Arthur and Vassilvitskii 2007), the best of a few."""
    best, least = points[:1].copy(), np.inf
    for _ in range(_STARTS):
        centres = _start(points, pieces, draw)
        total = np.inf
        for _round in range(_ROUNDS):
            at, away = nearest(points, centres)
            sizes = np.bincount(at, minlength=len(centres))
            sums = np.stack([np.bincount(at, column, minlength=len(centres)) for column in points.T], axis=1)
            moved = sums[sizes > 0] / sizes[sizes > 0, None]
            now = float(away.sum())
            centres = moved
            if now > total * (1 - 1e-4):
                break
            total = now
        if now < least:
            best, least = centres, now
    return best


def _start(points: Floats, pieces: int, draw: np.random.Generator) -> Floats:
    chosen = [int(draw.integers(len(points)))]
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < pieces and away.sum() > 0:
        chosen.append(int(draw.choice(len(points), p=away / away.sum())))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen].copy()
