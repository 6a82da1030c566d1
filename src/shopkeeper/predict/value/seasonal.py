"""A model of orders in the time that the seasons tell: see `season`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.answers import Answers
from shopkeeper.predict.value.bgnbd import BGNBDFit
from shopkeeper.predict.value.cnbd import BGCNBDFit, MBGCNBDFit
from shopkeeper.predict.value.history import Floats, Ints, checked
from shopkeeper.predict.value.mbgnbd import MBGNBDFit
from shopkeeper.predict.value.model import LivingFuture, SavedFit
from shopkeeper.predict.value.parameters import Around, Parameters
from shopkeeper.predict.value.pareto import ParetoNBDFit
from shopkeeper.predict.value.season import Season
from shopkeeper.predict.value.summary import DAYS_PER_UNIT, PurchaseDays, time_until

_YEAR = 365.25
_YEARS_TOLD = 3.0
_NODES = 6


class Model(Protocol):
    """A model of orders that is not fitted yet."""

    def fit(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Any:
        """Fit to histories."""


@dataclass(frozen=True, slots=True)
class SeasonalFuture:
    """Purchases to come after ``end``, times in calendar ``unit``; ``inner`` is told in operational time."""

    inner: LivingFuture
    season: Season
    end: float
    unit: float

    def alive(self) -> Floats:
        """Give the probability that each customer is still one at the end of observation."""
        return self.inner.alive()

    def alive_after(self, t: float | Floats) -> Floats:
        """Give the probability that each customer is still one ``t`` later."""
        return self.inner.alive_after(self._told(t))

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        return self.inner.mean(self._told(t))

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        return self.inner.square(self._told(t))

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        return self.inner.at_least(k, self._told(t))

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per calendar time unit.

        By parts over three years, six nodes each half year; later purchases without their place in the year.
        """
        if rate == 0:
            return self.mean(t)
        times = np.asarray(t, dtype=np.float64)
        told = _YEARS_TOLD * _YEAR / self.unit
        soon = np.minimum(times, told)
        at, step = np.polynomial.legendre.leggauss(_NODES)
        panels = int(np.ceil(float(np.max(soon)) * self.unit / (_YEAR / 2.0))) if times.size else 1
        total = np.exp(-rate * soon) * self.mean(_plain(soon))
        for panel in range(max(panels, 1)):
            for position, share in zip((at + 1.0) / 2.0, step / 2.0, strict=True):
                u = soon * (panel + position) / max(panels, 1)
                total = total + share * soon / max(panels, 1) * rate * np.exp(-rate * u) * self.mean(
                    _plain(u)
                )
        if bool((times > told).any()):
            later = self.inner.discounted(_plain(times), rate) - self.inner.discounted(told, rate)
            total = total + np.where(times > told, later, 0.0)
        return np.asarray(total)

    def take(self, rows: Ints) -> SeasonalFuture:
        """Give the future of some of the customers."""
        return SeasonalFuture(self.inner.take(rows), self.season, self.end, self.unit)

    def _told(self, t: float | Floats) -> Any:
        until = self.end + np.asarray(t, dtype=np.float64) * self.unit
        return _plain(np.maximum(self.season.told(until) - self.season.told(self.end), 0.0) / self.unit)


