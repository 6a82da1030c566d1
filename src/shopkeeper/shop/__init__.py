"""``Shop`` introduces the stages to each other: one thin verb per deed, and the only place that knows every stage."""

from shopkeeper.shop.doctoring import Finding
from shopkeeper.shop.facade import Shop
from shopkeeper.shop.keeping import restore
from shopkeeper.shop.opening import create, open_shop

__all__ = ["Finding", "Shop", "create", "open_shop", "restore"]
