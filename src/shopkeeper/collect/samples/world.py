"""Every assumption of the simulation, in one table.

The purchases are real; all that is built around them is simulated from the figures below. Each
figure has one sentence, and the README of a sample shop prints the whole table.
"""

from __future__ import annotations

import zlib
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def _p(default: float, says: str) -> Any:
    """Declare one parameter: its value and one sentence."""
    return field(default=default, metadata={"says": says})


@dataclass(frozen=True, slots=True)
class World:
    """What the simulation assumes. Shares and probabilities lie in 0..1.

    >>> World().card_share
    0.55
    """

    # who the customers are
    household_share: float = _p(0.08, "share of UK customers who live with another customer (same address)")
    household_landline: float = _p(0.7, "of those couples, share using one landline")
    household_email: float = _p(0.25, "of those couples, share whose CRM records carry one family e-mail")
    household_card: float = _p(0.3, "of those couples, share paying with one joint bank card")
    household_device: float = _p(0.3, "of those couples, share browsing on one family device")
    namesake_share: float = _p(
        0.1, "of those couples, share who are parent and child with the same full name"
    )
    two_accounts: float = _p(0.015, "share of customers who lost their account and opened a second one later")
    prospects: float = _p(0.05, "newsletter subscribers who never bought, per customer")
    second_email: float = _p(0.12, "share of persons with a second e-mail address")
    moved_away: float = _p(0.2, "share of UK persons living in a city without a store")
    recycled_phones: float = _p(
        0.004, "share of customers whose phone number formerly was another customer's"
    )
    # what the CRM knows of them
    crm_email: float = _p(0.86, "share of customer records with an e-mail")
    crm_phone: float = _p(0.62, "share of UK customer records with a phone number")
    crm_birth_date: float = _p(0.42, "share of customer records with a birth date")
    crm_typo: float = _p(0.03, "chance of a typo in each of first name, last name and e-mail of a record")
    crm_junk: float = _p(0.012, "chance that e-mail or phone of a record is junk typed to fill the form")
    crm_household: float = _p(0.25, "share of couples that the CRM itself has recorded as a household")
    card_share: float = _p(0.55, "share of UK customers with a loyalty card")
    # where they buy
    store_lovers: float = _p(0.4, "share of UK customers who prefer the store")
    web_lovers: float = _p(0.35, "share of UK customers who prefer the web shop (the rest do both)")
    other_store: float = _p(0.08, "share of store orders bought in another store than the nearest")
    guest_in_store: float = _p(0.7, "chance that a small order without customer was made in a store")
    # how an order shows who bought
    card_shown: float = _p(0.85, "chance that a card holder shows the loyalty card in the store")
    pays_by_card_store: float = _p(0.72, "chance that a store order is paid by bank card (else cash)")
    pays_by_card_web: float = _p(0.88, "chance that a web order is paid by bank card (else a wallet)")
    web_email: float = _p(0.75, "chance that a web order of a customer carries the e-mail")
    e_receipt: float = _p(0.18, "chance that a store customer asks for an e-receipt")
    guest_known: float = _p(0.35, "share of small guest orders made by a customer who did not say so")
    guest_new: float = _p(
        0.27, "share of small guest orders by a person without account (the rest stay anonymous)"
    )
    guest_repeats: float = _p(1.6, "guest orders per person without account")
    roll_up_lines: float = _p(
        100, "guest orders of at least so many lines are daily roll-ups of a marketplace: nobody"
    )
    coupon_share: float = _p(
        0.03, "share of orders with a public coupon (the real price already contains it)"
    )
    # what they do on the web
    tracked: float = _p(0.45, "share of web orders whose session was tracked (others refused cookies)")
    login: float = _p(0.5, "share of tracked sessions with a login")
    views_bought: float = _p(1.8, "products looked at and then bought, per order session (mean)")
    views_only: float = _p(1.6, "products looked at and not bought, per session (mean)")
    browse_before: float = _p(0.35, "chance of a session without order in the two weeks before a web order")
    browse_after: float = _p(0.18, "chance of a session without order in the six weeks after an order")
    # e-mail, social, stores
    subscribes: float = _p(0.6, "share of customers with an e-mail who give consent to marketing e-mail")
    campaigns_per_month: float = _p(1, "newsletters a month (two in October, November and December)")
    open_base: float = _p(0.16, "chance that a person opens a newsletter, before the effects below")
    open_buyer: float = _p(
        0.22, "added to it in proportion to engagement and when a purchase follows within a month"
    )
    machine_open: float = _p(0.12, "share of subscribers whose mail is opened by a privacy proxy")
    click: float = _p(0.2, "chance of a click, given a personal open")
    bounce: float = _p(0.006, "chance that a newsletter bounces")
    leaves: float = _p(0.004, "chance that a newsletter makes its reader unsubscribe")
    social_share: float = _p(0.16, "share of persons who follow the shop on a social network")
    social_linked: float = _p(0.45, "of those, share who link the account to the shop for a reward")
    social_acts: float = _p(20, "likes, comments, shares and pins of a follower (mean; long-tailed)")
    app_share: float = _p(0.14, "share of store customers with the app (beacons)")
    commuters: float = _p(0.15, "of those, share who pass their store on workdays before it opens")
    review_share: float = _p(0.05, "reviews per order of a customer")
    asked: float = _p(0.09, "chance that the associate asks a store customer a question")
    referrers: float = _p(0.03, "share of customers who bring others")
    # service
    contact_share: float = _p(0.03, "contacts per ordinary order of a customer")
    contact_return: float = _p(0.12, "chance that a return comes with a contact")
    open_days: float = _p(18, "contacts younger than this many days may still be open")
    # offers (see offers.py: assignment is randomised, the effect is known)
    offer_moments: float = _p(12, "moments at which an offer experiment draws its customers")
    offer_reach: float = _p(0.5, "share of the active customers drawn into each experiment")
    offer_window: float = _p(21, "days within which a purchase counts as response")

    def table(self) -> list[tuple[str, float, str]]:
        """All parameters as (name, value, sentence)."""
        rows: tuple[Field[Any], ...] = fields(self)
        return [(f.name, float(getattr(self, f.name)), str(f.metadata["says"])) for f in rows]


