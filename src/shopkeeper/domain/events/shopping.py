"""Browsing and buying on the way to an order (Segment ecommerce spec v2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from msgspec import field

from shopkeeper.domain.event import Properties, event, personal, says
from shopkeeper.domain.events.orders import Line
from shopkeeper.domain.personal import Personal


class ProductFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What every event about one product carries."""

    product_id: Annotated[str, says("the retailer's product number", "85048")] = ""
    sku: Annotated[str, says("stock keeping unit", "85048-R")] = ""
    name: Annotated[str, says("product name", "Glass ball lights")] = ""
    category: Annotated[str, says("category", "Lighting")] = ""
    brand: Annotated[str, says("brand", "Halden")] = ""
    variant: Annotated[str, says("colour, size", "red")] = ""
    price: Annotated[Decimal | None, says("unit price shown", "6.95")] = None
    quantity: Annotated[int | float, says("units", 1)] = 1
    currency: Annotated[str, says("ISO 4217", "GBP")] = ""
    coupon: Annotated[str, says("coupon", "SPRING")] = ""
    position: Annotated[int | None, says("position in a list", 1)] = None
    url: Annotated[str, says("page of the product", "https://shop.example/85048")] = ""
    image_url: Annotated[str, says("picture of the product", "https://shop.example/85048.jpg")] = ""
    cart_id: Annotated[str, says("cart", "ct-1")] = ""
    list_id: Annotated[str, says("list it was shown in", "related")] = ""
    store: Annotated[str, says("store id, or 'web'", "web")] = ""
    value: Annotated[Decimal | None, says("price times quantity", "6.95")] = None
    campaign_id: Annotated[str, says("campaign that led here", "winter-boots")] = ""
    wishlist_id: Annotated[str, says("wish list", "wl-1")] = ""
    wishlist_name: Annotated[
        str | None, personal(Personal.TEXT, "what the customer calls the list", "Garden")
    ] = None

    def sentence(self) -> str:
        """What was done with which product."""
        return f"{self.verb()} {self.name or self.product_id or 'a product'}"

    def verb(self) -> str:
        """The deed in one word or two."""
        return "saw"


