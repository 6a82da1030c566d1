"""What is remembered of one customer: the state that folding events builds, and nothing personal in it.

Amounts are minor units of the reporting currency; days are the shop's and count from 1970; instants are microseconds.
The record is a pure function of the customer's events, in the order of ``domain.ordering``, and of the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct, field


class Tally(Struct, array_like=True, gc=False):
    """What was bought somewhere or of something."""

    orders: int = 0
    units: float = 0
    amount: int = 0
    margin: float = 0.0
    last: int = 0


class OrderMark(Struct, array_like=True, gc=False):
    """What a later return, cancellation or telling must know of an order."""

    day: int
    place: str
    amount: int
    margin: float
    units: float
    told: bool = True
    """False while only lines added to it or refunds are known, and not the order itself: ``margin`` is then what its
    day will be given."""
    cancelled: bool = False
    """Nothing about a cancelled order counts, whenever it happened."""


class FirstOrder(Struct, array_like=True, gc=False):
    """How a customer began: the first order that stands."""

    at: int
    place: str
    """Store id, 'web' or 'unknown'."""
    staff: str = ""
    """Who served."""
    coupon: str = ""
    reduced: bool = False
    """Whether it came with a coupon or a discount on the whole order."""


class Interest(Struct, array_like=True, gc=False):
    """How often and when last a product was looked at or put into the cart."""

    views: int = 0
    carts: int = 0
    last: int = 0


class Case(Struct, array_like=True, gc=False):
    """A contact with the shop's service that is still open."""

    opened_at: int
    reason: str
    sentiment: str
    medium: str


class Standing(Struct, array_like=True, gc=False):
    """Where one purpose of consent stands."""

    granted: bool
    at: int
    basis: str
    source: str


class Engagement(Struct, omit_defaults=True):
    """E-mail and offers."""

    delivered: int = 0
    opened: int = 0
    """By people; opens made by machines count as nothing."""
    clicked: int = 0
    bounced: int = 0
    complained: int = 0
    last_click: int = 0
    offers_shown: int = 0
    offers_accepted: int = 0
    offers_declined: int = 0


class Social(Struct, omit_defaults=True):
    """Deeds on social networks."""

    linked: list[str] = field(default_factory=list)
    follows: int = 0
    likes: int = 0
    comments: int = 0
    shares: int = 0
    pins: int = 0
    last: int = 0


class Customer(Struct, omit_defaults=True):
    """One customer's record. ``last`` is the place in the order of events up to which it was folded: time and
    ``domain.ordering.place``.
    """

    events: int = 0
    first_seen: int = 0
    last_seen: int = 0
    last: tuple[int, bytes] = (0, b"")
    channels: dict[str, int] = field(default_factory=dict)
    """Events by channel."""

    orders: int = 0
    returns: int = 0
    units: float = 0
    amount: int = 0
    """Net of returns and discounts."""
    returned: int = 0
    margin: float = 0.0
    """Contribution margin, net of returns."""
    assumed: int = 0
    """Of ``amount``, how much had no known cost, so that its margin is the assumed share."""
    days: list[int] = field(default_factory=list)
    """Days with at least one order, ascending, in the shop's zone."""
    day_margin: list[float] = field(default_factory=list)
    """Margin of the orders of each of ``days``."""
    unpriced: list[int] = field(default_factory=list)
    """Days with an order in a currency without a rate, ascending: their margin is not known."""
    places: dict[str, Tally] = field(default_factory=dict)
    """By store id or 'web'."""
    categories: dict[str, Tally] = field(default_factory=dict)
    products: dict[str, Tally] = field(default_factory=dict)
    marks: dict[str, OrderMark] = field(default_factory=dict)
    """By order id."""
    last_order: str = ""
    coupons: int = 0
    reduced: int = 0
    """Orders with a coupon or a discount on the whole order."""
    first: FirstOrder | None = None
    unconverted: dict[str, int] = field(default_factory=dict)
    """Net amounts in currencies without a rate, in their minor units; in no other figure."""
    offset: int = 0
    """Microseconds by which the shop's zone was ahead of UTC at the latest order."""

    browsing: dict[str, Interest] = field(default_factory=dict)
    """Products looked at or put into the cart, by product id."""
    sessions: int = 0
    last_view: int = 0
    searches: int = 0
    engagement: Engagement = field(default_factory=Engagement)
    social: Social = field(default_factory=Social)
    contacts: int = 0
    complaints: int = 0
    open_cases: dict[str, Case] = field(default_factory=dict)
    closed_early: list[str] = field(default_factory=list)
    """Cases of which the closing carries an earlier time than the opening."""
    visits: dict[str, int] = field(default_factory=dict)
    """Store visits and beacon detections, by store."""
    last_visit: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    """Latest chosen answer by question."""
    reviews: int = 0
    rating_sum: float = 0.0
    referrals: int = 0
    points: int = 0
    standings: dict[str, dict[int, Standing]] = field(default_factory=dict)
    """By purpose and identity node: what each identity said last."""
    country: str = ""
    acquisition_channel: str = ""
    joined: str = ""
    attributes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Third-party attributes: value, provider, as-of date."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Events nobody declared, counted by name."""
    failed: dict[str, int] = field(default_factory=dict)
    """Events that could not be taken in (a value out of bounds, an unknown purpose), counted by name."""


