"""What a customer with a known history will do next, under BG/NBD or MBG/NBD.

Given that the customer is alive at T, the rate is Gamma(r+x, alpha+T) and the dropout probability is
Beta(a, b+x+m), independent of each other (m = 0 for BG/NBD, 1 for MBG/NBD). With s = t/(alpha+T) this gives,
for the number Y of purchases in the next t::

    P(Y >= k) = P(alive) * B(a, b+x+m+k-1)/B(a, b+x+m) * P(N >= k),   N ~ negative binomial(r+x, mean (r+x) s)
    E(Y)      = P(alive) * E_p[ (1 - (1 + p s)^-(r+x)) / p ]

The first is exact. The second is the published closed form with a Gauss hypergeometric function, written as
an average of positive terms over p, which Gauss-Jacobi nodes take without overflow or cancellation.

Far ahead (s above 2, as for a heavy buyer of some weeks within years) the terms fall so fast in p that few nodes would
miss where they do. There expectations are integrals over time of E_p[(1 + p s)^-q], which Euler's transformation turns:
with p = w/(1 + s (1-w)) it is (1+s)^(c-q) E_w[(1 + s (1-w))^(q-a-c)], w of the same Beta(a, c), c = b+x+m; and
while q grows with x, q-a-c does not. Source: NIST Digital Library of Mathematical Functions, 15.8.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, partial

import numpy as np

from shopkeeper.predict.value.history import Floats, Ints, pairs, table

Work = Callable[["Given", Floats], Floats]

NODES = 24
_TIME_NODES = 16
_MANY_TIME_NODES = 48
_NEAR = 1.0
_LONG = 3.0
# exp(-40) is less than the last digit.
_FAR = 40.0
_BLOCK = 2048
_MANY = 16_384
_KEPT = 16
"""Sets of nodes kept: some hundred kilobytes each where customers are many."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """The future of customers, one entry per history.

    ``m`` is 1 where dropout may follow the first purchase, else 0.
    """

    r: float
    alpha: float
    a: float
    b: float
    m: float
    frequency: Floats
    recency: Floats
    T: Floats

    def alive(self) -> Floats:
        """Give the probability that the customer has not dropped out by T."""
        alive = np.empty(self.T.size)
        for start in range(0, alive.size, _MANY):
            rows = slice(start, start + _MANY)
            x, last = self.frequency[rows], self.recency[rows]
            lost = np.maximum(self.b + x + self.m - 1.0, 1e-300)
            u = np.log(self.a / lost) + (self.r + x) * np.log1p((self.T[rows] - last) / (self.alpha + last))
            if self.m == 0.0:
                u = np.where(x > 0, u, -np.inf)
            alive[rows] = np.exp(-np.logaddexp(0.0, u))
        return alive

    def alive_after(self, t: float | Floats) -> Floats:
        """Give the probability that the customer will not have dropped out ``t`` later: lost is p of each purchase."""
        return np.asarray(self.alive() * self._given_alive(_stays, t))

    def mean(self, t: float | Floats) -> Floats:
        """Give the expected number of purchases in the next ``t`` (finite)."""
        return np.asarray(self.alive() * self._given_alive(_mean, t))

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases in the next ``t``, discounted continuously at ``rate`` per time unit.

        The integral of exp(-rate s) times the purchase intensity at s, with Gauss-Legendre nodes in
        ln(alpha + T + s), where the intensity is smooth. ``t`` may be infinite where ``rate`` is above 0.
        """
        if rate == 0:
            return self.mean(t)
        return np.asarray(self.alive() * self._given_alive(partial(_discounted, rate=rate), t))

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) for the next ``t``."""
        return np.asarray(self.mean(t) + 2.0 * self.alive() * self._given_alive(_falling_square, t))

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) for the next ``t``; ``k`` is at least 1."""
        from scipy.special import betainc, betaln

        s = t / (self.alpha + self.T)
        kept = self.b + self.frequency + self.m
        stays = np.exp(betaln(self.a, kept + k - 1.0) - betaln(self.a, kept))
        return np.asarray(self.alive() * stays * betainc(k, self.r + self.frequency, s / (1.0 + s)))

    def take(self, rows: Ints) -> Conditional:
        """Give the same model for some of the histories."""
        some = self.frequency[rows], self.recency[rows], self.T[rows]
        return Conditional(self.r, self.alpha, self.a, self.b, self.m, *some)

    def _given_alive(self, work: Work, t: float | Floats) -> Floats:
        """Take ``work`` once per distinct x and T, in blocks that stay in the cache."""
        times = np.asarray(t, dtype=np.float64)
        if times.ndim == 0:
            x, age, where = pairs(self.frequency, self.T)
            times = np.broadcast_to(times, x.shape)
        else:
            x, age, times = np.broadcast_arrays(self.frequency, self.T, times)
            where = np.arange(x.size)
        distinct, by_x = table(x)
        p, weight = beta_nodes(self.a, self.b + distinct + self.m, NODES)
        given = np.empty(x.size)
        for start in range(0, x.size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            one = by_x[rows]
            known = Given(
                (self.r + x[rows])[:, None], (self.alpha + age[rows])[:, None], self.a,
                (self.b + x[rows] + self.m)[:, None], p[one], weight[one],
            )  # fmt: skip
            given[rows] = work(known, times[rows][:, None])
        return np.asarray(given[where])


@dataclass(frozen=True, slots=True)
class Given:
    """Customers alive, a row each: the rate is Gamma(shape, base), p is Beta(a, kept) with nodes and their weights."""

    shape: Floats
    base: Floats
    a: float
    kept: Floats
    p: Floats
    weight: Floats

    def take(self, rows: Ints) -> Given:
        """Give some of the customers."""
        return Given(
            self.shape[rows], self.base[rows], self.a, self.kept[rows], self.p[rows], self.weight[rows]
        )

    def power(self, more: float, *, staying: bool = False) -> Callable[[Floats], Floats]:
        """Give E_p[(1 + p s)^-(shape + more)] of s, or that times 1 - p: turned where the power is milder so."""
        q = self.shape + more
        turned = self.a + self.kept - q
        here = np.abs(turned) < q
        u = np.where(here, 1.0 - self.p, self.p)
        exponent = np.where(here, turned, q)

        def at(s: Floats) -> Floats:
            log_u = np.log1p(u * s)
            lead = np.where(here, (self.kept - q) * np.log1p(s), 0.0)
            terms = self.weight * np.exp(lead - exponent * log_u)
            if staying:
                terms = terms * np.where(here, (1.0 + s) * u * np.exp(-log_u), 1.0 - self.p)
            return np.asarray(terms.sum(axis=1))

        return at


def _stays(known: Given, t: Floats) -> Floats:
    """Chance that somebody alive stays: of purchases at a rate, the first one that is the last is at p times that."""
    return known.power(0.0)(t / known.base)


def _mean(known: Given, t: Floats) -> Floats:
    """Expected purchases of somebody alive."""
    return _near_or_far(known, t, _mean_near, _mean_far)


def _mean_far(known: Given, t: Floats) -> Floats:
    return _mean_near(known, _NEAR * known.base) + _discounted(known, t, rate=0.0, after=_NEAR)


def _mean_near(known: Given, t: Floats) -> Floats:
    gone = np.expm1(-known.shape * np.log1p(known.p * (t / known.base)))
    return np.asarray(0.0 - (known.weight * gone / known.p).sum(axis=1))  # never minus zero


def _near_or_far(known: Given, t: Floats, near: Work, far: Work) -> Floats:
    """Work where few nodes see all, or by parts of time."""
    late = (t > _NEAR * known.base)[:, 0]
    if not late.any():
        return near(known, t)
    answer, rows, others = np.empty(late.size), np.flatnonzero(late), np.flatnonzero(~late)
    answer[rows] = far(known.take(rows), t[rows])
    answer[others] = near(known.take(others), t[others])
    return answer


def _discounted(known: Given, t: Floats, *, rate: float, after: float = 0.0) -> Floats:
    """Expected discounted purchases of somebody alive, those later than ``after`` times base."""
    total, power = np.zeros(known.shape.shape[0]), known.power(1.0)
    for growth, share in _parts(known, t, rate, after):
        total += (share * np.exp(-rate * known.base * growth))[:, 0] * power(growth)
    return np.asarray(known.shape[:, 0] * total)


def _parts(known: Given, t: Floats, rate: float, after: float) -> Iterator[tuple[Floats, Floats]]:
    """Give nodes of (time ahead) / base and their shares, even in ln(base + time); more for a long reach."""
    until = np.minimum(t, _FAR / rate) if rate > 0 else t
    begin = np.log1p(after)
    reach = np.log1p(until / known.base) - begin
    long = float(until.max(initial=0.0)) * rate >= 1.0 or float(reach.max(initial=0.0)) > _LONG
    for position, share in zip(*legendre(_MANY_TIME_NODES if long else _TIME_NODES), strict=True):
        growth = np.expm1(begin + reach * position)
        yield growth, share * reach * (growth + 1.0)


def _falling_square(known: Given, t: Floats) -> Floats:
    """Half of E(Y (Y - 1)) of somebody alive."""
    return _near_or_far(known, t, _square_near, _square_far)


def _square_far(known: Given, t: Floats) -> Floats:
    total, power = np.zeros(known.shape.shape[0]), known.power(2.0, staying=True)
    for growth, share in _parts(known, t, 0.0, _NEAR):
        total += (share * growth)[:, 0] * power(growth)
    shape = known.shape[:, 0]
    return _square_near(known, _NEAR * known.base) + shape * (shape + 1.0) * total


def _square_near(known: Given, t: Floats) -> Floats:
    s, shape, p = t / known.base, known.shape, known.p
    y = p * s
    log_y = np.log1p(y)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exact = (-np.expm1(-shape * log_y) - shape * y * np.exp(-(shape + 1.0) * log_y)) / (y * y)
    limit = shape * (shape + 1.0) * (0.5 - (shape + 2.0) * y / 3.0)
    near = (shape + 2.0) * y < 1e-4
    return np.asarray(
        np.maximum((known.weight * (1.0 - p) * s * s * np.where(near, limit, exact)).sum(axis=1), 0.0)
    )


@cache
def legendre(count: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on (0, 1)."""
    at, step = np.polynomial.legendre.leggauss(count)
    return (at + 1.0) / 2.0, step / 2.0


def beta_nodes(a: float, b: Floats, count: int) -> tuple[Floats, Floats]:
    """Give Gauss nodes in (0, 1) and weights (sum 1) for Beta(a, b), one row per entry of ``b``.

    Golub and Welsch (1969): eigenvalues of the Jacobi matrix, all rows at once.

    >>> p, weight = beta_nodes(2.0, np.array([3.0]), 4)
    >>> round(float((weight * p).sum()), 12)
    0.4
    """
    if b.size == 0:
        return np.empty((0, count)), np.empty((0, count))
    return _beta_nodes(a, b.tobytes(), count)


@lru_cache(maxsize=_KEPT)
def _beta_nodes(a: float, told: bytes, count: int) -> tuple[Floats, Floats]:
    """The same, kept a while: of one model at one origin much is asked."""
    b = np.frombuffer(told, dtype=np.float64)
    right, left = b[:, None] - 1.0, a - 1.0
    k = np.arange(count, dtype=np.float64)[None, :]
    both = right + left
    twice = 2.0 * k + both
    # At k = 0 and k = 1 the general terms are 0/0 for a + b = 2 or 1; the reduced forms are not.
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (left - right) * both / (twice * (twice + 2.0))
        side = 4.0 * k * (k + right) * (k + left) * (k + both) / (twice**2 * (twice + 1.0) * (twice - 1.0))
    middle[:, 0] = ((left - right) / (both + 2.0))[:, 0]
    if count > 1:
        side[:, 1] = (4.0 * (1.0 + right) * (1.0 + left) / ((both + 2.0) ** 2 * (both + 3.0)))[:, 0]
    matrix = np.zeros((b.size, count, count))
    index = np.arange(count)
    matrix[:, index, index] = (1.0 + middle) / 2.0
    off = np.sqrt(side[:, 1:]) / 2.0
    matrix[:, index[1:], index[:-1]] = off
    nodes, vectors = np.linalg.eigh(matrix)
    found = np.clip(nodes, 1e-14, 1.0), vectors[:, 0, :] ** 2
    for one in found:
        one.flags.writeable = False
    return found
