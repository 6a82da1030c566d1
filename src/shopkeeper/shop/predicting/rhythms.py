"""Whose silence is unusual by their own rhythm, as columns of traits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.shop.predicting.foretold import Part
from shopkeeper.shop.predicting.orders import OrderDays

if TYPE_CHECKING:
    import numpy as np


def rhythms(orders: OrderDays, end: np.datetime64) -> Part:
    """State, since when, and from when on silence is unusual."""
    import numpy as np

    from shopkeeper.predict.fading import fading, gaps

    rhythm = gaps(customer=orders.customer, occurred_at=orders.day, end=end)
    quiet = fading(
        count=rhythm.count,
        mean_gap=rhythm.mean,
        silence=(end - rhythm.last).astype(np.int64),
        cv2=rhythm.cv2,
        last=rhythm.last,
    )
    return Part(
        rhythm.customer,
        {
            "state": quiet.state,
            "fading_since": quiet.fading_since,
            "unusual_from": quiet.unusual_from,
            "rhythm_basis": quiet.basis,
        },
    )
