"""What the condition language has, declared once: functions, facts of events, operators, each with an example.

The parser, the types, the printers and the reference page read these tables; nothing else is in the language.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Function(Struct, frozen=True):
    """A function by name. ``takes`` says its arguments in words, ``least`` and ``most`` how many there may be."""

    name: str
    takes: str
    sentence: str
    example: str
    least: int = 0
    most: int = 0


def _by_name(*rows: Function) -> dict[str, Function]:
    return {row.name: row for row in rows}


MANY: Final = 50
"""Most arguments of any function and values of any list but ``in``'s."""

CALLS: Final = _by_name(
    Function("abs", "number", "Without its sign.", "abs(revenue - 100) < 10", 1, 1),
    Function(
        "round", "number, digits", "To so many digits (0 to 6, none where left out); a half goes away from zero.",
        "round(mean_rating, 1) >= 4.5", 1, 2,
    ),
    Function("least", "values", "The smallest of those that are known.", "least(orders, 10) = 10", 2, MANY),
    Function("greatest", "values", "The largest of those that are known.", "greatest(clv_12m, revenue) > 500", 2, MANY),
    Function("coalesce", "values", "The first that is known.", "coalesce(days_since_order, 9999) > 90", 2, MANY),
    Function("lower", "text", "In small letters, letter by letter.", "lower(country) = 'france'", 1, 1),
    Function("contains", "text, part", "Whether the part is in it, case and all.", "contains(country, 'King')", 2, 2),
    Function("starts_with", "text, beginning", "Whether it begins so.", "starts_with(main_place, 'S')", 2, 2),
    Function("ends_with", "text, end", "Whether it ends so.", "ends_with(country, 'land')", 2, 2),
    Function("day", "time", "The day of an instant in the shop's zone.", "day(last_seen) = today()", 1, 1),
    Function("has", "list, text", "Whether the text is one of the list.", "has(looked_not_bought, '85048')", 2, 2),
    Function(
        "has_any", "list, texts", "Whether one of the texts is.",
        "has_any(looked_not_bought, '85048', '22423')", 2, MANY,
    ),
    Function(
        "has_all", "list, texts", "Whether all of the texts are.",
        "has_all(looked_not_bought, '85048', '22423')", 2, MANY,
    ),
    Function("size", "list", "How many texts are in the list.", "size(looked_not_bought) >= 3", 1, 1),
)  # fmt: skip
"""Functions of values."""

MOMENTS: Final = _by_name(
    Function(
        "now", "", "The instant at which the condition is asked.", "last_seen > now() - interval '2 hours'"
    ),
    Function("today", "", "Today in the shop's zone.", "last_order >= today() - interval '3 months'"),
    Function("this_week", "", "Monday of this week.", "first_seen >= this_week()"),
    Function("this_month", "", "The first day of this month.", "first_order >= this_month()"),
    Function("this_quarter", "", "The first day of this quarter.", "orders(since => this_quarter()) >= 1"),
    Function("this_year", "", "The first of January.", "spend(since => this_year()) > 500"),
)
"""Functions without arguments."""

DEEDS: Final = _by_name(
    Function(
        "events", "names, filters, window, then or then_not",
        "How many such events were heard of the customer, cancelled orders and all. Alone where a yes or no is "
        "wanted, it means at least one.",
        "events('Product Viewed', category => 'Lighting', days => 14) >= 2",
    ),
    Function(
        "first", "names, filters, window", "When the first of them was.", "first('Store Visited') >= date '2011-01-01'"
    ),
    Function(
        "last", "names, filters, window", "When the last of them was.",
        "last('Product Viewed') > last('Order Completed')",
    ),
    Function(
        "orders", "filters, window",
        "How many orders stand: each once, with what was told of it last, at its first telling; cancelled ones not.",
        "orders(channel => 'store', days => 365) >= 2",
    ),
    Function(
        "spend", "filters, window",
        "What was spent in the reporting currency: orders that stand less what came back, each at its own time.",
        "spend(category => 'Lighting', days => 90) > 100",
    ),
)  # fmt: skip
"""Functions of what the customer did."""

SEGMENT: Final = Function(
    "segment",
    "name",
    "Whether the customer is in the segment.",
    "segment('fading valuable') and not segment('staff')",
    1,
    1,
)
EVENT: Final = Function(
    "event", "name, filters", "An event with filters, after 'then' and 'then_not'.",
    "events('Product Added', then_not => event('Order Completed', channel => 'web'), within_days => 3)",
)  # fmt: skip
CUSTOM: Final = Function(
    "custom", "name", "An event that nobody declared, by the name under which it was sent.",
    "events(custom('Robot Waved'))", 1, 1,
)  # fmt: skip

