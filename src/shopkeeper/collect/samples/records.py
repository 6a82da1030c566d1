"""The CRM's customer records with their faults, third-party attributes, exchange rates."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from shopkeeper.collect.samples import names
from shopkeeper.collect.samples.acquire import Arrivals
from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.columns import days, pick, texts
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Ints
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.world import CHANNELS, WORLD, generator

RATES = {"EUR": 0.865, "USD": 0.635}
"""Invented starting points: pounds for one unit; the days after follow a small random walk."""


def misspell(word: str, u: float) -> str:
    """One slip of the keyboard, chosen by `u` in 0..1: two letters swapped, one lost or one doubled.

    >>> misspell("Thompson", 0.5)
    'Tompson'
    """
    if len(word) < 4:
        return word
    at = 1 + int(u * 997) % (len(word) - 2)
    kind = int(u * 3)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if kind == 1 else word[: at + 1] + word[at:]


def _shared_values(shop: Shop, email: list[str], truth: Truth) -> None:
    """Couples with one landline or one e-mail: note the traps, give the second the first one's address."""
    p = shop.persons
    for a in np.flatnonzero((p.partner > np.arange(len(p))) & p.used).tolist():
        b = int(p.partner[a])
        if p.shares["landline"][a] and p.phone[a]:
            truth.trap("shared_landline", "phone", p.phone[a], "one landline of two persons")
        if p.shares["email"][a]:
            email[b] = email[a]
            truth.trap("family_email", "email", email[a], "one e-mail address of two persons")
        if p.namesake[a]:
            truth.trap(
                "namesake",
                "name",
                f"{p.first[a]} {p.last[a]}",
                "parent and child with the same name and address",
            )


def _recycled(draw: np.random.Generator, shop: Shop, phone: list[str], truth: Truth) -> None:
    """Some customers have a number that belonged to another one who had stopped buying long before."""
    p = shop.persons
    c = np.arange(p.customers)
    alone = p.used[c] & (p.partner[c] < 0) & (p.city[c] >= 0)
    wanted = max(1, round(WORLD.recycled_phones * p.customers))
    gone = draw.permutation(np.flatnonzero(alone & (p.last_minute[c] < (FIRST_DAY + 400) * DAY)))
    free = alone.copy()
    for old in gone.tolist():
        later = np.flatnonzero(free & (p.first_minute[c] > p.last_minute[old] + 120 * DAY))
        if not free[old] or not len(later) or wanted <= 0:
            continue
        new = int(draw.choice(later))
        phone[old] = p.phone[old]
        phone[new] = p.phone[old]
        free[[old, new]] = False
        wanted -= 1
        truth.trap(
            "recycled_phone", "phone", p.phone[old], "a number given up by one person and given to another"
        )


