"""Learns at the origins in the past how a forecast's distribution must be shaped and read, and checks it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
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
from shopkeeper.predict.value.level import (
    Level,
    Unsure,
    Wander,
    Window,
    at_levels,
    learn_group_level,
    learn_level,
    level_of,
    own_level,
    shared_levels,
)
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import Shared
from shopkeeper.predict.value.wander import Longer, learn_wander, looked_at

USUAL = Level(deviation=0.2)
"""The level where nothing is known of a shop's weeks: a fifth up or down."""


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What the origins taught: the distribution by group of frequency, the level of all, how far each one wanders."""

    groups: tuple[Group, ...] = ()
    level: Level = Level()
    wander: Wander = Wander()

    def applied(self, future: Future, frequency: Floats) -> Future:
        """Correct a future with a full distribution by group, and make its level uncertain.

        Where customers share a history, this is done once per history.
        """
        if not self.groups:
            return future
        group = group_of(frequency, [one.first for one in self.groups])
        if isinstance(future, Shared):
            histories = np.zeros(int(future.where.max(initial=-1)) + 1, dtype=np.int64)
            histories[future.where] = group
            alone = future.base.take(np.arange(histories.size, dtype=np.int64))
            return Shared(self._of(alone, histories), future.where)
        return self._of(future, group)

    def times(self, t: float, frequency: Floats) -> list[Any]:
        """Give ``t`` as it would run at each of the levels that may come, per customer where groups were learned."""
        if not self.groups:
            return at_levels(t, self.level)
        group = group_of(frequency, [one.first for one in self.groups])
        return at_levels(t, self._levels, group, self.wander)

    def shared(self, t: float, frequency: Floats) -> list[Any]:
        """Give the logarithm of the level of orders that customers share at each of `times`, per customer."""
        if not self.groups:
            return [np.full(frequency.shape, one) for one in shared_levels(t, self.level)]
        group = group_of(frequency, [one.first for one in self.groups])
        return shared_levels(t, self._levels, group, self.wander)

    def _of(self, future: Future, group: Ints) -> Future:
        return Unsure(Recalibrated(future, group, self.groups), self._levels, group, self.wander)

    @property
    def _levels(self) -> tuple[Level, ...]:
        return tuple(self.level if one.level is None else one.level for one in self.groups)


@dataclass(frozen=True)
class Case:
    """A forecast and what came: future, whether its distribution is its own, frequency, orders, weeks ahead, day.

    The level ``foretold`` there, and how far the forecast's sum is ``apart`` from that of which it was: see `Window`.
    """

    future: Future
    exact: bool
    frequency: Floats
    orders: Floats
    window: float
    day: int = 0
    foretold: Level = USUAL
    apart: float = 0.0

    @cached_property
    def level(self) -> float:
        """What came over what was foretold, in sum."""
        return level_of(float(self.expected.sum()), float(self.orders.sum()))

    @cached_property
    def expected(self) -> Floats:
        """The forecast."""
        return self.future.mean(self.window)

    def own_levels(self, firsts: Sequence[int]) -> Floats:
        """Give the log level of each group."""
        group, log_level = group_of(self.frequency, firsts), float(np.log(self.level))
        sums = (
            np.bincount(group, weights=one, minlength=len(firsts)) for one in (self.expected, self.orders)
        )
        return np.array([own_level(float(e), float(y), log_level) for e, y in zip(*sums, strict=True)])

    def at_level(self, firsts: Sequence[int]) -> Floats:
        """Give each customer's window as if time had run at the level of the customer's group."""
        return np.asarray(self.window * np.exp(self.own_levels(firsts)[group_of(self.frequency, firsts)]))

    def transforms(self, learned: Sequence[Group]) -> tuple[Floats, Floats]:
        """Give the transforms of what came, at those levels."""
        firsts = tuple(one.first for one in learned)
        if not self.exact:
            return transforms(self.shaped(learned), self.orders, self.at_level(firsts))
        if firsts not in self._own:
            self._own[firsts] = transforms(self.future, self.orders, self.at_level(firsts))
        return self._own[firsts]

    @cached_property
    def _own(self) -> dict[tuple[int, ...], tuple[Floats, Floats]]:
        """The transforms by a distribution of the future's own, by groups: made once."""
        return {}

    def shaped(self, learned: Sequence[Group]) -> Future:
        """Give the future with a full distribution, at the level foretold."""
        return self.future if self.exact else shaped(self.future, self.frequency, learned)

    def unsure(self, learned: Learned) -> Future:
        """Give the future with a full distribution, corrected, its level uncertain."""
        return learned.applied(self.shaped(learned.groups), self.frequency)

    def rows(self, firsts: Sequence[int], place: int) -> Floats:
        """Say which customers are in a group."""
        return np.asarray(group_of(self.frequency, firsts) == place)


def learn_distribution(cases: Sequence[Case], ahead: Level = USUAL, longer: Sequence[Case] = ()) -> Learned:
    """Learn from forecasts (the latest first) and what came, to be used where the level ``ahead`` is foretold.

    ``longer`` are the same forecasts over more time than those windows, where there was more.
    """
    firsts = groups(cases[0].frequency)
    windows = windows_of(cases)
    past = [Window(case.level, float(case.orders.sum()), case.foretold, case.apart) for case in cases]
    level = learn_level(past, ahead, windows)
    every, own = [float(np.log(case.level)) for case in cases], [case.own_levels(firsts) for case in cases]
    within = [[case.rows(firsts, place) for case in cases] for place in range(len(firsts))]
    times = [] if cases[0].exact else [case.at_level(firsts) for case in cases]
    means = [case.future.mean(time) for case, time in zip(cases, times, strict=False)]
    found = []
    for place, (first, rows) in enumerate(zip(firsts, within, strict=True)):
        group = Group(
            first=first, n=int(sum(here.sum() for here in rows)),
            level=learn_group_level([one[place] for one in own], every, level, windows),
        )  # fmt: skip
        if means and group.n:
            floor, spread, zero = fit_shape(
                np.concatenate([mean[here] for mean, here in zip(means, rows, strict=True)]),
                np.concatenate([case.orders[here] for case, here in zip(cases, rows, strict=True)]),
                np.concatenate([time[here] for time, here in zip(times, rows, strict=True)]),
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
    wander = learn_wander([_longer(case, found) for case in longer], cases[0].window)
    return Learned(groups=tuple(found), level=level, wander=wander)


def _longer(case: Case, learned: Sequence[Group]) -> Longer:
    """Give some of a case's customers with what was learned of their distribution, at the level that came."""
    firsts = tuple(one.first for one in learned)
    group = group_of(case.frequency, firsts)
    rows = looked_at(group)
    future = Recalibrated(case.shaped(learned).take(rows), group[rows], learned)
    return Longer(future, case.orders[rows], case.at_level(firsts)[rows], case.window)


def windows_of(cases: Sequence[Case]) -> float:
    """Give the number of windows that cases are worth: those that overlap tell less than their number."""
    days = [case.day for case in cases]
    return 1.0 + (max(days) - min(days)) / (7.0 * cases[0].window)


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
        learned = learn_distribution([other for at, other in enumerate(cases) if at != out], case.foretold)
        for one in coverage_of(case, learned):
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
