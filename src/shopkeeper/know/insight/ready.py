"""Segments that every retailer expects, with thresholds from this shop's own customers.

Each comes with its condition in the one language, so that it can be saved, changed, watched live and explained as any
other; the thresholds are numbers of a day, and ``as_of`` says which.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from shopkeeper.know.insight.people import People
from shopkeeper.know.insight.rfm import CELLS, cell_condition, grid, plain
from shopkeeper.know.insight.wording import percent

_FEW = 20
"""Fewer customers than this give no threshold; a usual one stands in, and the note says so."""


class ReadyMade(Struct, frozen=True, kw_only=True):
    """A segment ready to be saved."""

    key: str
    name: str
    family: str
    """rfm, value, lifecycle or behaviour."""
    sentence: str
    """Who is in it."""
    why: str
    """Why it matters."""
    condition: str
    thresholds: dict[str, float] = field(default_factory=dict)
    as_of: datetime | None = None
    note: str = ""


class Tier(Struct, frozen=True, kw_only=True):
    """A tier of expected value: from the place of a customer in the ranking to a threshold, and what it holds."""

    key: str
    name: str
    least: float | None
    """Expected value from which on a customer belongs to it or a higher one; None for the lowest."""
    customers: int
    value: float
    value_share: float


TIERS: Final = (
    ("top", "Top 5 %", 0.05), ("high", "Next 15 %", 0.20), ("middle", "Next 30 %", 0.50), ("low", "Lower half", 1.0),
)  # fmt: skip


def tiers(people: People, trait: str = "clv_12m") -> tuple[Tier, ...]:
    """Everybody whose expected value is known, in tiers by rank; equals stay together, in the higher tier."""
    column = people.column(trait)
    values = np.sort(column[~np.isnan(column)])[::-1] if isinstance(column, np.ndarray) else np.empty(0)
    total = float(values.sum())
    told, before = [], math.inf
    for key, name, part in TIERS:
        last = part >= 1
        # Up to the next cent: a threshold with twelve digits is nobody's.
        least = (
            -math.inf
            if last or not values.size
            else math.floor(values[math.ceil(part * values.size) - 1] * 100) / 100
        )
        inside = (values >= least) & (values < before)
        held = float(values[inside].sum())
        told.append(
            Tier(
                key=key, name=name, least=None if last else float(least), customers=int(inside.sum()), value=held,
                value_share=held / total if total > 0 else 0.0,
            )
        )  # fmt: skip
        before = least
    return tuple(told)


def ready_made(people: People, *, as_of: datetime) -> tuple[ReadyMade, ...]:
    """Every ready-made segment that this shop's data can tell. Thresholds are those of ``people``, at ``as_of``."""
    there = {trait.name for trait in people.traits}
    made: list[ReadyMade] = []
    for needs, build in (
        ({"days_since_order", "order_days", "margin"}, _rfm),
        ({"clv_12m"}, _value),
        ({"state", "orders"}, _lifecycle),
        ({"state", "margin"}, _fading),
        ({"order_days", "mean_gap", "days_since_order"}, _first_time),
        ({"store_orders", "web_orders", "sessions", "store_visits", "omnichannel", "orders"}, _one_channel),
        (set(), _looked),
        ({"orders", "coupons", "coupon_share"}, _discount),
        ({"referrals", "reviews", "mean_rating", "social_deeds"}, _advocates),
        ({"orders", "returns"}, _returners),
    ):
        if needs <= there:
            made += build(people, as_of)
    return tuple(made)


def _numbers(people: People, name: str) -> NDArray[np.float64]:
    column = people.column(name)
    if not isinstance(column, np.ndarray):
        raise TypeError(f"{name} is no column of numbers")
    return column


def _quantile(values: NDArray[np.float64], at: float, usual: float) -> tuple[float, str]:
    """A quantile that is one of the values, and a note where there are too few for one."""
    known = values[~np.isnan(values)]
    if known.size < _FEW:
        return usual, f"too few customers to tell: {plain(usual)} is the usual figure"
    return float(np.quantile(known, at, method="higher")), ""


