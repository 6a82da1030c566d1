"""Who is in several segments at once: pairs with their likeness and lift, and every combination with its count.

A combination counts customers who are in exactly its segments and in no other of those asked about: the rows of an
UpSet picture (Lex et al. 2014, "UpSet: Visualization of Intersecting Sets").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.people import Mask
from shopkeeper.know.insight.shares import wilson

MOST = 62
"""Segments that one picture can hold: a bit each."""


class Pair(Struct, frozen=True, kw_only=True):
    """Two segments beside each other."""

    one: str
    other: str
    both: int
    jaccard: float
    """Share of those in either who are in both, 0 to 1; 0 where nobody is in either."""
    of_one: float
    """Share of the first who are in the other as well."""
    of_other: float
    lift: float | None
    """How many times as many are in both as if the two had nothing to do with each other; None where one is empty."""
    lift_low: float | None = None
    lift_high: float | None = None
    """95 % interval of the lift: of ``of_one`` by Wilson, over the other's share of everybody."""


class Combination(Struct, frozen=True):
    """Customers in exactly these segments of those asked about."""

    segments: tuple[str, ...]
    customers: int
    value: float | None = None
    """Sum of what the caller gave as values, where it did."""


class Overlaps(Struct, frozen=True, kw_only=True):
    """Several segments at once."""

    everybody: int
    sizes: dict[str, int]
    pairs: tuple[Pair, ...]
    combinations: tuple[Combination, ...]
    """Largest first; the empty one, of customers in no segment, among them."""
    left_out: int = 0
    """Combinations beyond those listed."""


def overlaps(segments: Mapping[str, Mask], *, values: NDArray[Any] | None = None, most: int = 40) -> Overlaps:
    """Count who is in which of several segments (masks over the same customers).

    ``values`` (one number a customer, NaN counting as nothing) are summed by combination; ``most`` combinations are
    listed.

    Raises InvalidInput for masks of different length or more segments than a picture holds.

    >>> seen = overlaps({"a": np.array([True, True, False, False]), "b": np.array([True, False, False, False])})
    >>> [(c.segments, c.customers) for c in seen.combinations], seen.pairs[0].jaccard, seen.pairs[0].lift
    ([((), 2), (('a',), 1), (('a', 'b'), 1)], 0.5, 2.0)
    """
    names = list(segments)
    _fits(names, list(segments.values()), values)
    size = next(iter(segments.values())).size if names else 0
    code = np.zeros(size, np.int64)
    for bit, name in enumerate(names):
        code |= np.where(segments[name], np.int64(1) << bit, 0)
    codes, at = np.unique(code, return_inverse=True)
    counts = np.bincount(at, minlength=codes.size)
    sums = None if values is None else np.bincount(at, np.nan_to_num(values), minlength=codes.size)
    order = sorted(range(codes.size), key=lambda row: (-counts[row], int(codes[row]).bit_count(), codes[row]))
    listed = tuple(
        Combination(
            tuple(name for bit, name in enumerate(names) if int(codes[row]) >> bit & 1),
            int(counts[row]),
            None if sums is None else float(sums[row]),
        )
        for row in order[:most]
    )
    return Overlaps(
        everybody=size,
        sizes={name: int(segments[name].sum()) for name in names},
        pairs=tuple(_pair(one, other, codes, counts, names, size) for one, other in combinations(names, 2)),
        combinations=listed,
        left_out=max(codes.size - most, 0),
    )


def _fits(names: Sequence[str], masks: Sequence[Mask], values: NDArray[Any] | None) -> None:
    if len(names) > MOST:
        raise InvalidInput(f"{len(names)} segments at once", hint=f"ask about {MOST} at most")
    sizes = {mask.size for mask in masks} | ({values.size} if values is not None and masks else set())
    if len(sizes) > 1:
        raise InvalidInput("segments over different customers", hint="make all masks of one table")


def _pair(
    one: str, other: str, codes: NDArray[Any], counts: NDArray[Any], names: Sequence[str], everybody: int
) -> Pair:
    first, second = (codes >> names.index(name) & 1 > 0 for name in (one, other))
    a, b, both = (int(counts[rows].sum()) for rows in (first, second, first & second))
    lift = low = high = None
    if a and b:
        share = b / everybody
        limits = wilson(both, a)
        lift, low, high = both / a / share, float(limits[0]) / share, float(limits[1]) / share
    return Pair(
        one=one, other=other, both=both, jaccard=both / (a + b - both) if a + b else 0.0,
        of_one=both / a if a else 0.0, of_other=both / b if b else 0.0, lift=lift, lift_low=low, lift_high=high,
    )  # fmt: skip
