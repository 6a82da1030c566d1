"""Orders and refunds, at the till and in the web shop (Segment ecommerce spec v2, extended for stores)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from shopkeeper.domain.event import Properties, event, says

_UNITS = Meta(ge=-(10**9), le=10**9)
Quantity = Annotated[int, _UNITS] | Annotated[float, _UNITS]
"""Units of a line, within what any shop sells."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line of an order. ``amount`` is stamped at intake: price times quantity in minor units, half-even."""

    product_id: Annotated[str, says("the retailer's product number", "85048")] = ""
    sku: Annotated[str, says("stock keeping unit", "85048-R")] = ""
    name: Annotated[str, says("product name as sold", "Glass ball lights")] = ""
    category: Annotated[str, says("category as sold", "Lighting")] = ""
    brand: Annotated[str, says("brand as sold", "Halden")] = ""
    variant: Annotated[str, says("colour, size", "red")] = ""
    price: Annotated[Decimal, says("unit price", "6.95")] = Decimal(0)
    quantity: Annotated[Quantity, says("units; negative on a correcting line", 12)] = 1
    coupon: Annotated[str, says("coupon applied to the line", "SPRING")] = ""
    position: Annotated[int | None, says("position in a list", 1)] = None
    url: Annotated[str, says("page of the product", "https://shop.example/85048")] = ""
    image_url: Annotated[str, says("picture of the product", "https://shop.example/85048.jpg")] = ""
    amount: Annotated[int | UnsetType, says("minor units, stamped at intake", 8340)] = UNSET


class OrderFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What orders and refunds share."""

    order_id: Annotated[str, says("order or receipt number", "489434")] = ""
    checkout_id: Annotated[str, says("checkout number", "ch-1")] = ""
    affiliation: Annotated[str, says("shop or marketplace the order came through", "web")] = ""
    subtotal: Annotated[Decimal | None, says("after discount, before shipping and tax", "83.40")] = None
    total: Annotated[Decimal | None, says("with shipping and tax", "100.08")] = None
    revenue: Annotated[Decimal | None, says("without shipping and tax", "83.40")] = None
    shipping: Annotated[Decimal | None, says("shipping charged", "4.95")] = None
    tax: Annotated[Decimal | None, says("tax charged", "16.68")] = None
    discount: Annotated[Decimal | None, says("discount on the whole order", "5.00")] = None
    coupon: Annotated[str, says("coupon on the whole order", "SPRING")] = ""
    currency: Annotated[str, says("ISO 4217", "GBP")] = ""
    products: Annotated[tuple[Line, ...], says("lines of the order")] = ()
    store: Annotated[str, says("store id, or 'web'", "S1")] = ""
    staff_id: Annotated[str, says("who served", "st-4")] = ""
    country: Annotated[str, says("country of delivery", "United Kingdom")] = ""
    amount: Annotated[
        int | UnsetType, says("goods net of discount in minor units, stamped at intake", 8340)
    ] = UNSET


def _count(products: tuple[Line, ...]) -> str:
    return f"{len(products)} line{'s' if len(products) != 1 else ''}"


@event("Order Completed", aliases=("Completed Order",))
class OrderCompleted(OrderFields, frozen=True, kw_only=True, omit_defaults=True):
    """An order was placed and paid."""

    def sentence(self) -> str:
        """Where and how many lines."""
        place = {"": "", "web": " online"}.get(self.store, f" in store {self.store}")
        return f"ordered {_count(self.products)}{place}"


@event("Order Refunded", aliases=("Refunded Order",))
class OrderRefunded(OrderFields, frozen=True, kw_only=True, omit_defaults=True):
    """Goods came back or an order was refunded. Quantities and amounts are positive: what was given back."""

    def sentence(self) -> str:
        """How many lines came back."""
        return f"returned {_count(self.products)}"


@event("Order Cancelled", aliases=("Cancelled Order",))
class OrderCancelled(OrderFields, frozen=True, kw_only=True, omit_defaults=True):
    """An order was cancelled before it was fulfilled."""


@event("Order Updated", aliases=("Updated Order",))
class OrderUpdated(OrderFields, frozen=True, kw_only=True, omit_defaults=True):
    """An order's details were changed; it carries the whole order as it stands now.

    It replaces what was told of the order before, returns apart. Without lines and amount it leaves the goods alone.
    """


@event("Order Lines Added")
class OrderLinesAdded(OrderFields, frozen=True, kw_only=True, omit_defaults=True):
    """Further lines of an order that is known already, from a later file; it carries only those lines."""

    def sentence(self) -> str:
        """How many lines were added."""
        return f"added {_count(self.products)} to an order"
