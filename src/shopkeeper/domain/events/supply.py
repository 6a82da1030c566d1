"""Goods, not people: stock as it changes."""

from __future__ import annotations

from typing import Annotated

from shopkeeper.domain.event import Properties, event, says


@event("Stock Changed")
class StockChanged(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """Stock of a product at a place was counted or changed."""

    product_id: Annotated[str, says("the retailer's product number", "85048")] = ""
    store: Annotated[str, says("store id, or 'web'", "S1")] = ""
    quantity: Annotated[int | float | None, says("units there now", 40)] = None
    change: Annotated[int | float | None, says("units added or, negative, removed", -2)] = None
    reason: Annotated[str, says("count, delivery, write_off, sale", "count")] = ""

    def sentence(self) -> str:
        """Which product, how many."""
        return f"stock of {self.product_id} changed"
