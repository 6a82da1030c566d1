"""How long it is kept who entered and left segments, and that the number of somebody erased did."""

from __future__ import annotations

from typing import Final

from shopkeeper.domain.clock import DAY
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter

SINCE: Final = "audience_since"
"""The ledger's setting that says since when they are kept, where earlier ones were deleted."""
ERASED_DAYS: Final = 30
"""Days for which the exit of an erased customer's number stays, so that whoever follows the stream lets go as well."""
_AT_ONCE: Final = 20_000


def prune(places: Places) -> int:
    """Delete what is older than the settings say; returns how many entries and exits went."""
    now, days = places.now(), places.settings.audience_days
    gone = 0
    while days:

        def older(tx: LedgerWriter) -> int:
            went = tx.prune_audience(now - days * DAY, _AT_ONCE)
            if went:
                tx.keep(SINCE, str(now - days * DAY))
            return went

        went = places.ledger.write(older)
        gone += went
        if went < _AT_ONCE:
            break
    with places.ledger.read() as reader:
        exits = reader.erased_exits(now - ERASED_DAYS * DAY)
    if exits:
        places.ledger.write(lambda tx: tx.drop_audience(exits))
    return gone + len(exits)
