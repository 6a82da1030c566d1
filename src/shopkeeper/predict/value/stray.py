"""Days that cannot be right: an order of 1901 or of 2099 in a log of two years.

A till whose clock was reset and an export that writes its first day for "unknown" date a few orders years away from all
others. One of them makes a history a century long: origins of the tournament would stand where there was no shop, and
gaps of decades would be learned from. So a few days at either end that lie farther from the rest than the rest is
long, and at least a year, are not believed. Whoever leaves them out says so.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from shopkeeper.predict.value.history import Ints

_LEAST: Final = 30
"""Purchases; among fewer nothing is usual."""
_FEW: Final = 0.01
_YEAR: Final = 365


def believed(day: Ints) -> tuple[int, int]:
    """Give the first and the last day that are believed, of one entry per purchase (in any order, at least one).

    At most a hundredth of the purchases, and at least one of thirty, are left out at each end.

    >>> day = np.append(np.arange(14_600, 15_300, 10), [-25_202, 47_116])  # two years, 1901 and 2099
    >>> believed(day)
    (14600, 15290)
    """
    if day.size < _LEAST:
        return int(day.min()), int(day.max())
    few = max(1, int(_FEW * day.size))
    ordered = np.partition(day, (few, day.size - 1 - few))
    low, high = np.sort(ordered[: few + 1]), np.sort(ordered[-few - 1 :])
    apart = max(int(high[0] - low[-1]), _YEAR)
    early, late = np.flatnonzero(np.diff(low) > apart), np.flatnonzero(np.diff(high) > apart)
    return (
        int(low[early[-1] + 1] if early.size else low[0]),
        int(high[late[0]] if late.size else high[-1]),
    )


def counted(days: int) -> str:
    """So many purchase days, in words.

    >>> counted(1), counted(1200)
    ('1 purchase day', '1,200 purchase days')
    """
    return "1 purchase day" if days == 1 else f"{days:,} purchase days"


def note(left_out: int, first: int) -> str:
    """Say what was left out before the first day believed."""
    return (
        f"{counted(left_out)} before {np.datetime64(first, 'D')} {'was' if left_out == 1 else 'were'} left out: so "
        "long before all others that the date cannot be right"
    )
