"""How customers differ: the distributions of purchase rates, of dropout and of mean amounts that a fit found.

They are of all customers as they come, before anything is known of one of them: the mixing distributions of the
literature. Purchase rates ~ Gamma(r, alpha); for (M)BG/CNBD-k a k-th of the rate of phases. Dropout: the probability
of leaving after a purchase ~ Beta(a, b), for Pareto/NBD the rate of leaving per time unit ~ Gamma(s, beta). Mean
amounts p/nu with nu ~ Gamma(q, v): an inverse gamma distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.cnbd import CNBDFit
from shopkeeper.predict.value.drawing import Chart, Series
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.gammagamma import GammaGammaFit
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.model import DropoutFit
from shopkeeper.predict.value.pareto import ParetoNBDFit
from shopkeeper.predict.value.seasonal import SeasonalFit

_POINTS = 200
_SHOWN = 0.99


@dataclass(frozen=True, slots=True)
class Heterogeneity(Figure):
    """How one property differs between customers.

    Attributes:
        of: the property, such as "purchases per time unit".
        family: gamma, beta or inverse gamma.
        shape: first parameter of the distribution.
        second: rate of a gamma, second parameter of a beta, scale of an inverse gamma distribution.
        identified: False where the data do not identify a parameter: it sits on a bound of the search, and customers
            look more alike (or less) than anybody knows.
    """

    of: str
    family: str
    shape: float
    second: float
    identified: bool = True

    @property
    def mean(self) -> float:
        """The mean over customers; infinite for amounts where q is 1 or less."""
        if self.family == "gamma":
            return self.shape / self.second
        if self.family == "beta":
            return self.shape / (self.shape + self.second)
        return self.second / (self.shape - 1.0) if self.shape > 1.0 else float("inf")

    @property
    def deviation(self) -> float:
        """The standard deviation between customers; infinite for amounts where q is 2 or less."""
        if self.family == "gamma":
            return float(np.sqrt(self.shape)) / self.second
        if self.family == "beta":
            total = self.shape + self.second
            return float(np.sqrt(self.shape * self.second / (total + 1.0))) / total
        return self.mean / float(np.sqrt(self.shape - 2.0)) if self.shape > 2.0 else float("inf")

    def quantile(self, share: ArrayLike) -> Floats:
        """Give the value that this share of customers lies below.

        >>> float(Heterogeneity("dropout", "beta", 1.0, 1.0).quantile(0.25))
        0.25
        """
        from scipy.special import betaincinv, gammainccinv, gammaincinv

        shares = np.asarray(share, dtype=np.float64)
        if ((shares < 0) | (shares > 1)).any() or np.isnan(shares).any():
            raise InvalidInput("share is not between 0 and 1", hint="give a share such as 0.5 for the median")
        if self.family == "gamma":
            return np.asarray(gammaincinv(self.shape, shares) / self.second)
        if self.family == "beta":
            return np.asarray(betaincinv(self.shape, self.second, shares))
        with np.errstate(divide="ignore"):
            return np.asarray(self.second / gammainccinv(self.shape, shares))

    def below(self, value: ArrayLike) -> Floats:
        """Give the share of customers who lie below a value.

        >>> float(Heterogeneity("dropout", "beta", 1.0, 1.0).below(0.25))
        0.25
        """
        from scipy.special import betainc, gammainc, gammaincc

        x = np.maximum(np.asarray(value, dtype=np.float64), 0.0)
        if self.family == "gamma":
            return np.asarray(gammainc(self.shape, self.second * x))
        if self.family == "beta":
            return np.asarray(betainc(self.shape, self.second, np.minimum(x, 1.0)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(gammaincc(self.shape, self.second / x))

    def density(self, value: ArrayLike) -> Floats:
        """Give the density at values above 0 (and below 1 for a beta distribution).

        >>> float(Heterogeneity("dropout", "beta", 1.0, 1.0).density(0.25))
        1.0
        """
        from scipy.special import betaln, gammaln, xlog1py, xlogy

        x = np.asarray(value, dtype=np.float64)
        a, b = self.shape, self.second
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.family == "gamma":
                logs = a * np.log(b) - gammaln(a) + xlogy(a - 1.0, x) - b * x
                inside = x >= 0
            elif self.family == "beta":
                logs = xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b)
                inside = (x >= 0) & (x <= 1)
            else:
                logs = a * np.log(b) - gammaln(a) - xlogy(a + 1.0, x) - b / x
                inside = x > 0
            return np.where(inside, np.exp(logs), 0.0)

    def columns(self) -> dict[str, Any]:
        """Give values from near 0 to where 99 % of customers lie below, their density, and who lies below."""
        # Not the ends themselves, where the density may have none.
        most = 1.0 - 1.0 / _POINTS if self.family == "beta" else np.inf
        high = min(float(self.quantile(_SHOWN)), most) or 1.0
        low = float(self.quantile(1.0 - _SHOWN))
        start = low if 0.1 * high < low < high else high / _POINTS
        x = np.linspace(start, high, _POINTS)
        return {"value": x, "density": self.density(x), "below": self.below(x)}

    def chart(self) -> Chart:
        """Give the density, with the mean marked."""
        shown = self.columns()
        return Chart(
            title=f"How customers differ in {self.of}",
            x_label=self.of if self.identified else f"{self.of} (not identified by the data)",
            y_label="density",
            series=(Series("customers", shown["value"], shown["density"]),),
            marks=(self.mean,) if shown["value"][0] <= self.mean <= shown["value"][-1] else (),
            marked="mean",
        )


def rate_heterogeneity(fit: Any) -> Heterogeneity:
    """Give how customers differ in purchases per time unit (that of the fit's histories), while they are customers.

    Of a fit with covariates give one level's: ``rate_heterogeneity(fit.of_levels({"channel": "web"}))``.

    Raises:
        InvalidInput: it is no fitted model with a distribution of rates.

    >>> from shopkeeper.predict.value import BGNBD
    >>> who = {"frequency": [2, 1, 0, 5], "recency": [30.4, 1.7, 0, 35], "T": [38.9, 38.9, 38.9, 40.0]}
    >>> fit = BGNBD().fit(**who)
    >>> rates = rate_heterogeneity(fit)
    >>> bool(np.isclose(rates.mean, fit.r / fit.alpha))
    True
    """
    plain = _plain(fit)
    if not isinstance(plain, ParetoNBDFit | DropoutFit | CNBDFit):
        raise _no_model(fit, "purchase rates")
    k = plain.k if isinstance(plain, CNBDFit) else 1
    return Heterogeneity(
        "purchases per time unit", "gamma", plain.r, plain.alpha * k, not {"r", "alpha"} & set(plain.boundary)
    )


def dropout_heterogeneity(fit: Any) -> Heterogeneity:
    """Give how customers differ in leaving: the probability after a purchase; for Pareto/NBD the rate per time unit.

    Raises:
        InvalidInput: it is no fitted model in which customers leave.
    """
    plain = _plain(fit)
    if isinstance(plain, ParetoNBDFit):
        known = not {"s", "beta"} & set(plain.boundary)
        return Heterogeneity("the rate of leaving per time unit", "gamma", plain.s, plain.beta, known)
    if not isinstance(plain, DropoutFit | CNBDFit):
        raise _no_model(fit, "dropout")
    known = not {"a", "b"} & set(plain.boundary)
    return Heterogeneity("the probability of leaving after a purchase", "beta", plain.a, plain.b, known)


def amount_heterogeneity(fit: GammaGammaFit) -> Heterogeneity:
    """Give how customers differ in the mean amount of a purchase (of those who bought once, where ``beta`` is not 0).

    Raises:
        InvalidInput: it is no fitted Gamma-Gamma.
    """
    if not isinstance(fit, GammaGammaFit):
        raise _no_model(fit, "amounts")
    return Heterogeneity("mean amount", "inverse gamma", fit.q, fit.p * fit.v, not fit.boundary)


def _plain(fit: Any) -> Any:
    """Give the model inside one with seasons; its unit is a time unit of the average season."""
    return fit.fit if isinstance(fit, SeasonalFit) else fit


def _no_model(fit: Any, of: str) -> InvalidInput:
    return InvalidInput(
        f"a {type(fit).__name__} has no distribution of {of}",
        hint="give a fitted model; of one with covariates fit.of_levels({...}), of GammaGamma amount_heterogeneity",
    )
