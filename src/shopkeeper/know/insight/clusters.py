"""Groups of customers that the data suggest by themselves, with names that people read; or none, where there are none.

A suggestion for a marketer, who keeps, renames or drops it; not a truth about customers, most of whom differ by degree.
Found by ``cloud.fall_apart`` in a sample, confirmed by finding them again in other samples, and given to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from shopkeeper.know.insight.cloud import Cloud, fall_apart
from shopkeeper.know.insight.features import Features, features
from shopkeeper.know.insight.people import Mask, People
from shopkeeper.know.insight.ranks import superiority

SAMPLE: Final = 20_000
_FEWEST = 400
_AGAIN = 3
_STABLE = 0.75
"""Mean adjusted Rand index with groups found in other samples, from which on groups are told of (Hubert, Arabie
1985).
"""
_TELLING = 0.5
"""A habit names a group from this effect on: medium, by Cohen."""
_SAME = 0.4
"""Jaccard likeness from which on a group is the one of an earlier run."""


class Cluster(Struct, frozen=True, kw_only=True):
    """One suggested group."""

    key: str
    """Stays between runs while the group is mostly the same people."""
    name: str
    customers: int
    share: float
    """Of everybody who was looked at."""
    habits: tuple[tuple[str, float], ...]
    """What sets it apart, in words, with the effect (standard deviations), strongest first."""
    likeness: float | None = None
    """Jaccard likeness with the earlier group whose key it keeps."""


class Clusters(Struct, frozen=True, kw_only=True):
    """Suggested groups. ``of`` has the place in ``clusters`` for each customer of ``People``, -1 for none."""

    clusters: tuple[Cluster, ...]
    of: NDArray[Any]
    stability: float | None
    note: str

    def mask(self, key: str) -> Mask:
        """Who is in a group."""
        return np.asarray(self.of == [cluster.key for cluster in self.clusters].index(key))


def clusters(
    people: People, who: Mask | None = None, *, previous: Mapping[str, ArrayLike] | None = None, most: int = 8,
    seed: int = 1,
) -> Clusters:  # fmt: skip
    """Suggest groups of buyers (all, or those of ``who``) by how they buy.

    ``previous`` are the groups of an earlier run, key to customer ids: who is mostly the same keeps the key.
    """
    cloud = features(people, who)
    size = cloud.rows.size
    none = np.full(len(people), -1, np.int64)
    if size < _FEWEST or not cloud.habits:
        return Clusters(
            clusters=(), of=none, stability=None,
            note=f"{size:,} buyers are too few to look for groups; {_FEWEST} are needed",
        )  # fmt: skip
    draw = np.random.default_rng(seed)
    sample = cloud.points[_drawn(size, draw)]
    found = fall_apart(sample, most=most, seed=seed)
    if found.clusters == 1:
        return Clusters(clusters=(), of=none, stability=None, note=_none(cloud))
    stability = _stability(found, cloud.points, most, draw)
    if stability < _STABLE:
        return Clusters(
            clusters=(), of=none, stability=stability,
            note="groups show, but other samples show others: nothing to build on",
        )  # fmt: skip
    labels = found.assign(cloud.points)
    order = np.argsort(-np.bincount(labels, minlength=found.clusters), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    labels = place[labels]
    of = none.copy()
    of[cloud.rows] = labels
    kept = _matched(people, of, found.clusters, previous or {})
    return Clusters(
        clusters=tuple(_named(cloud, labels, found.clusters, kept, draw)), of=of, stability=stability,
        note=f"{found.clusters} groups among {size:,} buyers, found again in other samples (Rand {stability:.2f})",
    )  # fmt: skip


def _none(cloud: Features) -> str:
    words = ", ".join(habit.name for habit in cloud.habits)
    return (
        f"no groups: buyers differ by degree in {words}, and nothing separates some of them from the others"
    )


def _drawn(size: int, draw: np.random.Generator) -> NDArray[np.int64]:
    return np.asarray(draw.choice(size, min(size, SAMPLE), replace=False))


def _stability(found: Cloud, points: NDArray[Any], most: int, draw: np.random.Generator) -> float:
    """How alike the groups are that other samples (half of those there are, where there are few) show."""
    told = []
    probe = points[_drawn(len(points), draw)]
    labels = found.assign(probe)
    for _ in range(_AGAIN):
        rows = draw.choice(len(points), min(SAMPLE, max(len(points) * 4 // 5, 1)), replace=False)
        again = fall_apart(points[rows], most=most, seed=int(draw.integers(1 << 31)))
        told.append(adjusted_rand(labels, again.assign(probe)))
    return float(np.mean(told))


def adjusted_rand(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """How alike two groupings are: 1 for the same, 0 for as like as chance makes them.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    np.add.at(table, (one, other), 1)

    def pairs(counts: NDArray[Any]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    rows, columns, everything = (
        pairs(table.sum(axis=1)),
        pairs(table.sum(axis=0)),
        pairs(np.array([one.size])),
    )
    expected = rows * columns / everything
    top = (rows + columns) / 2
    return 1.0 if top == expected else (pairs(table) - expected) / (top - expected)


def _matched(
    people: People, of: NDArray[np.int64], count: int, previous: Mapping[str, ArrayLike]
) -> dict[int, tuple[str, float]]:
    """Which group keeps the key of which earlier one: the pairing with the greatest likeness in sum."""
    from scipy.optimize import linear_sum_assignment

    keys = list(previous)
    if not keys:
        return {}
    likeness = np.zeros((count, len(keys)))
    sizes = np.bincount(of[of >= 0], minlength=count)
    for column, key in enumerate(keys):
        ids = np.asarray(previous[key], np.int64)
        rows = people.rows(ids)
        here = of[rows[rows >= 0]]
        shared = np.bincount(here[here >= 0], minlength=count)
        likeness[:, column] = shared / np.maximum(sizes + ids.size - shared, 1)
    return {
        int(row): (keys[column], float(likeness[row, column]))
        for row, column in zip(*linear_sum_assignment(-likeness), strict=True)
        if likeness[row, column] >= _SAME
    }


def _named(
    cloud: Features, labels: NDArray[np.int64], count: int, kept: Mapping[int, tuple[str, float]],
    draw: np.random.Generator,
) -> list[Cluster]:  # fmt: skip
    rows = _drawn(labels.size, draw)
    points, own = cloud.points[rows], labels[rows]
    telling = [_telling(cloud, points[own == at], points[own != at]) for at in range(count)]
    names = [_name(habits, 2) for habits in telling]
    names = [_name(telling[at], 4) if names.count(name) > 1 else name for at, name in enumerate(names)]
    names = [f"{name} ({at + 1})" if names.count(name) > 1 else name for at, name in enumerate(names)]
    taken = {key for key, _ in kept.values()}
    fresh = (key for key in (f"group_{number}" for number in range(1, 1000)) if key not in taken)
    sizes = np.bincount(labels, minlength=count)
    return [
        Cluster(
            key=kept[at][0] if at in kept else next(fresh), name=names[at], customers=int(sizes[at]),
            share=float(sizes[at] / labels.size), habits=tuple(telling[at]),
            likeness=kept[at][1] if at in kept else None,
        )
        for at in range(count)
    ]  # fmt: skip


def _telling(cloud: Features, inside: NDArray[Any], outside: NDArray[Any]) -> list[tuple[str, float]]:
    told = []
    for column, habit in enumerate(cloud.habits):
        seen = superiority(inside[:, column], outside[:, column])
        if seen is not None and abs(seen.effect) >= _TELLING:
            told.append((habit.much if seen.effect > 0 else habit.little, seen.effect))
    return sorted(told, key=lambda pair: -abs(pair[1]))


def _name(habits: list[tuple[str, float]], most: int) -> str:
    text = ", ".join(words for words, _ in habits[:most]) or "middling in everything"
    return f"{text[:1].upper()}{text[1:]}"
