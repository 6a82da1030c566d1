"""E-mail, offers, rewards, social channels, reviews and referrals. Opens made by machines count as nothing."""

from __future__ import annotations

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Customer
from shopkeeper.domain.events.engagement import (
    MessageFields,
    ReviewSubmitted,
    RewardGranted,
    SocialFields,
)
from shopkeeper.know.reducers.shape import Moment, Reads, Reducer


def delivered(c: Customer, _: Moment, nothing: None, __: Catalogue) -> None:
    """An e-mail arrived."""
    c.engagement.delivered += 1


def opened(c: Customer, _: Moment, message: MessageFields, __: Catalogue) -> None:
    """An e-mail was opened, if by a person."""
    c.engagement.opened += not message.machine


def clicked(c: Customer, moment: Moment, message: MessageFields, _: Catalogue) -> None:
    """A link was clicked."""
    if not message.machine:
        c.engagement.clicked += 1
        c.engagement.last_click = moment.at


def bounced(c: Customer, _: Moment, nothing: None, __: Catalogue) -> None:
    """An e-mail did not arrive."""
    c.engagement.bounced += 1


def offered(c: Customer, _: Moment, nothing: None, __: Catalogue) -> None:
    """An offer was made."""
    c.engagement.offers_shown += 1


def accepted(c: Customer, _: Moment, nothing: None, __: Catalogue) -> None:
    """An offer was taken."""
    c.engagement.offers_accepted += 1


def declined(c: Customer, _: Moment, nothing: None, __: Catalogue) -> None:
    """An offer was declined."""
    c.engagement.offers_declined += 1


def rewarded(c: Customer, _: Moment, reward: RewardGranted, __: Catalogue) -> None:
    """Points were given."""
    c.points += reward.points


def referred(c: Customer, _: Moment, nothing: None, __: Catalogue) -> None:
    """Somebody was brought."""
    c.referrals += 1


def reviewed(c: Customer, _: Moment, review: ReviewSubmitted, __: Catalogue) -> None:
    """A review was written."""
    if review.rating is not None:
        c.reviews += 1
        c.rating_sum += review.rating


def _social(field: str) -> Reducer:
    def reduce(c: Customer, moment: Moment, nothing: None, _: Catalogue) -> None:
        setattr(c.social, field, getattr(c.social, field) + 1)
        c.social.last = moment.at

    return reduce


def linked(c: Customer, moment: Moment, deed: SocialFields, _: Catalogue) -> None:
    """A social account was linked."""
    if deed.network and deed.network not in c.social.linked:
        c.social.linked.append(deed.network)
    c.social.last = moment.at


READS: Reads = dict.fromkeys(
    (
        "Email Delivered",
        "Email Bounced",
        "Offer Shown",
        "Offer Accepted",
        "Offer Declined",
        "Customer Referred",
        "Social Account Followed",
        "Social Post Liked",
        "Social Post Commented",
        "Social Post Shared",
        "Social Post Pinned",
    )
)

REDUCERS: dict[str, Reducer] = {
    "Email Delivered": delivered,
    "Email Opened": opened,
    "Email Link Clicked": clicked,
    "Email Bounced": bounced,
    "Offer Shown": offered,
    "Offer Accepted": accepted,
    "Offer Declined": declined,
    "Reward Granted": rewarded,
    "Customer Referred": referred,
    "Review Submitted": reviewed,
    "Social Account Linked": linked,
    "Social Account Followed": _social("follows"),
    "Social Post Liked": _social("likes"),
    "Social Post Commented": _social("comments"),
    "Social Post Shared": _social("shares"),
    "Social Post Pinned": _social("pins"),
}
