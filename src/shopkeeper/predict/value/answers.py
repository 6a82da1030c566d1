"""The questions that every fitted model of orders answers, all of them from its ``future``.

Histories may be left out where the fit remembers its customers; then it answers for them, in their order. What else
a model knows customers by (``covariates=``) goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.discount import Discount
from shopkeeper.predict.value.history import Floats

if TYPE_CHECKING:
    from shopkeeper.predict.value.model import LivingFuture


class Foretells(Protocol):
    """A fitted model: gives the future of customers with these histories."""

    @property
    def future(self) -> Callable[..., LivingFuture]:
        """A method that takes ``frequency``, ``recency`` and ``T``, each by name."""


class Answers:
    """What a fitted model of orders is asked. ``t`` is one time ahead, or one per customer, in the histories' unit.

    >>> from shopkeeper.predict.value import BGNBD
    >>> fit = BGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    >>> who = {"frequency": [2], "recency": [30.4], "T": [38.9]}
    >>> alone = [fit.purchase_probability(n, 13.0, **who)[0] for n in range(30)]
    >>> bool(abs(sum(alone) - 1) < 1e-6 and alone[0] + fit.purchase_probability(1, 13.0, at_least=True, **who)[0] == 1)
    True
    >>> bool(fit.p_alive(**who)[0] > fit.p_alive_after(26.0, **who)[0] > fit.p_alive_after(260.0, **who)[0])
    True
    >>> fit.expected_purchases([13.0, 26.0], **who).size
    2
    """

    __slots__ = ()

    def p_alive(
        self: Foretells,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
        **known: Any,
    ) -> Floats:
        """Give the probability that each customer is still one at the end of observation."""
        return self.future(frequency=frequency, recency=recency, T=T, **known).alive()

    def p_alive_after(
        self: Foretells,
        t: float | ArrayLike,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
        **known: Any,
    ) -> Floats:
        """Give the probability that each customer will still be one ``t`` later, whatever is bought meanwhile."""
        future = self.future(frequency=frequency, recency=recency, T=T, **known)
        return _at(future, ahead("t", t), lambda one, times: one.alive_after(times))

    def expected_purchases(
        self: Foretells,
        t: float | ArrayLike,
        *,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
        **known: Any,
    ) -> Floats:
        """Give each customer's expected purchases in the next ``t``."""
        future = self.future(frequency=frequency, recency=recency, T=T, **known)
        return _at(future, ahead("t", t), lambda one, times: one.mean(times))

    def purchase_probability(
        self: Foretells,
        n: int,
        t: float | ArrayLike,
        *,
        at_least: bool = False,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
        **known: Any,
    ) -> Floats:
        """Give the probability that each customer buys ``n`` times in the next ``t``, or ``at_least`` so often."""
        if not whole(n):
            raise InvalidInput(f"n is {n!r}", hint="give a whole number of purchases from 0")
        future = self.future(frequency=frequency, recency=recency, T=T, **known)

        def chance(one: LivingFuture, times: float | Floats) -> Floats:
            upward = one.at_least(float(n), times) if n else np.ones(one.alive().size)
            return upward if at_least else np.maximum(upward - one.at_least(n + 1.0, times), 0.0)

        return _at(future, ahead("t", t), chance)

    def discounted_purchases(
        self: Foretells,
        discount: Discount,
        t: float | ArrayLike = np.inf,
        *,
        unit: str | None = None,
        frequency: ArrayLike | None = None,
        recency: ArrayLike | None = None,
        T: ArrayLike | None = None,
        **known: Any,
    ) -> Floats:
        """Give each customer's expected purchases from now on (or in the next ``t``), each worth less the later.

        ``unit`` is that of the histories: D, W, M or Y (default: W, or the fit's own where it knows it). Times the
        margin of a purchase this is the residual value. Without end it is the discounted expected residual transactions
        (DERT) of the literature.

        Raises:
            InvalidInput: no end and a rate of 0, which may have no finite sum; a unit that is not the fit's.
        """
        if not isinstance(discount, Discount):
            raise InvalidInput(
                f"discount is a {type(discount).__name__}",
                hint="say the rate and its period, such as Discount(0.10)",
            )
        rate = discount.continuous(_unit_of(self, unit))
        times: Any = np.asarray(t)
        if rate == 0 or times.dtype.kind != "f" or not np.isposinf(times).all():
            times = ahead("t without a discount rate" if rate == 0 else "t", t)
        future = self.future(frequency=frequency, recency=recency, T=T, **known)
        return _at(future, times, lambda one, at: one.discounted(at, rate))


def whole(n: object) -> bool:
    """Say whether it is a whole number from 0.

    >>> whole(np.int64(2)), whole(0.5), whole(-1)
    (True, False, False)
    """
    try:
        return index(n) >= 0  # type: ignore[arg-type]
    except TypeError:
        return False


def ahead(name: str, t: ArrayLike) -> Floats:
    """Check times ahead: finite and not negative.

    >>> ahead("t", 39).tolist()
    39.0
    """
    given = np.asarray(t)
    if given.dtype.kind in "mM":  # the number inside one is of its own unit, not of the histories'
        raise InvalidInput(
            f"{name} is a {'length of time' if given.dtype.kind == 'm' else 'date'}, not a number",
            hint="give the time ahead in the unit of T: log.until(day) is the time to a day",
        )
    try:
        times = given.astype(np.float64)
    except (TypeError, ValueError):
        times = None
    if times is None or given.dtype.kind in "US":
        raise InvalidInput(
            f"{name} is not a number",
            hint="give the time ahead in the unit of T: log.until(day) is the time to a day",
        )
    if not np.isfinite(times).all() or (times < 0).any():
        raise InvalidInput(
            f"{name} must be finite and not negative", hint="give the time ahead in the unit of T"
        )
    return times


def answering(fit: Any, *questions: str) -> None:
    """Refuse what is no fit, or one that cannot be asked these questions.

    >>> answering([], "future")
    Traceback (most recent call last):
        ...
    shopkeeper.domain.errors.InvalidInput: a list has no future; give a fitted model, such as BGNBD().fit(**log.history)
    """
    for name in questions:
        if not hasattr(fit, name):
            raise InvalidInput(
                f"a {type(fit).__name__} has no {name}",
                hint="give a fitted model, such as BGNBD().fit(**log.history)",
            )


def _unit_of(fit: object, unit: str | None) -> str:
    own: str | None = getattr(fit, "unit", None)
    if unit is not None and own is not None and unit != own:
        raise InvalidInput(
            f"unit is {unit}, and the fit's histories are in {own}", hint=f"give unit={own!r}, or none"
        )
    return unit or own or "W"


def _at(future: LivingFuture, times: Floats, ask: Callable[[LivingFuture, Any], Floats]) -> Floats:
    """Ask at one time, at one per customer, or of one customer at many times."""
    if times.ndim:
        customers = future.alive().size
        if times.ndim == 1 and customers == 1:
            future = future.take(np.zeros(times.size, dtype=np.int64))
        elif times.shape != (customers,):
            raise InvalidInput(
                f"t has {times.size} entries for {customers} customers",
                hint="give one time, or one per customer",
            )
    return ask(future, times)
