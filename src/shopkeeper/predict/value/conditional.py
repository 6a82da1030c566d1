"""What a customer with a known history will do next, under BG/NBD or MBG/NBD.

Given that the customer is alive at T, the rate is Gamma(r+x, alpha+T) and the dropout probability is
Beta(a, b+x+m), independent of each other (m = 0 for BG/NBD, 1 for MBG/NBD). With s = t/(alpha+T) this gives,
for the number Y of purchases in the next t::

    P(Y >= k) = P(alive) * B(a, b+x+m+k-1)/B(a, b+x+m) * P(N >= k),   N ~ negative binomial(r+x, mean (r+x) s)
    E(Y)      = P(alive) * E_p[ (1 - (1 + p s)^-(r+x)) / p ]

The first is exact. The second is the published closed form with a Gauss hypergeometric function, written as
an average of positive terms over p, which Gauss-Jacobi nodes take without overflow or cancellation, for any
x and t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.predict.value.history import Floats, Ints, table

NODES = 24
_TIME_NODES = 8


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
        x = self.frequency
        lost = np.maximum(self.b + x + self.m - 1.0, 1e-300)
        u = np.log(self.a / lost) + (self.r + x) * np.log1p(
            (self.T - self.recency) / (self.alpha + self.recency)
        )
        if self.m == 0.0:
            u = np.where(x > 0, u, -np.inf)
        return np.asarray(np.exp(-np.logaddexp(0.0, u)))

    def mean(self, t: float | Floats) -> Floats:
        """Give the expected number of purchases in the next ``t``."""
        shape, s = self.r + self.frequency, t / (self.alpha + self.T)
        total = np.zeros(np.broadcast(shape, s).shape)
        for p, weight in self._dropout_nodes():
            total -= weight * np.expm1(-shape * np.log1p(p * s)) / p
        return np.asarray(self.alive() * total)

    def discounted(self, t: float, rate: float) -> Floats:
        """Give the expected purchases in the next ``t``, discounted continuously at ``rate`` per time unit.

        The mean less what discounting takes: the integral of (1 - exp(-rate s)) times the purchase intensity
        at s, with Gauss-Legendre nodes in ln(alpha + T + s), where the intensity is smooth.
        """
        if t <= 0 or rate == 0:
            return self.mean(t)
        shape, base = self.r + self.frequency, self.alpha + self.T
        reach = np.log1p(t / base)
        at, step = np.polynomial.legendre.leggauss(_TIME_NODES)
        total = np.zeros(shape.shape)
        nodes = self._dropout_nodes()
        for position, share in zip((at + 1.0) / 2.0, step / 2.0, strict=True):
            growth = np.expm1(reach * position)
            intensity = np.zeros(shape.shape)
            for p, weight in nodes:
                intensity += weight * np.exp(-(shape + 1.0) * np.log1p(p * growth))
            total += share * reach * (growth + 1.0) * -np.expm1(-rate * base * growth) * intensity
        return np.asarray(np.maximum(self.mean(t) - self.alive() * shape * total, 0.0))

    def square(self, t: float) -> Floats:
        """Give E(Y^2) for the next ``t``."""
        shape, s = self.r + self.frequency, t / (self.alpha + self.T)
        pairs = np.zeros(shape.shape)
        for p, weight in self._dropout_nodes():
            y = p * s
            log_y = np.log1p(y)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                exact = (-np.expm1(-shape * log_y) - shape * y * np.exp(-(shape + 1.0) * log_y)) / (y * y)
            limit = shape * (shape + 1.0) * (0.5 - (shape + 2.0) * y / 3.0)
            near = (shape + 2.0) * y < 1e-4
            pairs += weight * (1.0 - p) * s * s * np.where(near, limit, exact)
        return np.asarray(self.mean(t) + 2.0 * self.alive() * np.maximum(pairs, 0.0))

    def at_least(self, k: Floats | float, t: float) -> Floats:
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

    def _dropout_nodes(self) -> list[tuple[Floats, Floats]]:
        """Nodes and weights of Beta(a, b+x+m) for every history: a list over nodes."""
        distinct, where = table(self.frequency)
        p, weight = beta_nodes(self.a, self.b + distinct + self.m, NODES)
        return [(p[:, j][where], weight[:, j][where]) for j in range(NODES)]


def beta_nodes(a: float, b: Floats, count: int) -> tuple[Floats, Floats]:
    """Give Gauss nodes in (0, 1) and weights (sum 1) for Beta(a, b), one row per entry of ``b``.

    Golub and Welsch (1969): eigenvalues of the Jacobi matrix, all rows at once.

    >>> p, weight = beta_nodes(2.0, np.array([3.0]), 4)
    >>> round(float((weight * p).sum()), 12)
    0.4
    """
    if b.size == 0:
        return np.empty((0, count)), np.empty((0, count))
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
    return np.clip(nodes, 1e-14, 1.0), vectors[:, 0, :] ** 2
