"""What every model of repeat purchases offers once it is fitted, and the future it gives.

A new model is two classes: a `Future` with the mathematics, and a fit derived from `OrderFit` that adds its
parameters as fields, names them in ``estimated`` and says how a `Future` follows from histories
(``_ahead``). Everything else (storage, P(alive), expected purchases, remembered histories) is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import BadFile, InvalidInput
from shopkeeper.predict.value.answers import Answers, ahead
from shopkeeper.predict.value.history import Floats, History, Ints, checked
from shopkeeper.predict.value.parameters import Criteria, Parameters

Fit = TypeVar("Fit", bound=msgspec.Struct)


class Future(Protocol):
    """The coming purchases Y of many customers at once, one entry per customer.

    ``t`` is one time for all or one per customer, in the unit of the histories.
    """

    def mean(self, t: float | Floats) -> Floats:
        """Give E(Y) within ``t``."""

    def discounted(self, t: float | Floats, rate: float) -> Floats:
        """Give the expected purchases within ``t``, discounted continuously at ``rate`` per time unit.

        ``t`` may be infinite where ``rate`` is above 0: the residual value in purchases.
        """

    def square(self, t: float | Floats) -> Floats:
        """Give E(Y^2) within ``t``."""

    def at_least(self, k: Floats | float, t: float | Floats) -> Floats:
        """Give P(Y >= k) within ``t``; ``k`` is at least 1."""

    def take(self, rows: Ints) -> Future:
        """Give the future of some of the customers."""


class LivingFuture(Future, Protocol):
    """A future under a model that knows that customers leave."""

    def alive(self) -> Floats:
        """Give the probability that each customer is still one at the end of observation."""

    def alive_after(self, t: float | Floats) -> Floats:
        """Give the probability that each customer is still one ``t`` (finite) later."""

    def take(self, rows: Ints) -> LivingFuture:
        """Give the future of some of the customers."""


class OrderModel(Protocol):
    """A fitted model of repeat purchases."""

    @property
    def name(self) -> str:
        """What the model is called, with what the data chose in it."""

    def future(self, *, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Future:
        """Give the future of customers with these histories."""


class SavedFit(msgspec.Struct, frozen=True, kw_only=True):
    """A fit that is kept as JSON."""

    def to_json(self) -> bytes:
        """Give the fit as JSON. The histories it remembers are not part of it."""
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


class OrderFit(SavedFit, Answers, Parameters, Criteria, frozen=True, kw_only=True, dict=True):
    """A fitted model of repeat purchases in which customers leave some day.

    What may be asked of it is in `Answers`. Methods that take histories may be called without: then they answer for
    the customers of the fit, in their order. A fit read from JSON remembers nobody and asks for histories.

    Attributes:
        log_likelihood: at these parameters, over all customers.
        n: number of customers.
        gradient_norm: of the mean log-likelihood over log parameters, at the end of the search.
        converged: whether that norm is small.
        standard_errors: by parameter, from the observed information; None where a parameter is on a bound.
        boundary: parameters the data do not identify; they sit on a bound of the search.
        notes: what a reader should know before using the numbers, in plain words.
    """

    log_likelihood: float
    n: int
    gradient_norm: float
    converged: bool
    standard_errors: dict[str, float | None] = {}
    boundary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    name: ClassVar[str] = ""
    estimated: ClassVar[tuple[str, ...]] = ()

    @property
    def params(self) -> dict[str, float]:
        """The estimated parameters by name."""
        return {name: getattr(self, name) for name in self.estimated}

    def remembering(self, history: History) -> Self:
        """Keep the histories of the fit (not copied), so that methods called without any answer for them."""
        # Beside the fields: neither equality nor JSON sees it.
        self.__dict__["_history"] = history
        return self

    def future(
        self,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
    ) -> LivingFuture:
        """Give the future of customers with these histories (default: those of the fit)."""
        return self._ahead(self._known({"frequency": frequency, "recency": recency, "T": T}))

    def expected_repeats(self, t: ArrayLike) -> Floats:
        """Give the expected repeat purchases of a new customer within each ``t`` of the first purchase."""
        times = np.atleast_1d(ahead("t", t))
        new = np.zeros(times.size)
        return self._ahead(History(new, new, new)).mean(times)

    if TYPE_CHECKING:  # every model has its own

        def _ahead(self, history: History) -> LivingFuture:
            """Give the future that follows from checked histories."""
            ...

    def _known(self, given: Mapping[str, ArrayLike | None]) -> History:
        missing = [name for name, values in given.items() if values is None]
        if not missing:
            return checked(**given)  # type: ignore[arg-type]
        if len(missing) < len(given):
            raise InvalidInput(
                f"{' and '.join(missing)} not given", hint="give frequency, recency and T together, or none"
            )
        remembered: History | None = self.__dict__.get("_history")
        if remembered is None:
            raise InvalidInput(
                "a fit that was stored remembers no customers", hint="give frequency=, recency= and T="
            )
        return remembered


class DropoutFit(OrderFit, frozen=True, kw_only=True):
    """A fitted BG/NBD or MBG/NBD: rate ~ Gamma(r, alpha), dropout after a purchase ~ Beta(a, b).

    Attributes:
        r: shape of the purchase rates.
        alpha: rate parameter of the purchase rates, in the time unit of the data.
        a: first parameter of the dropout probability.
        b: second parameter of the dropout probability.
    """

    r: float
    alpha: float
    a: float
    b: float

    estimated: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    at_first: ClassVar[bool] = False

    def _ahead(self, history: History) -> LivingFuture:
        from shopkeeper.predict.value.conditional import Conditional

        m = 1.0 if self.at_first else 0.0
        known = history.frequency, history.recency, history.T
        return Conditional(self.r, self.alpha, self.a, self.b, m, *known)


def read_fit(text: bytes | str, kind: type[Fit]) -> Fit:
    """Read a saved fit of this kind, or say why it is not one."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise BadFile(f"not a saved {kind.__name__}: {error}", hint="save the fit again") from error
