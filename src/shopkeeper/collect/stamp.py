"""Stamps an order's amounts once, at the door: whole minor units, half-even per line."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from shopkeeper.domain.errors import BadEvent, InvalidInput
from shopkeeper.domain.events.orders import OrderFields
from shopkeeper.domain.money import line_amount, to_minor

_O = TypeVar("_O", bound=OrderFields)
_ZERO = Decimal(0)
_MOST = 10**14
"""Minor units: a trillion pounds."""
_line_amount: Final = lru_cache(maxsize=16_384)(line_amount)
"""What is sold has few prices, and is mostly bought one at a time."""


def stamp(order: _O, currency: str) -> _O:
    """The order with a currency, an amount on every line and one for its goods net of discount.

    The order's own ``revenue`` counts where it is given; otherwise the lines less the discount.

    >>> from decimal import Decimal
    >>> from shopkeeper.domain.events.orders import Line, OrderCompleted
    >>> stamp(OrderCompleted(order_id="1", products=(Line(price=Decimal("0.125"), quantity=3),)), "GBP").amount
    38
    """
    if order.amount is not UNSET:
        return order
    code = order.currency or currency
    try:
        lines = tuple(
            [
                line
                if line.amount is not UNSET
                else replace(line, amount=_line_amount(line.price, line.quantity, code))
                for line in order.products
            ]
        )
        amounts = [line.amount for line in lines if isinstance(line.amount, int)]
        if order.revenue is not None:
            amount = to_minor(order.revenue, code)
        elif not lines and order.total is not None:
            amount = (
                to_minor(order.total, code)
                - to_minor(order.shipping or _ZERO, code)
                - to_minor(order.tax or _ZERO, code)
            )
        else:
            amount = sum(amounts) - (to_minor(order.discount, code) if order.discount else 0)
    except (InvalidInput, ArithmeticError) as error:
        raise BadEvent("invalid_amount", f"an order's amount cannot be computed: {error}") from None
    if not -_MOST <= min(amount, *amounts, 0) <= max(amount, *amounts, 0) <= _MOST:
        raise BadEvent(
            "invalid_amount", "an order's amount is beyond any amount", hint="check price and quantity"
        )
    return replace(order, currency=code, products=lines, amount=amount)