@event("Product Viewed", aliases=("Viewed Product",))
class ProductViewed(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product's page was looked at."""

    def verb(self) -> str:
        """Looked at."""
        return "looked at"


@event("Product Clicked", aliases=("Clicked Product",))
class ProductClicked(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product was clicked in a list."""

    def verb(self) -> str:
        """Clicked on."""
        return "clicked on"


@event("Product Added", aliases=("Added Product", "Product Added to Cart"))
class ProductAdded(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product was put into the cart."""

    def verb(self) -> str:
        """Put into the cart."""
        return "put into the cart"


@event("Product Removed", aliases=("Removed Product",))
class ProductRemoved(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product was taken out of the cart."""

    def verb(self) -> str:
        """Took out of the cart."""
        return "took out of the cart"


@event("Product Added to Wishlist")
class ProductAddedToWishlist(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product was put on the wish list."""

    def verb(self) -> str:
        """Wished for."""
        return "wished for"


@event("Product Removed from Wishlist")
class ProductRemovedFromWishlist(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product was taken off the wish list."""

    def verb(self) -> str:
        """No longer wishes for."""
        return "no longer wishes for"


@event("Product Shared", aliases=("Shared Product",))
class ProductShared(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A product was shared with somebody."""

    share_via: Annotated[str, says("channel of sharing", "email")] = ""
    share_message: Annotated[str | None, personal(Personal.TEXT, "what was written along", "Look!")] = None
    recipient: Annotated[
        str | None, personal(Personal.CONTACT, "who it was shared with", "b@example.com")
    ] = None

    def verb(self) -> str:
        """Shared."""
        return "shared"


class ListFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What events about a list, a cart or a checkout carry."""

    list_id: Annotated[str, says("list", "related")] = ""
    cart_id: Annotated[str, says("cart", "ct-1")] = ""
    order_id: Annotated[str, says("order number", "489434")] = ""
    checkout_id: Annotated[str, says("checkout number", "ch-1")] = ""
    category: Annotated[str, says("category shown", "Lighting")] = ""
    products: Annotated[tuple[Line, ...], says("products in it")] = ()
    step: Annotated[int | None, says("step of the checkout", 1)] = None
    shipping_method: Annotated[str, says("how it is sent", "standard")] = ""
    payment_method: Annotated[str, says("how it is paid", "card")] = ""
    value: Annotated[Decimal | None, says("value of the cart", "83.40")] = None
    revenue: Annotated[Decimal | None, says("revenue of the checkout", "83.40")] = None
    affiliation: Annotated[str, says("shop or marketplace", "web")] = ""
    shipping: Annotated[Decimal | None, says("shipping charged", "4.95")] = None
    tax: Annotated[Decimal | None, says("tax charged", "16.68")] = None
    discount: Annotated[Decimal | None, says("discount on the whole cart", "5.00")] = None
    coupon: Annotated[str, says("coupon", "SPRING")] = ""
    currency: Annotated[str, says("ISO 4217", "GBP")] = ""


@event("Product List Viewed", aliases=("Viewed Product List", "Viewed Product Category"))
class ProductListViewed(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """A list or category of products was looked at."""

    def sentence(self) -> str:
        """Which category."""
        return f"browsed {self.category or 'a list'}"


@event("Product List Filtered")
class ProductListFiltered(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """A list of products was filtered or sorted."""

    filters: Annotated[list[dict[str, Any]], says("filters chosen")] = field(default_factory=list)
    sorts: Annotated[list[dict[str, Any]], says("order chosen")] = field(default_factory=list)


@event("Cart Viewed", aliases=("Viewed Cart",))
class CartViewed(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """The cart was looked at."""


@event("Checkout Started", aliases=("Started Checkout",))
class CheckoutStarted(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """A checkout was begun."""


@event("Checkout Step Viewed", aliases=("Viewed Checkout Step",))
class CheckoutStepViewed(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """A step of the checkout was looked at."""


@event("Checkout Step Completed", aliases=("Completed Checkout Step",))
class CheckoutStepCompleted(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """A step of the checkout was completed."""


@event("Payment Info Entered")
class PaymentInfoEntered(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """Payment details were entered."""


@event("Cart Shared", aliases=("Shared Cart",))
class CartShared(ListFields, frozen=True, kw_only=True, omit_defaults=True):
    """A cart was shared with somebody."""

    share_via: Annotated[str, says("channel of sharing", "email")] = ""
    share_message: Annotated[str | None, personal(Personal.TEXT, "what was written along", "Look!")] = None
    recipient: Annotated[
        str | None, personal(Personal.CONTACT, "who it was shared with", "b@example.com")
    ] = None


@event("Products Searched", aliases=("Searched Products",))
class ProductsSearched(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """Products were searched for."""

    query: Annotated[str | None, personal(Personal.TEXT, "what was typed", "red lights")] = None

    def sentence(self) -> str:
        """That something was searched."""
        return "searched for products"


@event("Page Viewed", aliases=("Viewed Page", "Loaded a Page"))
class PageViewed(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """A page of the site was looked at."""

    name: Annotated[str, says("name of the page", "Home")] = ""
    category: Annotated[str, says("category of the page", "Help")] = ""
    path: Annotated[str, says("path without query", "/help")] = ""
    url: Annotated[str | None, personal(Personal.TEXT, "full address, which may carry identifiers")] = None
    referrer: Annotated[str | None, personal(Personal.TEXT, "where the visitor came from")] = None
    search: Annotated[str | None, personal(Personal.TEXT, "query part of the address")] = None
    title: Annotated[str, says("title of the page", "Help")] = ""
    referrer_source: Annotated[str, says("kind of place the visitor came from", "search")] = ""

    def sentence(self) -> str:
        """Which page."""
        return f"visited {self.name or self.path or 'the site'}"


class PromotionFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What events about a promotion on the site carry."""

    promotion_id: Annotated[str, says("promotion", "pr-1")] = ""
    creative: Annotated[str, says("creative", "banner-2")] = ""
    name: Annotated[str, says("name of the promotion", "Winter sale")] = ""
    position: Annotated[str, says("place on the page", "home-top")] = ""


@event("Promotion Viewed", aliases=("Viewed Promotion",))
class PromotionViewed(PromotionFields, frozen=True, kw_only=True, omit_defaults=True):
    """A promotion was shown on the site."""


@event("Promotion Clicked", aliases=("Clicked Promotion",))
class PromotionClicked(PromotionFields, frozen=True, kw_only=True, omit_defaults=True):
    """A promotion was clicked."""


class CouponFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What events about a coupon carry."""

    order_id: Annotated[str, says("order number", "489434")] = ""
    cart_id: Annotated[str, says("cart", "ct-1")] = ""
    coupon_id: Annotated[str, says("coupon", "SPRING")] = ""
    coupon_name: Annotated[str, says("name of the coupon", "Spring 10 %")] = ""
    discount: Annotated[Decimal | None, says("discount it gave", "5.00")] = None
    reason: Annotated[str, says("why it was denied", "expired")] = ""


@event("Coupon Entered")
class CouponEntered(CouponFields, frozen=True, kw_only=True, omit_defaults=True):
    """A coupon was entered."""


@event("Coupon Applied")
class CouponApplied(CouponFields, frozen=True, kw_only=True, omit_defaults=True):
    """A coupon was accepted."""


@event("Coupon Denied")
class CouponDenied(CouponFields, frozen=True, kw_only=True, omit_defaults=True):
    """A coupon was refused."""


@event("Coupon Removed")
class CouponRemoved(CouponFields, frozen=True, kw_only=True, omit_defaults=True):
    """A coupon was removed."""


@event("Wishlist Product Added to Cart")
class WishlistProductAddedToCart(ProductFields, frozen=True, kw_only=True, omit_defaults=True):
    """A wished-for product was put into the cart."""

    def verb(self) -> str:
        """Put into the cart."""
        return "put into the cart"
