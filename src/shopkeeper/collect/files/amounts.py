"""Line amounts, exactly: price times quantity in millionths, and half-even in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from shopkeeper.collect.files.numbers import MILLION

Micros = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_LIMIT = 9e18


@dataclass(slots=True)
class Exact:
    """Products in millionths.

    ``floor`` whole ones, ``rest`` millionths of a millionth, ``bad`` where 64 bits do not suffice.
    """

    floor: Micros
    rest: Micros
    bad: Flags


def multiply(price: Micros, quantity: Micros) -> Exact:
    """Prices times quantities, both in millionths.

    >>> exact = multiply(np.array([1_250_000, 333_333]), np.array([3_000_000, 1_500_000]))
    >>> exact.floor.tolist(), exact.rest.tolist()
    ([3750000, 499999], [0, 500000])
    """
    units, fraction = np.divmod(quantity, MILLION)
    bad = np.abs(price.astype(np.float64)) * np.abs(quantity.astype(np.float64)) / MILLION > _LIMIT
    floor = np.where(bad, 0, price) * units
    rest = np.zeros(len(price), np.int64)
    for i in np.flatnonzero((fraction != 0) & ~bad).tolist():
        floor[i], rest[i] = divmod(int(price[i]) * int(quantity[i]), MILLION)
    return Exact(floor, rest, bad)


def half_even(exact: Exact, unit: Micros) -> Micros:
    """Minor units: ``exact`` divided by ``unit`` (millionths in one minor unit), ties to the even number.

    >>> half_even(Exact(np.array([25_000, 35_000, -25_000]), np.zeros(3, np.int64), np.zeros(3, bool)),
    ...           np.array([10_000] * 3)).tolist()
    [2, 4, -2]
    """
    whole, over = np.divmod(exact.floor, unit)
    up = (2 * over > unit) | ((2 * over == unit) & ((exact.rest > 0) | (whole % 2 != 0)))
    return np.asarray(whole + up)


def decimal_of(micros: int) -> Decimal:
    """Millionths as the shortest plain decimal.

    >>> decimal_of(6_950_000), decimal_of(100_000_000)
    (Decimal('6.95'), Decimal('100'))
    """
    short = Decimal(micros).scaleb(-6).normalize()
    exponent = short.as_tuple().exponent
    return short if isinstance(exponent, int) and exponent <= 0 else short.quantize(Decimal(1))


class Sum:
    """A running exact total, handed out in whole millionths so that all parts add up to the rounded total."""

    def __init__(self) -> None:
        self._total = 0  # in millionths of a millionth
        self._given = 0

    def add(self, floor: int, rest: int) -> int:
        """Add an amount; the millionths to report for it."""
        self._total += floor * MILLION + rest
        due = (self._total + MILLION // 2) // MILLION
        part, self._given = due - self._given, due
        return part
