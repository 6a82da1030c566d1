"""How linkage asks the engine it was handed: through Splink, quietly, and with errors of our own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shopkeeper.domain.errors import StoreFailure

Backend = Callable[[], Any]
"""Opens an engine as Splink wants it (``stores.lake.linkage.splink_backend``)."""


@contextmanager
def asking() -> Iterator[None]:
    """Around what Splink is asked.

    Its warnings of levels that never occur are left out: training deals with them. Raises StoreFailure where the
    engine fails, mostly for want of memory; Splink's own message repeats the whole question.
    """
    from splink.internals.exceptions import SplinkException

    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    except SplinkException as error:
        short = "out of memory" if "Out of Memory" in str(error) else "it refused the question"
        raise StoreFailure(
            f"the engine of linkage failed: {short}",
            hint="Give it more memory (memory_limit), or link fewer records at a time",
        ) from None
    finally:
        log.setLevel(before)
