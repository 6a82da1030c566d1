"""A thousand segments as a retailer has them: value, rhythm, categories, stores, campaigns, carts, service."""

from __future__ import annotations

import random
from collections.abc import Iterator

import world as worlds


def realistic(count: int = 1_000, seed: int = 1) -> list[tuple[str, str]]:
    """Names and conditions, in the order in which they must be saved."""
    chance = random.Random(seed)
    found = list(_all(chance))
    first = [one for one in found if one[0] in _ASKED]
    rest = [one for one in found if one[0] not in _ASKED]
    return [*first, *chance.sample(rest, min(len(rest), max(0, count - len(first))))]


_ASKED = frozenset({"lapsed-60", "rfm-5-90-500"})
"""Segments that others ask about."""


def _all(chance: random.Random) -> Iterator[tuple[str, str]]:  # noqa: C901 - a list
    for days in (7, 14, 30, 45, 60, 90, 120, 180, 270, 365):
        yield f"lapsed-{days}", f"orders >= 1 and days_since_order > {days}"
        yield f"new-{days}", f"orders = 1 and first_order >= today() - interval '{days} days'"
    for orders in (2, 3, 5, 8, 12):
        for days in (30, 60, 90, 180):
            for revenue in (100, 250, 500, 1000):
                yield (
                    f"rfm-{orders}-{days}-{revenue}",
                    f"orders >= {orders} and days_since_order <= {days} and revenue >= {revenue}",
                )
    for clv in (20, 50, 100, 200):
        for alive in (0.2, 0.4, 0.6, 0.8):
            yield f"value-{clv}-{alive:g}".replace(".", "-"), f"clv_12m > {clv} and p_alive < {alive}"
            yield (
                f"save-{clv}-{alive:g}".replace(".", "-"),
                f"clv_12m > {clv} and p_alive < {alive} and state = 'fading'",
            )
    for k in range(worlds.CATEGORIES):
        aisle = f"category => 'Aisle {k}'"
        for spent in (20, 60, 150):
            yield f"buys-{k}-{spent}", f"spend({aisle}, days => 365) > {spent}"
        for days, times in ((7, 2), (14, 2), (30, 4), (30, 8)):
            yield (
                f"looked-{k}-{days}-{times}",
                f"events('Product Viewed', {aisle}, days => {days}) >= {times} and not orders({aisle}, days => {days})",
            )
        yield (
            f"cart-{k}",
            f"events('Product Added', {aisle}, then_not => 'Order Completed', within_hours => 24, days => 7)",
        )
        yield f"gone-{k}", f"orders({aisle}) >= 2 and not orders({aisle}, days => 120)"
        yield f"good-{k}", f"segment('rfm-5-90-500') and spend({aisle}, days => 180) > 40"
        yield (
            f"again-{k}",
            f"last('Order Completed', {aisle}) < now() - interval '60 days' and segment('lapsed-60')",
        )
    for store in range(1, 9):
        for times in (1, 2, 4):
            yield f"store-{store}-{times}", f"orders(store => 'S{store}', days => 365) >= {times}"
        yield (
            f"visits-{store}",
            f"events('Store Visited', store => 'S{store}', days => 60) and store_orders = 0",
        )
        yield f"main-{store}", f"main_place = 'S{store}' and revenue > 200"
    for campaign in range(1, 41):
        yield (
            f"clicked-{campaign}",
            f"events('Email Link Clicked', campaign_id => 'news-{campaign}', days => 90)",
        )
        yield (
            f"unmoved-{campaign}",
            f"events('Email Opened', campaign_id => 'news-{campaign}', days => 30) "
            "and not events('Order Completed', days => 30)",
        )
    for product in range(150):
        yield (
            f"wants-{product}",
            f"events('Product Viewed', product_id => 'P{product:03d}', days => 14) >= 2 "
            f"and has(looked_not_bought, 'P{product:03d}')",
        )
    for days in (7, 30, 90):
        yield f"complained-{days}", f"events('Contact Opened', reason => 'complaint', days => {days})"
        yield f"mailed-{days}", f"marketing_email and events('Email Link Clicked', days => {days}) >= 2"
        yield (
            f"quiet-{days}",
            f"marketing_email and not events('Email Opened', days => {days}) and orders >= 2",
        )
        for times in (3, 10):
            yield (
                f"busy-{days}-{times}",
                f"events('Product Viewed', days => {days}) >= {times} and orders = 0",
            )
    for minutes in (15, 30, 60, 240, 1440):
        yield f"here-{minutes}", f"last_seen > now() - interval '{minutes} minutes' and orders >= 1"
    for online in range(1, 6):
        for stores in range(1, 6):
            yield (
                f"omni-{online}-{stores}",
                f"omnichannel and web_orders >= {online} and store_orders >= {stores}",
            )
            yield (
                f"shift-{online}-{stores}",
                f"web_orders >= {online} and store_orders < {stores} and revenue > {online * 60}",
            )
    for month in range(1, 13):
        yield f"month-{month}", f"spend(since => this_month()) > {month * 10} and orders >= {month}"
        yield f"quarter-{month}", f"orders(since => this_quarter()) >= {month}"
        yield f"year-{month}", f"spend(since => this_year()) > {month * 50}"
        yield (
            f"returns-{month}",
            f"returns >= {month} and returned / greatest(revenue + returned, 1) > 0.{month % 9 + 1}",
        )
    for n in range(40):
        a, b = chance.choice((2, 3, 4, 6)), chance.choice((20, 50, 75, 130))
        yield (
            f"mix-{n}",
            f"orders >= {a} and revenue / orders > {b} and units > {n} and country = 'United Kingdom'",
        )
    for n in range(180):
        a, b, c = chance.randint(1, 12), chance.randint(10, 900), chance.randint(5, 400)
        yield f"tier-{n}", f"orders >= {a} and revenue between {b} and {b + 400} and days_since_order <= {c}"
