"""A simulated shop of any size, told twice: as arrays for the bulk builder, and as tracking calls for a load generator.

Who buys what and when is drawn from a seed; the same size and seed give the same shop. Customers join over two years
and live on to the end; most do little, few do much (a negative binomial). Each has an account, a browser, some a
loyalty card and an e-mail address.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

SIMULATED: Final = (
    "Everything: customers, products, prices and events are drawn at random for measuring speed."
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(2026, 6, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=730)
ORDER: Final = "@@NUMBER@@"
"""Stands in a template where the number of an order or a contact goes."""
PICKS: Final = 1024
"""Different contents per kind of event."""

FIRST = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Ella",
    "Finn",
    "Grace",
    "Hugo",
    "Ida",
    "Jack",
    "Kim",
    "Lea",
    "Max",
    "Nora",
)
LAST = (
    "Ash",
    "Berg",
    "Cole",
    "Dunn",
    "East",
    "Frost",
    "Gray",
    "Hill",
    "Irwin",
    "Jones",
    "Kerr",
    "Lund",
    "Moss",
)
TOWNS = (
    ("Leeds", "LS1"),
    ("York", "YO1"),
    ("Bath", "BA1"),
    ("Derby", "DE1"),
    ("Oxford", "OX1"),
    ("Truro", "TR1"),
)
CHANNELS = ("search", "social", "store", "friend", "display")
PRODUCTS: Final = 600
CATEGORIES: Final = 24


class Kind(NamedTuple):
    """One kind of event: how often it happens among 1,000, on which channel, and on what it refers to."""

    name: str
    share: int
    channel: str
    number: str = ""
    """Letter of a number of its own (O for orders, K for contacts)."""
    of: int = -1
    """The kind that it must come after: it bears that one's number."""


KINDS: Final = (
    Kind("Identified", 0, "web"),
    Kind("Product Viewed", 430, "web"),
    Kind("Product Added", 110, "web"),
    Kind("Order Completed", 120, "web", "O"),
    Kind("Order Completed", 60, "store", "O"),
    Kind("Order Refunded", 12, "store", "O", 3),
    Kind("Email Opened", 110, "email"),
    Kind("Email Link Clicked", 35, "email"),
    Kind("Page Viewed", 60, "web"),
    Kind("Store Visited", 20, "store"),
    Kind("Consent Given", 15, "web"),
    Kind("Social Post Liked", 12, "social"),
    Kind("Contact Opened", 8, "service", "K"),
    Kind("Contact Closed", 8, "service", "K", 12),
)
_PRICES = [round(random.Random(p).lognormvariate(2.5, 0.8), 2) for p in range(PRODUCTS)]


class World(NamedTuple):
    """The arrays. Events stand customer by customer, each customer's in the order of time."""

    customers: int
    events: int
    start: np.ndarray
    """Where a customer's events begin; one more than there are customers."""
    owner: np.ndarray
    at: np.ndarray
    kind: np.ndarray
    pick: np.ndarray
    about: np.ndarray
    """The event whose number this one bears; itself where it has one of its own, -1 for none."""
    seq: np.ndarray
    """Its place in the log, from 1: the log is in the order of time."""
    by_seq: np.ndarray
    first_node: np.ndarray
    """A customer's first node; one more than there are customers."""
    has: np.ndarray
    """1: a loyalty card, 2: an e-mail address."""


