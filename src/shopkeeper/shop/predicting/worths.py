"""What everybody is worth: the tournament's pick, fitted and projected, as columns of traits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.foretold import Part
from shopkeeper.shop.predicting.orders import OrderDays

if TYPE_CHECKING:
    import numpy as np

    from shopkeeper.predict.value.forecast import Forecast

LEVEL = 0.8
"""Level of the predictive ranges."""


def foresee(places: Places, orders: OrderDays, end: np.datetime64) -> Forecast:
    """Choose a model on the shop's own past, fit it and project everybody."""
    from shopkeeper.predict.value.forecast import forecast

    return forecast(
        customer=orders.customer,
        occurred_at=orders.day,
        margin=orders.margin,
        end=end,
        horizon=float(places.settings.horizon_weeks),
        discount=places.settings.discount_rate,
        level=LEVEL,
    )


def worths(foreseen: Forecast) -> Part:
    """The forecast as columns."""
    p = foreseen.projection
    return Part(
        foreseen.customer,
        {
            "clv_12m": p.clv,
            "clv_low": p.clv_low,
            "clv_high": p.clv_high,
            "p_alive": p.p_alive,
            "expected_orders_12m": p.expected_orders,
        },
    )
