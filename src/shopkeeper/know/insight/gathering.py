"""Questions to be tested together, gathered column by column: shares as counts, numbers as ranks of a sample."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.domain.traits import Trait
from shopkeeper.know.insight.facts import Bar
from shopkeeper.know.insight.people import Column, Lists, Mask, Texts
from shopkeeper.know.insight.ranks import Superiority, superiority

LEVELS: Final = 40
"""The most frequent levels of a text are looked at, chosen over both sides together."""
FEWEST: Final = 10
"""What fewer customers than this have, on both sides together, is not looked at: nothing could be said of it."""
_GAPS = 0.005
"""Where a smaller share is unknown (or known), that is no fact of its own."""
_MANY_ZEROS = 0.2


class Share(Struct, frozen=True, kw_only=True):
    """Counts of one thing: ``k1`` of ``n1`` of the group, ``k2`` of ``n2`` of the rest."""

    about: str
    level: str
    aspect: Literal["level", "yes", "any", "known"]
    phrase: str
    label: str
    k1: int
    n1: int
    k2: int
    n2: int
    together: int = 1
    """How many levels of one thing are looked at side by side, so that their intervals hold together."""


class Number(Struct, frozen=True, kw_only=True):
    """Ranks of one column."""

    trait: Trait
    seen: Superiority
    of: str = ""
    sampled: bool = False


class Gathered:
    """Two disjoint groups, and everything to be asked of them. ``most`` bounds the rows of a side that are ranked."""

    def __init__(self, group: Mask, rest: Mask, *, most: int, seed: int = 1) -> None:
        self.group, self.rest = group, rest
        self.sizes = int(group.sum()), int(rest.sum())
        draw = np.random.default_rng(seed)
        self._drawn = [self._sample(np.flatnonzero(mask), most, draw) for mask in (group, rest)]
        self.sampled = any(size > most for size in self.sizes)
        self.shares: list[Share] = []
        self.numbers: list[Number] = []
        self.pictures: dict[str, tuple[Bar, ...]] = {}
        self._asked: set[bytes] = set()

    @staticmethod
    def _sample(rows: NDArray[np.int64], most: int, draw: np.random.Generator) -> NDArray[np.int64]:
        return rows if rows.size <= most else np.sort(draw.choice(rows, most, replace=False))

    def add(self, trait: Trait, column: Column) -> None:
        """Ask of a trait what can be asked of its kind."""
        if isinstance(column, Texts):
            self._texts(trait, column)
        elif isinstance(column, Lists):
            self.levels(trait.name, trait.label, column, phrase=f"with among '{trait.label}'", of=self.sizes)
        elif trait.kind == "bool":
            known = ~np.isnan(column)
            self._share(trait, "yes", _lower(trait.label), column > 0, known)
        else:
            self._numbers(trait, column)

    def _texts(self, trait: Trait, column: Texts) -> None:
        known = column.codes >= 0
        self._known(trait, known)
        rows = np.flatnonzero(known)
        listed = Lists(rows, column.codes[rows], column.levels)
        sizes = int((known & self.group).sum()), int((known & self.rest).sum())
        self.levels(trait.name, trait.label, listed, phrase=f"with {_lower(trait.label)}", of=sizes)

    def levels(
        self, about: str, label: str, lists: Lists, *, phrase: str, of: tuple[int, int] | None = None
    ) -> None:
        """Ask of each frequent level. ``of`` are the numbers of customers the shares refer to; left out, those with
        any.
        """
        in_group, in_rest = self.group[lists.rows], self.rest[lists.rows]
        if of is None:
            rows = np.zeros(self.group.size, np.bool_)
            rows[lists.rows] = True
            of = int((rows & self.group).sum()), int((rows & self.rest).sum())
        n1, n2 = of
        if not n1 or not n2:
            return
        k1 = np.bincount(lists.codes[in_group], minlength=len(lists.levels))
        k2 = np.bincount(lists.codes[in_rest], minlength=len(lists.levels))
        frequent = np.argsort(-(k1 + k2), kind="stable")[:LEVELS]
        chosen = [int(at) for at in frequent if k1[at] + k2[at] >= FEWEST and k1[at] + k2[at] < n1 + n2]
        self.pictures[about] = tuple(
            Bar(lists.levels[at], float(k1[at] / n1), float(k2[at] / n2))
            for at in map(int, frequent[:12])
            if k1[at] + k2[at]
        )
        if len(chosen) == 2 and all(k[chosen].sum() == n for k, n in ((k1, n1), (k2, n2))) and _apart(lists):
            chosen = chosen[:1]  # the other one says the same the other way round
        for at in chosen:
            level = lists.levels[at]
            self.shares.append(
                Share(
                    about=about, level=level, aspect="level", phrase=f"{phrase} {level}", label=f"{label}: {level}",
                    k1=int(k1[at]), n1=n1, k2=int(k2[at]), n2=n2, together=len(chosen),
                )
            )  # fmt: skip

    def _numbers(self, trait: Trait, column: NDArray[np.float64]) -> None:
        known = ~np.isnan(column)
        self._known(trait, known)
        both = known & (self.group | self.rest)
        total = int(both.sum())
        if not total:
            return
        wanted, of = known, ""
        nothing = int((column[both] == 0).sum())
        if trait.kind != "time" and total * _MANY_ZEROS <= nothing <= total - FEWEST:
            # Whether there is any, and how much if so, are two things: most counts in retail are mostly zero.
            self._share(trait, "any", f"with any {_lower(trait.label)}", column != 0, known)
            wanted, of = known & (column != 0), "of those who have any"
        x, y = (column[rows[wanted[rows]]] for rows in self._drawn)
        seen = superiority(x, y)
        if seen is None or len(x) + len(y) < FEWEST:
            return
        self.numbers.append(Number(trait=trait, seen=seen, of=of, sampled=self.sampled))
        self.pictures[trait.name] = _tenths(trait, x, y)

    def _known(self, trait: Trait, known: Mask) -> None:
        both = self.group | self.rest
        share = float(known[both].mean()) if both.any() else 1.0
        if _GAPS < share < 1 - _GAPS:
            everybody = np.ones(known.size, np.bool_)
            self._share(trait, "known", f"with a known {_lower(trait.label)}", known, everybody)

    def _share(
        self, trait: Trait, aspect: Literal["yes", "any", "known"], phrase: str, has: Mask, known: Mask
    ) -> None:
        n1, n2 = int((known & self.group).sum()), int((known & self.rest).sum())
        k1, k2 = int((has & known & self.group).sum()), int((has & known & self.rest).sum())
        if n1 and n2 and FEWEST <= k1 + k2 < n1 + n2 and self._new(has, known):
            label = trait.label if aspect == "yes" else f"{trait.label}: {aspect}"
            self.shares.append(
                Share(
                    about=trait.name, level="", aspect=aspect, phrase=phrase, label=label, k1=k1, n1=n1, k2=k2, n2=n2
                )
            )  # fmt: skip

    def _new(self, has: Mask, known: Mask) -> bool:
        """Whether this has not been asked yet: whose last order is known is who has any orders."""
        both = self.group | self.rest
        told = hashlib.blake2b(np.packbits(has & known & both).tobytes(), digest_size=16)
        told.update(np.packbits(known & both).tobytes())
        new = told.digest() not in self._asked
        self._asked.add(told.digest())
        return new


def _apart(lists: Lists) -> bool:
    """Whether nobody has two levels."""
    return bool(np.unique(lists.rows).size == lists.rows.size)


def _lower(label: str) -> str:
    return label if label[:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def _tenths(trait: Trait, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Bar, ...]:
    """Shares of both sides in the tenths of both together; a value that fills several tenths is one bar."""
    from shopkeeper.know.insight.wording import number

    edges = np.unique(np.quantile(np.concatenate([x, y]), np.linspace(0, 1, 11), method="lower"))
    ends: Sequence[float] = [*edges[1:].tolist(), float("inf")]
    bars = []
    for low, high in zip(edges.tolist(), ends, strict=True):
        label = f"from {number(low, trait.kind)}" if high != low else number(low, trait.kind)
        bars.append(
            Bar(label, float(((x >= low) & (x < high)).mean()), float(((y >= low) & (y < high)).mean()))
        )
    return tuple(bars)
