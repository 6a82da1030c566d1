"""Shopkeeper: know every customer, in every channel, as one person over time.

    import shopkeeper

    shop = shopkeeper.open("my-shop")
    shop.collect("orders.csv")
    shop.refresh()
    shop.customer("anna@example.com")

Names here load what they need on first use, so that importing the package stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shopkeeper.domain.actor import Actor
    from shopkeeper.domain.clock import FixedClock
    from shopkeeper.domain.errors import ShopkeeperError
    from shopkeeper.settings import Settings
    from shopkeeper.shop import Shop, create, restore
    from shopkeeper.shop import open_shop as open  # noqa: A004 - shopkeeper.open reads well, as gzip.open does

__version__ = "0.1.0"

_WHERE = {
    "Actor": ("shopkeeper.domain.actor", "Actor"),
    "FixedClock": ("shopkeeper.domain.clock", "FixedClock"),
    "Settings": ("shopkeeper.settings", "Settings"),
    "Shop": ("shopkeeper.shop", "Shop"),
    "ShopkeeperError": ("shopkeeper.domain.errors", "ShopkeeperError"),
    "create": ("shopkeeper.shop", "create"),
    "open": ("shopkeeper.shop", "open_shop"),
    "restore": ("shopkeeper.shop", "restore"),
}

__all__ = [
    "Actor",
    "FixedClock",
    "Settings",
    "Shop",
    "ShopkeeperError",
    "__version__",
    "create",
    "open",
    "restore",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        module, attribute = _WHERE[name]
        value = globals()[name] = getattr(import_module(module), attribute)
        return value
    raise AttributeError(f"module 'shopkeeper' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
