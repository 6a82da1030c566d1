"""Who takes part in the tournament, from the simplest to the most elaborate.

An `Entry` is fitted to what was known at an origin and gives the future of the customers known there. What only the
past can tell (the limit of a hiatus, the trees of a learner) is fitted inside that past, at an earlier day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from shopkeeper.predict.value.bgnbd import BGNBD
from shopkeeper.predict.value.cnbd import MBGCNBD, MBGCNBDFit
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.mbgnbd import MBGNBD
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import WEEK, Known, Shared
from shopkeeper.predict.value.pareto import ParetoNBD, ParetoNBDFit
from shopkeeper.predict.value.rules import Hiatus, LastPeriod, RepeatRate, hiatus_limit
from shopkeeper.predict.value.season import Season, season
from shopkeeper.predict.value.seasonal import Seasonal, SeasonalFit
from shopkeeper.predict.value.summary import Summary


@dataclass(frozen=True, slots=True)
class Fitted:
    """An entry fitted to what was known.

    Attributes:
        name: of the entry.
        orders: the fitted model or rule; JSON-able.
        future: of the customers known.
        exact: whether the future is a full distribution of the model's own, or has the right mean only.
        notes: what a reader should know.
    """

    name: str
    orders: Any
    future: Future
    exact: bool = False
    notes: tuple[str, ...] = ()


class Entry(Protocol):
    """One who takes part."""

    @property
    def name(self) -> str:
        """How it is called on the score card."""

    def fit(self, known: Known, window: float) -> Fitted | None:
        """Fit to what was known, to look ``window`` weeks ahead; None where that cannot be done."""


@dataclass(frozen=True, slots=True)
class RepeatRateEntry:
    """Repeat rate x window."""

    name: str = RepeatRate.name

    def fit(self, known: Known, window: float) -> Fitted:  # noqa: ARG002
        """Nothing is fitted but the time observed."""
        rule = RepeatRate(observed=known.span)
        return Fitted(self.name, rule, _ahead(rule, known))


@dataclass(frozen=True, slots=True)
class LastPeriodEntry:
    """Last period = next period."""

    name: str = LastPeriod.name

    def fit(self, known: Known, window: float) -> Fitted:
        """Count the purchases of a period as long as the window, or of all the time observed if shorter."""
        period = min(window, known.span + 1.0 / WEEK)
        after = known.end_day - round(period * WEEK)
        rule = LastPeriod(period=max(period, 1.0 / WEEK))
        return Fitted(self.name, rule, rule.of_counts(known.counts(after=after, until=known.end_day)))


@dataclass(frozen=True, slots=True)
class HiatusEntry:
    """Silent for longer than a limit is gone."""

    name: str = Hiatus.name

    def fit(self, known: Known, window: float) -> Fitted | None:
        """Take the limit that told best, at an earlier day, who came back."""
        length = inner_window(known, window)
        before = known.earlier(length)
        if length <= 0 or not len(before):
            return None
        later = known.counts(after=before.end_day, until=known.end_day)
        came_back = later[np.searchsorted(known.rows, before.rows)] > 0
        past = before.past
        rule = Hiatus(limit=hiatus_limit(past.T - past.recency, came_back), observed=known.span)
        return Fitted(self.name, rule, _ahead(rule, known))


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A probability model: ``of`` fits it to histories in weeks."""

    name: str
    of: Callable[[Summary], Any]

    def fit(self, known: Known, window: float) -> Fitted:  # noqa: ARG002
        """Fit by maximum likelihood."""
        model = known.fitted(self.name, lambda: self.of(known.past))
        future = known.fitted(f"{self.name} ahead", lambda: _ahead(model, known))
        return Fitted(self.name, model, future, exact=True, notes=model.notes)


@dataclass(frozen=True, slots=True)
class ParetoEntry:
    """Pareto/NBD; where MBG/NBD finds no dropout in the data neither can it, and it is taken as that: a long search."""

    name: str = "Pareto/NBD"

    def fit(self, known: Known, window: float) -> Fitted:
        """Fit by maximum likelihood, if there is something to find."""
        plain = MODELS[0].fit(known, window)
        if {"a", "b"} <= set(plain.orders.boundary):
            return Fitted(self.name, plain.orders, plain.future, exact=True, notes=plain.notes)
        model = known.fitted(self.name, lambda: _pareto(known.past, known.near.get(self.name)))
        known.near[self.name] = model
        return Fitted(self.name, model, _ahead(model, known), exact=True, notes=model.notes)


