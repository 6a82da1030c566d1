"""Gamma-Gamma: how much a customer's purchases are worth on average, own record weighed against everybody's.

Amounts of one customer are Gamma(p, nu) and nu ~ Gamma(q, v) between customers. With n purchases of mean m
the expected mean is the average of the population's mean p v/(q-1) and of m, weighed q-1 to p n::

    p (v + n m) / (p n + q - 1)

Source: Fader, Hardie and Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis; Fader
and Hardie (2013), The Gamma-Gamma Model of Monetary Value. There amounts must be unrelated to how often a customer
buys; where the sums of their logarithms are given, each amount counts and they need not be (see `eachorder`).
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.eachorder import fit_sizes
from shopkeeper.predict.value.history import Floats, column, dot, refuse_rows, table
from shopkeeper.predict.value.model import SavedFit
from shopkeeper.predict.value.optimum import Optimum, minimise, standard_errors
from shopkeeper.predict.value.parameters import Criteria, Parameters

NAMES = ("p", "q", "v")
# q above 1, or the population would have no mean; exp(9) stands for "all alike".
_LOW = np.array([-5.0, np.log(1.05), -9.0])
_HIGH = np.array([9.0, 9.0, 9.0])
# Where most amounts are the same (one price), amounts up to e times that are still nothing unusual.
_LEAST_SPREAD = 0.25
# Of the logarithm of an amount: numbers end soon after.
_LARGEST = 700.0


class GammaGammaFit(
    SavedFit, Parameters, Criteria, frozen=True, kw_only=True, tag_field="model", tag="gammagamma"
):
    """A fitted Gamma-Gamma.

    Attributes:
        p: shape of the amounts of one customer; large means that a customer's purchases are alike.
        q: shape between customers; large means that customers are alike.
        v: scale, in the currency of the amounts.
        beta: how the scale goes with the number of purchases, v n^beta: at 0.1 who bought ten times as often as others
            spends a quarter more a purchase.
        by_order: whether the likelihood is of each amount, not of customers' means.
        log_likelihood: at these parameters, over the customers used (of the amounts after the fence).
        n: number of customers used.
        n_fenced: customers whose mean was pulled to the fence for fitting.
        gradient_norm: of the mean log-likelihood over log parameters, at the end of the search.
        converged: whether that norm is small.
        standard_errors: by parameter, from the observed information; None where a parameter is on a bound.
        boundary: parameters the data do not identify.
        fence_high: amounts above count as unusual; None without a fence.
        notes: what a reader should know, in plain words.
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    n: int
    n_fenced: int
    gradient_norm: float
    converged: bool
    standard_errors: dict[str, float | None] = {}  # noqa: RUF012 a struct copies it
    boundary: tuple[str, ...] = ()
    fence_high: float | None = None
    notes: tuple[str, ...] = ()
    beta: float = 0.0
    by_order: bool = False

    signed: ClassVar[tuple[str, ...]] = ("beta",)

    @property
    def params(self) -> dict[str, float]:
        """The parameters by name; beta where it is not 0."""
        three = {"p": self.p, "q": self.q, "v": self.v}
        return three | {"beta": self.beta} if self.beta else three

    @property
    def population_mean(self) -> float:
        """Expected mean amount of a customer of whom nothing is known but, where that counts, one purchase."""
        return self.p * self.v / (self.q - 1.0)

    def expected_average(self, *, frequency: ArrayLike, monetary: ArrayLike) -> Floats:
        """Give each customer's expected mean amount from ``frequency`` purchases of mean ``monetary``.

        A single purchase beyond the fence counts as one at the fence, for most often it stays the only one of its
        size; a mean of several enters as it is. A negative one (a loss) pulls the expectation down.
        """
        n, mean = _pair(frequency, monetary)
        if self.fence_high is not None:
            mean = np.where(n <= 1.0, np.minimum(mean, self.fence_high), mean)
        v = self.v * np.maximum(n, 1.0) ** self.beta if self.beta else self.v
        return np.asarray(self.p * (v + n * mean) / (self.p * n + self.q - 1.0))

    def less(self, left: float) -> GammaGammaFit:
        """Give the fit of amounts of which losses left this share: what all have in common shrinks, no own mean."""
        if left == 1.0:
            return self
        error = self.standard_errors.get("v")
        errors = {**self.standard_errors, "v": None if error is None else error * left}
        return msgspec.structs.replace(self, v=self.v * left, standard_errors=errors)


