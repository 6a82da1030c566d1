"""What persons do in public: social networks, linked accounts and their rewards, reviews."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.columns import join, pick, texts
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Ints
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog
from shopkeeper.collect.samples.world import WORLD, generator

NETWORKS = ("instagram", "facebook", "pinterest", "twitter")
ACTS = ("Social Post Liked", "Social Post Commented", "Social Post Shared", "Social Post Pinned")
ACT_SHARES = (0.66, 0.1, 0.1, 0.14)
LINK_POINTS = 100
"""Loyalty points granted for linking a social account."""
REVIEWS = {
    1: ("Arrived broken.", "Not as pictured.", "Very disappointed."),
    2: ("Smaller than I thought.", "The paint came off."),
    3: ("It is all right.", "Fine for the price."),
    4: ("Pretty, and quick delivery.", "Good quality, would buy again."),
    5: ("Lovely, exactly what I wanted.", "A perfect present.", "My whole family loves it."),
}


def be_social(shop: Shop, referrers: Ints, seed: int, log: EventLog, truth: Truth) -> None:
    """Log likes, comments, shares and pins by handle, and the linking of some handles to accounts."""
    draw = generator(seed, "social")
    p, n = shop.persons, len(shop.persons)
    evangelist = np.isin(np.arange(n), referrers)
    follows = np.flatnonzero(p.used & (evangelist | (draw.random(n) < WORLD.social_share)))
    m = len(follows)
    network = draw.choice(len(NETWORKS), m, p=[0.4, 0.3, 0.2, 0.1])
    numbers = draw.permutation(9 * max(m, 1000))[:m].tolist()
    handle = texts(
        [
            f"{p.email[i].split('@')[0].replace('.', '_')}_{k}"
            for i, k in zip(follows.tolist(), numbers, strict=True)
        ]
    )
    names = pa.array(NETWORKS).take(pa.array(network))
    # a handle has no account and no device: the network's own id stands as anonymousId
    visitor = join(names, ":", handle)
    truth.knows("anonymous_id", visitor, follows)
    truth.knows("social", visitor, follows)

    acts = np.minimum(
        draw.lognormal(np.log(WORLD.social_acts) - 0.72, 1.2, m) * (1 + 2 * evangelist[follows]), 400
    )
    at = np.repeat(np.arange(m), acts.astype(np.int64) + 1)
    person = follows[at]
    start = np.maximum(p.first_minute[person] - 60 * DAY, FIRST_DAY * DAY)
    end = np.minimum(p.last_minute[person] + 120 * DAY, (LAST_DAY + 1) * DAY)
    minute = np.floor(draw.uniform(start, np.maximum(end, start + DAY)) / DAY) * DAY
    minute += np.clip(draw.normal(1170, 160, len(at)), 420, 1430)
    product = shop.taste.similar(draw, person, minute.astype(np.int64))
    kind = draw.choice(len(ACTS), len(at), p=ACT_SHARES)
    what = {
        "network": pick(names, at),
        "handle": pick(handle, at),
        "post_id": join("post-", pick(shop.bought.product_ids, product)),
        **{k: v for k, v in shop.product(product).items() if k in ("product_id", "name", "category")},
    }
    for code, event in enumerate(ACTS):
        log.add(
            "social", event, minute, person, anonymous=pick(visitor, at), properties=what, keep=kind == code,
            channel="social",
        )  # fmt: skip

    account = (follows < p.customers) & (draw.random(m) < WORLD.social_linked)
    linked = np.maximum(p.first_minute[follows], (FIRST_DAY + 60) * DAY) + draw.uniform(DAY, 300 * DAY, m)
    user = shop.user_ids(follows, linked)
    both = {"network": names, "handle": handle}
    log.add(
        "social",
        "Social Account Linked",
        linked,
        follows,
        user=user,
        properties=both,
        keep=account,
        channel="social",
    )
    log.add(
        "social", "Reward Granted", linked + 1, follows, user=user, keep=account, channel="social",
        properties={"reward_id": join("rw-link-", user), "kind": "points", "points": LINK_POINTS * 1.0,
                    "reason": "social_account_linked"},
    )  # fmt: skip


def review(shop: Shop, seed: int, log: EventLog, truth: Truth) -> None:
    """Log reviews some days after an order; a customer who returned goods judges harder."""
    draw = generator(seed, "reviews")
    bought, tills = shop.bought, shop.tills
    sale = np.flatnonzero((tills.person >= 0) & (tills.how == 0) & (bought.total_milli > 0))
    keen = WORLD.review_share * (0.3 + 1.4 * shop.persons.engagement[tills.person[sale]])
    order = sale[draw.random(len(sale)) < keen]
    person, m = tills.person[order], len(order)
    returned = np.zeros(len(shop.persons), bool)
    back = tills.person[(bought.total_milli < 0) & (tills.person >= 0)]
    returned[back] = True
    rating = 5 - np.minimum(draw.poisson(np.where(returned[person], 1.1, 0.6)), 4)
    product = shop.taste.of_order(draw, order)
    bodies = [
        REVIEWS[int(r)][int(u * len(REVIEWS[int(r)]))] for r, u in zip(rating, draw.random(m), strict=True)
    ]
    by_mail = draw.random(m) < 0.3
    minute = bought.order_minute[order] + draw.uniform(3 * DAY, 30 * DAY, m)
    email = pick(texts(shop.persons.email), person, by_mail)
    truth.knows("email", email, person)
    log.add(
        "review", "Review Submitted", minute, person,
        user=pick(bought.customer_ids, bought.customer[order]), keep=shop.catalogue.sellable[product],
        properties={
            "review_id": join("rev-", bought.order_ids.take(pa.array(order))),
            **{k: v for k, v in shop.product(product).items() if k in ("product_id", "name", "category", "brand")},
            "rating": rating.astype(np.int64),
            "review_body": pa.array(bodies, pa.string()),
            "email": email,
        },
    )  # fmt: skip
