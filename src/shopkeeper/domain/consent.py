"""What is permitted: purposes, how people spell them, and lawful bases."""

from __future__ import annotations

from typing import Final

from shopkeeper.domain.customer import Standing
from shopkeeper.domain.errors import UnknownName

PURPOSES: dict[str, str] = {
    "marketing_email": "marketing by e-mail",
    "marketing_sms": "marketing by text message",
    "marketing_phone": "marketing by telephone",
    "marketing_post": "marketing by post",
    "push": "messages on the device",
    "profiling": "predictions and segments about the person",
    "ads": "advertising audiences outside the shop",
    "service": "messages that a purchase or a case needs",
}

MARKETING: Final = ("marketing_email", "marketing_sms", "marketing_phone", "marketing_post", "push", "ads")
"""What is withdrawn by somebody who does not say, in known words, what is withdrawn."""

WITHDRAWALS: Final = ("Consent Withdrawn", "Email Unsubscribed", "Email Marked as Spam")
"""Events that withdraw something."""

BASES: tuple[str, ...] = ("consent", "legitimate_interest", "contract", "legal_obligation")
"""Lawful bases that a processing may stand on (GDPR article 6)."""

_SPELLINGS: dict[str, str] = {
    "marketing_email": "email, e mail, emails, newsletter, newsletters, email marketing, email newsletter, "
    "email newsletters, marketing emails, marketing newsletter, newsletter subscription, email subscription, "
    "email opt in, email consent, promotional email, promotional emails, werbung per email, email werbung",
    "marketing_sms": "sms, text, texts, text message, text messages, sms marketing, text marketing, mms, whatsapp, "
    "marketing text, sms opt in, sms consent",
    "marketing_phone": "phone, telephone, call, calls, phone marketing, telephone marketing, telemarketing, "
    "marketing telephone, marketing call, marketing calls, phone calls, telefon",
    "marketing_post": "post, postal, direct mail, letter, letters, catalog, catalogue, print, post marketing, "
    "postal marketing, marketing postal, postal mail, marketing mail, marketing direct mail",
    "push": "push notification, push notifications, notification, notifications, app push, web push, mobile push, "
    "marketing push",
    "profiling": "profile, personalisation, personalization, personalised offers, personalized offers, "
    "recommendations, segmentation, predictions",
    "ads": "ad, advertising, advertisement, advertisements, retargeting, remarketing, targeted advertising, "
    "marketing ads, custom audiences, audiences, ad storage, ad user data, ad personalization",
    "service": "service messages, transactional, transactional email, transactional emails, order updates, "
    "customer service, support, necessary, essential",
}


def _folded(text: str) -> str:
    """Lower case, one underscore between words."""
    return "_".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


_KNOWN: Final[dict[str, str]] = {name: name for name in PURPOSES} | {
    _folded(spelling): name for name, spellings in _SPELLINGS.items() for spelling in spellings.split(",")
}


def purpose_of(text: str) -> str | None:
    """The purpose meant by a text, however it is spelled; None for one that is not known.

    >>> purpose_of("Marketing Email"), purpose_of("e-mail"), purpose_of("newsletter"), purpose_of("everything")
    ('marketing_email', 'marketing_email', 'marketing_email', None)
    """
    known = _KNOWN.get(text)
    if known is None:
        folded = _folded(text)
        known = _KNOWN.get(folded) or _KNOWN.get(folded.replace("e_mail", "email"))
    return known


def purpose(name: str) -> str:
    """The purpose, checked.

    >>> purpose("marketing_email")
    'marketing_email'
    """
    if name not in PURPOSES:
        raise UnknownName("consent purpose", name, PURPOSES)
    return name


def permitted(consents: dict[str, Standing], wanted: str) -> tuple[bool, str]:
    """Whether a purpose may be pursued, and the reason in words.

    >>> permitted({}, "marketing_email")
    (False, 'no consent to marketing by e-mail is recorded')
    >>> permitted({}, "service")[0]
    True
    """
    standing = consents.get(purpose(wanted))
    if standing is None:
        if wanted == "service":
            return True, "needed for the contract"
        return False, f"no consent to {PURPOSES[wanted]} is recorded"
    if not standing.granted:
        return False, f"{PURPOSES[wanted]} was withdrawn"
    return True, f"{standing.basis.replace('_', ' ')} recorded from {standing.source or 'an unnamed source'}"
