"""A model of orders whose purchase rate and leaving depend on what was known of a customer from the start.

With z the levels of a customer's covariates the scale parameters become ``alpha e^-(gamma z)`` and ``b e^-(delta z)``
(beta for Pareto/NBD): a level multiplies the mean purchase rate by e^gamma, and the odds of leaving after a purchase
(Pareto/NBD: the rate of leaving) by e^delta. Source: Fader and Hardie (2007), Incorporating time-invariant covariates
into the Pareto/NBD and BG/NBD models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.answers import Answers
from shopkeeper.predict.value.bgnbd import BGNBDFit
from shopkeeper.predict.value.cnbd import BGCNBDFit, MBGCNBDFit
from shopkeeper.predict.value.history import Floats, History, Ints, checked
from shopkeeper.predict.value.mbgnbd import MBGNBDFit
from shopkeeper.predict.value.model import LivingFuture, SavedFit
from shopkeeper.predict.value.orders import frame, gone, names_of
from shopkeeper.predict.value.parameters import Around, Criteria, Parameters
from shopkeeper.predict.value.pareto import ParetoNBDFit
from shopkeeper.predict.value.times import plain

if TYPE_CHECKING:
    import pyarrow as pa

RARE = "other"

Levels = dict[str, NDArray[np.str_]]
AnyFit = BGNBDFit | MBGNBDFit | ParetoNBDFit | BGCNBDFit | MBGCNBDFit


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a level does compared with the baseline level of its covariate.

    Attributes:
        covariate: such as channel.
        level: such as Instagram.
        customers: how many have it.
        purchases: logarithm of the factor on the purchase rate.
        purchases_error: its standard error; None where the data give none.
        leaving: logarithm of the factor on the odds (or rate) of leaving.
        leaving_error: its standard error.
    """

    covariate: str
    level: str
    customers: int
    purchases: float
    purchases_error: float | None
    leaving: float
    leaving_error: float | None


@dataclass(frozen=True, slots=True)
class GroupedFuture:
    """Futures of groups of customers, put together in the customers' order."""

    parts: tuple[tuple[Ints, LivingFuture], ...]
    size: int

    def alive(self) -> Floats:
        """Give the probability that each customer is still one at the end of observation."""
        return self._each(lambda part, _: part.alive())

    def alive_after(self, t: float | Floats) -> Floats:
        """Give the probability that each customer is still one ``t`` later."""
        return self._each(lambda part, rows: part.alive_after(_of(t, rows)))

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""
        return self._each(lambda part, rows: part.mean(_of(t, rows)))

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""
        return self._each(lambda part, rows: part.square(_of(t, rows)))

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""
        return self._each(lambda part, rows: part.at_least(_of(k, rows), _of(t, rows)))

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""
        return self._each(lambda part, rows: part.discounted(_of(t, rows), rate))

    def take(self, rows: Ints) -> GroupedFuture:
        """Give the future of some of the customers."""
        group, inside = np.empty(self.size, dtype=np.int64), np.empty(self.size, dtype=np.int64)
        for number, (members, _) in enumerate(self.parts):
            group[members], inside[members] = number, np.arange(members.size)
        wanted = np.arange(self.size)[rows]
        parts = []
        for number, (_, future) in enumerate(self.parts):
            here = np.flatnonzero(group[wanted] == number)
            if here.size:
                parts.append((here, future.take(inside[wanted[here]])))
        return GroupedFuture(tuple(parts), int(wanted.size))

    def _each(self, give: Any) -> Floats:
        answer = np.empty(self.size)
        for rows, future in self.parts:
            answer[rows] = give(future, rows)
        return answer


