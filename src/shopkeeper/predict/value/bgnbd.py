"""BG/NBD: customers buy at random and may be lost after each repeat purchase.

Source: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model.

A customer who bought once cannot have dropped out in this model, so P(alive) is 1 for every one-time buyer,
however long ago. Where that matters use `MBGNBD`, in which the first purchase may be the last one.
"""

from __future__ import annotations

from typing import ClassVar

from numpy.typing import ArrayLike

from shopkeeper.predict.value.dropout import fit_dropout
from shopkeeper.predict.value.history import checked
from shopkeeper.predict.value.model import DropoutFit


class BGNBDFit(DropoutFit, frozen=True, kw_only=True, tag_field="model", tag="bgnbd"):
    """A fitted BG/NBD."""

    name: ClassVar[str] = "BG/NBD"
    at_first: ClassVar[bool] = False


class BGNBD:
    """The BG/NBD model of repeat purchases.

    >>> fit = BGNBD().fit(frequency=[2, 1, 0, 0], recency=[30.4, 1.7, 0, 0], T=[38.9, 38.9, 38.9, 20.0])
    >>> len(fit.p_alive()), len(fit.p_alive(frequency=[2, 0], recency=[30.4, 0], T=[38.9, 38.9]))
    (4, 2)
    """

    def fit(
        self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> BGNBDFit:
        """Fit by maximum likelihood; times in one unit, ``weights`` the number of customers per row.

        Raises:
            InvalidInput: histories that contradict themselves. Data too poor to fit give a fit with `notes`.
        """
        history = checked(frequency, recency, T, weights)
        return BGNBDFit(**fit_dropout(history, at_first=False).fields()).remembering(history)