def _rfm(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    made = grid(people)
    if made.buyers < _FEW:
        return
    for cell in CELLS:
        condition = cell_condition(made, cell)
        if condition is not None:
            yield ReadyMade(
                key=f"rfm_{cell.key}", name=cell.name, family="rfm", sentence=cell.sentence, why=cell.why,
                condition=condition, as_of=as_of, note="; ".join(made.notes),
                thresholds={
                    f"{cut.trait}_score_{score}": at
                    for cut in (made.recency, made.frequency) for score, at in enumerate(cut.at, 2) if at is not None
                },
            )  # fmt: skip


def _value(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    told = tiers(people)
    above: float | None = None
    for tier in told if sum(tier.customers for tier in told) >= _FEW else ():
        parts = [] if tier.least is None else [f"clv_12m >= {plain(tier.least)}"]
        parts += [] if above is None else [f"clv_12m < {plain(above)}"]
        above = tier.least
        if not tier.customers:
            continue
        yield ReadyMade(
            key=f"value_{tier.key}", name=f"Expected value: {tier.name.lower()}", family="value",
            sentence=f"{tier.customers:,} customers who hold {percent(tier.value_share)} of all expected value.",
            why="Where the value sits decides how much a customer may cost to keep.",
            condition=" and ".join(parts), as_of=as_of,
            thresholds={} if tier.least is None else {"clv_12m": tier.least},
        )  # fmt: skip


def _lifecycle(_: People, as_of: datetime) -> Iterator[ReadyMade]:
    for state, name, sentence, why in (
        ("new", "New", "Bought once, and silent no longer than is usual.", "The second order is the one to win."),
        ("active", "Active", "Silent no longer than their own rhythm lets expect.", "Leave them their rhythm."),
        ("fading", "Fading", "Silent for longer than their own rhythm lets expect.",
         "Still in reach: the moment to ask."),
        ("lapsed", "Lapsed", "Silent at least twice as long as it took to become unusual.",
         "Winning back costs most here."),
        ("won back", "Won back", "Bought again after a lapse, and are not in a rhythm yet.",
         "The next order decides whether they are back."),
    ):  # fmt: skip
        yield ReadyMade(
            key=f"state_{state.replace(' ', '_')}", name=name, family="lifecycle", sentence=sentence, why=why,
            condition=f"state = '{state}'", as_of=as_of,
        )  # fmt: skip
    yield ReadyMade(
        key="never_bought", name="Never bought", family="lifecycle", condition="orders = 0", as_of=as_of,
        sentence="Known from visits, sign-ups or e-mail, without an order so far.",
        why="Interest is there; what is missing is a first reason to buy.",
    )  # fmt: skip


def _fading(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    margin = _numbers(people, "margin")
    least, note = _quantile(margin[margin > 0], 0.8, 100.0)
    yield ReadyMade(
        key="fading_valuable", name="Fading and valuable", family="lifecycle",
        sentence="Unusually silent by their own rhythm, and in the fifth with the largest margin so far.",
        why="What they brought is known; the expected value is low only because they are silent.",
        condition=f"state = 'fading' and margin >= {plain(_cents(least))}", thresholds={"margin": _cents(least)},
        as_of=as_of, note=note,
    )  # fmt: skip


def _first_time(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    gap = _numbers(people, "mean_gap")
    days, note = _quantile(gap[_numbers(people, "order_days") == 2], 0.8, 90.0)
    days = math.ceil(days)
    yield ReadyMade(
        key="first_time_buyers", name="First-time buyers", family="behaviour",
        sentence=f"Bought on one day only, at most {days} days ago.",
        why=f"Of those who came back once, four in five had done so within {days} days: now is the time.",
        condition=f"order_days = 1 and days_since_order <= {days}", thresholds={"days_since_order": days}, as_of=as_of,
        note=note,
    )  # fmt: skip


def _one_channel(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    orders = _numbers(people, "orders")
    both = _numbers(people, "omnichannel") > 0
    least, note = _quantile(orders[both], 0.25, 2.0)
    least = max(2.0, least)
    known = "No fewer orders than three in four of those who already buy in both."
    yield ReadyMade(
        key="store_looks_online", name="Store buyers who look online", family="behaviour",
        sentence=f"At least {least:.0f} orders, all in stores, and seen on the web shop.", why=known, as_of=as_of,
        condition=f"store_orders >= {least:.0f} and web_orders = 0 and sessions >= 1", thresholds={"orders": least},
        note=note,
    )  # fmt: skip
    yield ReadyMade(
        key="online_visits_store", name="Online buyers near a store", family="behaviour",
        sentence=f"At least {least:.0f} orders, all online, and seen in or near a store.", why=known, as_of=as_of,
        condition=f"web_orders >= {least:.0f} and store_orders = 0 and store_visits >= 1", thresholds={"orders": least},
        note=note,
    )  # fmt: skip


_VIEWS = """
SELECT count(*) AS views
FROM events AS e JOIN identities AS i ON i.node = e.node
WHERE e.name = 'Product Viewed' AND NOT coalesce(e.machine, FALSE) AND e.occurred_at > $since AND e.occurred_at <=
$until GROUP BY i.customer
"""
_LOOK: Final = 14


def _looked(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    table = people.query(_VIEWS, {"since": as_of - timedelta(days=_LOOK), "until": as_of})
    views, note = _quantile(np.asarray(table["views"].to_numpy(), float), 0.5, 3.0)
    views = max(2.0, views)
    yield ReadyMade(
        key="looked_not_bought", name="Looked, not bought", family="behaviour",
        sentence=f"Looked at products {views:.0f} times or more within {_LOOK} days, and ordered nothing in them.",
        why="The interest is fresh: it cools within days, and what it was about is known.", as_of=as_of, note=note,
        condition=(
            f"events('Product Viewed', days => {_LOOK}) >= {views:.0f} "
            f"and not events('Order Completed', days => {_LOOK})"
        ),
        thresholds={"views": views, "days": float(_LOOK)},
    )  # fmt: skip


def _discount(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    orders, coupons = _numbers(people, "orders"), _numbers(people, "coupons")
    share = float(coupons.sum() / orders.sum()) if orders.sum() else 0.0
    # So many orders that nobody who uses coupons as everybody does has one each time: below one chance in a hundred.
    least = min(max(math.ceil(math.log(0.01) / math.log(share)), 2), 8) if 0 < share < 1 else 2
    yield ReadyMade(
        key="discount_only", name="Discount only", family="behaviour",
        sentence=f"At least {least} orders, every one with a coupon; {percent(share)} of the shop's orders have one.",
        why="They come for the discount: another one wins no order that would not have come, or loses money.",
        condition=f"orders >= {least} and coupon_share >= 1", thresholds={"orders": float(least), "share": share},
        as_of=as_of,
    )  # fmt: skip


def _advocates(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    deeds = _numbers(people, "social_deeds")
    least, note = _quantile(deeds[deeds > 0], 0.9, 10.0)
    yield ReadyMade(
        key="advocates", name="Advocates", family="behaviour",
        sentence=f"Brought friends, wrote good reviews, or among the most active socially ({least:.0f} deeds).",
        why="They are worth more than they spend: what they bring others to buy is not on their own account.",
        condition=f"referrals >= 1 or (reviews >= 2 and mean_rating >= 4) or social_deeds >= {least:.0f}",
        thresholds={"social_deeds": least}, as_of=as_of, note=note,
    )  # fmt: skip


def prior(returns: NDArray[np.float64], orders: NDArray[np.float64]) -> tuple[float, float]:
    """The beta distribution of customers' rates of return, by moments: what is believed before the first order.

    >>> alpha, beta = prior(np.array([0.0, 0, 1, 4]), np.array([4.0, 4, 4, 4]))
    >>> round(alpha / (alpha + beta), 4)
    0.3125
    """
    rate = float(returns.sum() / orders.sum())
    if not 0 < rate < 1:
        return 1.0, 9.0
    weight = orders.sum() - (orders**2).sum() / orders.sum()
    between = float((orders * (returns / orders - rate) ** 2).sum()) - (orders.size - 1) * rate * (1 - rate)
    spread = between / max(float(weight) - orders.size + 1, 1e-9)
    together = rate * (1 - rate) / spread - 1 if spread > 0 else 100.0
    together = min(max(together, 0.2), 100.0)
    return rate * together, (1 - rate) * together


def _returners(people: People, as_of: datetime) -> Iterator[ReadyMade]:
    orders, returns = _numbers(people, "orders"), _numbers(people, "returns")
    buyers = orders > 0
    n, back = orders[buyers], np.minimum(returns, orders)[buyers]
    if n.size < _FEW or not back.any():
        return
    alpha, beta = (round(part, 2) for part in prior(back, n))
    shrunk = (back + alpha) / (n + alpha + beta)
    usual = alpha / (alpha + beta)
    least = (
        math.ceil(max(float(np.quantile(shrunk, 0.95, method="higher")), min(1.5 * usual, 0.9)) * 100) / 100
    )
    yield ReadyMade(
        key="serial_returners", name="Serial returners", family="behaviour",
        sentence=(
            f"Send back {percent(least)} of their orders or more, drawn towards the shop's {percent(usual)} while few "
            "orders are known."
        ),
        why="Their sales are partly on loan: look at the margin, the sizes and the descriptions before any offer.",
        condition=(
            f"orders >= 2 and (returns + {plain(alpha)}) / (orders + {plain(round(alpha + beta, 2))}) >= {plain(least)}"
        ),
        thresholds={"rate": least, "alpha": alpha, "beta": beta}, as_of=as_of,
    )  # fmt: skip


def _cents(value: float) -> float:
    return math.floor(value * 100) / 100