class CovariateFit(SavedFit, Answers, Around, Parameters, Criteria, frozen=True, kw_only=True, dict=True):
    """A fitted model with covariates.

    Attributes:
        fit: the model of customers who have the baseline level of every covariate.
        baseline: that level, by covariate: the most common one.
        effects: of every other level.
        p_value: by covariate, how probable a difference as large as the one seen is if the covariate has no effect
            (likelihood ratio).
        log_likelihood: with the covariates.
        log_likelihood_without: of the same model without any.
        ridge: precision of the normal prior on the effects.
        n: number of customers.
        gradient_norm: of the mean penalised log-likelihood at the end of the search.
        converged: whether that norm is small.
        rare: levels that count as the level "other", by covariate.
        notes: what a reader should know, in plain words.
    """

    fit: AnyFit
    baseline: dict[str, str]
    effects: tuple[Effect, ...]
    p_value: dict[str, float]
    log_likelihood: float
    log_likelihood_without: float
    ridge: float
    n: int
    gradient_norm: float
    converged: bool
    rare: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 a struct copies it
    notes: tuple[str, ...] = ()

    @property
    def estimated_count(self) -> int:
        """How many numbers were estimated; effects count in full, though the prior holds them back."""
        return int(self.fit.estimated_count) + 2 * len(self.effects)

    @property
    def name(self) -> str:
        """The model's name and its covariates."""
        return f"{self.fit.name} by {', '.join(self.baseline)}"

    def remembering(self, history: History, told: Levels) -> Self:
        """Keep the customers of the fit (not copied), so that methods called without any answer for them."""
        # Beside the fields: neither equality nor JSON sees it.
        self.__dict__["_customers"] = history, told
        return self

    def effects_table(self) -> pa.Table:
        """Give a row per level that is not the baseline: its effects and their standard errors (see `Effect`)."""
        import pyarrow as pa

        rows = [msgspec.structs.asdict(effect) for effect in self.effects]
        number = dict.fromkeys(("purchases", "purchases_error", "leaving", "leaving_error"), pa.float64())
        kinds = {"covariate": pa.string(), "level": pa.string(), "customers": pa.int64(), **number}
        return pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))

    def of_levels(self, levels: Mapping[str, str]) -> AnyFit:
        """Give the model of customers with these levels; one that is missing or not known counts as the baseline.

        Raises:
            UnknownName: no covariate of the fit has that name.
        """
        for name in levels:
            if name not in self.baseline:
                raise UnknownName("covariate", name, self.baseline)
        purchases = leaving = 0.0
        told = {
            name: RARE if level in self.rare.get(name, ()) else level for name, level in levels.items()
        }  # fmt: skip
        for effect in self.effects:
            if told.get(effect.covariate) == effect.level:
                purchases += effect.purchases
                leaving += effect.leaving
        last = "beta" if isinstance(self.fit, ParetoNBDFit) else "b"
        scaled = {
            "alpha": self.fit.params["alpha"] * float(np.exp(-purchases)),
            last: self.fit.params[last] * float(np.exp(-leaving)),
        }
        return msgspec.structs.replace(self.fit, **scaled)

    def future(
        self,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
    ) -> GroupedFuture:
        """Give the future of customers with these histories and levels (default: those of the fit).

        Where histories are given and no covariates, all are of the baseline.
        """
        given = (frequency, recency, T, covariates)
        remembered: tuple[History, Levels] | None = self.__dict__.get("_customers")
        if remembered is not None and all(one is None for one in given):
            history, told = remembered
        elif frequency is None or recency is None or T is None:
            raise InvalidInput(
                "a fit that was stored remembers no customers"
                if remembered is None
                else "histories are not all given",
                hint="give frequency=, recency=, T= and covariates="
                + ("" if remembered is None else ", or none of them"),
            )
        else:
            history = checked(frequency, recency, T)
            told = columns({} if covariates is None else covariates, len(history))
        for name in told:
            if name not in self.baseline:
                raise UnknownName("covariate", name, self.baseline)
        known = {(effect.covariate, effect.level) for effect in self.effects}
        codes = np.zeros(len(history), dtype=np.int64)
        groups: list[dict[str, str]] = [{}]
        for name, values in told.items():
            levels, where = np.unique(values, return_inverse=True)
            rare = set(self.rare.get(name, ()))
            shown = [RARE if str(one) in rare else str(one) for one in levels]
            kept = [one if (name, one) in known else self.baseline[name] for one in shown]
            names = sorted(set(kept))
            place = np.array([names.index(one) for one in kept], dtype=np.int64)
            codes = codes * len(names) + place[where]
            groups = [group | {name: one} for group in groups for one in names]
        parts = []
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            some = {
                "frequency": history.frequency[rows], "recency": history.recency[rows], "T": history.T[rows]
            }  # fmt: skip
            parts.append((rows, self.of_levels(groups[int(code)]).future(**some)))
        return GroupedFuture(tuple(parts), len(history))


def columns(covariates: Any, size: int) -> Levels:
    """Check covariates (a data frame or a dict): text per customer; what is missing becomes empty text.

    >>> columns({"channel": ["shop", None]}, 2)["channel"].tolist()
    ['shop', '']
    """
    found = {}
    told = frame(covariates)
    for name in names_of(told):
        values = np.asarray(plain(told[name]))
        if values.ndim != 1 or values.size != size:
            raise InvalidInput(
                f"covariate {name} has {values.size} entries for {size} customers",
                hint="give one level per customer",
            )
        if size and values.dtype.kind == "f":
            raise InvalidInput(
                f"covariate {name} holds numbers with fractions",
                hint="give levels as text, such as bands of the number",
            )
        found[name] = np.array(["" if gone(one) else str(one) for one in values.tolist()], dtype=np.str_)
    return found


def _of(value: float | Floats, rows: Ints) -> Any:
    values = np.asarray(value, dtype=np.float64)
    return float(values) if values.ndim == 0 else values[rows]
