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

from shopkeeper.predict.value.candidates import Fitted, ModelEntry, inner_window
from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.learner import Learner, LearnerFit, installed
from shopkeeper.predict.value.model import Future
from shopkeeper.predict.value.origin import Known

_LEAST_WEEKS = 1.0
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
        """Learn at one earlier day, or at two where the past is long enough."""
        if not installed():
            return None
        model = self.base.fit(known, window)
        trees: LearnerFit | None = known.fitted(f"trees {window:g}", lambda: self._trees(known, window))
        if trees is None:
            return None
        foretold = model.future.mean(window)
        factor = trees.expected(known.features, foretold) / np.maximum(foretold, 1e-12)
        factor = np.where(foretold > 0, 1.0 + self.share * (factor - 1.0), 1.0)
        orders = LearnedOrders(base=model.orders, trees=trees, share=self.share, window=window)
        return Fitted(self.name, orders, Scaled(model.future, factor), notes=(*model.notes, *trees.notes))

    def _trees(self, known: Known, window: float) -> LearnerFit | None:
        length = inner_window(known, window)
        if length < _LEAST_WEEKS:
            return None
        tables, offsets, targets = [], [], []
        for back in (length, float(int(1.5 * length))):
            before = known.earlier(back)
            if before.span < length / 2.0 or len(before) < _LEAST_CUSTOMERS:
                continue
            end = before.end_day + round(7 * length)
            later = known.counts(after=before.end_day, until=end)
            tables.append(before.features)
            offsets.append(self.base.fit(before, length).future.mean(length))
            targets.append(later[np.searchsorted(known.rows, before.rows)])
        return Learner().fit(tables, offset=offsets, target=targets) if tables else None
