"""One customer's story, told by Segment's client for Python."""

import os

from segment.analytics.client import Client

failed = []
client = Client(
    os.environ["WRITE_KEY"],
    host=os.environ["ADDRESS"],
    gzip=os.environ.get("GZIP", "1") == "1",
    upload_size=20,
    upload_interval=0.2,
    thread=int(os.environ.get("THREADS", "1")),
    on_error=lambda error, _batch: failed.append(error),
)
client.track(anonymous_id="browser-1", event="Product Viewed", properties={"product_id": "85048"})
client.identify("u1", {"email": "ada@example.com"}, anonymous_id="browser-1")
client.track(
    "u1",
    "Order Completed",
    {
        "order_id": "o1",
        "currency": "GBP",
        "total": 20,
        "products": [{"product_id": "85048", "price": 10, "quantity": 2}],
    },
)
client.page("u1", name="Home")
client.screen("u1", name="Basket")
client.group("u1", "firm", {"name": "Firm"})
client.alias("browser-1", "u1")
for n in range(40):
    client.track("u1", "Product Added", {"product_id": f"p{n}"})
client.shutdown()
assert not failed, failed
