"""In and around the stores: visits, beacons near the door, and the associate's questions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.columns import hexes, join, pick, texts
from shopkeeper.collect.samples.places import HOURS, PLACE_IDS, WEB, home_store, is_open
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Floats, Ints
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog
from shopkeeper.collect.samples.world import WORLD, generator

QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    # question_id: (what the associate asks, possible answers); the category question is answered from real taste
    "category": ("What do you like looking at most in our shop?", ()),
    "for_whom": (
        "Do you shop for yourself or for somebody else?",
        ("myself", "family", "friends", "my business"),
    ),
    "occasion": (
        "Is there an occasion coming up?",
        ("a wedding in May", "a birthday next month", "moving house", "a new baby", "a christening", "none"),
    ),
    "contact": ("How may we tell you about news?", ("e-mail", "text message", "by post", "please do not")),
    "home": (
        "How would you describe your home?",
        ("a flat in town", "a house with garden", "a country cottage"),
    ),
}


def visit(shop: Shop, seed: int, log: EventLog, truth: Truth) -> None:
    """Log store visits and beacons of customers who carry the app; some pass by before the store opens."""
    draw = generator(seed, "visits")
    p, n = shop.persons, len(shop.persons)
    app = (np.arange(n) < p.customers) & p.used & (p.city >= 0) & (draw.random(n) < WORLD.app_share)
    phone_app = hexes(draw.integers(0, 2**63, n, dtype=np.uint64), "app-")
    signed_in = draw.random(n) < 0.8
    truth.knows("anonymous_id", phone_app, np.where(app, np.arange(n), -1))
    truth.knows("device_id", phone_app, np.where(app, np.arange(n), -1))

    order = np.flatnonzero(shop.places.in_store & (shop.tills.person >= 0) & (shop.tills.how <= 1))
    order = order[app[shop.tills.person[order]] & (draw.random(len(order)) < 0.8)]
    person, store = shop.tills.person[order], shop.places.place[order]
    minute = shop.bought.order_minute[order] - draw.uniform(8, 40, len(order))
    # visits without a purchase: as many again, at an hour when the store is open
    idle = np.repeat(person, draw.poisson(0.8, len(person)))
    day = draw.integers(FIRST_DAY, LAST_DAY + 1, len(idle))
    idle_minute = day * DAY + draw.uniform(545, 1015, len(idle))
    near = home_store(p.city[idle])
    opened = is_open(near, idle_minute.astype(np.int64))
    person = np.concatenate([person, idle[opened]])
    store = np.concatenate([store, near[opened]])
    minute = np.concatenate([minute, idle_minute[opened]])
    _arrive(log, draw, shop, person, store, minute, phone_app, signed_in[person], zone="entrance")
    stays = np.repeat(np.arange(len(person)), draw.poisson(1.1, len(person)))
    _sense(
        log,
        draw,
        person[stays],
        store[stays],
        minute[stays] + draw.uniform(2, 8, len(stays)),
        phone_app,
    )

    # on the way to work: near the door on workdays, before the store opens
    commuter = np.flatnonzero(app & (draw.random(n) < WORLD.commuters))
    passing = np.repeat(commuter, draw.poisson(22, len(commuter)))
    day = draw.integers(LAST_DAY - 200, LAST_DAY + 1, len(passing))
    workday = (day + 3) % 7 < 5
    passing, day = passing[workday], day[workday]
    early = day * DAY + draw.normal(465, 8, len(passing))  # about a quarter to eight
    store = home_store(p.city[passing])
    _sense(log, draw, passing, store, early, phone_app, zone="street")
    again = draw.random(len(passing)) < 0.25
    opens = np.array([week[0][0] if week[0] else 0 for week in HOURS] + [0])[store]
    _sense(
        log,
        draw,
        passing[again],
        store[again],
        day[again] * DAY + opens[again] + 5.0,
        phone_app,
        zone="street",
    )


def _arrive(
    log: EventLog,
    draw: np.random.Generator,
    shop: Shop,
    person: Ints,
    store: Ints,
    minute: Floats,
    device: pa.Array,
    known: np.ndarray[tuple[int], np.dtype[np.bool_]],
    zone: str,
) -> None:
    log.add(
        "visit", "Store Visited", minute, person, anonymous=pick(device, person), channel="app",
        user=shop.user_ids(person, minute, known),
        properties={"store": pick(pa.array(PLACE_IDS), store), "zone": zone,
                    "minutes": np.rint(draw.gamma(2.5, 8, len(person)) + 3).astype(np.int64)},
    )  # fmt: skip


def _sense(
    log: EventLog,
    draw: np.random.Generator,
    person: Ints,
    store: Ints,
    minute: Floats,
    device: pa.Array,
    zone: str = "",
) -> None:
    zones = pa.array(["lighting", "kitchen", "gifts", "till"])
    where = zone or pick(zones, draw.integers(0, 4, len(person)))
    store_id = pick(pa.array(PLACE_IDS), store)
    carried = pick(device, person)
    log.add(
        "beacon", "Beacon Detected", minute, person, anonymous=carried, channel="app",
        properties={
            "store": store_id,
            "beacon_id": join(store_id, "-", pc.cast(pa.array(store + 1), pa.string())),
            "zone": where,
            "meters": np.rint(draw.gamma(2, 2.5, len(person)) * 10) / 10,
        },
        context={"device": {"id": carried, "type": "mobile"}},
    )  # fmt: skip


def ask(shop: Shop, seed: int, log: EventLog, truth: Truth) -> None:
    """Log the answers that store customers gave to an associate at the till."""
    draw = generator(seed, "questions")
    bought, tills = shop.bought, shop.tills
    order = np.flatnonzero(shop.places.in_store & (tills.how == 0) & (bought.total_milli > 0))
    order = order[draw.random(len(order)) < WORLD.asked]
    person, m = tills.person[order], len(order)
    ids = tuple(QUESTIONS)
    question = draw.integers(0, len(ids), m)
    liked = shop.catalogue.category_names.take(pa.array(shop.taste.top_category[person])).to_pylist()
    said = []
    for q, u, category in zip(question.tolist(), draw.random(m).tolist(), liked, strict=True):
        answers = QUESTIONS[ids[q]][1]
        said.append(answers[int(u * len(answers))] if answers else category)
    card = pick(tills.card, order)
    truth.knows("loyalty_card", pick(texts(shop.persons.card), person), person)
    log.add(
        "answer", "Answer Given", bought.order_minute[order] + 1.0, person, channel="store",
        user=pick(bought.customer_ids, bought.customer[order]),
        properties={
            "question_id": pa.array(ids).take(pa.array(question)),
            "question": pa.array([QUESTIONS[q][0] for q in ids]).take(pa.array(question)),
            "answer": pa.array(said, pa.string()),
            "store": pick(pa.array(PLACE_IDS[: WEB + 1]), shop.places.place[order]),
            "staff_id": pick(pa.array(shop.places.staff_ids), shop.places.staff[order]),
            "loyalty_card": card,
        },
    )  # fmt: skip
