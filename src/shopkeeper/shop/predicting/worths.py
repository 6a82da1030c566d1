"""What everybody is worth: the tournament's pick, fitted and projected, as columns of traits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.comparing import ahead
from shopkeeper.shop.predicting.foretold import Part
from shopkeeper.shop.predicting.orders import OrderDays

if TYPE_CHECKING:
    import numpy as np

    from shopkeeper.predict.value.forecast import Forecast

LEVEL = 0.8
"""Level of the predictive ranges."""
_WEEK = 7.0
_VARIANCE_SHAPE = 2.5


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


def worths(foreseen: Forecast) -> tuple[Part, dict[str, Any]]:
    """The forecast as columns of traits, and beside them what the next refresh checks it by."""
    p = foreseen.projection
    return (
        Part(
            foreseen.customer,
            {
                "clv_12m": p.clv,
                "clv_low": p.clv_low,
                "clv_high": p.clv_high,
                "clv_sd": deviation(foreseen),
                "p_alive": p.p_alive,
                "expected_orders_12m": p.expected_orders,
                "orders_low": p.orders_low,
                "orders_high": p.orders_high,
                "margin_per_order": p.margin_per_order,
            },
        ),
        ahead(foreseen.future, _WEEK),
    )


def deviation(foreseen: Forecast) -> Any:
    """Standard deviation of each customer's worth within the horizon: of the number of orders and amounts together.

    Amounts are Gamma-Gamma: of one customer they vary by 1/p, and the customer's own mean is known the better the more
    of them were seen.
    """
    import numpy as np

    p, amounts = foreseen.projection, foreseen.amounts
    shape = np.maximum(amounts.p * foreseen.orders_seen + amounts.q, _VARIANCE_SHAPE)
    number, square = p.expected_orders, foreseen.future.square(foreseen.horizon)
    second = (number / amounts.p + square) * (shape - 1.0) / (shape - 2.0)
    each = np.divide(p.clv, number, out=p.margin_per_order.copy(), where=number > 0)
    return np.abs(each) * np.sqrt(np.maximum(second - number**2, 0.0))
