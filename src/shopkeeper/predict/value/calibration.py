"""Learns at the origins in the past how a forecast's distribution must be shaped and read, and checks it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.interval import (
    Coverage,
    Group,
    Recalibrated,
    covered,
    fit_levels,
    fit_shape,
    group_of,
    groups,
    shaped,
    transforms,
)
from shopkeeper.predict.value.level import Level, Unsure, learn_level, level_of
from shopkeeper.predict.value.model import Future


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What the origins taught: the distribution by group of frequency, and the level of all."""

    groups: tuple[Group, ...] = ()
    level: Level = Level()

    def applied(self, future: Future, frequency: Floats) -> Future:
        """Correct a future with a full distribution by group, and make its level uncertain."""
        if not self.groups:
            return future
        group = group_of(frequency, [one.first for one in self.groups])
        return Unsure(Recalibrated(future, group, self.groups), self.level)


@dataclass(frozen=True)
class Case:
    """A forecast and what came: future, whether its distribution is its own, frequency, orders, weeks ahead, day."""

    future: Future
    exact: bool
    frequency: Floats
    orders: Floats
    window: float
    day: int = 0

    @cached_property
    def level(self) -> float:
        """What came over what was foretold, in sum."""
        return level_of(float(self.future.mean(self.window).sum()), float(self.orders.sum()))

    @property
    def at_level(self) -> float:
        """The window as if time had run at that level."""
        return self.window * self.level

    @cached_property
    def mean_at_level(self) -> Floats:
        """The forecast at that level."""
        return self.future.mean(self.at_level)

    @cached_property
    def own_transforms(self) -> tuple[Floats, Floats]:
        """The transforms of what came, at that level, by a distribution of the future's own."""
        return transforms(self.future, self.orders, self.at_level)

    def transforms(self, learned: Sequence[Group]) -> tuple[Floats, Floats]:
        """Give the transforms of what came, at that level."""
        if self.exact:
            return self.own_transforms
        return transforms(self.shaped(learned), self.orders, self.at_level)

    def shaped(self, learned: Sequence[Group]) -> Future:
        """Give the future with a full distribution, at the level foretold."""
        return self.future if self.exact else shaped(self.future, self.frequency, learned)

    def unsure(self, learned: Learned) -> Future:
        """Give the future with a full distribution, corrected, its level uncertain."""
        return learned.applied(self.shaped(learned.groups), self.frequency)

    def rows(self, firsts: Sequence[int], place: int) -> Floats:
        """Say which customers are in a group."""
        return np.asarray(group_of(self.frequency, firsts) == place)


def learn_distribution(cases: Sequence[Case]) -> Learned:
    """Learn from forecasts (the latest first) and what came."""
    heights = [case.level for case in cases]
    firsts = groups(cases[0].frequency)
    within = [[case.rows(firsts, place) for case in cases] for place in range(len(firsts))]
    means = [] if cases[0].exact else [case.mean_at_level for case in cases]
    found = []
    for first, rows in zip(firsts, within, strict=True):
        group = Group(first=first, n=int(sum(here.sum() for here in rows)))
        if means and group.n:
            floor, spread, zero = fit_shape(
                np.concatenate([mean[here] for mean, here in zip(means, rows, strict=True)]),
                np.concatenate([case.orders[here] for case, here in zip(cases, rows, strict=True)]),
                np.concatenate(
                    [np.full(here.sum(), case.at_level) for case, here in zip(cases, rows, strict=True)]
                ),
            )
            group = msgspec.structs.replace(group, floor=floor, spread=spread, zero=zero)
        found.append(group)
    pairs = [case.transforms(found) for case in cases]
    for place, rows in enumerate(within):
        if found[place].n:
            below, up_to = (
                np.concatenate([pair[side][here] for pair, here in zip(pairs, rows, strict=True)])
                for side in (0, 1)
            )
            levels, reached = fit_levels(below, up_to)
            found[place] = msgspec.structs.replace(found[place], levels=levels, reached=reached)
    covers = (max(case.day for case in cases) - min(case.day for case in cases)) / (7.0 * cases[0].window)
    level = learn_level(heights, [float(case.orders.sum()) for case in cases], 1.0 + covers)
    return Learned(groups=tuple(found), level=level)


def coverage_of(case: Case, learned: Learned) -> tuple[Coverage, ...]:
    """Give the coverage by group in a case that had no part in what was learned."""
    below, up_to = transforms(case.unsure(learned), case.orders, case.window)
    firsts = [group.first for group in learned.groups]
    return covered(below, up_to, group_of(case.frequency, firsts), firsts)


def coverage_elsewhere(cases: Sequence[Case]) -> tuple[Coverage, ...]:
    """Give the coverage by group with each origin judged by what was learned at the other ones.

    Groups that not all of them have are left out.
    """
    if len(cases) < 2:
        return ()
    seen: dict[str, list[Coverage]] = {}
    for out, case in enumerate(cases):
        for one in coverage_of(
            case, learn_distribution([other for at, other in enumerate(cases) if at != out])
        ):
            seen.setdefault(one.group, []).append(one)
    return tuple(
        msgspec.structs.replace(
            own[0],
            n=sum(one.n for one in own),
            expected=float(np.average([one.expected for one in own], weights=[one.n for one in own])),
            closed=float(np.average([one.closed for one in own], weights=[one.n for one in own])),
        )
        for own in seen.values()
        if len(own) == len(cases)
    )
