"""How each order shows who bought: loyalty card, bank card, e-receipt, web account, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.columns import decimal_milli, local, pick, texts
from shopkeeper.collect.samples.persons import Persons
from shopkeeper.collect.samples.places import WEB, Places, is_open
from shopkeeper.collect.samples.source import DAY, FIRST_DAY, LAST_DAY, Flags, Ints, Purchases
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.world import WORLD, generator

COUPONS = ("SPRING10", "TEATIME", "SUMMER5", "XMAS2010", "XMAS2011")
"""Public codes; the real price of the line is what was paid, the code only says that one was used."""
STAFF_CARD = "LC9999001"
"""The number lies above those of the customers, see persons."""
FEW_SWIPES = 8
HOW = ("account", "known_guest", "new_guest", "anonymous", "roll_up", "bookkeeping")


@dataclass(frozen=True, slots=True)
class Tills:
    """One entry per order; `person` is -1 where nobody is behind the order, `how` indexes `HOW`."""

    person: Ints
    how: Ints
    card: pa.Array
    token: pa.Array
    email: pa.Array
    coupon: pa.Array

    def of_persons(self) -> Flags:
        """Orders with a person."""
        return self.person >= 0


def _guests(
    draw: np.random.Generator, bought: Purchases, persons: Persons, places: Places
) -> tuple[Ints, Ints]:
    """Who is behind the orders without customer: a known customer, a new person, or nobody."""
    n = len(bought.order_ids)
    person = np.where(bought.customer >= 0, persons.of_customer[bought.customer], -1)
    how = np.zeros(n, np.int64)
    guest = np.flatnonzero((bought.customer < 0) & ~places.bookkeeping & ~places.roll_up)
    chance = draw.random(len(guest))
    known, new = WORLD.guest_known, WORLD.guest_known + WORLD.guest_new
    how[guest] = np.where(chance < known, 1, np.where(chance < new, 2, 3))
    how[places.roll_up], how[places.bookkeeping] = 4, 5
    # a customer without the card: somebody who also bought with it in those weeks, from the same country
    named = np.flatnonzero(bought.customer >= 0)
    named = named[np.argsort(bought.order_minute[named], kind="stable")]
    for land in np.unique(bought.country[how == 1]):
        here = np.flatnonzero((how == 1) & (bought.country == land))
        others = named[(bought.country[named] == land) & (persons.of_customer[bought.customer[named]] >= 0)]
        if not len(others):
            how[here] = 3
            continue
        near = np.searchsorted(bought.order_minute[others], bought.order_minute[here])
        near = np.clip(near + draw.integers(-300, 300, len(here)), 0, len(others) - 1)
        person[here] = persons.of_customer[bought.customer[others[near]]]
    person[how == 2] = persons.customers + draw.integers(0, persons.guests, int((how == 2).sum()))
    return person, how


def _staff_card(
    draw: np.random.Generator, bought: Purchases, places: Places, how: Ints, truth: Truth
) -> tuple[Flags, Ints]:
    """Days on which one cashier swipes her own card for all customers without one."""
    day = bought.order_minute // DAY
    candidate = (how >= 1) & (how <= 3) & (places.place != WEB) & (places.place >= 0)
    store = int(np.bincount(places.place[candidate], minlength=WEB).argmax()) if candidate.any() else 0
    candidate &= is_open(np.full(len(day), store), bought.order_minute)
    per_day = np.bincount(day[candidate] - FIRST_DAY, minlength=LAST_DAY - FIRST_DAY + 1)
    busy = np.flatnonzero(per_day >= max(2, np.quantile(per_day[per_day > 0], 0.6) if per_day.any() else 2))
    chosen = draw.permutation(busy)[: max(3, len(busy) // 3)] + FIRST_DAY
    swiped = candidate & np.isin(day, chosen)
    if swiped.sum() < FEW_SWIPES:  # a small sample has no day with many such customers
        swiped = candidate & (np.cumsum(candidate) <= FEW_SWIPES)
    holder = store * (len(places.staff_ids) // WEB) + 4
    place = np.where(swiped, store, places.place)
    truth.trap(
        "staff_card", "loyalty_card", STAFF_CARD, "a cashier's own card, swiped for customers without one"
    )
    truth.table(
        "staff_cards",
        loyalty_card=[STAFF_CARD],
        staff_id=[places.staff_ids[holder]],
        orders=[int(swiped.sum())],
    )
    return swiped, place


def ring_up(
    bought: Purchases, persons: Persons, places: Places, seed: int, truth: Truth
) -> tuple[Tills, Places]:
    """Draw what each order carries; returns the places again, for the staff card binds orders to one store."""
    draw = generator(seed, "tills")
    n = len(bought.order_ids)
    person, how = _guests(draw, bought, persons, places)
    swiped, place = _staff_card(draw, bought, places, how, truth)
    per_store = len(places.staff_ids) // WEB
    staff = np.where(swiped, place * per_store + 4, places.staff)
    places = Places(place, staff, places.bookkeeping, places.roll_up, places.staff_ids, places.staff_rows)
    store, web, someone = places.in_store, place == WEB, person >= 0
    index = np.maximum(person, 0)

    shows = store & (how == 0) & (draw.random(n) < WORLD.card_shown)
    card = pick(texts(persons.card), index, shows)
    card = pc.if_else(pa.array(swiped), STAFF_CARD, card)

    pays = someone & (draw.random(n) < np.where(web, WORLD.pays_by_card_web, WORLD.pays_by_card_store))
    pays &= ~((how == 1) & (draw.random(n) < 0.15))
    renewed = bought.order_minute >= persons.token_renewed[index]
    joint = persons.shares["card"][index] & (draw.random(n) < 0.4)
    first, second, shared = persons.tokens
    token = pc.if_else(pa.array(renewed), second.take(pa.array(index)), first.take(pa.array(index)))
    token = pc.if_else(pa.array(joint), shared.take(pa.array(index)), token)
    token = pc.if_else(pa.array(pays), token, pa.scalar(None, pa.string()))

    wants = draw.random(n) < np.where(web, WORLD.web_email, WORLD.e_receipt)
    # a guest shows at least one of bank card and e-mail, or the order would be anonymous
    mails = someone & (wants | ((how >= 1) & (how <= 2) & ~pays))
    uses_second = (draw.random(n) < 0.3) & np.array([bool(e) for e in persons.second_email])[index]
    email = pc.if_else(
        pa.array(uses_second),
        texts(persons.second_email).take(pa.array(index)),
        texts(persons.email).take(pa.array(index)),
    )
    email = pc.if_else(pa.array(mails), email, pa.scalar(None, pa.string()))

    year = bought.order_minute // DAY >= np.datetime64("2011-01-15", "D").astype(np.int64)
    code = np.where(draw.random(n) < 0.4, np.where(year, 4, 3), draw.integers(0, 3, n))
    month = (bought.order_minute * 60).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
    late = month >= 10
    code = np.where((code >= 3) & ~late, 1, code)
    coupon = pick(
        pa.array(COUPONS), code, someone & (bought.total_milli > 0) & (draw.random(n) < WORLD.coupon_share)
    )

    truth.knows("order", bought.order_ids, person)
    truth.knows("customer_id", bought.customer_ids, persons.of_customer)
    truth.knows("payment_token", token, person)
    truth.knows("email", email, person)
    truth.knows("loyalty_card", texts(persons.card), np.arange(len(persons)))
    truth.table(
        "orders",
        order_id=bought.order_ids,
        person_id=pick(persons.ids, person),
        how=pa.array(HOW).take(pa.array(how)),
        staff_card=pa.array(swiped),
    )
    for a in np.flatnonzero(persons.shares["card"] & (persons.partner > np.arange(len(persons)))).tolist():
        truth.trap("joint_bank_card", "payment_token", shared[a].as_py(), "one bank card of a couple")
    return Tills(person, how, card, token, email, coupon), places


def with_offer_coupons(tills: Tills, orders: Ints, codes: pa.Array) -> Tills:
    """The same tills, where these orders were paid with the coupon of an accepted offer."""
    at = np.full(len(tills.person), -1, np.int64)
    at[orders] = np.arange(len(orders))
    coupon = pc.coalesce(pick(codes, at), tills.coupon)
    return Tills(tills.person, tills.how, tills.card, tills.token, tills.email, coupon)


def orders_table(bought: Purchases, places: Places, tills: Tills, place_ids: pa.Array) -> pa.Table:
    """The columns of orders.parquet, one row per line; texts are dictionary-encoded until written."""

    def per_order(values: pa.Array) -> pa.Array:
        encoded = values.dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.take(order), encoded.dictionary)

    order = pa.array(bought.order)
    customer = pick(bought.customer_ids, bought.customer)
    return pa.table(
        {
            "order_id": pa.DictionaryArray.from_arrays(order.cast(pa.int32()), bought.order_ids),
            "invoice_date": local(bought.minute),
            "product_id": pa.DictionaryArray.from_arrays(
                pa.array(bought.product.astype(np.int32)), bought.product_ids
            ),
            "description": bought.description,
            "quantity": bought.quantity,
            "unit_price": decimal_milli(bought.price_milli),
            "customer_id": per_order(customer),
            "country": pa.DictionaryArray.from_arrays(
                pa.array(bought.country[bought.order].astype(np.int32)), bought.countries
            ),
            "currency": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(order), np.int32)), pa.array(["GBP"])
            ),
            "store": per_order(pick(place_ids, places.place)),
            "loyalty_card": per_order(tills.card),
            "payment_token": per_order(tills.token),
            "email": per_order(tills.email),
            "staff_id": per_order(pick(pa.array(places.staff_ids), places.staff)),
            "coupon": per_order(tills.coupon),
        }
    )
