"""What every fit tells of its parameters: confidence intervals, a table of them, and information criteria."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from shopkeeper.domain.errors import InvalidInput

if TYPE_CHECKING:
    import pyarrow as pa

_WIDEST = 700.0
"""Of the logarithm of a ratio: numbers end soon after."""


class Estimated(Protocol):
    """Parameters and their standard errors, by name."""

    signed: ClassVar[tuple[str, ...]]
    """Parameters that may be of either sign: estimated as they are, all others by their logarithms."""

    @property
    def params(self) -> dict[str, float]:
        """The parameters."""

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Their standard errors; None where a parameter is on a bound."""


class Parameters:
    """Intervals and a table of the parameters."""

    __slots__ = ()
    signed: ClassVar[tuple[str, ...]] = ()

    def intervals(self: Estimated, level: float = 0.95) -> dict[str, tuple[float, float] | None]:
        """Give a confidence interval of each parameter; None where the data give no standard error.

        Wald intervals of the logarithms, in which the parameters are estimated: both ends are above 0. Of a parameter
        that may be of either sign, of itself.
        """
        return _intervals(self, level)

    def table(self: Estimated, level: float = 0.95) -> pa.Table:
        """Give a row per parameter: estimate, standard error, and the ends of its confidence interval.

        >>> from shopkeeper.predict.value import BGNBD
        >>> fit = BGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
        >>> fit.table().column_names
        ['parameter', 'estimate', 'standard_error', 'low', 'high']
        """
        import pyarrow as pa

        found, errors = _intervals(self, level), self.standard_errors
        ends = [found[name] or (None, None) for name in self.params]
        number = pa.float64()
        return pa.table({
            "parameter": list(self.params),
            "estimate": pa.array(list(self.params.values()), number),
            "standard_error": pa.array([errors.get(name) for name in self.params], number),
            "low": pa.array([low for low, _ in ends], number),
            "high": pa.array([high for _, high in ends], number),
        })  # fmt: skip


def _intervals(fit: Estimated, level: float) -> dict[str, tuple[float, float] | None]:
    from scipy.special import ndtri

    if not 0.0 < level < 1.0:
        raise InvalidInput(f"level is {level}", hint="give a share between 0 and 1, such as 0.95")
    z = float(ndtri(0.5 + level / 2.0))
    found: dict[str, tuple[float, float] | None] = {}
    for name, value in fit.params.items():
        error = fit.standard_errors.get(name)
        if error is not None and name in fit.signed:
            found[name] = (value - z * error, value + z * error)
        elif error is None or value <= 0:
            found[name] = None
        else:
            width = math.exp(min(z * error / value, _WIDEST))
            found[name] = (value / width, value * width)
    return found


class Likely(Protocol):
    """A fit by maximum likelihood."""

    @property
    def log_likelihood(self) -> float:
        """At the parameters found."""

    @property
    def n(self) -> int:
        """How many customers."""

    @property
    def estimated_count(self) -> int:
        """How many numbers were estimated."""


class Criteria:
    """AIC and BIC. They compare fits to the same customers in the same time unit; the lower the better.

    >>> from shopkeeper.predict.value import BGNBD
    >>> fit = BGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    >>> fit.aic == 2 * 4 - 2 * fit.log_likelihood, fit.bic < fit.aic
    (True, True)
    """

    __slots__ = ()

    @property
    def estimated_count(self: Estimated) -> int:
        """How many numbers were estimated from the data."""
        return len(self.params)

    @property
    def aic(self: Likely) -> float:
        """Akaike's information criterion: the numbers estimated less the log-likelihood, twice."""
        return 2.0 * (self.estimated_count - self.log_likelihood)

    @property
    def bic(self: Likely) -> float:
        """The Bayesian information criterion (Schwarz, 1978): each number estimated counts ln(customers)."""
        return self.estimated_count * math.log(max(self.n, 1)) - 2.0 * self.log_likelihood


class Around:
    """A fit around another one, ``fit``, whose parameters are its own."""

    __slots__ = ()

    if TYPE_CHECKING:
        fit: Any

    @property
    def params(self) -> dict[str, float]:
        """The parameters of ``fit``: in operational time where there are seasons, of the baseline with covariates."""
        return dict(self.fit.params)

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Their standard errors; a season is taken as known."""
        return dict(self.fit.standard_errors)

    @property
    def boundary(self) -> tuple[str, ...]:
        """The parameters the data do not identify."""
        return tuple(self.fit.boundary)