class GammaGamma:
    """The Gamma-Gamma model of amounts.

    Args:
        fence: a few wholesalers would decide the fit. For fitting, a customer's mean farther from the median than
            ``fence`` robust standard deviations (1.4826 times the median absolute deviation, on logarithms)
            is pulled to that distance. None: no fence.

    >>> fit = GammaGamma().fit(frequency=[2, 1, 3, 0], monetary=[20.0, 35.0, 18.0, 0.0])
    >>> fit.n
    3
    """

    def __init__(self, *, fence: float | None = 3.0) -> None:
        if fence is not None and not fence > 0:
            raise InvalidInput(f"fence is {fence}", hint="give a positive number of deviations, or None")
        self.fence = fence

    def fit(
        self,
        *,
        frequency: ArrayLike,
        monetary: ArrayLike,
        weights: ArrayLike | None = None,
        log_amounts: ArrayLike | None = None,
    ) -> GammaGammaFit:
        """Fit by maximum likelihood to customers with ``frequency`` purchases of mean ``monetary``.

        Customers without a purchase or with a mean of 0 or less tell nothing about the shape and are left out.

        Args:
            frequency: purchases.
            monetary: their mean amount.
            weights: how many such customers there are.
            log_amounts: sum of the natural logarithms of these purchases' amounts (`Summary.log_amounts` where the
                first one counts). With it the likelihood is that of each amount, and amounts may go with frequency
                (``beta``). Minus infinity where an amount is 0 or less: left out then.
        """
        n, mean = _pair(frequency, monetary)
        logs = None if log_amounts is None else _logs(log_amounts, n, mean)
        w = np.ones(n.size) if weights is None else column("weights", weights)
        if w.size != n.size:
            raise InvalidInput(f"arrays differ in length: frequency {n.size}, weights {w.size}")
        refuse_rows(w < 0, "weight is negative")
        gains = mean > 0 if logs is None else np.isfinite(logs)
        used = (n > 0) & gains & (w > 0)
        losses = float(w[(n > 0) & ~gains].sum())
        n, mean, w = n[used], mean[used], w[used]
        of = "a mean amount" if logs is None else "an amount"
        were = "was" if round(losses) == 1 else "were"
        lost = f"{_counted(losses)} with {of} of 0 or less {were} left out of the fit"
        notes = [lost] if losses else []
        if not n.size:
            note = "no customer with a positive amount: amounts are taken as 0"
            return GammaGammaFit(
                p=1.0, q=2.0, v=0.0, log_likelihood=0.0, n=0, n_fenced=0, gradient_norm=0.0, converged=False,
                standard_errors=dict.fromkeys(NAMES), boundary=NAMES, notes=(*notes, note),
            )  # fmt: skip
        inside, fenced, high = self._fenced(mean, w)
        if logs is None:
            return _fit(n, inside, w, fenced, high, notes)
        # All amounts of who is pulled to the fence shrink alike.
        pulled = logs[used] + n * np.log(inside / mean)
        return _fit_each(n, inside, pulled, w, fenced, high, notes)

    def _fenced(self, mean: Floats, w: Floats) -> tuple[Floats, int, float | None]:
        if self.fence is None:
            return mean, 0, None
        logs = np.log(mean)
        centre = _median(logs, w)
        spread = max(1.4826 * _median(np.abs(logs - centre), w), _LEAST_SPREAD)
        pulled = np.clip(logs, centre - self.fence * spread, centre + self.fence * spread)
        moved = pulled != logs
        high = float(np.exp(min(centre + self.fence * spread, _LARGEST)))
        return np.where(moved, np.exp(pulled), mean), round(float(w[moved].sum())), high


