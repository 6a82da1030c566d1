"""The likelihood shared by the models in which a customer may drop out after each purchase.

While alive, a customer buys at random with rate lambda ~ Gamma(r, alpha); after a purchase the customer is
lost with probability p ~ Beta(a, b). BG/NBD lets that happen after each repeat purchase; MBG/NBD also after
the first one. With m = 0 for BG/NBD and m = 1 for MBG/NBD the log-likelihood of (x, t_x, T) is::

    ln G(r+x)/G(r) + r ln alpha + ln B(a, b+x+m)/B(a, b)
    + ln( a/(b+x+m-1) (alpha+t_x)^-(r+x) + (alpha+T)^-(r+x) )

where the first of the last two terms is the customer who is lost (nobody for x = 0 and m = 0), the second
the one whose next purchase comes after T. Sources: Fader, Hardie and Lee (2005), "Counting Your Customers"
the Easy Way; Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for
customer base analysis.
"""

from __future__ import annotations

import numpy as np

from shopkeeper.predict.value.estimate import Family, Fitted, estimate
from shopkeeper.predict.value.history import Floats, History
from shopkeeper.predict.value.twoends import Term

NAMES = ("r", "alpha", "a", "b")


class DropoutEnds:
    """BG/NBD or MBG/NBD as a function of ln r, ln alpha, ln a, ln b."""

    def __init__(self, *, at_first: bool) -> None:
        self.always = at_first
        self.at_many = True
        self.m = 1.0 if at_first else 0.0

    def common(self, logs: Floats, x: Floats) -> Term:
        """Give ln of G(r+x) alpha^r / G(r) * B(a, b+x+m) / B(a, b)."""
        from scipy.special import betaln, gammaln, psi

        r, _, a, b = np.exp(logs)
        kept = b + x + self.m
        value = gammaln(r + x) - gammaln(r) + r * logs[1] + betaln(a, kept) - betaln(a, b)
        both = psi(a + b) - psi(a + kept)
        slopes = [
            r * (psi(r + x) - psi(r) + logs[1]),
            r + np.zeros_like(value),
            a * both,
            b * (both + psi(kept) - psi(b)),
        ]
        return Term(value, np.array(slopes))

    def lost(self, logs: Floats, x: Floats, t: Floats) -> Term:
        """Lost after the last purchase, which was at ``t``."""
        r, alpha, a, b = np.exp(logs)
        kept = b + x + self.m - 1.0
        log_t = np.log(alpha + t)
        value = np.log(a / kept) - (r + x) * log_t
        slopes = [-r * log_t, -alpha * (r + x) / (alpha + t), np.ones_like(value), -b / kept]
        return Term(value, np.array(slopes))

    def later(self, logs: Floats, x: Floats, age: Floats) -> Term:
        """Not lost, and the next purchase comes after ``age``."""
        r, alpha, _, _ = np.exp(logs)
        log_age = np.log(alpha + age)
        nothing = np.zeros_like(log_age)
        slopes = [-r * log_age, -alpha * (r + x) / (alpha + age), nothing, nothing]
        return Term(-(r + x) * log_age, np.array(slopes))


def fit_dropout(history: History, *, at_first: bool) -> Fitted:
    """Fit r, alpha, a, b to checked histories; poor data give a usable answer and notes, no exception."""
    family = Family(
        ends=DropoutEnds(at_first=at_first),
        names=NAMES,
        times=("alpha",),
        leaving_note="the data do not identify dropout",
        guesses=((1.0, 2.0), (0.5, 3.0), (0.2, 5.0)),
    )
    return estimate(history, family)
