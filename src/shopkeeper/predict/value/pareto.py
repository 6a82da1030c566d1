"""Pareto/NBD: customers buy at random and leave at a moment of their own, whether they buy or not.

Source: Schmittlein, Morrison and Colombo (1987), Counting Your Customers: Who Are They and What Will They Do
Next?; Fader, Hardie and Lee (2005), A Note on Deriving the Pareto/NBD Model.
"""

from __future__ import annotations

from typing import ClassVar

from numpy.typing import ArrayLike

from shopkeeper.predict.value.estimate import Family, estimate
from shopkeeper.predict.value.history import History, checked
from shopkeeper.predict.value.model import OrderFit
from shopkeeper.predict.value.pareto_ends import ParetoEnds
from shopkeeper.predict.value.pareto_future import ParetoFuture

_FAMILY = Family(
    ends=ParetoEnds(),
    names=("r", "alpha", "s", "beta"),
    times=("alpha", "beta"),
    leaving_note="the data do not identify how customers differ in leaving",
    guesses=((1.0, 1.0), (0.5, 0.5), (2.0, 5.0)),
)


class ParetoNBDFit(OrderFit, frozen=True, kw_only=True, tag_field="model", tag="pareto"):
    """A fitted Pareto/NBD: purchase rate ~ Gamma(r, alpha), rate of leaving ~ Gamma(s, beta).

    Where all customers leave alike, s and beta grow without end and only s/beta, the rate, means something:
    then they sit on the bound of the search and `boundary` names them. Predictions are those of that limit.

    Attributes:
        r: shape of the purchase rates.
        alpha: rate parameter of the purchase rates, in the time unit of the data.
        s: shape of the rates of leaving.
        beta: rate parameter of the rates of leaving, in the time unit of the data.
    """

    r: float
    alpha: float
    s: float
    beta: float

    name: ClassVar[str] = "Pareto/NBD"
    estimated: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    def _ahead(self, history: History) -> ParetoFuture:
        known = history.frequency, history.recency, history.T
        return ParetoFuture(self.r, self.alpha, self.s, self.beta, *known)


class ParetoNBD:
    """The Pareto/NBD model of repeat purchases.

    >>> fit = ParetoNBD().fit(frequency=[2, 1, 0, 0], recency=[30.4, 1.7, 0, 0], T=[38.9, 38.9, 38.9, 20.0])
    >>> fit.n, len(fit.p_alive()), len(fit.expected_purchases(39))
    (4, 4, 4)
    """

    def fit(
        self,
        *,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
        near: ParetoNBDFit | None = None,
    ) -> ParetoNBDFit:
        """Fit by maximum likelihood; times in one unit, ``weights`` the number of customers per row.

        ``near``, a fit to much the same customers in the same unit, is where the search begins.

        Raises:
            InvalidInput: histories that contradict themselves. Data too poor to fit give a fit with `notes`.
        """
        history = checked(frequency, recency, T, weights)
        return ParetoNBDFit(
            **estimate(history, _FAMILY, None if near is None else near.params).fields()
        ).remembering(history)
