"""What every model of repeat purchases offers once it is fitted, and the future it gives."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import BadFile, InvalidInput
from shopkeeper.predict.value.conditional import Conditional
from shopkeeper.predict.value.history import Floats, Ints, checked

Fit = TypeVar("Fit", bound=msgspec.Struct)


class Future(Protocol):
    """The coming purchases Y of many customers at once, one entry per customer."""

    def mean(self, t: float) -> Floats:
        """Give E(Y) within ``t``."""

    def discounted(self, t: float, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit."""

    def square(self, t: float) -> Floats:
        """Give E(Y^2) within ``t``."""

    def at_least(self, k: Floats | float, t: float) -> Floats:
        """Give P(Y >= k) within ``t``."""

    def take(self, rows: Ints) -> Future:
        """Give the future of some of the customers."""


class OrderModel(Protocol):
    """A fitted model of repeat purchases."""

    name: ClassVar[str]

    def future(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Future:
        """Give the future of customers with these histories."""


class DropoutFit(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted BG/NBD or MBG/NBD: rate ~ Gamma(r, alpha), dropout after a purchase ~ Beta(a, b).

    Attributes:
        r: shape of the purchase rates.
        alpha: rate parameter of the purchase rates, in the time unit of the data.
        a: first parameter of the dropout probability.
        b: second parameter of the dropout probability.
        log_likelihood: at these parameters, over all customers.
        n: number of customers.
        gradient_norm: of the mean log-likelihood over log parameters, at the end of the search.
        converged: whether that norm is small.
        boundary: parameters the data do not identify; they sit on a bound of the search.
        notes: what a reader should know before using the numbers, in plain words.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    n: int
    gradient_norm: float
    converged: bool
    boundary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    name: ClassVar[str] = "dropout"
    at_first: ClassVar[bool] = False

    @property
    def params(self) -> dict[str, float]:
        """The four parameters by name."""
        return {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b}

    def future(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Conditional:
        """Give the future of customers with these histories."""
        history = checked(frequency, recency, T)
        m = 1.0 if self.at_first else 0.0
        return Conditional(
            self.r, self.alpha, self.a, self.b, m, history.frequency, history.recency, history.T
        )

    def p_alive(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Give the probability that each customer is still one at the end of observation."""
        return self.future(frequency=frequency, recency=recency, T=T).alive()

    def expected_purchases(
        self, t: float | ArrayLike, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> Floats:
        """Give each customer's expected purchases in the next ``t`` (one number, or one per customer)."""
        ahead = np.asarray(t, dtype=np.float64)
        if not np.isfinite(ahead).all() or (ahead < 0).any():
            raise InvalidInput(
                "t must be finite and not negative", hint="give the time ahead in the unit of T"
            )
        return self.future(frequency=frequency, recency=recency, T=T).mean(ahead)

    def to_json(self) -> bytes:
        """Give the fit as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Read a fit from JSON written by `to_json`."""
        return read_fit(text, cls)

    def save(self, path: Path | str) -> None:
        """Write the fit to a JSON file."""
        Path(path).write_bytes(self.to_json())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a fit from a JSON file written by `save`."""
        return cls.from_json(Path(path).read_bytes())


def read_fit(text: bytes | str, kind: type[Fit]) -> Fit:
    """Read a saved fit of this kind, or say why it is not one."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise BadFile(f"not a saved {kind.__name__}: {error}", hint="save the fit again") from error