class Bought(Struct):
    """What models of value and rhythm ask of a record; the rest of it is passed over unread."""

    days: list[int] = field(default_factory=list)
    day_margin: list[float] = field(default_factory=list)
    unpriced: list[int] = field(default_factory=list)
    standings: dict[str, dict[int, Standing]] = field(default_factory=dict)


def consents(customer: Customer) -> dict[str, Standing]:
    """Where each purpose stands for the whole person: of several identities the most restrictive counts.

    >>> given, gone = Standing(True, 20, "consent", "web"), Standing(False, 10, "consent", "mail")
    >>> consents(Customer(standings={"ads": {1: given, 2: gone}}))["ads"].granted
    False
    """
    return {
        purpose: min(by_node.values(), key=lambda s: (s.granted, -s.at))
        for purpose, by_node in customer.standings.items()
    }


def objects(customer: Customer | Bought) -> bool:
    """Whether the person, by any of their identities, objects to profiling.

    >>> objects(Customer(standings={"profiling": {1: Standing(False, 10, "legitimate_interest", "web")}}))
    True
    """
    return any(not said.granted for said in customer.standings.get("profiling", {}).values())


def mean_gap(days: Sequence[int], most: int = 3_653) -> float | None:
    """Mean days between days with an order, which ascend. More than ten years between two are no gap: a date that
    cannot be right (1901, 1970), or somebody who was met anew.

    >>> mean_gap([-25_202, 19_000, 19_010, 19_030]), mean_gap([0, 19_000]), mean_gap([7])
    (15.0, None, None)
    """
    if len(days) < 2:
        return None
    if (whole := days[-1] - days[0]) <= most:
        return whole / (len(days) - 1)
    gaps = [gap for before, day in pairwise(days) if (gap := day - before) <= most]
    return sum(gaps) / len(gaps) if gaps else None


def looked_not_bought(customer: Customer, most: int = 10) -> list[str]:
    """Products looked at after they were last bought, or never bought, latest first.

    >>> c = Customer(browsing={"a": Interest(2, 0, 50), "b": Interest(1, 0, 90)}, products={"b": Tally(1, 1, 5, 1, 95)})
    >>> looked_not_bought(c)
    ['a']
    """
    bought = customer.products
    open_ = [
        (interest.last, product)
        for product, interest in customer.browsing.items()
        if product not in bought or bought[product].last < interest.last
    ]
    return [product for _, product in sorted(open_, reverse=True)[:most]]


def top(tallies: dict[str, Tally], most: int = 5) -> list[tuple[str, Tally]]:
    """The largest tallies by amount."""
    return sorted(tallies.items(), key=lambda kv: (-kv[1].amount, kv[0]))[:most]


def plain(customer: Customer) -> dict[str, Any]:
    """The record as plain data, for an export or a comparison."""
    return dict(msgspec.to_builtins(customer, builtin_types=(bytes,)))
