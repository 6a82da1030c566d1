"""Where everybody stands by their own rhythm, as columns of traits, and when time alone will change that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.foretold import Part
from shopkeeper.shop.predicting.orders import OrderDays
from shopkeeper.shop.standing import NEVER, Standings, refreshed

if TYPE_CHECKING:
    from shopkeeper.shop.predicting.foretold import Foretold


def rhythms(places: Places, orders: OrderDays) -> tuple[Part, Standings]:
    """State and since when, from when on silence is unusual, when the next order is expected."""
    found = refreshed(places, orders.cursor, orders.customer, orders.day, turn=orders.turn)
    return Part(found.customer, found.columns), found


def turns(foretold: Foretold, found: Standings) -> Any:
    """For each customer foretold of, the instant at which time alone changes what is said."""
    import numpy as np

    at = np.full(len(foretold), NEVER, dtype=np.int64)
    at[np.searchsorted(foretold.ids, found.customer)] = found.turns
    return at
