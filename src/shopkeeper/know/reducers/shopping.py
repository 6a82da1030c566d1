"""Looking, wishing and filling carts."""

from __future__ import annotations

from msgspec import Struct

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.clock import SECOND
from shopkeeper.domain.customer import Customer, Interest
from shopkeeper.know.reducers.shape import Moment, Reads, Reducer

_PAUSE = 30 * 60 * SECOND
"""A longer silence than this begins a new session, as web analytics count them."""


class ProductRead(Struct, frozen=True, gc=False):
    """What is read of an event about a product."""

    product_id: str = ""


def _visit(c: Customer, at: int) -> None:
    if at - c.last_view > _PAUSE:
        c.sessions += 1
    c.last_view = at


def _interest(c: Customer, product: str, at: int) -> Interest:
    interest = c.browsing.get(product)
    if interest is None:
        interest = c.browsing[product] = Interest()
    interest.last = at
    return interest


def viewed(c: Customer, moment: Moment, product: ProductRead, _: Catalogue) -> None:
    """A product was looked at."""
    _visit(c, moment.at)
    if product.product_id:
        _interest(c, product.product_id, moment.at).views += 1


def wanted(c: Customer, moment: Moment, product: ProductRead, _: Catalogue) -> None:
    """A product was put into the cart or wished for."""
    _visit(c, moment.at)
    if product.product_id:
        _interest(c, product.product_id, moment.at).carts += 1


def passed(c: Customer, moment: Moment, nothing: None, _: Catalogue) -> None:
    """Some other step on the site."""
    _visit(c, moment.at)


def searched(c: Customer, moment: Moment, nothing: None, _: Catalogue) -> None:
    """Something was searched for."""
    _visit(c, moment.at)
    c.searches += 1


REDUCERS: dict[str, Reducer] = {
    "Product Viewed": viewed,
    "Product Clicked": viewed,
    "Product Added": wanted,
    "Product Added to Wishlist": wanted,
    "Page Viewed": passed,
    "Product List Viewed": passed,
    "Cart Viewed": passed,
    "Checkout Started": passed,
    "Products Searched": searched,
}

READS: Reads = {
    name: ProductRead if reducer in (viewed, wanted) else None for name, reducer in REDUCERS.items()
}