def draw(customers: int, events: int, seed: int = 1) -> World:
    """Draw a shop. Raises ValueError where there are fewer events than customers."""
    if events < customers:
        raise ValueError(f"{events} events cannot be of {customers} customers: each has one at least")
    rng = np.random.default_rng(seed)
    mean = events / customers - 1
    count = 1 + rng.negative_binomial(0.8, 0.8 / (0.8 + mean), customers) if mean else np.ones(customers, int)
    while (short := events - int(count.sum())) != 0:
        some = rng.integers(0, customers, min(abs(short), customers))
        if short < 0:
            some = np.unique(some)
            some = some[count[some] > 1]
        np.add.at(count, some, 1 if short > 0 else -1)
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    owner = np.repeat(np.arange(customers, dtype=np.int32), count)
    end = int(END.timestamp() * 1e6)
    span = int(SPAN.total_seconds() * 1e6)
    joined = np.sort(rng.random(customers)) * 0.97
    life = joined[owner] + rng.random(events) * (0.999 - joined[owner])
    life[start[:-1]] = joined
    at = end - span + (life * span).astype(np.int64)
    at = at[np.lexsort((at, owner))]
    while len(same := np.flatnonzero((np.diff(at) <= 0) & (np.diff(owner) == 0)) + 1):
        at[same] = at[same - 1] + 1
    shares = np.array([k.share for k in KINDS], float)
    kind = rng.choice(len(KINDS), events, p=shares / shares.sum()).astype(np.uint8)
    kind[start[:-1]] = 0
    about = referring(kind, start, owner)
    by_seq = np.argsort(at, kind="stable").astype(np.int32)
    seq = np.empty(events, np.int32)
    seq[by_seq] = np.arange(1, events + 1, dtype=np.int32)
    has = ((rng.random(customers) < 0.4) + 2 * (rng.random(customers) < 0.7)).astype(np.uint8)
    nodes = 2 + (has & 1) + (has >> 1)
    first_node = np.concatenate([[1], 1 + np.cumsum(nodes)]).astype(np.int64)
    pick = rng.integers(0, PICKS, events).astype(np.uint16)
    return World(customers, events, start, owner, at, kind, pick, about, seq, by_seq, first_node, has)


