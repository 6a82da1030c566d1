"""Money: unit prices are decimals, amounts are whole minor units with a currency, lines are rounded half-even.

Currency exponents follow ISO 4217: two digits unless listed here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from shopkeeper.domain.errors import InvalidInput

_EXPONENTS: dict[str, int] = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}
_ONE = Decimal(1)


def exponent(currency: str) -> int:
    """How many decimal digits the currency's minor unit has.

    >>> exponent("GBP"), exponent("JPY"), exponent("KWD")
    (2, 0, 3)
    """
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise InvalidInput(
            f"{currency[:12]!r} is not a currency code", hint="use ISO 4217, such as EUR, GBP or USD"
        )
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in whole minor units, rounded half-even.

    >>> to_minor(Decimal("10.005"), "GBP"), to_minor(Decimal("10.015"), "GBP")
    (1000, 1002)
    """
    if not amount.is_finite():
        raise InvalidInput(
            "an amount that is not a finite number", hint="give digits with an optional decimal point"
        )
    return int(amount.scaleb(exponent(currency)).quantize(_ONE, rounding=ROUND_HALF_EVEN))


def line_amount(price: Decimal, quantity: int | float | Decimal, currency: str) -> int:
    """Price times quantity of one order line in minor units, rounded half-even.

    >>> line_amount(Decimal("0.125"), 3, "GBP")
    38
    """
    count = quantity if isinstance(quantity, int | Decimal) else Decimal(repr(quantity))
    return to_minor(price * count, currency)


def from_minor(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal amount.

    >>> from_minor(1999, "GBP")
    Decimal('19.99')
    """
    return Decimal(minor).scaleb(-exponent(currency))


def show(minor: int | float | None, currency: str, *, cents: bool = True) -> str:
    """An amount as people read it.

    >>> show(-123456, "GBP"), show(123456, "CHF", cents=False), show(None, "EUR")
    ('-£1,234.56', 'CHF 1,235', '–')
    """
    if minor is None:
        return "–"
    digits = exponent(currency)
    value = round(minor) / 10**digits
    symbol = _SYMBOLS.get(currency, currency + " ")
    body = f"{abs(value):,.{digits if cents else 0}f}"
    return f"{'-' if value < 0 else ''}{symbol}{body}"


class Rates:
    """Dated exchange rates into one reporting currency; a day without a rate takes the last one before it.

    ``rates`` holds (currency, day number, units of the reporting currency for one unit).

    >>> r = Rates("GBP", [("EUR", 10, 0.80), ("EUR", 20, 0.90)])
    >>> r.convert(1000, "EUR", 15), r.convert(1000, "EUR", 25), r.convert(1000, "GBP", 1)
    (800, 900, 1000)
    """

    def __init__(self, reporting: str, rates: Iterable[tuple[str, int, float]] = ()) -> None:
        exponent(reporting)
        self.reporting = reporting
        self._days: dict[str, list[int]] = {}
        self._rates: dict[str, list[float]] = {}
        for currency, day, rate in sorted(rates):
            self._days.setdefault(currency, []).append(day)
            self._rates.setdefault(currency, []).append(rate)

    def convert(self, minor: int, currency: str, day: int) -> int:
        """Minor units of ``currency`` on ``day`` as minor units of the reporting currency, half-even."""
        if currency == self.reporting:
            return minor
        days = self._days.get(currency)
        if not days:
            raise InvalidInput(
                f"no exchange rate from {currency} to {self.reporting}",
                hint="collect a file of kind 'rates' with date, currency, rate",
            )
        rate = Decimal(repr(self._rates[currency][max(bisect_right(days, day) - 1, 0)]))
        return to_minor(from_minor(minor, currency) * rate, self.reporting)

    def factor(self, currency: str, day: int) -> float | None:
        """Minor units of the reporting currency for one minor unit of another on a day; None where no rate is known.

        >>> Rates("GBP", [("JPY", 10, 0.005)]).factor("JPY", 12)
        0.5
        """
        if currency == self.reporting:
            return 1.0
        days = self._days.get(currency)
        if not days:
            return None
        rate = self._rates[currency][max(bisect_right(days, day) - 1, 0)]
        return float(rate * 10.0 ** (exponent(self.reporting) - exponent(currency)))

    def knows(self, currency: str) -> bool:
        """Whether amounts in this currency can be converted."""
        return currency == self.reporting or currency in self._days
