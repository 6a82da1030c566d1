"""Small shops drawn at random: events through the real intake, refreshed into the lake, and the same as plain lists."""

from __future__ import annotations

import atexit
import csv
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pyarrow as pa

import shopkeeper
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.clock import instant
from shopkeeper.domain.event import Event, parse
from shopkeeper.domain.identifier import Identifier
from shopkeeper.shop.predicting.foretold import arrow
from tests.conditions import CATEGORIES, CHANNELS, DAY, EVENTS_USED, STORES, TODAY, TRAITS

CUSTOMERS = 40
ZONE = "Europe/Berlin"
RATES = (("EUR", TODAY - 40, 0.8), ("EUR", TODAY - 10, 0.9))
PRODUCTS = {"p0": "Lighting", "p1": "Garden", "p2": ""}
TRADE = ("Order Updated", "Order Lines Added", "Order Refunded", "Order Cancelled")


class SmallShop:
    """A shop of some customers; ``customers`` tells of each, by id, its traits and events as plain data."""

    def __init__(self, seed: int, *, draws_traits: bool = True) -> None:
        self.chance = Random(seed)
        self.shop = found()
        self.put(
            self.draw(customer) for customer in range(CUSTOMERS) for _ in range(self.chance.randint(0, 12))
        )
        self.shop.refresh()
        if draws_traits:
            self.draw_traits()
        self.customers = self.told()

    def put(self, events: Any) -> None:
        outcome = Outcome()
        given = sorted(events, key=lambda _: self.chance.random())
        self.shop.places.ledger.write(lambda tx: self.shop.places.intake.append(tx, given, outcome))
        self.shop.advance()

    def draw(self, customer: int) -> Event:
        """An event of a customer."""
        chance = self.chance
        name = chance.choice([*EVENTS_USED, *["Order Completed"] * 3, *TRADE])
        at = chance.randint((TODAY - 50) * 24, (TODAY + 5) * 24) * DAY // 24
        # Orders told at one instant are in an order that the two evaluators may see differently.
        at += chance.randint(10, 10**6) if name.startswith("Order") else chance.randint(0, 3)
        facts: dict[str, Any] = {"store": chance.choice(STORES)}
        if name.startswith("Order"):
            facts["order_id"] = chance.choice(["o1", "o2", "o3", ""])
            facts["currency"] = chance.choice(["", "EUR", "GBP", "XXX"])
            if name != "Order Cancelled" and chance.random() < 0.9:
                facts["products"] = [
                    {
                        "product_id": chance.choice([*PRODUCTS, ""]),
                        "category": chance.choice(CATEGORIES),
                        "price": f"{chance.randint(0, 2000) / 100:.2f}",
                        "quantity": chance.choice([1, 1, 2]),
                    }
                    for _ in range(chance.randint(0, 2))
                ]
                facts["discount"] = chance.choice([None, "0.05"])
        elif name in ("Product Viewed", "Product Added"):
            facts |= {"product_id": chance.choice([*PRODUCTS, ""]), "category": chance.choice(CATEGORIES)}
        elif name == "Email Opened":
            facts = {"machine": chance.random() < 0.5, "campaign_id": "news"}
        elif name != "Store Visited":
            facts = {}
        known, more = parse(name, {key: value for key, value in facts.items() if value is not None})
        who = {"user_id": f"u{customer}"}
        beside = chance.choice([{}, {"anonymous_id": f"b{customer}"}, {"email": f"a{customer}@example.com"}])
        alone = beside and chance.random() < 0.4
        return Event(
            name=name, message_id=f"m{chance.getrandbits(60)}", occurred_at=at, received_at=(TODAY + 10) * DAY,
            identifiers=tuple(Identifier(*one) for one in ((beside if alone else who | beside).items())),
            properties=known, more=more, source=chance.choice(["test", "till"]), channel=chance.choice(CHANNELS),
        )  # fmt: skip

    def draw_traits(self) -> None:
        """Put traits in the lake's snapshot that no fold would make of so few events, some of them no numbers."""
        ids = self.shop.customers()["id"].to_pylist()
        columns: dict[str, Any] = {"id": pa.array(ids, pa.int64())}
        for name, trait in TRAITS.items():
            columns[name] = pa.array([self._trait(trait) for _ in ids], arrow(trait.kind))
        with self.shop.places.lake.change() as change:
            change.replace("customers", pa.table(columns))

    def _trait(self, trait: Any) -> Any:
        chance = self.chance
        if chance.random() < 0.3:
            return None
        match trait.kind:
            case "int":
                return chance.choice([0, 1, 2, 3, 5])
            case "float" | "money":
                return chance.choice([0.0, 1.0, 0.5, 2.25, -2.5, 100.0, float("nan"), float("inf")])
            case "text":
                return chance.choice(trait.values or ("France", "Lighting", "İstanbul_%", ""))
            case "bool":
                return chance.random() < 0.5
            case "time":
                at = chance.randint((TODAY - 50) * DAY, TODAY * DAY)
                return instant(at // DAY * DAY if trait.day else at)
        return chance.sample(["p1", "p2"], chance.randint(0, 2))

    def told(self) -> dict[int, dict[str, Any]]:
        """Everybody as plain data: traits of the lake, events of the ledger's log."""
        rows = self.shop.customers().to_pylist()
        people = {row["id"]: {"traits": row, "events": []} for row in rows}
        with self.shop.places.ledger.read() as reader:
            owner = {node: customer for chunk in reader.all_members() for node, customer, _, _ in chunk}
            for one in reader.log_after(0, 1_000_000):
                event = {
                    "name": one.name, "at": one.occurred_at, "seq": one.seq, "channel": one.channel,
                    "source": one.source, "brand": one.brand, "told": msgspec.json.decode(one.payload),
                }  # fmt: skip
                people.setdefault(owner[one.node], {"traits": {}, "events": []})["events"].append(event)
        return people


def found() -> shopkeeper.Shop:
    """An empty shop with rates and products, a few days after the events that ``SmallShop`` draws."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=TODAY + 10)
    shop = shopkeeper.create(folder / "shop", currency="GBP", time_zone=ZONE, now=now.isoformat())
    for kind, header, rows in (
        (
            "rates",
            ("date", "currency", "rate"),
            [(str(date(1970, 1, 1) + timedelta(d)), c, r) for c, d, r in RATES],
        ),
        ("products", ("product_id", "name", "category"), [(p, p, c) for p, c in PRODUCTS.items()]),
    ):
        file = folder / f"{kind}.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([header, *rows])
        shop.collect(file, kind)
    return shop


@cache
def small_shop(seed: int) -> SmallShop:
    """A shop drawn once."""
    return SmallShop(seed)
