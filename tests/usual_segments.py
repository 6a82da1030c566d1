"""Conditions as people write them, and lives in which they become true and false again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition.facts import EventFacts, event_facts
from tests.conditions import TODAY

HOUR = DAY // 24
_CATEGORIES = ("Lighting", "Garden")


def leaf(chance: Random) -> str:  # noqa: C901 - a list of templates
    """One comparison."""
    test = chance.choice(("<", "<=", ">", ">=", "=", "<>"))
    n, days, hours = chance.randint(0, 4), chance.choice((1, 2, 5, 10, 20)), chance.choice((2, 12, 30))
    what = chance.choice(("Product Viewed", "Store Visited"))
    category = f"'{chance.choice(_CATEGORIES)}'" if chance.random() < 0.7 else str(_CATEGORIES)
    inside = f", category => {category}" if what == "Product Viewed" and chance.random() < 0.6 else ""
    window = chance.choice(
        (
            "", f", days => {days}", f", hours => {hours}", ", since => this_week()",
            f", since => today() - interval '{days} days'", f", before => today() - interval '{n} days'",
            f", since => date '{_date(chance)}'", f", since => now() - interval '{hours} hours'",
        )
    )  # fmt: skip
    bare = window.removeprefix(", ")
    match chance.randint(0, 19):
        case 0 | 1 | 2 | 3:
            return f"events('{what}'{inside}{window}) {test} {n}"
        case 4:
            then = chance.choice(("then", "then_not"))
            return f"events('{what}'{inside}, {then} => 'Order Completed', within_hours => {hours}{window}) {test} {n}"
        case 5:
            return f"{chance.choice(('first', 'last'))}('{what}'{inside}{window}) {test} now() - interval '{days} days'"
        case 6:
            return f"last('{what}'{inside}{window}) is null"
        case 7:
            return f"last('{what}') {test} last('Order Completed')"
        case 8 | 9:
            line = f"category => {category}" if chance.random() < 0.6 else ""
            return f"orders({', '.join(x for x in (line, bare) if x)}) {test} {n}"
        case 10 | 11:
            line = f"category => {category}" if chance.random() < 0.6 else ""
            return f"spend({', '.join(x for x in (line, bare) if x)}) {test} {n * 5}"
        case 12:
            return f"days_since_order {test} {days}"
        case 13:
            return f"last_order {test} today() - interval '{n} {chance.choice(('days', 'weeks', 'months'))}'"
        case 14:
            return f"last_seen {test} now() - interval '{hours * n} hours'"
        case 15:
            return f"last_seen {test} today() - interval '{days} days'"
        case 16:
            return chance.choice(
                ("state = 'fading'", "state in ('new', 'lapsed')", "country = 'France'", "omnichannel")
            )
        case 17:
            return chance.choice(
                ("has(looked_not_bought, 'p1')", "size(looked_not_bought) > 1", "country is null")
            )
        case 18:
            return chance.choice(
                (f"revenue / orders > {n}", "today() > last_order + interval '1 month'", "day(first_seen) = today()",
                 f"today() >= date '{_date(chance)}'", f"orders {test} {n}", f"orders between 1 and {n + 1}")
            )  # fmt: skip
    return "segment('vip')"


def _date(chance: Random) -> str:
    from shopkeeper.domain.clock import day_of

    return day_of(TODAY - chance.randint(-5, 40)).isoformat()


def usual(chance: Random, depth: int = 2) -> str:
    """A condition of one comparison or some."""
    if depth == 0 or chance.random() < 0.4:
        return leaf(chance)
    parts = [usual(chance, depth - 1) for _ in range(chance.randint(2, 3))]
    joined = f" {chance.choice(('and', 'or'))} ".join(f"({part})" for part in parts)
    return f"not ({joined})" if chance.random() < 0.25 else joined


def traits(chance: Random) -> dict[str, Any]:
    """Traits of somebody."""
    day = TODAY - chance.randint(0, 40)
    return {
        "orders": chance.randint(0, 4), "revenue": chance.choice((0.0, 5.0, 20.0)),
        "last_order": chance.choice((None, day * DAY)), "state": chance.choice(("new", "fading", "lapsed", None)),
        "country": chance.choice(("France", "Sweden", "")), "omnichannel": chance.random() < 0.5,
        "last_seen": chance.choice((None, day * DAY + chance.randint(0, DAY))),
        "first_seen": chance.choice((None, day * DAY + chance.randint(0, DAY))),
        "looked_not_bought": chance.sample(["p0", "p1", "p2"], chance.randint(0, 3)),
    }  # fmt: skip


def event(chance: Random, now: int, number: int) -> EventFacts:
    """Something that is heard at an instant: of then, of before, or dated ahead."""
    late = chance.random()
    at = now - (
        0
        if late < 0.6
        else chance.randint(0, 12 * 24) * HOUR
        if late < 0.95
        else -chance.randint(1, 60) * HOUR
    )
    name = chance.choice(
        ("Product Viewed", "Product Viewed", "Product Viewed", "Store Visited", "Order Completed", "Order Completed",
         "Order Refunded", "Order Updated", "Order Lines Added", "Order Cancelled")
    )  # fmt: skip
    payload: dict[str, Any] = {
        "category": chance.choice((*_CATEGORIES, "")),
        "product_id": chance.choice(("p0", "p1", "")),
    }
    if name == "Store Visited":
        payload = {"store": "S1"}
    if name.startswith("Order"):
        lines = [
            {"category": chance.choice(_CATEGORIES), "amount": chance.choice((500, 1500))} for _ in range(2)
        ]
        payload = {
            "order_id": f"o{chance.randint(1, 9)}" if chance.random() < 0.9 else "",
            "products": lines, "amount": sum(line["amount"] for line in lines),
        }  # fmt: skip
    # two tellings of one instant are a corner of their own
    return event_facts(
        name,
        at + number,
        json.dumps(payload).encode(),
        key=number.to_bytes(4, "big"),
        channel=chance.choice(("web", "store")),
    )


def happenings(chance: Random, count: int) -> Iterator[tuple[str, Any]]:
    """What happens, step by step, from forty days ago on."""
    now, number = (TODAY - 40) * DAY, 0
    for _ in range(count):
        draw = chance.random()
        if draw < 0.45:
            found = [event(chance, now, number + n) for n in range(chance.randint(1, 3))]
            number += len(found)
            yield "events", found
        elif draw < 0.55:
            yield "traits", traits(chance)
        elif draw < 0.58:
            yield "whole", None
        else:
            went = chance.choice((HOUR, 3 * HOUR, 11 * HOUR, DAY, 2 * DAY + 7, 5 * DAY, 1))
            now += went
            yield "time", went