WORLD = World()

CHANNELS: dict[str, tuple[tuple[float, float, float], float]] = {
    # acquisition channel: (share among customers of low, middle, high value), spend per new customer in GBP
    "organic_search": ((0.18, 0.24, 0.26), 0.0),
    "paid_search": ((0.20, 0.20, 0.16), 21.0),
    "paid_social": ((0.22, 0.12, 0.05), 14.0),
    "affiliate": ((0.18, 0.09, 0.04), 11.0),
    "catalogue": ((0.06, 0.12, 0.20), 34.0),
    "store": ((0.10, 0.13, 0.13), 6.0),
    "referral": ((0.04, 0.08, 0.14), 9.0),
    "email_partner": ((0.02, 0.02, 0.02), 4.0),
}

OFFERS: dict[str, tuple[str, float, dict[str, float]]] = {
    # offer_id: (what is offered, cost in GBP when accepted, relative effect on the chance to buy by segment)
    "OF-10PCT": ("10 % off the next order", 28.0, {"new": 0.25, "regular": 0.0, "lapsing": 0.12}),
    "OF-SHIP": ("Free shipping upgrade", 4.0, {"new": 0.1, "regular": 0.08, "lapsing": 0.05}),
    "OF-EVENT": ("Invitation to an evening in the store", 7.0, {"new": 0.0, "regular": 0.15, "lapsing": 0.0}),
    "OF-TEA": ("A free tea towel with the next order", 2.5, {"new": 0.0, "regular": 0.0, "lapsing": 0.0}),
    "OF-WINBACK": ("15 GBP off after a long silence", 15.0, {"new": 0.0, "regular": -0.05, "lapsing": 0.4}),
}

CATEGORY_MARGIN: tuple[float, float] = (0.35, 0.65)
"""Lowest and highest gross margin of a category; each category has a fixed place between them."""


def generator(seed: int, room: str) -> np.random.Generator:
    """A random generator for one room of the simulation, so that rooms do not disturb each other."""
    import numpy as np

    return np.random.default_rng([seed, zlib.crc32(room.encode())])
