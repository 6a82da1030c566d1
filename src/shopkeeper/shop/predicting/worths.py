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


def worths(foreseen: Forecast, orders: OrderDays) -> tuple[Part, dict[str, Any]]:
    """The forecast as columns of traits, and beside them what the next refresh checks it by."""
    import numpy as np

    from shopkeeper.predict.value.history import checked, collapse
    from shopkeeper.predict.value.summary import summarise

    p = foreseen.projection
    past = summarise(customer=orders.customer, occurred_at=orders.day, end=foreseen.end)
    distinct = collapse(checked(past.frequency, past.recency, past.T), inverse=True)
    rows = distinct.history
    future = foreseen.orders.future(frequency=rows.frequency, recency=rows.recency, T=rows.T)
    beside = {name: values[distinct.inverse] for name, values in ahead(future, _WEEK).items()}
    square = future.square(foreseen.horizon)[distinct.inverse]
    return (
        Part(
            foreseen.customer,
            {
                "clv_12m": p.clv,
                "clv_low": p.clv_low,
                "clv_high": p.clv_high,
                "clv_sd": np.sqrt(variance(foreseen, square, past.frequency + 1.0)),
                "p_alive": p.p_alive,
                "expected_orders_12m": p.expected_orders,
                "orders_low": p.orders_low,
                "orders_high": p.orders_high,
                "margin_per_order": p.margin_per_order,
            },
        ),
        beside,
    )


def variance(foreseen: Forecast, square: Any, seen: Any) -> Any:
    """Variance of each customer's worth within the horizon: that of the number of orders and of amounts together.

    ``square`` is E(Y^2), ``seen`` the orders whose amounts are known. Amounts are Gamma-Gamma: of one customer they
    vary by 1/p, and the customer's own mean is known the better the more of them were seen.
    """
    import numpy as np

    p, amounts = foreseen.projection, foreseen.amounts
    shape = np.maximum(amounts.p * seen + amounts.q, _VARIANCE_SHAPE)
    second = (p.expected_orders / amounts.p + square) * (shape - 1.0) / (shape - 2.0)
    number = p.expected_orders
    each = np.divide(p.clv, number, out=np.zeros_like(number), where=number > 0)
    return each**2 * np.maximum(second - number**2, 0.0)
