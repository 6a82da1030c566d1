"""How many identifiers may meet before one of them names nobody, and for how long a number speaks for its holder.

A person gets a new telephone every few years and a new cookie every week: what counts is how many of one kind turn up
within some time, not how many there ever were. The rules in force are kept in the ledger, since they are global: to
change one may split or merge many customers, so it is rehearsed first (``shop.identity_rules``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct, field

from shopkeeper.domain.clock import DAY
from shopkeeper.domain.identifier import IDENTIFIER_KINDS

YEAR: Final = 365 * DAY
WEEK: Final = 7 * DAY
EVER: Final = 3
"""So many times what it may meet in a year, an identifier may meet in all."""
FAR: Final = 1_000
"""Devices that anything may meet in all: people get new ones every week, and nobody gets a thousand."""
MONTH_AT_MOST: Final = 31 * DAY
NO_MONTH: Final = 1
"""What is kept for all months up to January 1970; 0 says that the month is not known."""


class Rules(Struct, frozen=True, omit_defaults=True):
    """The rules of a shop; what is not given here is as ``domain.identifier`` has it.

    >>> rules = Rules(most={"email": 3})
    >>> rules.crowd("email", "phone", [0, DAY, 2 * DAY]), rules.crowd("email", "phone", [0, DAY, 2 * DAY, 3 * DAY])
    (False, True)
    >>> rules.crowd("email", "phone", [0, DAY, 2 * DAY, 500 * DAY]), rules.crowd("phone", "email", [0, 1, 2, 3])
    (False, True)
    """

    most: dict[str, int] = field(default_factory=dict)
    """By kind: others of one kind first seen with it within a year; devices within a week."""
    a_day: dict[str, int] = field(default_factory=dict)
    """By kind: the same within one day, devices not counted."""
    size: int = 100
    """Identifiers that one customer has at most, devices and orders not counted."""
    silence_days: int = 365
    """Days without a sight after which a telephone number may be somebody else's."""

    def crowd(self, kind: str, other: str, times: Sequence[int]) -> bool:
        """Whether an identifier of one kind met too many of another, by when each was first seen with it."""
        known = IDENTIFIER_KINDS[kind]
        most = self.most.get(kind, known.most)
        if len(times) > self.ever(kind, other):
            return True
        if IDENTIFIER_KINDS[other].session:
            return _within(times, most, WEEK)
        a_day = min(most, self.a_day.get(kind, known.a_day))
        return _within(times, most, YEAR) or _within(times, a_day, DAY)

    def ever(self, kind: str, other: str) -> int:
        """How many of another kind one may meet in all, over whatever time.

        >>> Rules().ever("email", "phone"), Rules().ever("email", "anonymous_id")
        (24, 1000)
        """
        return (
            FAR
            if IDENTIFIER_KINDS[other].session
            else EVER * self.most.get(kind, IDENTIFIER_KINDS[kind].most)
        )

    def least(self) -> int:
        """Neighbours up to which nothing can be a crowd, whatever its kind."""
        known = IDENTIFIER_KINDS.values()
        return min(min(self.most.get(k.name, k.most), self.a_day.get(k.name, k.a_day)) for k in known)

    def given_up(self, first: int, until: int, since: int) -> bool:
        """Whether who was first seen with a number at ``first`` and last in the month ``until`` had given it up when
        somebody else was first seen with it. A number that was told once, at registration, says nothing by its silence.
        """
        return max(first, NO_MONTH) < until and until + MONTH_AT_MOST + self.silence_days * DAY <= since


@lru_cache(maxsize=64)
def in_force(kept: str | None) -> Rules:
    """The rules as the ledger keeps them.

    >>> in_force(None) == Rules(), in_force('{"size": 40}').size
    (True, 40)
    """
    return Rules() if kept is None else msgspec.json.decode(kept, type=Rules)


def written(rules: Rules) -> str:
    """The rules as text to keep."""
    return msgspec.json.encode(rules).decode()


def _within(times: Sequence[int], most: int, span: int) -> bool:
    """Whether more than ``most`` of some times lie within one span."""
    if len(times) <= most:
        return False
    ordered = sorted(times)
    return any(last - first < span for first, last in zip(ordered, ordered[most:], strict=False))
