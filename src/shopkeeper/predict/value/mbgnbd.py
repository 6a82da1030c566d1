"""MBG/NBD: customers buy at random and may be lost after each purchase, the first one included.

Unlike BG/NBD it doubts one-time buyers more the longer they are silent, with the same four parameters and
cost.
Source: Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer
base analysis.
"""

from __future__ import annotations

from typing import ClassVar

from numpy.typing import ArrayLike

from shopkeeper.predict.value.dropout import fit_dropout
from shopkeeper.predict.value.history import checked
from shopkeeper.predict.value.model import DropoutFit


class MBGNBDFit(DropoutFit, frozen=True, kw_only=True, tag_field="model", tag="mbgnbd"):
    """A fitted MBG/NBD."""

    name: ClassVar[str] = "MBG/NBD"
    at_first: ClassVar[bool] = True


class MBGNBD:
    """The MBG/NBD model of repeat purchases.

    >>> fit = MBGNBD().fit(frequency=[2, 1, 0, 0], recency=[30.4, 1.7, 0, 0], T=[38.9, 38.9, 38.9, 20.0])
    >>> early, late = fit.p_alive(frequency=[0, 0], recency=[0, 0], T=[1.0, 100.0])
    >>> bool(early > late)
    True
    """

    def fit(
        self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> MBGNBDFit:
        """Fit by maximum likelihood; times in one unit, ``weights`` the number of customers per row.

        Raises:
            InvalidInput: histories that contradict themselves. Data too poor to fit give a fit with `notes`.
        """
        history = checked(frequency, recency, T, weights)
        return MBGNBDFit(**fit_dropout(history, at_first=True).fields()).remembering(history)
