"""The learner and its mean with a model as entries of the tournament.

Trees learn, at earlier days of the past, by which factor each customer's purchases differ from what a probability
model foretells (see `learner`); the factor found over the window asked for is kept for any time ahead. The mean of
model and learner is there because the trees often see more and are often too sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from shopkeeper.predict.value.candidates import Fitted, ModelEntry
from shopkeeper.predict.value.history import Floats, Ints, checked, collapse
from shopkeeper.predict.value.learner import LearnerFit, installed
from shopkeeper.predict.value.lessons import learn
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import WEEK, Known
from shopkeeper.predict.value.summary import Summary

_LEAST_CUSTOMERS = 300


@dataclass(frozen=True, slots=True)
class Scaled:
    """The means of a future times a factor per customer. It has no distribution of its own (see `interval.Around`)."""

    base: Future
    factor: Floats

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        return self.factor * self.base.mean(t)

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""
        return self.factor * self.base.discounted(t, rate)

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) of the base with its variance over mean kept."""
        mean, own = self.base.mean(t), self.base.square(t)
        over = np.divide(own - mean**2, mean, out=np.ones_like(own), where=mean > 0)
        return np.asarray(self.factor * mean * over + (self.factor * mean) ** 2)

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) of a negative binomial with that mean and square; ``k`` is at least 1."""
        from scipy.special import betainc

        mean = self.mean(t)
        extra = np.maximum(self.square(t) - mean**2 - mean, 1e-9 * np.maximum(mean, 1e-9))
        spread = np.maximum(mean**2 / extra, 1e-6)
        return np.asarray(np.where(mean > 0, betainc(k, spread, mean / (mean + spread)), 0.0))

    def take(self, rows: Ints) -> Scaled:
        """Give the future of some of the customers."""
        return Scaled(self.base.take(rows), self.factor[rows])


class LearnedOrders(msgspec.Struct, frozen=True, kw_only=True, tag_field="model", tag="learned"):
    """A probability model, the trees on it, the share of the trees, and the weeks for which their factor was found."""

    base: Any
    trees: LearnerFit
    share: float
    window: float


@dataclass(frozen=True, slots=True)
class LearnedEntry:
    """Trees on a model's forecast; with a ``share`` below 1 their mean with the model."""

    name: str
    base: ModelEntry
    share: float = 1.0

    def fit(self, known: Known, window: float) -> Fitted | None:
        """Learn from earlier days; None without LightGBM, or with too few customers half-way through the past."""
        if not installed():
            return None
        model = self.base.fit(known, window)
        trees: LearnerFit | None = known.fitted(f"trees {window:g}", lambda: self._trees(known, window))
        if trees is None:
            return None
        foretold = model.future.mean(window)
        # What is known of customers costs a look at their whole records: only asked for where there are trees.
        learned = trees.expected(known.features, foretold) if trees.trees else trees.level * foretold
        factor = learned / np.maximum(foretold, 1e-12)
        factor = np.where(foretold > 0, 1.0 + self.share * (factor - 1.0), 1.0)
        orders = LearnedOrders(base=model.orders, trees=trees, share=self.share, window=window)
        return Fitted(self.name, orders, Scaled(model.future, factor), notes=(*model.notes, *trees.notes))

    def _trees(self, known: Known, window: float) -> LearnerFit | None:
        if len(known.earlier(known.span / 2.0)) < _LEAST_CUSTOMERS:
            return None

        def foretell(past: Summary, weeks: float) -> Floats:
            fit = self.base.of(past)
            rows = collapse(checked(past.frequency, past.recency, past.T), inverse=True)
            future = fit.future(
                frequency=rows.history.frequency, recency=rows.history.recency, T=rows.history.T
            )
            return np.asarray(future.mean(weeks)[rows.inverse])

        return learn(
            known.days,
            end_day=known.end_day,
            window_days=round(window * WEEK),
            foretell=foretell,
            features=known.lookup,
        )
