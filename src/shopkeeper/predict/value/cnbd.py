"""BG/CNBD-k and MBG/CNBD-k: BG/NBD and MBG/NBD for customers who buy more regularly than at random.

Gaps between purchases are Erlang-k: with k = 1 as good as random, with larger k more and more of a rhythm, so that a
silence says more. The models are BG/NBD and MBG/NBD for k = 1. Sources: see `cnbd_likelihood`.
"""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.cnbd_fit import Regularity, checked_k, checked_log_gaps, fit_cnbd
from shopkeeper.predict.value.cnbd_future import CNBDFuture
from shopkeeper.predict.value.history import History, checked
from shopkeeper.predict.value.model import OrderFit

F = TypeVar("F", bound="CNBDFit")


class CNBDFit(OrderFit, frozen=True, kw_only=True):
    """A fitted (M)BG/CNBD-k: rate of phases ~ Gamma(r, alpha), k phases a purchase, dropout ~ Beta(a, b).

    Attributes:
        k: regularity; the gaps of one customer vary by 1/sqrt(k) of their mean.
        r: shape of the rates.
        alpha: rate parameter of the rates of phases, in the time unit of the data; purchases come at 1/k of them.
        a: first parameter of the dropout probability.
        b: second parameter of the dropout probability.
        by_k: log-likelihood of each k that was tried.
    """

    k: int
    r: float
    alpha: float
    a: float
    b: float
    by_k: dict[int, float]

    family: ClassVar[str] = "CNBD"
    estimated: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    at_first: ClassVar[bool] = False

    @property
    def name(self) -> str:  # type: ignore[override]
        """The model with its k, such as MBG/CNBD-2."""
        return f"{self.family}-{self.k}"

    @property
    def estimated_count(self) -> int:
        """How many numbers were estimated from the data: k is one where it was chosen."""
        return len(self.estimated) + (len(self.by_k) > 1)

    def _ahead(self, history: History) -> CNBDFuture:
        m = 1.0 if self.at_first else 0.0
        known = history.frequency, history.recency, history.T
        return CNBDFuture(self.k, self.r, self.alpha, self.a, self.b, m, *known)


class BGCNBDFit(CNBDFit, frozen=True, kw_only=True, tag_field="model", tag="bgcnbd"):
    """A fitted BG/CNBD-k."""

    family: ClassVar[str] = "BG/CNBD"
    at_first: ClassVar[bool] = False


class MBGCNBDFit(CNBDFit, frozen=True, kw_only=True, tag_field="model", tag="mbgcnbd"):
    """A fitted MBG/CNBD-k."""

    family: ClassVar[str] = "MBG/CNBD"
    at_first: ClassVar[bool] = True


class CNBD(Generic[F]):
    """What BG/CNBD-k and MBG/CNBD-k share: all but whether the first purchase may be the last one.

    Args:
        k: regularity, a whole number from 1 (random), or "auto": the one of the highest likelihood.
    """

    gives: type[F]

    def __init__(self, *, k: Regularity = "auto") -> None:
        self.k = checked_k(k)

    def fit(
        self,
        *,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        log_gaps: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> F:
        """Fit by maximum likelihood; times in one unit, ``weights`` the number of customers per row.

        ``log_gaps`` is the sum of the natural logarithms of each customer's gaps (`Summary.log_gaps`), needed to
        choose k.

        Raises:
            InvalidInput: histories that contradict themselves. Data too poor to fit give a fit with `notes`.
        """
        history = checked(frequency, recency, T, weights)
        if log_gaps is None and self.k == "auto":
            raise InvalidInput(
                "log_gaps was not given, and k is to be chosen by it",
                hint="give log_gaps=summary.log_gaps, or a k such as k=2",
            )
        gaps = None if log_gaps is None else checked_log_gaps(history, log_gaps)
        found = fit_cnbd(history, k=self.k, at_first=self.gives.at_first, log_gaps=gaps)
        return self.gives(**found.fields()).remembering(history)


class BGCNBD(CNBD[BGCNBDFit]):
    """The BG/CNBD-k model: customers may be lost after each repeat purchase.

    >>> fit = BGCNBD(k=2).fit(frequency=[2, 1, 0, 0], recency=[30.4, 1.7, 0, 0], T=[38.9, 38.9, 38.9, 20.0])
    >>> fit.name, float(fit.p_alive()[2])
    ('BG/CNBD-2', 1.0)
    """

    gives = BGCNBDFit


class MBGCNBD(CNBD[MBGCNBDFit]):
    """The MBG/CNBD-k model: customers may be lost after each purchase, the first one included.

    >>> fit = MBGCNBD(k=3).fit(frequency=[2, 1, 0, 0], recency=[30.4, 1.7, 0, 0], T=[38.9, 38.9, 38.9, 20.0])
    >>> bool(fit.p_alive()[3] > fit.p_alive()[2])
    True
    """

    gives = MBGCNBDFit
