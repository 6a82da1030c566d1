"""Consents, newsletters and what their readers do: delivered, opened, clicked, bounced, unsubscribed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.catalogue import CATEGORIES
from shopkeeper.collect.samples.columns import hexes, iso_utc, join, pick, texts, utc_millis
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Flags, Floats, Ints
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import EventLog
from shopkeeper.collect.samples.world import WORLD, generator

NEVER = 10**9
PURPOSES = {"marketing_email": 1.0, "marketing_sms": 0.3, "profiling": 0.7, "ads": 0.4}
"""Purpose -> share who give it among those who subscribe (a fifth of that among the others)."""
SOURCES = ("checkout", "loyalty_form", "newsletter_form", "till")


@dataclass(frozen=True, slots=True)
class Consents:
    """Per purpose and person: the minute it was given and the minute it was withdrawn (or NEVER)."""

    given: dict[str, Ints]
    withdrawn: dict[str, Ints]


def give_consents(shop: Shop, seed: int) -> Consents:
    """Draw what each person agreed to when joining; withdrawals of e-mail come later, from the newsletters."""
    draw = generator(seed, "consents")
    p, n = shop.persons, len(shop.persons)
    prospect = np.arange(n) >= p.customers + p.guests
    account = (np.arange(n) < p.customers) & p.used
    subscribes = prospect | (account & (draw.random(n) < WORLD.subscribes * (0.6 + 0.7 * p.engagement)))
    joined = p.joined_day * DAY + draw.integers(540, 1200, n)
    given, withdrawn = {}, {}
    for purpose, share in PURPOSES.items():
        agrees = (draw.random(n) < np.where(subscribes, share, share / 5)) & (account | prospect)
        if purpose == "marketing_email":
            agrees = subscribes
        given[purpose] = np.where(agrees, joined, NEVER)
        regrets = agrees & (purpose != "marketing_email") & (draw.random(n) < 0.05)
        later = np.maximum(joined, FIRST_DAY * DAY) + draw.integers(30 * DAY, 600 * DAY, n)
        withdrawn[purpose] = np.where(regrets & (later < LAST_DAY * DAY), later, NEVER)
    return Consents(given, withdrawn)


def _campaigns() -> list[tuple[str, str, int, int]]:
    """(campaign_id, name, minute, category code): the 5th of each month, before Christmas also the 20th."""
    made = []
    for month in range(25):
        first = np.datetime64("2009-12", "M") + month
        late = int(first.astype(np.int64) % 12) >= 9
        theme = 0 if late else 1 + (month * 5) % (len(CATEGORIES) - 1)
        for day in (5, 20)[: round(WORLD.campaigns_per_month) + late]:
            sent = int(first.astype("datetime64[D]").astype(np.int64)) + day - 1
            if sent <= LAST_DAY - 2:
                name = f"{CATEGORIES[theme][0]} {first}"
                made.append((f"NL-{first}-{day:02d}", name, sent * DAY + 600, theme))
    return made


def send_newsletters(shop: Shop, consents: Consents, seed: int, log: EventLog, truth: Truth) -> Consents:
    """Log every newsletter's fate; the consents come back with the unsubscriptions in them."""
    draw = generator(seed, "mailing")
    p, n = shop.persons, len(shop.persons)
    since = consents.given["marketing_email"]
    left = np.full(n, NEVER, np.int64)
    dead = np.zeros(n, bool)  # hard bounces: the address is given up, but no consent is withdrawn
    proxy = draw.random(n) < WORLD.machine_open
    by_user = (draw.random(n) < 0.5) & (np.arange(n) < p.customers)
    address = texts(p.email)
    proxy_id = hexes(draw.integers(0, 2**63, n, dtype=np.uint64), "esp-")
    truth.knows("anonymous_id", proxy_id, np.where(since < NEVER, np.arange(n), -1))
    truth.knows("email", address, np.where(since < NEVER, np.arange(n), -1))
    for campaign, name, sent, theme in _campaigns():
        who = np.flatnonzero((since < sent) & (left > sent) & ~dead)
        if not len(who):
            continue
        m = len(who)
        minute = sent + draw.uniform(0, 40, m)
        soon = shop.taste.purchases(who, np.full(m, sent), np.full(m, sent + 30 * DAY)) > 0
        likes = shop.taste.top_category[who] == theme
        chance = WORLD.open_base + WORLD.open_buyer * (p.engagement[who] + soon) + 0.15 * likes
        bounced = draw.random(m) < WORLD.bounce
        opened = ~bounced & (draw.random(m) < np.minimum(chance, 0.9))
        clicked = opened & (draw.random(m) < np.minimum(WORLD.click * (0.6 + 0.8 * likes + 0.6 * soon), 0.9))
        leaves = ~bounced & ~clicked & (draw.random(m) < WORLD.leaves * (1.6 - p.engagement[who]))
        user = shop.user_ids(who, minute, by_user[who])
        ids = {"anonymous": pick(proxy_id, who, ~by_user[who]), "user": user, "channel": "email"}
        what = {"campaign_id": campaign, "campaign_name": name, "email": pick(address, who)}
        read = minute + 20 + draw.exponential(600, m)
        _log_mail(
            log, draw, shop, who, minute, read, theme, ids, what, (bounced, opened, clicked, leaves), proxy
        )
        truth.knows("anonymous_id", pick(p.devices[1], who[clicked]), who[clicked])
        left[who[leaves]] = (read[leaves] + 2).astype(np.int64)
        dead[who[bounced & (draw.random(m) < 0.4)]] = True
    return Consents(consents.given, {**consents.withdrawn, "marketing_email": left})


