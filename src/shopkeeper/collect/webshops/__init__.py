"""Web shops: Shopify's webhooks and its bulk exports, which tell the same events under the same message ids.

``parts`` is what an order, a refund and a customer are here; ``rest`` reads them from a webhook's body, ``graphql``
from a bulk export; ``telling`` makes events of them; ``shopify`` and ``bulk`` read deliveries and files.
"""