def referring(kind: np.ndarray, start: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Whose number each event bears; what would refer to nothing becomes a look at a product."""
    place = np.arange(len(kind), dtype=np.int32)
    about = np.full(len(kind), -1, np.int32)
    for number, one in enumerate(KINDS):
        if one.of >= 0:
            latest = np.maximum.accumulate(np.where(kind == one.of, place, -1))
            mine = kind == number
            nothing = mine & (latest < start[owner])
            kind[nothing] = 1
            about[mine & ~nothing] = latest[mine & ~nothing]
        elif one.number:
            about[kind == number] = place[kind == number]
    return about


def save(world: World, folder: Path) -> None:
    """Write the arrays so that other processes map them."""
    for name, value in world._asdict().items():
        np.save(folder / f"{name}.npy", value)


def mapped(folder: Path) -> World:
    """The arrays as another process wrote them, read where they are needed."""
    found = {name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in World._fields}
    return World(**found | {name: int(found[name]) for name in ("customers", "events")})


def products() -> Iterator[dict[str, Any]]:
    """The catalogue, as a file of products has it."""
    for p in range(PRODUCTS):
        yield {
            "product_id": f"P{p:03d}", "name": f"Thing {p}", "category": f"Aisle {p % CATEGORIES}",
            "brand": f"Make {p % 9}", "price": f"{_PRICES[p]:.2f}", "unit_cost": f"{_PRICES[p] * 0.55:.2f}",
        }  # fmt: skip


@cache
def properties(kind: int, pick: int) -> dict[str, Any]:
    """What an event of a kind tells; ``ORDER`` stands where its number goes. Do not change what is returned."""
    one = KINDS[kind]
    chance = random.Random(kind << 20 | pick)
    # Few products are sold most of the time.
    goods = [
        min(int(chance.paretovariate(0.6)) - 1, PRODUCTS - 1) % PRODUCTS for _ in range(chance.randint(1, 4))
    ]
    store = f"S{chance.randint(1, 8)}"
    campaign = f"news-{chance.randint(1, 40)}"
    match one.name:
        case "Product Viewed" | "Product Added":
            p = goods[0]
            return {"product_id": f"P{p:03d}", "name": f"Thing {p}", "category": f"Aisle {p % CATEGORIES}",
                    "price": f"{_PRICES[p]:.2f}", "quantity": 1}  # fmt: skip
        case "Order Completed" | "Order Refunded":
            goods = sorted(set(goods))[: 1 if one.name == "Order Refunded" else 4]
            lines = [{"product_id": f"P{p:03d}", "price": f"{_PRICES[p]:.2f}", "quantity": chance.randint(1, 3),
                      "category": f"Aisle {p % CATEGORIES}"} for p in goods]  # fmt: skip
            return {"order_id": ORDER, "currency": "GBP", "store": "web" if one.channel == "web" else store,
                    "country": "United Kingdom", "products": lines}  # fmt: skip
        case "Email Opened" | "Email Link Clicked":
            return {"campaign_id": campaign, "email_id": f"m-{pick}", "machine": chance.random() < 0.3}
        case "Page Viewed":
            return {"name": f"Page {pick % 50}", "path": f"/page/{pick % 50}"}
        case "Store Visited":
            return {"store": store, "minutes": chance.randint(2, 50)}
        case "Consent Given":
            return {"purpose": chance.choice(["marketing_email", "profiling", "ads"]), "method": "form"}
        case "Social Post Liked":
            return {"network": "pinster", "post_id": f"p-{pick % 300}", "product_id": f"P{goods[0]:03d}"}
        case "Contact Opened" | "Contact Closed":
            reason = chance.choice(["complaint", "question", "delivery"])
            return {"contact_id": ORDER, "medium": "phone", "reason": reason}
    return {"country": "United Kingdom", "acquisition_channel": CHANNELS[pick % len(CHANNELS)]}


def number(kind: int, about: int) -> str:
    """The number of an order or a contact."""
    return f"{KINDS[kind].number}{about}"


def slots(kind: int, pick: int, has: int) -> tuple[int, ...]:
    """On which of a customer's identifiers an event is seen: 0 account, 1 card, 2 e-mail, 3 browser."""
    channel = KINDS[kind].channel
    if kind == 0:
        return (0, *((1,) if has & 1 else ()), *((2,) if has & 2 else ()), 3)
    if channel == "web":
        return (0, 3) if pick & 1 else (3,)
    if channel == "email" and has & 2:
        return (2,)
    if channel == "store" and has & 1 and pick & 1:
        return (1,)
    return (0,)


def node_of(first: int, slot: int, has: int) -> int:
    """The node of a customer's identifier."""
    return first + (0, 1, 1 + (has & 1), 1 + (has & 1) + (has >> 1))[slot]


OFFSETS: Final = tuple(
    tuple(
        tuple(tuple(node_of(0, slot, has) for slot in slots(kind, pick, has)) for has in range(4))
        for pick in (0, 1)
    )
    for kind in range(len(KINDS))
)
"""The same as ``slots`` and ``node_of``, by kind, by whether the pick is odd, and by what the customer has."""
SHAPES: Final = tuple(sorted({offsets for kinds in OFFSETS for picks in kinds for offsets in picks}))
"""The different ones among these."""
SHAPE: Final = np.array(
    [[[SHAPES.index(offsets) for offsets in picks] for picks in kinds] for kinds in OFFSETS], np.uint8
)
"""Which of ``SHAPES``, by the same three."""


def identifier(customer: int, slot: int) -> tuple[str, str]:
    """Kind and value of a customer's identifier."""
    match slot:
        case 0:
            return "user_id", f"{1_000_000 + customer}"
        case 1:
            return "loyalty_card", f"LC{1_000_000 + customer}"
        case 2:
            return "email", f"{FIRST[customer % len(FIRST)].lower()}{customer}@mail.example"
        case _:
            return "anonymous_id", f"browser-{customer:09d}"


def call(
    customer: int, kind: int, pick: int, has: int, about: int, message: str, at: int | None = None
) -> dict[str, Any]:
    """An event as a client of the tracking API tells it; without a time, it happens when it arrives."""
    one = KINDS[kind]
    told = dict(properties(kind, pick))
    for key, value in told.items():
        if value == ORDER:
            told[key] = number(kind, about)
    body: dict[str, Any] = {"messageId": message, "channel": one.channel}
    if at is not None:
        body["timestamp"] = moment(at)
    for slot in slots(kind, pick, has):
        name, value = identifier(customer, slot)
        if slot == 0:
            body["userId"] = value
        elif slot == 3:
            body["anonymousId"] = value
        else:
            told[name] = value
    if kind:
        return body | {"type": "track", "event": one.name, "properties": told}
    return body | {"type": "identify", "traits": told | introduced(customer)}


def introduced(customer: int) -> dict[str, Any]:
    """What a customer tells of themselves beside identifiers; made up, and nobody's."""
    town, postcode = TOWNS[customer % len(TOWNS)]
    return {"first_name": FIRST[customer % len(FIRST)], "last_name": LAST[customer % len(LAST)], "city": town,
            "postcode": f"{postcode} {customer % 9}AA"}  # fmt: skip


def event_call(world: World, index: int) -> dict[str, Any]:
    """One event of a world as a client of the tracking API would have told it."""
    owner = int(world.owner[index])
    return call(
        owner, int(world.kind[index]), int(world.pick[index]), int(world.has[owner]), int(world.about[index]),
        message(index), int(world.at[index]),
    )  # fmt: skip


def message(index: int) -> str:
    """The message id of an event."""
    return f"bulk-{index}"


def moment(at: int) -> str:
    """Microseconds since 1970 as ISO text.

    >>> moment(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")[:-6] + "Z"
