"""The consent ledger: what each identity said last about each purpose."""

from __future__ import annotations

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.consent import MARKETING, PURPOSES, purpose_of
from shopkeeper.domain.customer import Customer, Standing, objects
from shopkeeper.domain.errors import UnknownName
from shopkeeper.domain.events.engagement import MessageFields
from shopkeeper.domain.events.identity import ConsentFields
from shopkeeper.know.reducers.shape import Moment, Reducer


def _say(c: Customer, moment: Moment, purpose: str, *, granted: bool, basis: str) -> None:
    """What every identity on the event says; of two words of one instant a withdrawal stands."""
    by_node = c.standings.setdefault(purpose, {})
    standing = Standing(granted, moment.at, basis, moment.source)
    for node in moment.nodes:
        before = by_node.get(node)
        if not granted or before is None or before.granted or before.at < moment.at:
            by_node[node] = standing


def given(c: Customer, moment: Moment, consent: ConsentFields, _: Catalogue) -> None:
    """A purpose was agreed to, by every identity on the event. A consent to nobody knows what permits nothing."""
    purpose = purpose_of(consent.purpose)
    if purpose is None:
        raise UnknownName("consent purpose", consent.purpose, PURPOSES)
    _say(c, moment, purpose, granted=True, basis=consent.lawful_basis)


def withdrawn(c: Customer, moment: Moment, consent: ConsentFields, _: Catalogue) -> None:
    """A purpose was withdrawn or objected to; in words that nobody knows, all marketing was."""
    purpose = purpose_of(consent.purpose)
    for one in MARKETING if purpose is None else (purpose,):
        _say(c, moment, one, granted=False, basis=consent.lawful_basis)
    if objects(c):
        c.attributes.clear()  # what third parties say goes with an objection


def unsubscribed(c: Customer, moment: Moment, message: MessageFields, _: Catalogue) -> None:
    """Marketing e-mail was left."""
    _say(c, moment, "marketing_email", granted=False, basis="consent")


def complained(c: Customer, moment: Moment, message: MessageFields, _: Catalogue) -> None:
    """An e-mail was marked as spam: a complaint is a withdrawal."""
    c.engagement.complained += 1
    _say(c, moment, "marketing_email", granted=False, basis="consent")


REDUCERS: dict[str, Reducer] = {
    "Consent Given": given,
    "Consent Withdrawn": withdrawn,
    "Email Unsubscribed": unsubscribed,
    "Email Marked as Spam": complained,
}