@dataclass(frozen=True, slots=True)
class RegularEntry:
    """MBG/CNBD-k with the k that the data say; with k = 1 it is MBG/NBD, and is taken as that."""

    name: str = "MBG/CNBD-k"

    def fit(self, known: Known, window: float) -> Fitted:
        """Fit by maximum likelihood at each k until it falls."""
        past = known.past
        model: MBGCNBDFit = known.fitted(
            self.name, lambda: MBGCNBD().fit(**_histories(past), log_gaps=past.log_gaps)
        )
        plain = MODELS[0].fit(known, window) if model.k == 1 else None
        future = _ahead(model, known) if plain is None else plain.future
        return Fitted(self.name, model, future, exact=True, notes=model.notes)


@dataclass(frozen=True, slots=True)
class SeasonalEntry:
    """MBG/NBD in the time that the seasons tell, where one year foretells another; else it is MBG/NBD."""

    name: str = "MBG/NBD with seasons"

    def fit(self, known: Known, window: float) -> Fitted:
        """Estimate the index over the year, and fit by maximum likelihood in its time."""
        index: Season = known.fitted("season", lambda: season(known.days, end=known.past.end))
        if not index.used:
            plain = MODELS[0].fit(known, window)
            return Fitted(
                self.name, plain.orders, plain.future, exact=True, notes=(*plain.notes, *index.notes)
            )
        model: SeasonalFit = known.fitted(
            self.name, lambda: Seasonal(MBGNBD(), index).fit(known.days, end=known.past.end)
        )
        notes = (*model.fit.notes, *index.notes)
        return Fitted(self.name, model, _ahead(model, known), exact=True, notes=notes)


def inner_window(known: Known, window: float) -> float:
    """Weeks to set aside within the past for what must be learned there: the window, or half of a short past.

    >>> import numpy as np
    >>> from shopkeeper.predict.value.summary import purchase_days
    >>> log = purchase_days(customer=[1, 1], occurred_at=["2024-01-01", "2024-03-11"])
    >>> inner_window(Known(log, int(log.day[-1])), 13.0)
    5.0
    """
    return float(min(int(window), int(known.span / 2.0)))


def _ahead(model: Any, known: Known) -> Future:
    rows = known.distinct.history
    future: Future = model.future(frequency=rows.frequency, recency=rows.recency, T=rows.T)
    return Shared(future, known.distinct.inverse)


def _pareto(past: Summary, near: ParetoNBDFit | None) -> ParetoNBDFit:
    return ParetoNBD().fit(**_histories(past), near=near)


def _histories(past: Summary) -> dict[str, Floats]:
    return {"frequency": past.frequency, "recency": past.recency, "T": past.T}


DEARER: tuple[ParetoEntry | RegularEntry | SeasonalEntry, ...] = (
    ParetoEntry(),
    RegularEntry(),
    SeasonalEntry(),
)
RULES: tuple[Entry, ...] = (RepeatRateEntry(), LastPeriodEntry(), HiatusEntry())
MODELS: tuple[ModelEntry, ...] = (
    ModelEntry("MBG/NBD", lambda past: MBGNBD().fit(**_histories(past))),
    ModelEntry("BG/NBD", lambda past: BGNBD().fit(**_histories(past))),
)
"""Probability models with as many parameters: MBG/NBD goes first since its P(alive) also holds for one-time buyers."""
PARETO = ModelEntry("Pareto/NBD", lambda past: _pareto(past, None))
LIVING = frozenset((*(entry.name for entry in MODELS), *(entry.name for entry in DEARER)))
"""Entries that know dropout."""
TELLING = LIVING - {"BG/NBD"}
"""Those that can tell P(alive): BG/NBD takes every one-time buyer as alive for certain."""
UNTESTED = "MBG/NBD"
"""Used where the past is too short for a test, and where another cannot be fitted: it knows that any may be lost."""