def _log_mail(
    log: EventLog,
    draw: np.random.Generator,
    shop: Shop,
    who: Ints,
    minute: Floats,
    read: Floats,
    theme: int,
    ids: dict[str, object],
    what: dict[str, object],
    fates: tuple[Flags, Flags, Flags, Flags],
    proxy: Flags,
) -> None:
    bounced, opened, clicked, leaves = fates
    m = len(who)

    def add(event: str, at: Floats, keep: Flags, **more: object) -> None:
        log.add("mail", event, at, who, properties={**what, **more}, keep=keep, **ids)  # type: ignore[arg-type]

    add("Email Delivered", minute, ~bounced)
    add("Email Bounced", minute, bounced, bounce_type="hard")
    add("Email Opened", minute + 1 + draw.random(m) * 4, ~bounced & proxy[who], machine=True)
    add("Email Opened", read, opened, machine=False)
    product = shop.taste.in_category(draw, np.full(m, theme), np.full(m, int(minute[0])))
    link = join("https://shop.example.com/p/", pick(shop.bought.product_ids, product))
    add("Email Link Clicked", read + 1, clicked, link_url=link)
    add("Email Unsubscribed", read + 2, leaves)
    # a click leads to the product's page on the reader's own device
    device = pick(shop.persons.devices[1], who)
    page = {**shop.product(product), "currency": "GBP", "campaign_id": what["campaign_id"]}
    log.add("mail", "Product Viewed", read + 1.3, who, anonymous=device, properties=page, keep=clicked)


def consents_table(shop: Shop, consents: Consents, seed: int, truth: Truth) -> pa.Table:
    """The columns of consents.csv: what was given, and most of what was withdrawn."""
    draw = generator(seed, "consent files")
    n = len(shop.persons)
    parts = []
    for purpose, given in consents.given.items():
        withdrawn = consents.withdrawn[purpose]
        told = (withdrawn < NEVER) & (draw.random(n) < 0.6)  # the rest only reached the mailing tool
        for status, minute, chosen in (("given", given, given < NEVER), ("withdrawn", withdrawn, told)):
            who = np.flatnonzero(chosen)
            prospect = who >= shop.persons.customers
            source = np.where(prospect, 2, draw.choice(4, len(who), p=[0.5, 0.25, 0.1, 0.15]))
            soft = (draw.random(len(who)) < 0.15) & (status == "given") & (purpose == "marketing_email")
            parts.append((purpose, status, who, minute[who], source, soft))
            truth.knows("email", pick(texts(shop.persons.email), who), who)
    who = np.concatenate([part[2] for part in parts])
    minute = np.concatenate([part[3] for part in parts])
    soft = np.concatenate([part[5] for part in parts])
    table = pa.table(
        {
            "customer_id": shop.user_ids(who, minute.astype(np.float64)),
            "email": pick(texts(shop.persons.email), who),
            "purpose": pa.concat_arrays([pa.array([part[0]] * len(part[2]), pa.string()) for part in parts]),
            "status": pa.concat_arrays([pa.array([part[1]] * len(part[2]), pa.string()) for part in parts]),
            "occurred_at": iso_utc(utc_millis(minute)),
            "source": pa.array(SOURCES).take(pa.array(np.concatenate([part[4] for part in parts]))),
            "lawful_basis": pc.if_else(pa.array(soft), "legitimate_interest", "consent"),
        }
    )
    return table.sort_by([("occurred_at", "ascending"), ("email", "ascending"), ("purpose", "ascending")])


def unsubscribes_table(shop: Shop, consents: Consents, seed: int, truth: Truth) -> pa.Table:
    """The columns of unsubscribes.csv: the mailing tool's list, with some old entries nobody else knows."""
    draw = generator(seed, "unsubscribes")
    left = consents.withdrawn["marketing_email"]
    who = np.flatnonzero((left < NEVER) & (draw.random(len(left)) < 0.8))
    never_asked = np.flatnonzero((consents.given["marketing_email"] >= NEVER) & shop.persons.used)
    old = draw.permutation(never_asked)[: max(2, len(left) // 150)]
    who = np.concatenate([who, old])
    minute = np.concatenate(
        [left[who[: len(who) - len(old)]], FIRST_DAY * DAY + draw.integers(600, 40_000, len(old))]
    )
    email = pick(texts(shop.persons.email), who)
    truth.knows("email", email, who)
    return pa.table({"email": email, "occurred_at": iso_utc(utc_millis(minute))}).sort_by("occurred_at")
