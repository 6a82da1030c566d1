"""Who works a shop: one worker at a time, known by a lock on a file in its folder that ends with its holder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shopkeeper.domain.errors import StoreBusy
from shopkeeper.shop.places import Places
from shopkeeper.stores.lake.lock import writing

_ROOM = "worker"


@contextmanager
def working(places: Places, patience: float = 0.0) -> Iterator[bool]:
    """Whether the shop is ours to work until the context ends; where several may work it, it always is."""
    with ExitStack() as stack:
        ours = True
        if places.gate.inbox.ordered:
            room = places.folder / _ROOM
            room.mkdir(mode=0o700, exist_ok=True)
            try:
                stack.enter_context(writing(room, patience=patience))
            except StoreBusy:
                ours = False
        yield ours


def worked(places: Places) -> bool:
    """Whether a worker holds the shop now, in this process or another."""
    with working(places) as ours:
        return not ours