class SeasonalFit(SavedFit, Answers, Around, Parameters, frozen=True, kw_only=True):
    """A fitted model of orders in operational time. Histories and horizons are given in calendar time up to ``end``.

    Attributes:
        fit: the model, its parameters in operational time.
        season: the index.
        end: last day observed, in days since 1970-01-01.
        unit: of the histories: D, W, M or Y.
        log_likelihood: of the purchases in calendar time, so that it compares with a model without seasons.
    """

    fit: BGNBDFit | MBGNBDFit | ParetoNBDFit | BGCNBDFit | MBGCNBDFit
    season: Season
    end: int
    unit: str
    log_likelihood: float

    @property
    def n(self) -> int:
        """The number of customers."""
        return self.fit.n

    @property
    def gradient_norm(self) -> float:
        """The norm of the gradient at the end of the search."""
        return self.fit.gradient_norm

    @property
    def converged(self) -> bool:
        """Whether that norm is small."""
        return self.fit.converged

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the model and the season."""
        return (*self.fit.notes, *self.season.notes)

    @property
    def name(self) -> str:
        """The model's name, and that it knows the seasons."""
        return f"{self.fit.name} with seasons"

    def future(
        self,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
    ) -> SeasonalFuture:
        """Give the future of customers with these calendar histories (default: those of the fit)."""
        per_unit = DAYS_PER_UNIT[self.unit]
        if frequency is None or recency is None or T is None:
            inner = self.fit.future(frequency=frequency, recency=recency, T=T)
        else:
            inner = self.fit.future(**self.told(frequency=frequency, recency=recency, T=T))
        return SeasonalFuture(inner, self.season, float(self.end), per_unit)

    def told(
        self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, end: ArrayLike | None = None
    ) -> dict[str, Floats]:
        """Give calendar histories in operational time, in which ``fit`` knows them.

        ``end`` is the day up to which each was observed, in days since 1970-01-01 (default: the fit's).
        """
        per_unit = DAYS_PER_UNIT[self.unit]
        history = checked(frequency, recency, T)
        now = np.asarray(self.end if end is None else end, dtype=np.float64)
        first = now - history.T * per_unit
        last = first + history.recency * per_unit
        told = [self.season.told(day) / per_unit for day in (first, last, now)]
        span = np.where(history.frequency > 0, np.maximum(told[1] - told[0], 1e-9), 0.0)
        return {
            "frequency": history.frequency, "recency": span, "T": np.maximum(told[2] - told[0], span)
        }  # fmt: skip

    def until(self, day: Any) -> Any:
        """Give the time from ``end`` to a day (or to each of some days) in the unit of the histories.

        ``fit.expected_purchases(fit.until("2025-12-31"))`` are the purchases up to that day.
        """
        return time_until(self.end, self.unit, day)


class Seasonal:
    """A model of orders in the time that a season tells.

    >>> from shopkeeper.predict.value import MBGNBD, Seasonal
    >>> from shopkeeper.predict.value.summary import purchase_days
    >>> when = ["2024-01-01", "2024-03-01", "2024-02-01", "2024-05-01"]
    >>> days = purchase_days(customer=[1, 1, 2, 3], occurred_at=when)
    >>> Seasonal(MBGNBD(), Season()).fit(days, end="2024-06-30").name
    'MBG/NBD with seasons'
    """

    def __init__(self, model: Model, season: Season) -> None:
        self.model = model
        self.season = season

    def fit(self, days: PurchaseDays, *, end: Any = None, unit: str = "W") -> SeasonalFit:
        """Fit to purchase days up to ``end``, told in operational time.

        Raises:
            InvalidInput: the model is none that a seasonal fit can hold.
        """
        log = self.season.summarise(days, end=end, unit=unit)
        known: dict[str, Any] = {"frequency": log.frequency, "recency": log.recency, "T": log.T}
        if getattr(self.model, "k", None) is not None:
            known["log_gaps"] = log.log_gaps
        fit = self.model.fit(**known) if hasattr(self.model, "fit") else self.model
        if not isinstance(fit, BGNBDFit | MBGNBDFit | ParetoNBDFit | BGCNBDFit | MBGCNBDFit):
            raise InvalidInput(
                f"{type(fit).__name__} cannot be told by seasons",
                hint="give BGNBD(), MBGNBD(), ParetoNBD(), BGCNBD() or MBGCNBD()",
            )
        last = int(log.end.astype(np.int64))
        again = (days.day <= last) & np.concatenate(([False], days.code[1:] == days.code[:-1]))[
            : days.day.size
        ]
        # A density over operational time, times the index, is one over calendar time.
        turned = float(np.log(self.season.index(days.day[again])).sum())
        return SeasonalFit(
            fit=fit, season=self.season, end=last, unit=unit, log_likelihood=fit.log_likelihood + turned
        )


def _plain(values: Floats) -> Any:
    """Give a number for an array of none."""
    return float(values) if values.ndim == 0 else values
