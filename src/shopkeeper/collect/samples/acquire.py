"""How customers came: acquisition channels and their monthly spend, and customers who brought others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.columns import join, money, pick, texts
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Floats, Ints
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog
from shopkeeper.collect.samples.world import CHANNELS, WORLD, generator

REFERRAL = list(CHANNELS).index("referral")
REWARD_POINTS = 250
"""Loyalty points for a friend's first order."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Per person: acquisition channel (code), who referred them (-1: nobody), real value in pounds."""

    channel: Ints
    referrer: Ints
    value: Floats

    @property
    def referrers(self) -> Ints:
        """All persons who brought somebody."""
        return np.unique(self.referrer[self.referrer >= 0])


def acquire(shop: Shop, seed: int) -> Arrivals:
    """Draw channels by the real value of each customer, so that channels differ in what they bring."""
    draw = generator(seed, "acquisition")
    p, n = shop.persons, len(shop.persons)
    value = np.zeros(n)
    named = shop.tills.person >= 0
    np.add.at(value, shop.tills.person[named], shop.bought.total_milli[named] / 1000)
    customers = np.arange(n) < p.customers
    third = np.searchsorted(np.quantile(value[customers & p.used], [1 / 3, 2 / 3]), value)
    weights = np.array([shares for shares, _ in CHANNELS.values()])
    weights = np.cumsum(weights / weights.sum(axis=0), axis=0)
    channel = (draw.random(n)[:, None] > weights[:, third].T).sum(axis=1).clip(0, len(CHANNELS) - 1)

    engaged = np.flatnonzero(customers & p.used)
    weight = p.engagement[engaged] ** 3
    count = max(2, round(WORLD.referrers * len(engaged)))
    bringers = draw.choice(engaged, min(count, len(engaged)), replace=False, p=weight / weight.sum())
    referrer = np.full(n, -1, np.int64)
    for friend in np.flatnonzero((channel == REFERRAL) & customers & p.used).tolist():
        earlier = bringers[p.joined_day[bringers] < p.joined_day[friend] - 30]
        if len(earlier):
            referrer[friend] = draw.choice(earlier)
    channel = np.where((channel == REFERRAL) & (referrer < 0), 0, channel)
    late = np.flatnonzero(customers & p.used & (p.joined_day >= FIRST_DAY))
    if not (referrer[late] >= 0).any():  # a small sample has its referral too
        for friend in late[np.argsort(-p.joined_day[late], kind="stable")].tolist():
            earlier = bringers[p.joined_day[bringers] < p.joined_day[friend] - 30]
            if len(earlier) and friend not in bringers:
                referrer[friend], channel[friend] = earlier[0], REFERRAL
                break
    return Arrivals(channel.astype(np.int64), referrer, value)


def log_referrals(shop: Shop, arrivals: Arrivals, seed: int, log: EventLog, truth: Truth) -> None:
    """Log each referral when the friend joined, and the reward after the friend's first order."""
    draw = generator(seed, "referrals")
    p = shop.persons
    joined = np.maximum(p.joined_day, FIRST_DAY)
    friend = np.flatnonzero((arrivals.referrer >= 0) & (p.joined_day >= FIRST_DAY))
    person, m = arrivals.referrer[friend], len(friend)
    minute = joined[friend] * DAY + draw.uniform(500, 1300, m)
    user = shop.user_ids(person, minute)
    email = texts(p.email)
    truth.knows("email", pick(email, friend), friend)
    log.add(
        "referral", "Customer Referred", minute, person, user=user,
        properties={"referral_code": join("REF", user), "referred_email": pick(email, friend),
                    "referred_user_id": shop.user_ids(friend, minute)},
    )  # fmt: skip
    first = np.maximum(p.first_minute[friend], minute) + 30.0
    log.add(
        "referral", "Reward Granted", first, person, user=user, channel="server",
        properties={"reward_id": join("rw-ref-", shop.user_ids(friend, minute)), "kind": "points",
                    "points": float(REWARD_POINTS), "reason": "customer_referred"},
    )  # fmt: skip


def spend_table(shop: Shop, arrivals: Arrivals, seed: int) -> pa.Table:
    """The columns of spend.csv: pounds spent per month and acquisition channel."""
    draw = generator(seed, "spend")
    p = shop.persons
    real = np.flatnonzero(p.used & (np.arange(len(p)) < p.customers))
    month = (np.clip(p.joined_day[real], FIRST_DAY, LAST_DAY)).astype("datetime64[D]").astype("datetime64[M]")
    months = np.unique(month)
    rows = []
    for m in months:
        came = np.bincount(arrivals.channel[real[month == m]], minlength=len(CHANNELS))
        for code, (name, (_, per_customer)) in enumerate(CHANNELS.items()):
            if per_customer > 0:
                usual = len(real) / len(months) / len(CHANNELS) * 0.3  # a part is spent whoever comes
                spent = per_customer * (0.7 * came[code] + usual) * draw.lognormal(0, 0.15)
                rows.append((str(m), name, spent))
    return pa.table(
        {
            "month": [row[0] for row in rows],
            "channel": [row[1] for row in rows],
            "spend": money(np.array([row[2] for row in rows])),
            "currency": ["GBP"] * len(rows),
        }
    )
