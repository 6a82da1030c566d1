"""Randomised offers whose effect is known, although the purchases are real and cannot react.

Usually one draws who gets an offer and then sees who buys. Here it is known who buys, so the
assignment is drawn given the purchase by Bayes' rule: with base rate p of buying in the window, an
offer of relative effect e is given with probability (1 + e) / 2 to buyers and
(1 - p (1 + e)) / (2 (1 - p)) to the others. The joint distribution of segment, assignment and
purchase is then exactly that of an experiment with propensity 1/2 in which the offer moves the
chance to buy from p (1 - e) to p (1 + e).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.columns import join, pick
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Flags, Floats, Ints
from shopkeeper.collect.samples.tills import Tills, with_offer_coupons
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog
from shopkeeper.collect.samples.world import OFFERS, WORLD, generator

SEGMENTS = ("new", "regular", "lapsing")
CHANNELS = ("email", "web", "till")


def segment_of(shop: Shop, person: Ints, minute: Ints) -> Ints:
    """Code in SEGMENTS: one purchase so far, silent for more than 120 days, or neither."""
    before = shop.taste.purchases(person, np.zeros_like(person), minute)
    silent = minute - shop.taste.last_before(person, minute) > 120 * DAY
    return np.where(silent, 2, np.where(before <= 1, 0, 1))


def _assign(draw: np.random.Generator, buys: Flags, p: Floats, effect: Floats) -> Flags:
    given_buy = (1 + effect) / 2
    given_not = (1 - p * (1 + effect)) / (2 * np.maximum(1 - p, 1e-9))
    return np.asarray(draw.random(len(buys)) < np.where(buys, given_buy, given_not))


def _otherwise(draw: np.random.Generator, treated: Flags, buys: Flags, p: Floats, effect: Floats) -> Flags:
    """What would have happened under the other assignment (the offer moves everybody in one direction)."""
    with_it, without = p * (1 + effect), p * (1 - effect)
    here, there = np.where(treated, with_it, without), np.where(treated, without, with_it)
    stays = np.minimum(1, there / np.maximum(here, 1e-9))
    turns = np.maximum(0, (there - here) / np.maximum(1 - here, 1e-9))
    return np.asarray(draw.random(len(buys)) < np.where(buys, stays, turns))


def make_offers(shop: Shop, seed: int, log: EventLog, truth: Truth) -> Tills:
    """Log offers shown and withheld, and what came of them; returns the tills with their coupons."""
    draw = generator(seed, "offers")
    p = shop.persons
    known = np.flatnonzero(p.used & (np.arange(len(p)) < p.customers))
    window = int(WORLD.offer_window) * DAY
    moments = np.linspace(
        FIRST_DAY + 100, LAST_DAY - WORLD.offer_window - 2, int(WORLD.offer_moments)
    ).astype(np.int64)
    who, when = [], []
    for moment in moments.tolist():
        start = np.full(len(known), moment * DAY)
        active = known[shop.taste.purchases(known, start - 365 * DAY, start) > 0]
        drawn = active[draw.random(len(active)) < WORLD.offer_reach]
        who.append(drawn)
        when.append(np.full(len(drawn), moment * DAY))
    person, minute = np.concatenate(who), np.concatenate(when)
    if not len(person):
        return shop.tills
    m = len(person)
    buys = shop.taste.purchases(person, minute, minute + window) > 0
    segment = segment_of(shop, person, minute)
    offer = draw.integers(0, len(OFFERS), m)
    base = np.array(
        [buys[segment == s].mean() if (segment == s).any() else 0.0 for s in range(len(SEGMENTS))]
    )
    effects = np.array([[OFFERS[o][2][s] for s in SEGMENTS] for o in OFFERS])
    # a chance cannot exceed one: where customers buy nearly always, the effect is cut
    effects = np.minimum(effects, 1 / np.maximum(base, 1e-9) - 1)
    rate, effect = base[segment], effects[offer, segment]
    treated = _assign(draw, buys, rate, effect)
    other = _otherwise(draw, treated, buys, rate, effect)
    accepted = treated & buys & (draw.random(m) < 0.9)
    declined = treated & ~buys & (draw.random(m) < 0.35)

    decision = join("dec-", pa.array(np.arange(m)).cast(pa.string()))
    offers = pa.array(list(OFFERS)).take(pa.array(offer))
    channel = pa.array(CHANNELS).take(pa.array(draw.integers(0, len(CHANNELS), m)))
    shown = minute + draw.uniform(-600, -5, m)  # before the window opens, so that every response follows
    user = shop.user_ids(person, shown)
    what = {
        "offer_id": offers,
        "offer_name": pa.array([OFFERS[o][0] for o in OFFERS]).take(pa.array(offer)),
        "decision_id": decision,
        "experiment_id": join("exp-", pa.array(minute // DAY).cast(pa.string())),
        "channel": channel,
        "propensity": 0.5,
    }
    order = shop.taste.next_order(person, minute)
    bought_at = shop.bought.order_minute[order].astype(np.float64)
    common = {"user": user, "channel": "server"}
    log.add(
        "offer",
        "Offer Shown",
        shown,
        person,
        properties={**what, "arm": "treatment"},
        keep=treated,
        **common,
    )
    log.add(
        "offer",
        "Offer Withheld",
        shown,
        person,
        properties={**what, "arm": "holdout"},
        keep=~treated,
        **common,
    )
    taken = {**what, "order_id": pick(shop.bought.order_ids, order)}
    log.add("offer", "Offer Accepted", bought_at, person, properties=taken, keep=accepted, **common)
    said_no = shown + draw.uniform(1, 2 * DAY, m)
    log.add("offer", "Offer Declined", said_no, person, properties=what, keep=declined, **common)

    truth.table(
        "responses",
        decision_id=decision,
        person_id=pick(p.ids, person),
        offer_id=offers,
        segment=pa.array(SEGMENTS).take(pa.array(segment)),
        treated=pa.array(treated),
        bought=pa.array(buys),
        buys_with_offer=pa.array(np.where(treated, buys, other)),
        buys_without=pa.array(np.where(treated, other, buys)),
        window_starts=pa.array(minute.astype("datetime64[m]").astype("datetime64[ms]")),
    )
    rows = [(o, s) for o in range(len(OFFERS)) for s in range(len(SEGMENTS))]
    truth.table(
        "offers",
        offer_id=[list(OFFERS)[o] for o, _ in rows],
        segment=[SEGMENTS[s] for _, s in rows],
        cost=[list(OFFERS.values())[o][1] for o, _ in rows],
        buys_without=[float(base[s] * (1 - effects[o, s])) for o, s in rows],
        buys_with_offer=[float(base[s] * (1 + effects[o, s])) for o, s in rows],
        effect=[float(2 * base[s] * effects[o, s]) for o, s in rows],
    )
    first = np.unique(order[accepted], return_index=True)
    return with_offer_coupons(
        shop.tills, first[0], offers.filter(pa.array(accepted)).take(pa.array(first[1]))
    )
