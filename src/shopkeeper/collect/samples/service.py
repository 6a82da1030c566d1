"""Contacts with the call centre by phone, e-mail and chat: questions, complaints, missing parts, cancellations."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shopkeeper.collect.samples.browsing import Shop
from shopkeeper.collect.samples.columns import iso_utc, join, pick, texts, utc_millis
from shopkeeper.collect.samples.source import DAY, LAST_DAY, Ints
from shopkeeper.collect.samples.truth import Truth
from shopkeeper.collect.samples.wire import END
from shopkeeper.collect.samples.world import WORLD, generator

REASONS: dict[str, tuple[float, float, tuple[float, float, float], tuple[str, ...]]] = {
    # reason: (share after an order, share with a return, sentiment (negative, neutral, positive), subjects)
    "where_is_my_order": (
        0.30,
        0.02,
        (0.3, 0.65, 0.05),
        ("Where is my order {order}?", "Parcel of order {order} not arrived"),
    ),
    "product_question": (
        0.22,
        0.03,
        (0.02, 0.6, 0.38),
        ("A question about {product}", "Is {product} dishwasher safe?"),
    ),
    "missing_part": (
        0.10,
        0.15,
        (0.6, 0.4, 0.0),
        ("Three screws are missing from {product}", "Parts missing: {product}"),
    ),
    "damaged": (
        0.10,
        0.45,
        (0.7, 0.3, 0.0),
        ("{product} arrived broken", "Order {order}: damaged in transit"),
    ),
    "complaint": (
        0.08,
        0.15,
        (0.95, 0.05, 0.0),
        ("Complaint about order {order}", "Not what I expected: {product}"),
    ),
    "return": (0.04, 0.18, (0.25, 0.7, 0.05), ("How do I return {product}?", "Refund for order {order}")),
    "invoice": (0.08, 0.01, (0.05, 0.9, 0.05), ("Please send the invoice of order {order}",)),
    "cancel_account": (
        0.03,
        0.01,
        (0.6, 0.4, 0.0),
        ("I want to close my account", "Please cancel my membership"),
    ),
    "praise": (0.05, 0.0, (0.0, 0.1, 0.9), ("Thank you for {product}", "Lovely service")),
}
SENTIMENTS = ("negative", "neutral", "positive")
CHANNELS = ("phone", "email", "chat")


def international(phone: str) -> str:
    """A British number in international form, as call-centre software stores it.

    >>> international("0161 496 0123")
    '+441614960123'
    """
    return f"+44{phone[1:].replace(' ', '')}" if phone.startswith("0") else phone.replace(" ", "")


def contacts_table(shop: Shop, crm_phone: list[str], seed: int, truth: Truth) -> pa.Table:
    """The columns of contacts.csv. A return (real) is often preceded by a contact (simulated)."""
    draw = generator(seed, "contacts")
    bought, p = shop.bought, shop.persons
    known = np.flatnonzero(bought.customer >= 0)
    back = bought.total_milli[known] < 0
    # returns are sampled always, orders of the last weeks more often, so that some cases are open today
    late = bought.order_minute[known] > (LAST_DAY - 10) * DAY
    chance = np.where(back, WORLD.contact_return, WORLD.contact_share * np.where(late, 2.0, 1.0))
    order = known[draw.random(len(known)) < chance]
    m = len(order)
    person, returned = shop.tills.person[order], bought.total_milli[order] < 0
    names = list(REASONS)
    shares = np.cumsum(np.array([[REASONS[r][0] for r in names], [REASONS[r][1] for r in names]]), axis=1)
    shares /= shares[:, -1:]
    reason = (draw.random(m)[:, None] > shares[returned.astype(int)]).sum(axis=1)
    gap = np.where(returned, -draw.uniform(0.2, 6, m), draw.gamma(2, 3, m)) * DAY
    day = np.floor((bought.order_minute[order] + gap) / DAY)
    opened = np.minimum(day * DAY + draw.uniform(510, 1080, m), END - 60.0)
    lasts = draw.exponential(2.2, m) * DAY + 10
    fresh = opened > END - WORLD.open_days * DAY
    still_open = (opened + lasts > END - 720) | (fresh & (draw.random(m) < 0.35))

    channel = draw.choice(3, m, p=[0.5, 0.35, 0.15])
    phone = _phones(draw, p.phone, crm_phone, bought.customer[order], person)
    by_phone = channel == 0
    numbers = pick(texts(phone), np.arange(m), by_phone)
    email = pick(texts(p.email), person, channel == 1)
    # on the phone many do not tell their customer number; chat is used when logged in
    tells = draw.random(m) < np.array([0.45, 0.3, 0.9])[channel]
    nameless = by_phone & np.array([not n for n in phone])
    tells |= nameless
    # a return is told by the number of the purchase, which the goods came with
    told = np.where(returned, shop.taste.last_order(person, bought.order_minute[order]), order)
    subjects, moods = _words(draw, shop, order, told, reason)
    truth.knows("phone", numbers, person)
    truth.knows("email", email, person)
    ids = join("CC", pa.array(np.arange(100_001, 100_001 + m)).cast(pa.string()))
    truth.table("contacts", contact_id=ids, person_id=pick(p.ids, person))
    table = pa.table(
        {
            "contact_id": ids,
            "opened_at": iso_utc(utc_millis(opened)),
            "closed_at": pick(
                iso_utc(utc_millis(np.minimum(opened + lasts, END))), np.arange(m), ~still_open
            ),
            "channel": pa.array(CHANNELS).take(pa.array(channel)),
            "reason": pa.array(names).take(pa.array(reason)),
            "sentiment": pa.array(SENTIMENTS).take(pa.array(moods)),
            "phone": numbers,
            "email": email,
            "customer_id": pick(bought.customer_ids, bought.customer[order], tells),
            "order_id": pick(bought.order_ids, told, draw.random(m) < 0.6),
            "subject": texts(subjects),
            "status": pa.array(["closed", "open"]).take(pa.array(still_open.astype(np.int64))),
        }
    )
    return table.sort_by([("opened_at", "ascending"), ("contact_id", "ascending")])


def _words(
    draw: np.random.Generator, shop: Shop, order: Ints, told: Ints, reason: Ints
) -> tuple[list[str], Ints]:
    product = shop.catalogue.name.take(pa.array(shop.taste.of_order(draw, order))).to_pylist()
    numbers = pick(shop.bought.order_ids, told).to_pylist()
    names = list(REASONS)
    subjects = []
    for r, u, name, number in zip(
        reason.tolist(), draw.random(len(order)).tolist(), product, numbers, strict=True
    ):
        choices = REASONS[names[r]][3]
        subjects.append(
            choices[int(u * len(choices))].format(
                product=str(name).capitalize(), order=number or "of last week"
            )
        )
    moods = np.cumsum(np.array([REASONS[r][2] for r in names]), axis=1)[reason]
    return subjects, (draw.random(len(order))[:, None] > moods).sum(axis=1).clip(0, 2)


def _phones(
    draw: np.random.Generator, phones: list[str], crm_phone: list[str], customer: Ints, person: Ints
) -> list[str]:
    """The number a caller calls from: the one in the CRM (a recycled one too), in one of two spellings."""
    spelled = (draw.random(len(person)) < 0.5).tolist()
    made = []
    for c, i, strange in zip(customer.tolist(), person.tolist(), spelled, strict=True):
        number = crm_phone[c] or phones[i]
        made.append(international(number) if strange and number else number)
    return made
