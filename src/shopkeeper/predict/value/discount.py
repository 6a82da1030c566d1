"""The discount rate with its period: 10 % per year and 10 % per month are not told apart by the number 0.10.

Purchases are discounted continuously at the moment they happen, in the time unit of the histories. A rate is effective:
1 today is worth 1/(1 + rate) if it comes a period later.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from shopkeeper.domain.errors import InvalidInput, UnknownName

DAYS_PER_PERIOD = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}
_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}
_MOST_PER_YEAR = 10.0


class Discount(msgspec.Struct, frozen=True):
    """An effective discount rate per period.

    Attributes:
        rate: as a share, 0.10 for 10 %.
        per: day, week, month, quarter or year.

    Raises:
        InvalidInput: a rate that is no share from 0 to below 1, or that amounts to more than 1,000 % a year.
        UnknownName: a period that is not known.

    >>> round(Discount(0.10).continuous("Y"), 12) == round(math.log(1.1), 12)
    True
    >>> round(Discount(0.01, per="month").yearly, 6)
    0.126825
    >>> Discount(10)
    Traceback (most recent call last):
        ...
    shopkeeper.domain.errors.InvalidInput: rate is 10; give it as a share from 0 to below 1: 0.1 for 10 % per year
    """

    rate: float
    per: str = "year"

    def __post_init__(self) -> None:
        """Refuse what is no rate or no period."""
        if self.per not in DAYS_PER_PERIOD:
            raise UnknownName("period", str(self.per), DAYS_PER_PERIOD)
        if not _is_number(self.rate):
            raise InvalidInput(f"rate is {self.rate!r}", hint="give a share such as 0.10 for 10 %")
        if not 0.0 <= self.rate < 1.0:
            guess = f"{self.rate / 100:g} for {self.rate:g} % per {self.per}"
            example = guess if 1.0 <= self.rate < 100.0 else "0.10 for 10 %"
            raise InvalidInput(
                f"rate is {self.rate:g}", hint=f"give it as a share from 0 to below 1: {example}"
            )
        if self.yearly > _MOST_PER_YEAR:
            raise InvalidInput(
                f"a rate of {self.rate:g} per {self.per} is {self.yearly * 100:,.0f} % a year",
                hint="say of which period it is, such as per='year'",
            )

    @property
    def yearly(self) -> float:
        """The same rate per year."""
        return math.expm1(self.continuous("Y"))

    def continuous(self, unit: str = "W") -> float:
        """Give the continuous rate per time unit (D, W, M or Y, as in `Summary.unit`): e^-(this t) is 1's worth at t.

        >>> round(Discount(0.10).continuous("W"), 6)
        0.001827
        """
        if unit not in _UNITS:
            raise UnknownName("unit", unit, _UNITS)
        periods = DAYS_PER_PERIOD[_UNITS[unit]] / DAYS_PER_PERIOD[self.per]
        return math.log1p(self.rate) * periods

    def factor(self, t: float, unit: str = "W") -> float:
        """Give what 1 at time ``t`` is worth today.

        >>> round(Discount(0.10).factor(365.25, "D"), 6)
        0.909091
        """
        return math.exp(-self.continuous(unit) * t)


def per_year(discount: float | Discount) -> float:
    """Give the yearly rate of a discount; a plain number is one, and checked as such: 10 is somebody's 10 %.

    >>> per_year(0.1), round(per_year(Discount(0.01, per="month")), 6)
    (0.1, 0.126825)
    """
    return discount.yearly if isinstance(discount, Discount) else Discount(discount).rate


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
