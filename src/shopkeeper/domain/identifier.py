"""Identifiers: what an event reveals about who it was, from a cookie to a loyalty card.

The table says per kind how strongly it speaks for one person. ``exclusive`` kinds are issued by the retailer
to one person each: two different ones are two customers until somebody says otherwise. ``session`` kinds speak
for a device rather than a person. ``most`` and ``a_day`` bound how many new neighbours of one kind are believable
within a time (``resolve.rules``, where a shop may set its own); above that the identifier is a junction (an in-store
tablet, a staff card, a junk value) and links nobody. ``recycled`` kinds are given out again to somebody else.
"""

from __future__ import annotations

from msgspec import Struct

from shopkeeper.domain.personal import Personal


class IdentifierKind(Struct, frozen=True):
    """One row of the table of identifier kinds."""

    name: str
    rank: int
    """Lower speaks more strongly; the strongest identifier of an event becomes its node. No two kinds have the same;
    the steps of ten leave room for kinds to come, and what an event's node is must never change."""
    sentence: str
    exclusive: bool = False
    session: bool = False
    reference: bool = False
    """Numbers an order: ties what is told of it later, naming nobody, to whoever placed it. Never counted or shown."""
    most: int = 8
    """Others of one kind first seen with it within a year; cookies and devices within a week."""
    a_day: int = 4
    """Others of one kind first seen with it within a day, cookies and devices not counted."""
    recycled: bool = False
    personal: Personal = Personal.IDENTIFIER
    """What its values are: most name somebody, some also reach them."""


IDENTIFIER_KINDS: dict[str, IdentifierKind] = {
    kind.name: kind
    for kind in (
        IdentifierKind(
            "user_id",
            0,
            "customer or account number given by the retailer",
            exclusive=True,
            most=200,
            a_day=50,
        ),
        IdentifierKind(
            "loyalty_card", 10, "loyalty card shown in store, by phone or online", most=6, a_day=3
        ),
        IdentifierKind("email", 20, "e-mail address", most=8, personal=Personal.CONTACT),
        IdentifierKind(
            "social", 30, "account on a social network, as network:handle", most=4, personal=Personal.CONTACT
        ),
        IdentifierKind(
            "phone", 40, "telephone number", most=6, a_day=3, recycled=True, personal=Personal.CONTACT
        ),
        IdentifierKind(
            "payment_token", 50, "token of a payment card, from the payment provider", most=4, a_day=3
        ),
        IdentifierKind("e_receipt", 55, "customer's number at an e-receipt service", most=6, a_day=3),
        IdentifierKind("gift_card", 60, "gift card number", most=2),
        IdentifierKind("external_id", 65, "number at another tool, as type:number", most=8),
        IdentifierKind("device_id", 70, "installation of the app", session=True, most=5, a_day=3),
        IdentifierKind("anonymous_id", 80, "browser cookie", session=True, most=5, a_day=3),
        IdentifierKind(
            "order",
            90,
            "order or receipt, as the till or web shop numbers it",
            session=True,
            reference=True,
            most=1,
        ),
    )
}


class Identifier(Struct, frozen=True, order=True):
    """One observed identifier: its kind and its canonical value.

    >>> Identifier("email", "anna@example.com").kind
    'email'
    """

    kind: str
    value: str
