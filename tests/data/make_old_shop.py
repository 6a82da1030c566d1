"""Made ``shop-0001.zip``: a shop as the first schema kept it. Never make it again for an old schema: that is the point.

For a new schema: run this with that version and add the file under the new number.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.events import DAY, event, order

import shopkeeper
from shopkeeper.collect.intake import Outcome


def main(number: str) -> None:
    target = Path(__file__).parent / f"shop-{number}.zip"
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", name="Old shop", now="2026-05-01T12:00:00+00:00") as shop,
    ):
        ids = {"user_id": "7", "email": "anna@example.com", "loyalty_card": "LC7"}
        events = [
            event(
                "Identified", "i", -90 * DAY, ids=ids, first_name="Anna", last_name="Berg", country="Sweden"
            ),
            *(order(str(n), -(80 - 10 * n) * DAY, price="12.345", ids={"user_id": "7"}) for n in range(6)),
            event(
                "Product Viewed",
                "v",
                -3 * DAY,
                ids={"anonymous_id": "cookie", "user_id": "7"},
                product_id="p2",
            ),
            event("Consent Given", "c", -2 * DAY, ids=ids, purpose="marketing_email"),
            event("Robot Waved", "r", -DAY, ids=ids, mood="blue"),
            order("other", -DAY, ids={"payment_token": "TOK"}),
        ]
        shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, events, Outcome()))
        shop.save_segment("regulars", "orders >= 2 and events('Product Viewed', days => 30)")
        shop.refresh()
        shutil.copy(shop.backup(), target)  # made inside the shop, so that no path of this machine is in it


if __name__ == "__main__":
    main(sys.argv[1])
