"""At full pace: Python's cycle collector keeps out of bulk work and out of the way of those who wait for an answer."""

from __future__ import annotations

import atexit
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


def settle() -> None:
    """What is loaded now stays for as long as the process: the cycle collector need not look at it again.

    A full collection of everything a server has loaded takes a tenth of a second, in which nobody is answered.

    >>> settle()
    >>> gc.get_freeze_count() > 0
    True
    >>> gc.unfreeze()
    """
    gc.collect()
    gc.freeze()
    atexit.register(
        gc.unfreeze
    )  # else what libraries hold is never let go at the end, and some complain of it
    gc.set_threshold(10_000, 20, 50)
