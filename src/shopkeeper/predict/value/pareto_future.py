"""What a customer with a known history will do next under Pareto/NBD.

Given that the customer is alive at T, the purchase rate is Gamma(r+x, alpha+T) and the rate of leaving
Gamma(s, beta+T), independent of each other. The customer stays u longer with probability S(u) =
(1 + u/(beta+T))^-s and the k-th purchase comes after u with 1 - I(k, r+x; u/(alpha+T+u)), so that for the
number Y of purchases in the next t::

    E(Y)       = P(alive) (r+x)/(alpha+T) * integral of S over (0, t)                         closed form
    E(Y(Y-1))  = P(alive) (r+x)(r+x+1)/(alpha+T)^2 * integral of 2 u S(u)
    P(Y >= k)  = P(alive) * ( S(t) I(t) + integral of I(u) -S'(u) over (0, t) )

The discounted mean puts exp(-rate u) into the first integral; without end that is the discounted expected
residual transactions (DERT) of Fader, Hardie and Lee (2005, RFM and CLV). Integrals are taken with
Gauss-Legendre nodes in logarithms of time: relative error below 1e-9 for moments, absolute error of
P(Y >= k) below 1e-6.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shopkeeper.predict.value.conditional import legendre
from shopkeeper.predict.value.history import Floats, Ints, pairs, together
from shopkeeper.predict.value.pareto_ends import log_integral

_NODES = 48
_TAIL_NODES = 32
_FEW = 32
"""Orders whose chance is summed up: of more the incomplete beta function is cheaper."""
# exp(-40) is less than the last digit.
_FAR = 40.0
_BLOCK = 2048


@dataclass(frozen=True, slots=True)
class ParetoFuture:
    """The future of customers, one entry per history."""

    r: float
    alpha: float
    s: float
    beta: float
    frequency: Floats
    recency: Floats
    T: Floats
    known: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out before: every figure of the future begins with who is alive."""

    def alive(self) -> Floats:
        """Give the probability that the customer has not left by T."""
        if "alive" not in self.known:
            self.known["alive"] = self._alive()
        return self.known["alive"]

    def _alive(self) -> Floats:
        logs = np.log([self.r, self.alpha, self.s, self.beta])
        x, last, by_lost = pairs(self.frequency, self.recency)
        lost = log_integral(logs, x, last, by_leaving=True, slopes=False).value + logs[2]
        x, age, by_later = pairs(self.frequency, self.T)
        later = log_integral(logs, x, age, by_leaving=False, slopes=False).value + np.log(self.r + x)
        still = -(self.r + x) * np.log(self.alpha + age) - self.s * np.log(self.beta + age)
        either = np.logaddexp(lost[by_lost], later[by_later])
        return np.asarray(np.exp(np.minimum(still[by_later] - either, 0.0)))

    def alive_after(self, t: float | Floats) -> Floats:
        """Give the probability that the customer will not have left ``t`` later."""
        return np.asarray(self.alive() * np.exp(-self.s * np.log1p(t / (self.beta + self.T))))

    def mean(self, t: float | Floats) -> Floats:
        """Give the expected number of purchases in the next ``t``; infinite only without end and s <= 1."""
        base = self.beta + self.T
        with np.errstate(divide="ignore"):
            stays = base * _power(1.0 - self.s, np.log1p(t / base))
        return np.asarray(self.alive() * self._rate() * stays)

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases in the next ``t``, discounted continuously at ``rate`` per time unit.

        ``t`` may be infinite where ``rate`` is above 0: the discounted expected residual transactions.
        """
        if rate == 0:
            return self.mean(t)
        return np.asarray(self.alive() * self._rate() * self._stay(t, 0, rate))

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) for the next ``t``."""
        pairs_of = (self._rate() + 1.0 / (self.alpha + self.T)) * self._rate()
        return np.asarray(self.mean(t) + 2.0 * self.alive() * pairs_of * self._stay(t, 1, 0.0))

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) for the next ``t``; ``k`` is at least 1."""
        steps, times = np.asarray(k, dtype=np.float64), np.asarray(t, dtype=np.float64)
        (x, age, *more), where = together(
            self.frequency, self.T, *(given for given in (steps, times) if given.ndim)
        )
        steps = more.pop(0) if steps.ndim else np.broadcast_to(steps, x.shape)
        times = more.pop(0) if times.ndim else np.broadcast_to(times, x.shape)
        tail = np.empty(x.size)
        for work, chosen in ((self._some, steps <= 1.0), (self._tail, steps > 1.0)):
            index = np.flatnonzero(chosen)
            for start in range(0, index.size, _BLOCK):
                i = index[start : start + _BLOCK]
                tail[i] = work(steps[i], times[i], x[i], age[i])
        return np.asarray(self.alive() * tail[where])

    def take(self, rows: Ints) -> ParetoFuture:
        """Give the same model for some of the histories."""
        some = self.frequency[rows], self.recency[rows], self.T[rows]
        known = {what: values[rows] for what, values in self.known.items()}
        return ParetoFuture(self.r, self.alpha, self.s, self.beta, *some, known)

    def _rate(self) -> Floats:
        return np.asarray((self.r + self.frequency) / (self.alpha + self.T))

    def _stay(self, t: float | Floats, power: int, rate: float) -> Floats:
        """Integral of u^power exp(-rate u) S(u) over (0, t), in ln(1 + u/(beta+T)), per distinct T."""
        times = np.asarray(t, dtype=np.float64)
        (age, *more), where = together(*(np.broadcast_arrays(self.T, times) if times.ndim else [self.T]))
        times = more[0] if more else np.broadcast_to(times, age.shape)
        at, share = legendre(_NODES)
        found = np.empty(age.size)
        for start in range(0, age.size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            base = self.beta + age[rows]
            reach = np.log1p(np.minimum(times[rows], _FAR / rate if rate > 0 else np.inf) / base)
            falls = self.s - 1.0 - power
            if falls > 0:
                reach = np.minimum(reach, (_FAR + 20.0 * power) / falls)
            w = reach[:, None] * at
            grown = np.expm1(w)
            inside = (1.0 - self.s) * w - (rate * base)[:, None] * grown
            found[rows] = base ** (power + 1) * reach * ((grown**power * np.exp(inside)) @ share)
        return found[where]

    def _some(self, _: Floats, t: Floats, x: Floats, age: Floats) -> Floats:
        """P(Y >= 1) of somebody alive: the density of the next purchase times S, in ln(1 + u/(alpha+T))."""
        shape, scale, base = self.r + x, self.alpha + age, self.beta + age
        gone = base * np.expm1(min(_FAR / self.s, 500.0))
        reach = np.minimum(np.log1p(np.minimum(t, gone) / scale), _FAR / shape)
        at, share = legendre(_NODES)
        w = reach[:, None] * at
        stays = np.log1p((scale / base)[:, None] * np.expm1(w))
        return np.asarray(shape * reach * (np.exp(-shape[:, None] * w - self.s * stays) @ share))

    def _tail(self, k: Floats, t: Floats, x: Floats, age: Floats) -> Floats:
        """P(Y >= k) of somebody alive; nodes where the k-th purchase is likely, in ln u."""
        from scipy.special import betainc

        shape, scale, base = self.r + x, self.alpha + age, self.beta + age
        live = t > 0
        end = np.log(np.where(live, t, 1.0))
        centre = np.log(k * scale / shape)
        width = 8.0 * np.sqrt(1.0 / k + 1.0 / shape)
        low = np.minimum(centre, end) - np.maximum(width, 16.0 / k)
        high = np.maximum(np.minimum(end, centre + np.maximum(width, _FAR / shape)), low)
        at, share = legendre(_TAIL_NODES)
        step = high - low
        u = np.exp(low[:, None] + step[:, None] * at)
        before = _reached(k, shape, u / (scale[:, None] + u))
        leaves = self.s * u / (base[:, None] + u) * np.exp(-self.s * np.log1p(u / base[:, None]))
        until_end = betainc(k, shape, np.where(live, t / (scale + t), 0.0))
        stays_high, stays_end = (np.exp(-self.s * np.log1p(v / base)) for v in (np.exp(high), t))
        after = np.maximum(stays_high - stays_end, 0.0)
        tail = step * ((before * leaves) @ share) + after + stays_end * until_end
        return np.where(live, np.clip(tail, 0.0, 1.0), 0.0)


def _reached(k: Floats, shape: Floats, share: Floats) -> Floats:
    """P(N >= k) of a negative binomial N of that shape, a row of shares of time each: the incomplete beta function.

    For a whole number of a few it is what a short sum leaves, many times cheaper; absolute error below 1e-12.

    >>> _reached(np.array([2.0, 3.0]), np.array([1.0, 1.0]), np.array([[0.5], [0.5]])).tolist()
    [[0.25], [0.125]]
    """
    from scipy.special import betainc

    few = (k <= _FEW) & (k == np.floor(k))
    found = np.empty(share.shape)
    others = np.flatnonzero(~few)
    if others.size:
        found[others] = betainc(k[others, None], shape[others, None], share[others])
    rows = np.flatnonzero(few)
    rows = rows[np.argsort(-k[rows], kind="stable")]  # rows that add one more term come first
    terms, p, size = k[rows], share[rows], shape[rows, None]
    with np.errstate(divide="ignore"):
        term = np.exp(size * np.log1p(-p))
    below = term.copy()
    for n in range(1, int(terms.max(initial=1.0))):
        some = slice(0, int(np.searchsorted(-terms, -n, side="left")))
        term = term[some] * ((size[some] + (n - 1.0)) / n) * p[some]
        below[some] += term
    found[rows] = np.maximum(1.0 - below, 0.0)
    return found


def _power(exponent: float, log: Floats) -> Floats:
    """(exp(exponent * log) - 1)/exponent, which is the logarithm itself at 0.

    >>> _power(0.0, np.array([2.0])).tolist(), _power(1.0, np.array([0.0])).tolist()
    ([2.0], [0.0])
    """
    if abs(exponent) < 1e-12:
        return log
    with np.errstate(over="ignore"):
        return np.asarray(np.expm1(exponent * log) / exponent)
