"""Traits derived from a customer's record, each declared once. Money is in units of the reporting currency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from shopkeeper.domain.catalogue import UNKNOWN_PLACE
from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.consent import permitted
from shopkeeper.domain.customer import Customer, Tally, consents, looked_not_bought, mean_gap, objects
from shopkeeper.domain.money import from_minor
from shopkeeper.domain.traits import Kind, Ticks, Trait

_ONLINE = "web"


def _trait(
    name: str,
    kind: Kind,
    label: str,
    sentence: str,
    of: Callable[[Customer, int], Any],
    *,
    unit: str = "",
    clock: Ticks = "event",
    formula: str = "",
) -> Trait:
    return Trait(
        name=name, kind=kind, label=label, sentence=sentence, of=of, unit=unit, clock=clock, formula=formula
    )


def _time(
    name: str, label: str, sentence: str, at: Callable[[Customer], int | None], *, day: bool = False
) -> Trait:
    def of(c: Customer, _: int) -> datetime | None:
        return None if (found := at(c)) is None else instant(found)

    return Trait(name=name, kind="time", label=label, sentence=sentence, of=of, at=at, day=day)


def _day(days: list[int], place: int) -> int | None:
    return days[place] * DAY if days else None


def _orders_at(c: Customer, *, online: bool) -> int:
    if online:
        return c.places[_ONLINE].orders if _ONLINE in c.places else 0
    found = 0
    for place, tally in c.places.items():
        if place not in (_ONLINE, UNKNOWN_PLACE):
            found += tally.orders
    return found


def _largest(tallies: dict[str, Tally]) -> str:
    found, most = "", 0
    for name, tally in tallies.items():
        if tally.amount > most or (tally.amount == most > 0 and name < found):
            found, most = name, tally.amount
    return found


def _returned(c: Customer) -> float | None:
    """Share of value returned; what came back of orders nobody told of cannot make it more than everything."""
    bought = c.amount + c.returned
    return min(1.0, c.returned / bought) if c.orders and bought > 0 else None


def _mailable(c: Customer) -> bool:
    return bool(c.standings) and permitted(consents(c), "marketing_email")[0]


TRAITS: tuple[Trait, ...] = (
    _trait(
        "orders", "int", "Orders", "Orders placed, without returns.", lambda c, _: c.orders, unit="orders"
    ),
    _trait("returns", "int", "Returns", "Times goods came back.", lambda c, _: c.returns, unit="returns"),
    _trait(
        "revenue", "money", "Revenue", "Goods bought, net of discounts and returns.", lambda c, _: c.amount
    ),
    _trait("margin", "money", "Margin", "Contribution margin earned, net of returns.", lambda c, _: c.margin),
    _trait(
        "unconverted",
        "texts",
        "Not converted",
        "Net amounts in currencies without an exchange rate, which are in no other figure.",
        lambda c, _: [
            f"{code} {from_minor(minor, code)}" for code, minor in sorted(c.unconverted.items()) if minor
        ],
    ),
    _trait("returned", "money", "Returned", "Value of goods that came back.", lambda c, _: c.returned),
    _trait(
        "assumed_margin_on",
        "money",
        "Margin assumed on",
        "Revenue of products whose cost is not known, so that the margin on it is the shop's assumed share.",
        lambda c, _: c.assumed,
    ),
    _trait(
        "return_rate",
        "float",
        "Share of value returned",
        "Value of what came back over the value of everything bought, 0 to 1; unknown before the first order.",
        lambda c, _: _returned(c),
    ),
    _trait(
        "average_order",
        "money",
        "Average order",
        "Revenue over orders: what an order is worth, net of discounts and returns.",
        lambda c, _: c.amount / c.orders if c.orders else None,
    ),
    _trait("units", "float", "Units", "Units bought, net of returns.", lambda c, _: c.units, unit="units"),
    _time("first_order", "First order", "Day of the first order.", lambda c: _day(c.days, 0), day=True),
    _time("last_order", "Last order", "Day of the last order.", lambda c: _day(c.days, -1), day=True),
    _trait(
        "days_since_order",
        "int",
        "Days since last order",
        "Whole days since the last order.",
        lambda c, now: (now + c.offset) // DAY - c.days[-1] if c.days else None,
        unit="days",
        clock="time",
        formula="today() - last_order",
    ),
    _trait(
        "order_days",
        "int",
        "Days with an order",
        "Different days on which something was ordered.",
        lambda c, _: len(c.days),
        unit="days",
    ),
    _trait(
        "mean_gap",
        "float",
        "Usual gap",
        "Mean days between days with an order; more than ten years between two are none, as after a date of 1901.",
        lambda c, _: mean_gap(c.days),
        unit="days",
    ),
    _trait(
        "store_orders",
        "int",
        "Orders in stores",
        "Orders placed in a store.",
        lambda c, _: _orders_at(c, online=False),
        unit="orders",
    ),
    _trait(
        "web_orders",
        "int",
        "Orders online",
        "Orders placed in the web shop.",
        lambda c, _: _orders_at(c, online=True),
        unit="orders",
    ),
    _trait(
        "omnichannel",
        "bool",
        "Omnichannel",
        "Has bought both in a store and online.",
        lambda c, _: _orders_at(c, online=True) > 0 and _orders_at(c, online=False) > 0,
    ),
    _trait(
        "stores_bought",
        "int",
        "Stores bought in",
        "Different stores with an order, the web shop left out.",
        lambda c, _: sum(
            t.orders > 0 for place, t in c.places.items() if place not in (_ONLINE, UNKNOWN_PLACE)
        ),
        unit="stores",
    ),
    _trait(
        "main_place",
        "text",
        "Main place",
        "Store, or 'web', with the largest revenue.",
        lambda c, _: _largest(c.places),
    ),
    _trait(
        "favourite_category",
        "text",
        "Favourite category",
        "Category with the largest revenue.",
        lambda c, _: _largest(c.categories),
    ),
    _trait(
        "categories",
        "int",
        "Categories bought",
        "Different categories bought from.",
        lambda c, _: len(c.categories),
        unit="categories",
    ),
    _trait("coupons", "int", "Coupon orders", "Orders with a coupon.", lambda c, _: c.coupons, unit="orders"),
    _trait(
        "coupon_share",
        "float",
        "Share of orders with a coupon",
        "Orders with a coupon over all orders, 0 to 1; unknown before the first order.",
        lambda c, _: c.coupons / c.orders if c.orders else None,
    ),
    _trait(
        "discount_share",
        "float",
        "Share of orders with a discount",
        "Orders with a coupon or a discount on the whole order over all orders, 0 to 1; unknown before the first.",
        lambda c, _: c.reduced / c.orders if c.orders else None,
    ),
    _trait(
        "first_place",
        "text",
        "First bought at",
        "Store, or 'web', of the first order.",
        lambda c, _: c.first.place if c.first and c.first.place != UNKNOWN_PLACE else "",
    ),
    _trait(
        "first_staff",
        "text",
        "First served by",
        "Number of the associate who served at the first order.",
        lambda c, _: c.first.staff if c.first else "",
    ),
    _trait(
        "first_coupon",
        "text",
        "First coupon",
        "Coupon that the first order came with.",
        lambda c, _: c.first.coupon if c.first else "",
    ),
    _trait(
        "first_discounted",
        "bool",
        "Began with a discount",
        "The first order came with a coupon or a discount on the whole order; unknown before it.",
        lambda c, _: c.first.reduced if c.first else None,
    ),
    _trait(
        "sessions",
        "int",
        "Web sessions",
        "Visits to the web shop, thirty quiet minutes apart.",
        lambda c, _: c.sessions,
        unit="sessions",
    ),
    _trait(
        "products_viewed",
        "int",
        "Products looked at",
        "Different products looked at.",
        lambda c, _: len(c.browsing),
        unit="products",
    ),
    _trait(
        "looked_not_bought",
        "texts",
        "Looked at, not bought",
        "Products looked at and not bought since, latest first.",
        lambda c, _: looked_not_bought(c),
    ),
    _trait(
        "emails_delivered",
        "int",
        "E-mails delivered",
        "Marketing e-mails that arrived.",
        lambda c, _: c.engagement.delivered,
        unit="e-mails",
    ),
    _trait(
        "emails_clicked",
        "int",
        "E-mail clicks",
        "Clicks in e-mails, machines' left out.",
        lambda c, _: c.engagement.clicked,
        unit="clicks",
    ),
    _trait(
        "email_click_rate",
        "float",
        "Clicks an e-mail",
        "Clicks over marketing e-mails that arrived; unknown before the first one.",
        lambda c, _: c.engagement.clicked / c.engagement.delivered if c.engagement.delivered else None,
    ),
    _trait(
        "offers_accepted",
        "int",
        "Offers taken",
        "Offers accepted.",
        lambda c, _: c.engagement.offers_accepted,
        unit="offers",
    ),
    _trait(
        "social_deeds",
        "int",
        "Social deeds",
        "Follows, likes, comments, shares and pins.",
        lambda c, _: c.social.follows + c.social.likes + c.social.comments + c.social.shares + c.social.pins,
        unit="deeds",
    ),
    _trait(
        "reviews", "int", "Reviews", "Reviews with stars written.", lambda c, _: c.reviews, unit="reviews"
    ),
    _trait(
        "mean_rating",
        "float",
        "Mean rating",
        "Mean stars given.",
        lambda c, _: c.rating_sum / c.reviews if c.reviews else None,
        unit="stars",
    ),
    _trait(
        "referrals",
        "int",
        "Friends brought",
        "Customers brought by referral.",
        lambda c, _: c.referrals,
        unit="customers",
    ),
    _trait("points", "int", "Points", "Loyalty points granted.", lambda c, _: c.points, unit="points"),
    _trait(
        "contacts",
        "int",
        "Contacts",
        "Times the customer got in touch.",
        lambda c, _: c.contacts,
        unit="contacts",
    ),
    _trait(
        "complaints",
        "int",
        "Complaints",
        "Contacts that were complaints or unhappy.",
        lambda c, _: c.complaints,
        unit="contacts",
    ),
    _trait(
        "open_cases",
        "int",
        "Open cases",
        "Contacts not closed yet.",
        lambda c, _: len(c.open_cases),
        unit="cases",
    ),
    _trait(
        "store_visits",
        "int",
        "Store visits",
        "Visits to and detections near stores.",
        lambda c, _: sum(c.visits.values()),
        unit="visits",
    ),
    _trait(
        "marketing_email",
        "bool",
        "May be mailed",
        "Marketing by e-mail is permitted by a recorded consent.",
        lambda c, _: _mailable(c),
    ),
    _trait(
        "objects_to_profiling",
        "bool",
        "Objects to profiling",
        "Has objected to profiling: no predictions are kept, and no segment takes the person in.",
        lambda c, _: objects(c),
    ),
    _trait("country", "text", "Country", "Country last delivered to or told.", lambda c, _: c.country),
    _trait(
        "acquisition_channel",
        "text",
        "Acquired through",
        "Channel that brought the customer.",
        lambda c, _: c.acquisition_channel,
    ),
    _time(
        "first_seen",
        "First seen",
        "When anything was first heard of the customer.",
        lambda c: c.first_seen or None,
    ),
    _time(
        "last_seen",
        "Last seen",
        "When anything was last heard of the customer.",
        lambda c: c.last_seen or None,
    ),
    _trait(
        "events", "int", "Events", "Everything heard of the customer.", lambda c, _: c.events, unit="events"
    ),
)
"""Every trait that the fold knows, in the order in which people are shown them."""