NAMES: Final = (*CALLS, *MOMENTS, *DEEDS, SEGMENT.name, EVENT.name, CUSTOM.name)
"""Every function's name."""

WINDOW: Final = {
    "days": "in the last so many times 24 hours: later than that, up to now",
    "hours": "in the last so many hours",
    "since": "from a day or an instant on, which is included",
    "before": "before a day or an instant, which is left out",
}
"""Arguments that say when. ``days`` or ``hours`` stand alone; ``since`` and ``before`` go together."""

THEN: Final = {
    "then": "counts those after which this event came within the time",
    "then_not": "counts those after which it did not come within the time; not before the time is over",
    "within_days": "the time, in times of 24 hours",
    "within_hours": "the time, in hours",
}
"""Arguments that say what came after. Later than the event, and before the time is over."""

MOST_DAYS: Final = 36_600
"""Longest window, in days; and how far lengths of time move a day or an instant, all together."""
DAYS_OF: Final[dict[str, float]] = {
    "minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 31, "year": 366,
}  # fmt: skip
"""Days that a unit has at most."""


class Fact(Struct, frozen=True):
    """A fact of an event that filters may ask for. ``line`` facts of an order are those of its lines."""

    name: str
    kind: str
    label: str
    sentence: str
    deeds: frozenset[str]
    line: bool = False


_ALL = frozenset(DEEDS)
_HEARD = frozenset({"events", "first", "last"})


def _fact(
    name: str,
    label: str,
    sentence: str,
    *,
    kind: str = "text",
    deeds: frozenset[str] = _ALL,
    line: bool = False,
) -> Fact:
    return Fact(name, kind, label, sentence, deeds, line)


FACTS: Final = {
    row.name: row
    for row in (
        _fact(
            "category", "category", "category as told, or that of the product; of an order, of one of its lines",
            line=True,
        ),
        _fact("product_id", "product", "the retailer's product number; of an order, of one of its lines", line=True),
        _fact("channel", "channel", "web, app, store, email, ...; what comes back has its order's"),
        _fact("store", "store", "store id, or 'web'; what comes back has its order's"),
        _fact("source", "source", "the source that told of it"),
        _fact("brand", "brand", "brand of the source"),
        _fact(
            "amount", "amount", "in the reporting currency; of an order net of discount, of what came back above zero",
            kind="money", deeds=_HEARD | {"orders"},
        ),
        _fact("currency", "currency", "currency it was told in; the reporting one where none was told"),
        _fact("campaign_id", "campaign", "campaign it belonged to", deeds=_HEARD),
        _fact("offer_id", "offer", "offer it was about", deeds=_HEARD),
        _fact("arm", "arm", "arm of the experiment", deeds=_HEARD),
        _fact("reason", "reason", "why: of contacts, bounces, rewards, stock", deeds=_HEARD),
        _fact("order_id", "order", "order number", deeds=_HEARD),
        _fact(
            "machine", "machine", "done by a machine, such as an e-mail opened by a privacy proxy; those are left out "
            "unless this is asked for", kind="bool", deeds=_HEARD,
        ),
    )
}  # fmt: skip
"""Every fact, in the order in which a builder offers them."""

LINED: Final = frozenset({"Order Completed", "Order Updated", "Order Refunded", "Order Lines Added"})
"""Events whose category and product are those of their lines."""

OPERATORS: Final = (
    ("= <> < <= > >=", "compares; texts only by = and <>", "orders >= 2"),
    ("between", "from and to, both included", "p_alive between 0.3 and 0.7"),
    ("in, not in", "one of a list", "state in ('fading', 'lapsed')"),
    ("like, ilike", "% is anything, _ one character; ilike ignores case", "main_place like 'S%'"),
    ("is null, is not null", "whether it is known", "country is null"),
    (
        "is true, is false, is not true, is not false",
        "yes or no, unknown counting as neither",
        "omnichannel is not true",
    ),
    (
        "and, or, not",
        "unknown and false is false, unknown or true is true, not unknown is unknown",
        "not omnichannel",
    ),
    ("+ - * /", "arithmetic; division by zero is null", "revenue / orders > 100"),
    ("+ - with interval", "moves a day or an instant", "last_order < today() - interval '1 year'"),
)
"""Operators in words, each with an example."""
