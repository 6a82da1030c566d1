"""Limits of rate: one bucket per source, and one per address of those who come with keys that do not fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Final

SPAN: Final = 10
"""Seconds over which a source's limit is averaged: a bucket holds as many events as come in this time."""
STRANGERS: Final = 10_000
"""Addresses remembered at once; the one seen longest ago is forgotten first."""
TRIES: Final = 30
"""Wrong keys an address may bring at once, and one more every two seconds."""


class Buckets:
    """Token buckets by name. ``clock`` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float], most: int = STRANGERS) -> None:
        self._clock = clock
        self._most = most
        self._level: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, amount: float, rate: float, size: float) -> int:
        """Take ``amount`` from a bucket that fills at ``rate`` a second up to ``size``.

        Returns 0, or in how many seconds to come again; then nothing was taken. An amount larger than the bucket
        passes when the bucket is full, and leaves a debt.

        >>> at = [0.0]
        >>> buckets = Buckets(lambda: at[0])
        >>> [buckets.take("web", 5, rate=1, size=10) for _ in range(3)]
        [0, 0, 5]
        >>> at[0] = 5.0
        >>> buckets.take("web", 5, rate=1, size=10), buckets.take("till", 25, rate=1, size=10)
        (0, 0)
        """
        now = self._clock()
        level, seen = self._level.get(name, (size, now))
        level = min(size, level + (now - seen) * rate)
        needed = min(amount, size)
        if level < needed:
            self._keep(name, level, now)
            return max(1, ceil((needed - level) / rate))
        self._keep(name, level - amount, now)
        return 0

    def _keep(self, name: str, level: float, now: float) -> None:
        self._level[name] = (level, now)
        self._level.move_to_end(name)
        if len(self._level) > self._most:
            self._level.popitem(last=False)
