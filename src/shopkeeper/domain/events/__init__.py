"""Every declared event, grouped by where it is heard. Importing this package fills ``domain.event.EVENTS``."""

from shopkeeper.domain.events import engagement, identity, orders, service, shopping, store, supply

__all__ = ["engagement", "identity", "orders", "service", "shopping", "store", "supply"]
