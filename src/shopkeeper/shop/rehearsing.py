"""Does something to identities in one transaction, or only finds out what it would do: that transaction, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from shopkeeper.collect.intake import Taking
from shopkeeper.shop.living import advance
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter

T = TypeVar("T")


class _RehearsedError(Exception):
    """Carries what was found out of a transaction that is to be undone."""

    def __init__(self, made: Any) -> None:
        self.made = made
        super().__init__()


def done_or_rehearsed(
    places: Places, work: Callable[[LedgerWriter, list[Taking]], T], *, rehearse: bool
) -> T:
    """What came of ``work``, or would. Events that it writes down go into its list and are kept once it is on disk."""
    taking: list[Taking] = []

    def tried(tx: LedgerWriter) -> T:
        made = work(tx, taking)
        if rehearse:
            raise _RehearsedError(made)
        return made

    try:
        made = places.ledger.write(tried)
    except _RehearsedError as rehearsed:
        places.discard()
        found: T = rehearsed.made
        return found
    for one in taking:
        one.keep()
    advance(places)
    return made