def _fit(
    n: Floats, mean: Floats, w: Floats, fenced: int, high: float | None, notes: list[str]
) -> GammaGammaFit:
    from scipy.special import gammaln, psi

    total = float(w.sum())
    scale = dot(w, mean) / total
    m = mean / scale
    distinct, where = table(n)
    w_n = np.bincount(where, weights=w, minlength=distinct.size)
    sum_n = dot(w, n)
    n_log_nm = dot(w * n, np.log(n * m))
    constant = -dot(w, np.log(m))

    def objective(logs: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(logs)
        # ln v is taken out: ln(v + n m) - ln v stays exact when v is large.
        over = np.log1p(n * m / v)
        shape = p * distinct + q
        value = (
            w_n @ (gammaln(shape) - gammaln(p * distinct) - gammaln(q))
            + p * (n_log_nm - sum_n * np.log(v))
            - dot(w * (p * n + q), over)
            + constant
        )
        psi_shape = psi(shape)
        d_p = (
            (w_n * distinct) @ (psi_shape - psi(p * distinct))
            + n_log_nm
            - sum_n * np.log(v)
            - dot(w * n, over)
        )
        d_q = w_n @ (psi_shape - psi(q)) - dot(w, over)
        d_v = total * q / v - dot(w * (p * n + q), 1.0 / (v + n * m))
        return -float(value) / total, -np.array([d_p * p, d_q * q, d_v * v]) / total

    starts = [np.log([p, q, (q - 1.0) / p]) for p, q in ((2.0, 3.0), (10.0, 2.0), (1.0, 20.0))]
    found = minimise(objective, starts, _LOW, _HIGH)
    p, q, v = np.exp(found.at).tolist()
    boundary = _said(found, NAMES, fenced, total, notes)
    return GammaGammaFit(
        p=p, q=q, v=v * scale,
        log_likelihood=float(-found.value * total - total * np.log(scale)),
        n=round(total), n_fenced=fenced, gradient_norm=found.gradient_norm, converged=found.converged,
        standard_errors=standard_errors(objective, found, total, NAMES, (1.0, 1.0, scale)),
        boundary=boundary, fence_high=high, notes=tuple(notes),
    )  # fmt: skip


def _fit_each(
    n: Floats, mean: Floats, logs: Floats, w: Floats, fenced: int, high: float | None, notes: list[str]
) -> GammaGammaFit:
    sizes = fit_sizes(n, mean, logs, w)
    found, total = sizes.found, float(w.sum())
    boundary = _said(found, (*NAMES, "beta"), fenced, total, notes)
    return GammaGammaFit(
        p=sizes.p, q=sizes.q, v=sizes.v, beta=sizes.beta, by_order=True, log_likelihood=sizes.log_likelihood,
        n=round(total), n_fenced=fenced, gradient_norm=found.gradient_norm, converged=found.converged,
        standard_errors=sizes.errors, boundary=boundary, fence_high=high, notes=tuple(notes),
    )  # fmt: skip


def _counted(customers: float) -> str:
    """So many customers, in words.

    >>> _counted(1.0), _counted(1200.2)
    ('1 customer', '1,200 customers')
    """
    return "1 customer" if round(customers) == 1 else f"{round(customers):,} customers"


def _said(
    found: Optimum, names: tuple[str, ...], fenced: int, total: float, notes: list[str]
) -> tuple[str, ...]:
    """Add what a reader should know to the notes; gives the parameters on a bound."""
    boundary = tuple(name for name, on in zip(names, found.on_bound, strict=False) if on)
    if boundary:
        notes.append(
            f"the data do not identify {' and '.join(boundary)} of the amounts: on the bound of the search"
        )
    if fenced:
        notes.append(
            f"{_counted(fenced)} with extreme amounts {'counts' if fenced == 1 else 'count'} as at the limit"
        )
    if not found.converged:
        notes.append(f"the search for amounts stopped at a gradient norm of {found.gradient_norm:.1e}")
    if total < 50:
        notes.append(f"only {_counted(total)} with amounts: the parameters are rough")
    return boundary


def _logs(log_amounts: ArrayLike, n: Floats, mean: Floats) -> Floats:
    """Check sums of logarithms against what they are sums of: their mean is at most the logarithm of the mean."""
    try:
        logs = np.asarray(log_amounts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "log_amounts are not numbers",
            hint="give sums of natural logarithms, -inf where an amount is 0 or less",
        ) from error
    if logs.shape != n.shape:
        raise InvalidInput(f"arrays differ in length: frequency {n.size}, log_amounts {logs.size}")
    refuse_rows(np.isnan(logs) | (logs == np.inf), "log_amounts is NaN or infinite")
    known = np.isfinite(logs) & (n > 0)
    refuse_rows(known & (mean <= 0), "log_amounts is finite where the mean amount is 0 or less")
    most = n * np.log(np.where(known, mean, 1.0))
    refuse_rows(
        known & (logs > most + 1e-6 * (n + np.abs(most))),
        "log_amounts is larger than amounts of that mean can have: it is the sum of natural logarithms",
    )
    return logs


def _pair(frequency: ArrayLike, monetary: ArrayLike) -> tuple[Floats, Floats]:
    n, mean = column("frequency", frequency), column("monetary", monetary)
    if n.size != mean.size:
        raise InvalidInput(f"arrays differ in length: frequency {n.size}, monetary {mean.size}")
    refuse_rows(n < 0, "frequency is negative")
    return n, mean


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2.0)])