def customers_table(shop: Shop, arrivals: Arrivals, seed: int, truth: Truth) -> tuple[pa.Table, list[str]]:
    """The columns of customers.csv, and the phone number of each record for the call centre."""
    draw = generator(seed, "records")
    bought, p = shop.bought, shop.persons
    c = p.customers
    owner = p.of_customer.tolist()
    second = [i != k for k, i in enumerate(owner)]
    own_email = list(p.email)
    _shared_values(shop, own_email, truth)
    has_email = (draw.random(c) < WORLD.crm_email).tolist()
    has_phone = (draw.random(c) < WORLD.crm_phone).tolist()
    slips, junk = draw.random((c, 3)).tolist(), draw.random((c, 2)).tolist()
    spread = draw.random((c, 4)).tolist()
    first, last, email, phone = [], [], [], []
    for k, i in enumerate(owner):
        given, family, address, number = p.first[i], p.last[i], own_email[i], p.phone[i]
        if second[k]:  # the second account: a pet name, perhaps the other e-mail
            given = names.NICKNAMES.get(given, given)
            address = p.second_email[i] or address
        given = misspell(given, spread[k][0]) if slips[k][0] < WORLD.crm_typo else given
        family = misspell(family, spread[k][1]) if slips[k][1] < WORLD.crm_typo else family
        if slips[k][2] < WORLD.crm_typo and own_email[i] == p.email[i]:
            local, host = address.split("@")
            address = f"{misspell(local, spread[k][2])}@{host}"
        first.append(given.upper() if spread[k][3] < 0.04 else given)
        last.append(family.upper() if spread[k][3] < 0.04 else family)
        email.append(address if has_email[k] else "")
        phone.append(number if has_phone[k] or p.shares["landline"][i] else "")
    _recycled(draw, shop, phone, truth)
    persons = np.array(owner)
    emails, phones = np.array(email, object), np.array(phone, object)
    wrong_mail = np.array([j[0] < WORLD.crm_junk for j in junk])
    wrong_phone = np.array([j[1] < WORLD.crm_junk for j in junk])
    # a small sample has its junk too
    if not wrong_mail.any():
        wrong_mail[-1] = True
    if not wrong_phone.any():
        wrong_phone[-1] = True
    emails[wrong_mail] = draw.choice(names.JUNK_EMAILS, int(wrong_mail.sum()), p=[0.6, 0.2, 0.1, 0.1])
    phones[wrong_phone] = draw.choice(names.JUNK_PHONES, int(wrong_phone.sum()), p=[0.6, 0.2, 0.1, 0.1])
    for kind, values in (("email", names.JUNK_EMAILS), ("phone", names.JUNK_PHONES)):
        for value in values:
            truth.trap("junk", kind, value, "typed to fill the form")
    truth.knows("email", texts(np.where(wrong_mail, "", emails).tolist()), persons)
    truth.knows("phone", texts(np.where(wrong_phone, "", phones).tolist()), persons)

    together = p.shares["landline"] | p.shares["card"]
    couple = np.minimum(np.arange(len(p)), p.partner)
    noted = (
        (p.partner >= 0) & together & (draw.random(len(p))[np.maximum(couple, 0)] < WORLD.crm_household * 1.5)
    )
    joined = np.where(second, p.first_minute[:c] // DAY, p.joined_day[persons])
    born = draw.random(c) < WORLD.crm_birth_date
    lands = bought.countries.take(pa.array(p.country[persons]))
    cities = texts(list(names.CITIES))
    table = pa.table(
        {
            "customer_id": bought.customer_ids,
            "first_name": texts(first),
            "last_name": texts(last),
            "email": texts(emails.tolist()),
            "phone": texts(phones.tolist()),
            "birth_date": days(p.birth_day[persons], born),
            "street": texts([p.street[i] for i in owner]),
            "city": pick(cities, p.city[persons]),
            "postcode": texts([p.postcode[i] for i in owner]),
            "country": lands,
            "loyalty_card": texts(
                ["" if again else p.card[i] for i, again in zip(owner, second, strict=True)]
            ),
            "joined": days(joined),
            "acquisition_channel": pa.array(list(CHANNELS)).take(pa.array(arrivals.channel[persons])),
            "household": texts([f"HH{couple[i]:06d}" if noted[i] else "" for i in owner]),
        }
    )
    return table, [str(n) for n in np.where(wrong_phone, "", phones)]


def demographics_table(shop: Shop, arrivals: Arrivals, seed: int, truth: Truth) -> pa.Table:
    """The columns of demographics.csv: what an (invented) data seller says about some e-mail addresses."""
    draw = generator(seed, "demographics")
    p = shop.persons
    who = np.flatnonzero(p.used & (np.arange(len(p)) < p.customers) & (draw.random(len(p)) < 0.55))
    m = len(who)
    age = (LAST_DAY - p.birth_day[who]) / 365.25 + np.where(draw.random(m) < 0.12, draw.normal(0, 15, m), 0)
    bands = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
    rank = np.argsort(np.argsort(arrivals.value[who], kind="stable"), kind="stable") / max(m, 1)
    income = np.clip((0.45 * rank + 0.55 * draw.random(m)) * 4, 0, 3.999).astype(np.int64)
    size = np.where(p.partner[who] >= 0, 2, 1) + draw.poisson(0.9, m)
    top = shop.taste.top_category[who] % 5
    liked = np.where(draw.random(m) < 0.7, top, draw.integers(0, 5, m))
    email = pick(texts(p.email), who)
    truth.knows("email", email, who)
    return pa.table(
        {
            "email": email,
            "age_band": pa.array(bands).take(pa.array(np.searchsorted([25, 35, 45, 55, 65], age))),
            "household_size": size,
            "income_band": pa.array(["low", "middle", "upper middle", "high"]).take(pa.array(income)),
            "urbanity": pa.array(["city", "suburb", "country"]).take(
                pa.array(np.where(p.city[who] == 0, 0, draw.integers(0, 3, m)))
            ),
            "segment": pa.array(
                ["home makers", "gift givers", "hosts", "collectors", "practical buyers"]
            ).take(pa.array(liked)),
            "source": ["Invented Insights"] * m,
            "as_of": pa.array([dt.date(2011, 6, 30)] * m, pa.date32()),
        }
    )


def exchange_rates_table(seed: int) -> pa.Table:
    """The columns of exchange_rates.csv: an invented daily path around the level of those years."""
    draw = generator(seed, "rates")
    day: Ints = np.arange(FIRST_DAY, LAST_DAY + 1)
    dates, currencies, rates = [], [], []
    for currency, start in RATES.items():
        path = start * np.exp(np.cumsum(draw.normal(0, 0.002, len(day))))
        dates.append(days(day))
        currencies += [currency] * len(day)
        rates += [round(float(rate), 5) for rate in path]
    return pa.table({"date": pa.concat_arrays(dates), "currency": currencies, "rate": rates})
