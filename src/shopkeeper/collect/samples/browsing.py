"""Web sessions: products looked at and bought, looked at and not bought, logins, carts, the tablet in the store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.catalogue import Catalogue
from shopkeeper.collect.samples.columns import join, pick, texts
from shopkeeper.collect.samples.persons import Persons
from shopkeeper.collect.samples.places import PLACE_IDS, WEB, Places
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Flags, Floats, Ints, Purchases
from shopkeeper.collect.samples.taste import Taste
from shopkeeper.collect.samples.tills import Tills
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog, Value
from shopkeeper.collect.samples.world import WORLD, generator


@dataclass(frozen=True, slots=True)
class Shop:
    """The finished rooms on which behaviour builds."""

    bought: Purchases
    persons: Persons
    places: Places
    tills: Tills
    catalogue: Catalogue
    taste: Taste

    def user_ids(self, person: Ints, minute: Floats, keep: Flags | None = None) -> pa.Array:
        """The customer number each person uses at that time, null for those without account."""
        account = self.persons.account(person, minute)
        return pick(self.bought.customer_ids, account, keep)

    def product(self, index: Ints) -> dict[str, pa.Array]:
        """Event properties of products."""
        return self.catalogue.properties(index, self.bought.product_ids)


@dataclass(frozen=True, slots=True)
class Sessions:
    """One entry per session; `order` is the order it comes before, or -1; `ends`: the session ended in it."""

    person: Ints
    start: Floats
    order: Ints
    ends: Flags


def _plan(draw: np.random.Generator, shop: Shop) -> Sessions:
    bought, tills = shop.bought, shop.tills
    sale = np.flatnonzero((tills.person >= 0) & (bought.total_milli > 0))
    web = shop.places.place[sale] == WEB
    tracked = sale[web & (draw.random(len(sale)) < WORLD.tracked)]
    before = sale[draw.random(len(sale)) < np.where(web, WORLD.browse_before, WORLD.browse_before / 3)]
    after = sale[draw.random(len(sale)) < WORLD.browse_after]
    first = shop.persons.customers + shop.persons.guests
    prospects = np.repeat(np.arange(first, len(shop.persons)), draw.poisson(3, len(shop.persons) - first))

    def evening(day: Floats) -> Floats:
        return np.floor(day) * DAY + np.clip(draw.normal(1110, 190, len(day)), 400, 1430)

    day = bought.order_minute / DAY
    start = [
        bought.order_minute[tracked] - draw.uniform(9, 50, len(tracked)),
        np.minimum(
            evening(day[before] - draw.uniform(1, 14, len(before))), bought.order_minute[before] - 60.0
        ),
        evening(day[after] + draw.uniform(1, 42, len(after))),
        evening(draw.uniform(FIRST_DAY + 10, LAST_DAY, len(prospects))),
    ]
    order = [tracked, before, np.full(len(after), -1), np.full(len(prospects), -1)]
    person = [tills.person[tracked], tills.person[before], tills.person[after], prospects]
    ends = [np.full(len(o), k == 0) for k, o in enumerate(order)]
    return Sessions(
        np.concatenate(person), np.concatenate(start), np.concatenate(order), np.concatenate(ends)
    )


def browse(shop: Shop, seed: int, log: EventLog, truth: Truth) -> None:
    """Log all web sessions."""
    draw = generator(seed, "browsing")
    s = _plan(draw, shop)
    n = len(s.person)
    own = draw.random(n) < 0.3
    first, second = (d.take(pa.array(s.person)) for d in shop.persons.devices)
    device = pc.if_else(pa.array(own), second, first)
    login = (draw.random(n) < WORLD.login) & (s.start / DAY >= shop.persons.joined_day[s.person])
    user = shop.user_ids(s.person, s.start, login)
    email = pick(texts(shop.persons.email), s.person, login)
    kind = pick(pa.array(["desktop", "mobile", "tablet"]), draw.choice(3, n, p=[0.6, 0.3, 0.1]))
    context: dict[str, Value] = {"device": {"type": kind}, "locale": "en-GB"}
    source = pick(
        pa.array(["google", "newsletter", "direct", "social"]), draw.choice(4, n, p=[0.4, 0.15, 0.35, 0.1])
    )
    log.add(
        "web", "Home", s.start, s.person, anonymous=device, user=user, kind="page", context=context,
        properties={"path": "/", "referrer_source": source},
    )  # fmt: skip
    log.add(
        "web", "", s.start + 0.4, s.person, anonymous=device, user=user, kind="identify", keep=login,
        traits={"email": email},
    )  # fmt: skip
    truth.knows("anonymous_id", device, s.person)
    truth.knows("email", email, s.person)
    _views(draw, shop, s, device, user, log)

    o = np.flatnonzero(s.ends)
    order = s.order[o]
    log.add(
        "web", "Checkout Started", shop.bought.order_minute[order] - 1.5, s.person[o],
        anonymous=device.take(pa.array(o)), user=user.take(pa.array(o)),
        properties={
            "order_id": shop.bought.order_ids.take(pa.array(order)),
            "value": np.rint(shop.bought.total_milli[order] / 10) / 100,
            "currency": "GBP",
        },
    )  # fmt: skip
    heads = np.flatnonzero(
        shop.persons.shares["device"] & (shop.persons.partner > np.arange(len(shop.persons)))
    )
    for a in heads.tolist():
        truth.trap(
            "family_device", "anonymous_id", shop.persons.devices[0][a].as_py(), "one tablet of a couple"
        )
    _store_tablet(draw, shop, log, truth)


def _views(
    draw: np.random.Generator, shop: Shop, s: Sessions, device: pa.Array, user: pa.Array, log: EventLog
) -> None:
    taste, n = shop.taste, len(s.person)
    # looked at and (then or later) bought
    wanted = np.where(
        s.ends, 1 + draw.poisson(WORLD.views_bought - 1, n), (s.order >= 0) & (draw.random(n) < 0.5)
    )
    at_bought = np.repeat(np.arange(n), wanted)
    product_bought = taste.of_order(draw, s.order[at_bought])
    # looked at and not bought
    at_only = np.repeat(np.arange(n), np.where(s.ends, 0, 1) + draw.poisson(WORLD.views_only - 0.6, n))
    product_only = taste.similar(draw, s.person[at_only], s.start[at_only].astype(np.int64))
    new = ~taste.bought(s.person[at_only], product_only)
    at_only, product_only = at_only[new], product_only[new]

    at = np.concatenate([at_bought, at_only])
    product = np.concatenate([product_bought, product_only])
    ends = np.arange(len(at)) < len(at_bought)
    good = shop.catalogue.sellable[product]
    at, product, ends = at[good], product[good], ends[good] & s.ends[at[good]]
    length = np.where(s.ends[at], np.maximum(shop.bought.order_minute[s.order[at]] - s.start[at] - 4, 2), 25)
    minute = s.start[at] + 0.8 + draw.random(len(at)) * length
    pages = {"anonymous": device.take(pa.array(at)), "user": user.take(pa.array(at))}
    what = {**shop.product(product), "currency": "GBP"}
    log.add("web", "Product Viewed", minute, s.person[at], properties=what, **pages)
    added = draw.random(len(at)) < np.where(ends, 0.7, 0.07)
    cart = join("cart-", pa.array(at).cast(pa.string()))
    quantity = np.ones(len(at), np.int64)
    put = {"cart_id": cart, **what, "quantity": quantity}
    log.add("web", "Product Added", minute + 0.5, s.person[at], properties=put, keep=added, **pages)
    dropped = added & ~ends & (draw.random(len(at)) < 0.3)
    log.add("web", "Product Removed", minute + 1.5, s.person[at], properties=put, keep=dropped, **pages)
    wished = ~added & (draw.random(len(at)) < 0.03)
    wish = {"wishlist_id": join("wish-", pages["anonymous"]), **what}
    log.add(
        "web", "Product Added to Wishlist", minute + 0.7, s.person[at], properties=wish, keep=wished, **pages
    )


def _store_tablet(draw: np.random.Generator, shop: Shop, log: EventLog, truth: Truth) -> None:
    """One tablet per store, used by whoever stands there: many persons, never a login."""
    store_orders = np.flatnonzero(
        shop.places.in_store & (shop.tills.person >= 0) & (shop.bought.total_milli > 0)
    )
    if not len(store_orders):
        return
    used = store_orders[draw.random(len(store_orders)) < 0.05]
    used = np.repeat(used if len(used) else store_orders[:3], 2)
    person, place = shop.tills.person[used], shop.places.place[used]
    tablets = pa.array([f"tablet-{store}" for store in PLACE_IDS[:WEB]])
    minute = shop.bought.order_minute[used] - draw.uniform(3, 25, len(used))
    product = shop.taste.similar(draw, person, minute.astype(np.int64))
    log.add(
        "tablet", "Product Viewed", minute, person, anonymous=pick(tablets, place), channel="store",
        properties={**shop.product(product), "currency": "GBP", "store": pick(pa.array(PLACE_IDS), place)},
    )  # fmt: skip
    truth.knows("anonymous_id", pick(tablets, place), person)
    for value in np.unique(place).tolist():
        truth.trap(
            "store_tablet", "anonymous_id", tablets[value].as_py(), "a tablet in a store, used by everybody"
        )
