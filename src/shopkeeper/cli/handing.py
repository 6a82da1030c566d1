"""Long work beside a running server: it is handed over to the worker that holds the shop, and followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shopkeeper.cli.screen import screen, text

if TYPE_CHECKING:
    from shopkeeper.domain.protocols import Progress
    from shopkeeper.shop import Shop


def done(
    shop: Shop, verb: str, here: Callable[[], Any], progress: Progress | None = None, **arguments: Any
) -> Any:
    """What came of some work: done ``here``, or, as plain data, by the worker where one holds the shop.

    The worker is the ledger's only writer: two who write would be in each other's way.
    """
    if not shop.worked():
        return here()
    job = shop.hand_over(verb, **arguments)
    screen(errors=True).print(text(f"A server works this shop: handed over to it as job {job}."))
    try:
        return shop.follow(job, progress)
    except KeyboardInterrupt:
        screen(errors=True).print(text(f"\nJob {job} goes on in the server."))
        raise
