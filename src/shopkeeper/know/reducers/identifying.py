"""What was told of the person and is no personal value, and what third parties say."""

from __future__ import annotations

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Customer, objects
from shopkeeper.domain.events.identity import Identified, ProfileEnriched
from shopkeeper.know.reducers.shape import Moment, Reducer


def identified(c: Customer, _: Moment, told: Identified, __: Catalogue) -> None:
    """Traits were told."""
    if told.country:
        c.country = told.country
    if told.acquisition_channel:
        c.acquisition_channel = told.acquisition_channel
    if told.joined and (not c.joined or told.joined < c.joined):
        c.joined = told.joined


def enriched(c: Customer, _: Moment, told: ProfileEnriched, __: Catalogue) -> None:
    """A third party's attributes; of two for one name the one describing the later day counts.

    Where profiling is objected to they are not attached, and those there were went with the objection.
    """
    if objects(c):
        return
    for name, value in told.attributes.items():
        known = c.attributes.get(name)
        if known is None or known[2] <= told.as_of:
            c.attributes[name] = (value, told.provider, told.as_of)


REDUCERS: dict[str, Reducer] = {"Identified": identified, "Profile Enriched": enriched}
