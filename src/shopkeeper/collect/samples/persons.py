"""The persons behind the customer numbers, behind some guest orders, and on the mailing list.

A person has one index everywhere in this package. The first indices are those of the customer
numbers (a second account of the same person leaves its own index unused), then come guests, then prospects.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples import names
from shopkeeper.collect.samples.columns import hexes
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Flags, Floats, Ints, Purchases
from shopkeeper.collect.samples.world import WORLD, generator

Texts = list[str]
COUPLE_TRAPS = ("landline", "email", "card", "device", "namesake")
"""What a couple may share; the first couples have one each, so that a small sample has every kind."""


@dataclass(frozen=True, slots=True)
class Persons:
    """One entry per person; an empty text means that the person has no such thing.

    `of_customer` leads from customer codes to persons. `partner` is the other member of the
    household or -1. `city` indexes `names.CITIES`, -1 abroad. Days count from 1970, minutes likewise.
    """

    of_customer: Ints
    used: Flags
    customers: int
    guests: int
    female: Flags
    first: Texts
    last: Texts
    birth_day: Ints
    country: Ints
    city: Ints
    street: Texts
    postcode: Texts
    email: Texts
    second_email: Texts
    phone: Texts
    partner: Ints
    namesake: Flags
    shares: dict[str, Flags]
    card: Texts
    tokens: tuple[pa.StringArray, ...]
    token_renewed: Ints
    devices: tuple[pa.StringArray, ...]
    joined_day: Ints
    first_minute: Ints
    last_minute: Ints
    orders: Ints
    web_share: Floats
    engagement: Floats

    def __len__(self) -> int:
        return len(self.first)

    def account(self, person: Ints, minute: Floats) -> Ints:
        """The customer code each person uses at that time, -1 for persons without account."""
        second = np.full(len(self), -1, np.int64)
        renewed = np.flatnonzero(self.of_customer != np.arange(self.customers))
        second[self.of_customer[renewed]] = renewed
        later = (second[person] >= 0) & (minute >= self.first_minute[second[person]])
        return np.where(later, second[person], np.where(person < self.customers, person, -1))

    @property
    def ids(self) -> pa.StringArray:
        """The names under which the truth knows the persons."""
        return pa.array([f"P{index:06d}" for index in range(len(self))], pa.string())


def _second_accounts(draw: np.random.Generator, first: Ints, last: Ints, orders: Ints, free: Flags) -> Ints:
    """Customer -> person, where some customers continue an account that had fallen silent."""
    person = np.arange(len(first))
    candidates = np.flatnonzero(free & (orders <= 12) & (orders > 0))
    wanted = round(WORLD.two_accounts * len(first))
    taken = np.zeros(len(first), bool)
    for old in draw.permutation(candidates):
        if wanted <= 0:
            break
        later = candidates[(first[candidates] > last[old] + 20 * DAY) & ~taken[candidates]]
        if taken[old] or not len(later):
            continue
        new = draw.choice(later)
        person[new] = old
        taken[[old, new]] = True
        wanted -= 1
    return person


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.replace("ø", "o")).encode("ascii", "ignore").decode()
    return folded.replace(" ", "").lower()


def _emails(draw: np.random.Generator, first: Texts, last: Texts, birth_day: Ints) -> Texts:
    """A distinct address per person, composed in one of four usual ways."""
    hosts = draw.integers(0, len(names.MAIL_HOSTS), len(first)).tolist()
    styles = draw.integers(0, 4, len(first)).tolist()
    years = (1970 + birth_day / 365.25).astype(int) % 100
    seen: dict[str, int] = {}
    made = []
    for f, s, year, style, host in zip(first, last, years.tolist(), styles, hosts, strict=True):
        a, b = _ascii(f), _ascii(s)
        local = (f"{a}.{b}", f"{a[0]}{b}", f"{a}{year:02d}", f"{b}.{a}")[style]
        address = f"{local}@{names.MAIL_HOSTS[host]}"
        times = seen[address] = seen.get(address, 0) + 1
        made.append(address if times == 1 else f"{local}{times}@{names.MAIL_HOSTS[host]}")
    return made


def _phones(draw: np.random.Generator, city: Ints, country: Texts) -> Texts:
    """Numbers from the ranges that regulators reserve for fiction, while they last; see the README text."""
    prefixes = [prefix for _, prefix, _ in names.CITIES.values()]
    free = {p: draw.permutation(1000).tolist() for p in prefixes}
    mobiles = draw.permutation(1000).tolist()
    overflow = iter(range(200_000))
    by_mobile = (draw.random(len(city)) < 0.12).tolist()
    abroad = {"Germany": iter(range(1000)), "France": iter(range(10_000)), "USA": iter(range(10_000))}
    made = []
    for where, land, mobile in zip(city.tolist(), country, by_mobile, strict=True):
        number = ""
        if where >= 0:
            if mobile and mobiles:
                number = f"07700 900{mobiles.pop():03d}"
            else:
                prefix = (
                    prefixes[where] if free[prefixes[where]] else max(prefixes, key=lambda p: len(free[p]))
                )
                number = (
                    f"{prefix}{free[prefix].pop():03d}" if free[prefix] else f"07700 {next(overflow):06d}"
                )
        elif land in abroad and (k := next(abroad[land], None)) is not None:
            number = {
                "Germany": f"+49 30 23125{k:03d}",
                "France": f"+33 6 39 98 {k // 100:02d} {k % 100:02d}",
                "USA": f"+1 {201 + k // 100} 555 01{k % 100:02d}",
            }[land]
        made.append(number)
    return made


def _names(draw: np.random.Generator, country: Texts) -> tuple[Flags, Texts, Texts]:
    n = len(country)
    female = draw.random(n) < 0.68
    pick_first, pick_last = draw.random(n).tolist(), draw.random(n).tolist()
    first, last = [], []
    for land, woman, u, v in zip(country, female.tolist(), pick_first, pick_last, strict=True):
        group = names.GROUP_OF_COUNTRY.get(land)
        women, men, family = names.FOREIGN[group] if group else (names.WOMEN, names.MEN, names.LAST)
        given = women if woman else men
        first.append(given[int(u * len(given))])
        last.append(family[int(v**1.3 * len(family))])
    return female, first, last


def _addresses(draw: np.random.Generator, british: Flags) -> tuple[Ints, Texts, Texts]:
    """City codes, streets with house number, postcodes (of the city's area, the rest invented)."""
    n = len(british)
    away = draw.random(n) < WORLD.moved_away
    stores = len(names.STORE_CITIES)
    near = draw.choice(stores, size=n, p=[0.38, 0.2, 0.16, 0.14, 0.12])
    city = np.where(british, np.where(away, draw.integers(stores, len(names.CITIES), n), near), -1)
    house, street_at = draw.integers(1, 199, n).tolist(), draw.integers(0, len(names.STREETS), n).tolist()
    street = [f"{h} {names.STREETS[s]}" for h, s in zip(house, street_at, strict=True)]
    areas, letters = [area for area, _, _ in names.CITIES.values()], "ABDEFGHJLNPQRSTUWXYZ"
    codes = draw.integers(0, (20, 10, 20, 20), (n, 4)).tolist()
    postcode = [
        f"{areas[c]}{a + 1} {b}{letters[x]}{letters[y]}" if c >= 0 else f"{10_000 + a * 2000 + b * 37 + x}"
        for c, (a, b, x, y) in zip(city.tolist(), codes, strict=True)
    ]
    return city, street, postcode


def _couples(draw: np.random.Generator, free: Ints, n: int) -> Ints:
    partner = np.full(n, -1, np.int64)
    count = max(min(len(COUPLE_TRAPS), len(free) // 4), int(WORLD.household_share * len(free)) // 2)
    chosen = draw.permutation(free)[: 2 * count].reshape(-1, 2)
    partner[chosen[:, 0]], partner[chosen[:, 1]] = chosen[:, 1], chosen[:, 0]
    return partner


def _cards(draw: np.random.Generator, has: Flags) -> Texts:
    numbers = iter(draw.choice(8_000_000, int(has.sum()), replace=False) + 1_000_000)
    return [f"LC{next(numbers)}" if flag else "" for flag in has.tolist()]


def make_persons(bought: Purchases, seed: int) -> Persons:
    """Draw all persons and what they carry; the purchases decide how many and when they were active."""
    draw = generator(seed, "persons")
    customers = len(bought.customer_ids)
    ordinary = (
        (bought.customer < 0) & (bought.total_milli > 0) & (bought.lines_per_order < WORLD.roll_up_lines)
    )
    guests = max(2, round(int(ordinary.sum()) * WORLD.guest_new / WORLD.guest_repeats))
    n = customers + guests + max(1, round(customers * WORLD.prospects))

    named = bought.customer >= 0
    first_minute = np.full(n, LAST_DAY * DAY, np.int64)
    last_minute = np.full(n, FIRST_DAY * DAY, np.int64)
    np.minimum.at(first_minute, bought.customer[named], bought.order_minute[named])
    np.maximum.at(last_minute, bought.customer[named], bought.order_minute[named])
    country = np.full(n, pc.index(bought.countries, "United Kingdom").as_py(), np.int64)
    country[bought.customer[named][::-1]] = bought.country[named][::-1]
    lands: Texts = [str(bought.countries[int(code)]) for code in country]
    british = np.array([land == "United Kingdom" for land in lands])

    sales = named & (bought.total_milli > 0)
    orders = np.bincount(bought.customer[sales], minlength=n).astype(np.int64)
    of_customer = _second_accounts(
        draw, first_minute[:customers], last_minute[:customers], orders[:customers], british[:customers]
    )
    used = np.ones(n, bool)
    used[:customers] = of_customer == np.arange(customers)
    np.minimum.at(first_minute, of_customer, first_minute[:customers])
    np.maximum.at(last_minute, of_customer, last_minute[:customers])
    orders[:customers] = np.bincount(of_customer, weights=orders[:customers], minlength=customers).astype(
        np.int64
    )
    single = np.bincount(of_customer, minlength=n) == 1

    female, first, last = _names(draw, lands)
    birth_day = np.clip(draw.normal(-1300, 5200, n), -14_000, 8_000).astype(np.int64)  # about 1932 to 1991
    city, street, postcode = _addresses(draw, british)
    phone = _phones(draw, city, lands)

    # couples share a name and an address, and by chance a landline, an e-mail, a bank card, a tablet
    partner = _couples(draw, np.flatnonzero(british[:customers] & used[:customers] & single[:customers]), n)
    heads = np.flatnonzero(partner > np.arange(n))
    shares = {kind: np.zeros(n, bool) for kind in ("landline", "email", "card", "device")}
    namesake = np.zeros(n, bool)
    for a, sure in zip_longest(heads.tolist(), COUPLE_TRAPS[: len(heads)]):
        b = int(partner[a])
        last[b], street[b], postcode[b], city[b] = last[a], street[a], postcode[a], city[a]
        if sure == "namesake" or draw.random() < WORLD.namesake_share:
            first[b], female[b], birth_day[b] = (
                first[a],
                female[a],
                birth_day[a] + 10_000 + draw.integers(0, 3000),
            )
            namesake[[a, b]] = True
        elif female[a] == female[b]:
            female[b] = not female[a]
            first[b] = (names.WOMEN if female[b] else names.MEN)[draw.integers(70)]
        for kind, flags in shares.items():
            flags[[a, b]] = sure == kind or draw.random() < getattr(WORLD, f"household_{kind}")
        if shares["landline"][a]:
            phone[b] = phone[a]
    email = _emails(draw, first, last, birth_day)
    second = [
        f"{local}.alt@{host}" if has else ""
        for has, (local, host) in zip(
            (draw.random(n) < WORLD.second_email).tolist(), (e.split("@") for e in email), strict=True
        )
    ]

    bits = draw.integers(0, 2**63, (5, n), dtype=np.uint64)
    for a in heads.tolist():
        b = int(partner[a])
        bits[2, b] = bits[2, a] if shares["card"][a] else bits[2, b]
        bits[3, b] = bits[3, a] if shares["device"][a] else bits[3, b]
    # half of the persons known from the first months had joined before the record begins
    before = (first_minute // DAY < FIRST_DAY + 90) & (draw.random(n) < 0.6)
    joined = first_minute // DAY - np.where(before, draw.integers(100, 1500, n), draw.integers(0, 20, n))
    joined[customers:] = draw.integers(FIRST_DAY - 200, LAST_DAY - 20, n - customers)

    taste = draw.random(n)
    web_share = np.where(
        taste < WORLD.store_lovers,
        draw.beta(1.2, 7, n),
        np.where(taste < WORLD.store_lovers + WORLD.web_lovers, draw.beta(9, 1, n), draw.beta(3, 3, n)),
    )
    rank = np.argsort(np.argsort(orders, kind="stable"), kind="stable") / n
    return Persons(
        of_customer=of_customer,
        used=used,
        customers=customers,
        guests=guests,
        female=female,
        first=first,
        last=last,
        birth_day=birth_day,
        country=country,
        city=city,
        street=street,
        postcode=postcode,
        email=email,
        second_email=second,
        phone=phone,
        partner=partner,
        namesake=namesake,
        shares=shares,
        card=_cards(draw, british & (np.arange(n) < customers) & (draw.random(n) < WORLD.card_share)),
        tokens=tuple(hexes(bits[k], "tok_") for k in range(3)),
        token_renewed=draw.integers(FIRST_DAY, LAST_DAY + 1500, n) * DAY,
        devices=tuple(hexes(bits[k], "anon-") for k in (3, 4)),
        joined_day=joined,
        first_minute=first_minute,
        last_minute=last_minute,
        orders=orders,
        web_share=web_share,
        engagement=np.clip(0.55 * draw.beta(2, 2, n) + 0.45 * rank, 0, 1),
    )
