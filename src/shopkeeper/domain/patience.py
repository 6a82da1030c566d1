"""How long whoever asks will wait: a page and a program over HTTP not for ever, a notebook as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

_seconds: ContextVar[float] = ContextVar("patience", default=inf)


def patience() -> float:
    """Seconds that whoever asks here and now waits for the answer to one question.

    >>> patience()
    inf
    """
    return _seconds.get()


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Whoever asks in this context waits so many seconds for each answer; 0 for ever.

    >>> with waiting(60):
    ...     patience()
    60
    """
    token = _seconds.set(seconds or inf)
    try:
        yield
    finally:
        _seconds.reset(token)
