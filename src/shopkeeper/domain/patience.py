"""How long whoever asks will wait: a page and a program over HTTP not for ever, a notebook as long as it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import NamedTuple


class Patience(NamedTuple):
    """Until when somebody waits, by the monotonic clock, and how long that is altogether."""

    until: float = inf
    seconds: float = inf

    @property
    def left(self) -> float:
        """Seconds that are left; none, where it is over."""
        return max(0.0, self.until - time.monotonic())


_patience: ContextVar[Patience] = ContextVar("patience", default=Patience())  # noqa: B039 - it is frozen


def patience() -> Patience:
    """That of whoever asks here and now.

    >>> patience().left
    inf
    """
    return _patience.get()


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Whoever asks in this context waits so many seconds for all of it; 0 for ever.

    >>> with waiting(60):
    ...     50 < patience().left <= 60
    True
    """
    token = _patience.set(Patience(time.monotonic() + seconds, seconds) if seconds else Patience())
    try:
        yield
    finally:
        _patience.reset(token)
