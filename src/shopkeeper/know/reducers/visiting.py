"""Store visits, answers to questions, and contacts with the shop's service."""

from __future__ import annotations

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Case, Customer
from shopkeeper.domain.events.service import ContactFields
from shopkeeper.domain.events.store import AnswerGiven, BeaconDetected, StoreVisited
from shopkeeper.know.reducers.shape import Moment, Reducer


def visited(c: Customer, moment: Moment, visit: StoreVisited | BeaconDetected, _: Catalogue) -> None:
    """The customer was in or near a store."""
    c.visits[visit.store] = c.visits.get(visit.store, 0) + 1
    c.last_visit = moment.at


def answered(c: Customer, _: Moment, answer: AnswerGiven, __: Catalogue) -> None:
    """A question was answered; the last answer counts."""
    if answer.question_id:
        c.answers[answer.question_id] = answer.answer


def opened(c: Customer, moment: Moment, contact: ContactFields, _: Catalogue) -> None:
    """The customer got in touch."""
    c.contacts += 1
    c.complaints += contact.reason == "complaint" or contact.sentiment == "negative"
    if contact.contact_id in c.closed_early:
        c.closed_early.remove(contact.contact_id)
    else:
        c.open_cases[contact.contact_id] = Case(moment.at, contact.reason, contact.sentiment, contact.medium)


def closed(c: Customer, _: Moment, contact: ContactFields, __: Catalogue) -> None:
    """A case was closed."""
    if c.open_cases.pop(contact.contact_id, None) is None and contact.contact_id not in c.closed_early:
        c.closed_early.append(contact.contact_id)


REDUCERS: dict[str, Reducer] = {
    "Store Visited": visited,
    "Beacon Detected": visited,
    "Answer Given": answered,
    "Contact Opened": opened,
    "Contact Closed": closed,
}
