"""The likelihood of Pareto/NBD without cancellation: the customer leaves first, or buys again after T.

A customer buys at rate lambda ~ Gamma(r, alpha) and leaves at rate mu ~ Gamma(s, beta). The published
likelihood of (x, t_x, T) (Fader, Hardie and Lee, 2005, A Note on Deriving the Pareto/NBD Model) adds
somebody alive at T to somebody who left in (t_x, T], and takes the second as a difference of two
hypergeometric functions. By parts, with n = r + s + x, the same sum is one of two positive terms::

    G(r+x) alpha^r beta^s / G(r) * ( s I(t_x; r+x, s+1) + (r+x) I(T; r+x+1, s) )
    I(y; A, B) = integral of (alpha+u)^-A (beta+u)^-B over u > y,   A + B = n + 1
               = (c+y)^-(n+1-b) (d+y)^(1-b) 2F1(n+1-b, 1; n+1; (c-d)/(c+y)) / n

where c is the larger of alpha and beta, d the smaller, and b the power of the smaller (Euler's
transformation). The first term is the customer who leaves before the next purchase, the second the one whose
next purchase comes after T.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.hypergeometric import log_f
from shopkeeper.predict.value.twoends import Term


class ParetoEnds:
    """Pareto/NBD as a function of ln r, ln alpha, ln s, ln beta."""

    always: ClassVar[bool] = True
    at_many: ClassVar[bool] = False

    def common(self, logs: Floats, x: Floats) -> Term:
        """Give ln of G(r+x) alpha^r beta^s / G(r)."""
        from scipy.special import gammaln, psi

        r, _, s, _ = np.exp(logs)
        one = np.ones(x.size)
        value = gammaln(r + x) - gammaln(r) + r * logs[1] + s * logs[3]
        return Term(
            value, np.array([r * (psi(r + x) - psi(r) + logs[1]), r * one, s * logs[3] * one, s * one])
        )

    def lost(self, logs: Floats, x: Floats, t: Floats) -> Term:
        """Leaves before the next purchase, the last one being at ``t``."""
        _, _, s, _ = np.exp(logs)
        found = log_integral(logs, x, t, by_leaving=True)
        found.value[:] += np.log(s)
        found.slopes[2] += 1.0
        return found

    def later(self, logs: Floats, x: Floats, age: Floats) -> Term:
        """The next purchase comes after ``age``."""
        r, _, _, _ = np.exp(logs)
        found = log_integral(logs, x, age, by_leaving=False)
        found.value[:] += np.log(r + x)
        found.slopes[0] += r / (r + x)
        return found


def log_integral(logs: Floats, x: Floats, y: Floats, *, by_leaving: bool, slopes: bool = True) -> Term:
    """Give ln I(y; A, B): A, B = r+x, s+1 where the customer leaves, r+x+1, s where the customer buys.

    Without ``slopes`` those of the result mean nothing.
    """
    r, alpha, s, beta = np.exp(logs)
    n = r + s + x
    buys, leaves = (r + x, np.full(x.size, s + 1.0)) if by_leaving else (r + x + 1.0, np.full(x.size, s))
    log_a, log_b = np.log(alpha + y), np.log(beta + y)
    if alpha >= beta:
        f = log_f(buys, n + 1.0, (alpha - beta) / (alpha + y), slopes=slopes)
        value = f.value - buys * log_a + (1.0 - leaves) * log_b - np.log(n)
    else:
        f = log_f(leaves, n + 1.0, (beta - alpha) / (beta + y), slopes=slopes)
        value = f.value - leaves * log_b + (1.0 - buys) * log_a - np.log(n)
    if not slopes:
        return Term(value, value)
    over_a, over_b = alpha / (alpha + y), beta / (beta + y)
    if alpha >= beta:
        by_r, by_s = f.by_a + f.by_c, f.by_c
        by_alpha = f.by_z * over_a * (beta + y) / (alpha + y) - buys * over_a
        by_beta = (1.0 - leaves) * over_b - f.by_z * (beta / (alpha + y))
    else:
        by_r, by_s = f.by_c, f.by_a + f.by_c
        by_alpha = (1.0 - buys) * over_a - f.by_z * (alpha / (beta + y))
        by_beta = f.by_z * over_b * (alpha + y) / (beta + y) - leaves * over_b
    return Term(
        value, np.array([r * (by_r - log_a - 1.0 / n), by_alpha, s * (by_s - log_b - 1.0 / n), by_beta])
    )
