"""Bulk work at full pace: Python's cycle collector waits while millions of plain rows come and go."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Hold the cycle collector off: bulk rows form no cycles, and looking for some costs a fifth of the time.

    Reference counting goes on as always. Nested use is fine.

    >>> with without_collecting():
    ...     gc.isenabled()
    False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
