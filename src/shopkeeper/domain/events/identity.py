"""Who somebody is, what they agreed to, and what others know of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from shopkeeper.domain.event import Properties, event, personal, says
from shopkeeper.domain.personal import Personal


@event("Identified")
class Identified(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """Traits of a person were told: a sign-up, a login, a customer file, a changed address."""

    first_name: Annotated[str | None, personal(Personal.NAME, "given name", "Anna")] = None
    last_name: Annotated[str | None, personal(Personal.NAME, "family name", "Berg")] = None
    email: Annotated[str | None, personal(Personal.CONTACT, "e-mail address", "anna@example.com")] = None
    phone: Annotated[str | None, personal(Personal.CONTACT, "telephone number", "+447700900123")] = None
    birthday: Annotated[str | None, personal(Personal.DEMOGRAPHIC, "birth date, ISO", "1980-05-02")] = None
    gender: Annotated[str | None, personal(Personal.DEMOGRAPHIC, "gender, as told", "f")] = None
    title: Annotated[str | None, personal(Personal.NAME, "form of address", "Dr")] = None
    street: Annotated[str | None, personal(Personal.CONTACT, "street and number", "1 High Street")] = None
    city: Annotated[str | None, personal(Personal.CONTACT, "town", "Leeds")] = None
    state: Annotated[str | None, personal(Personal.CONTACT, "state or region", "Yorkshire")] = None
    postcode: Annotated[str | None, personal(Personal.CONTACT, "postal code", "LS1 1AA")] = None
    country: Annotated[str, says("country of residence", "United Kingdom")] = ""
    company: Annotated[str | None, personal(Personal.NAME, "employer or firm", "Berg Ltd")] = None
    avatar: Annotated[str | None, personal(Personal.CONTACT, "picture")] = None
    household: Annotated[str | None, personal(Personal.DEMOGRAPHIC, "household as the source numbers it")] = (
        None
    )
    acquisition_channel: Annotated[str, says("channel that brought the customer", "search")] = ""
    joined: Annotated[str, says("date of joining, ISO", "2010-01-31")] = ""

    def sentence(self) -> str:
        """That details were told."""
        return "told who they are"


@event("Profile Enriched")
class ProfileEnriched(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """A third party's attributes were attached to the person, with their date; they go with an objection."""

    provider: Annotated[str, says("who supplied them", "panel-x")] = ""
    as_of: Annotated[str, says("the day they describe, ISO", "2011-01-01")] = ""
    attributes: Annotated[dict[str, str], says("name and value, such as age_band 35-44")] = field(
        default_factory=dict
    )

    def sentence(self) -> str:
        """How many attributes, from whom."""
        return f"was described by {self.provider or 'a third party'} ({len(self.attributes)} attributes)"


Purpose = Annotated[
    str,
    Meta(
        description="what for: marketing_email, marketing_sms, profiling, ads, service",
        min_length=1,
        max_length=200,
    ),
]


class ConsentFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What a consent and its withdrawal carry."""

    purpose: Purpose
    lawful_basis: Annotated[
        str, says("consent, legitimate_interest, contract or legal_obligation", "consent")
    ] = "consent"
    method: Annotated[str, says("how it was told: form, till, phone, import", "form")] = ""
    wording: Annotated[str, says("version of the wording shown", "2011-03")] = ""


@event("Consent Given")
class ConsentGiven(ConsentFields, frozen=True, kw_only=True, omit_defaults=True):
    """The person agreed to a purpose."""

    def sentence(self) -> str:
        """Agreed to what."""
        return f"agreed to {self.purpose.replace('_', ' ')}"


@event("Consent Withdrawn")
class ConsentWithdrawn(ConsentFields, frozen=True, kw_only=True, omit_defaults=True):
    """The person withdrew a consent or objected to a purpose."""

    def sentence(self) -> str:
        """Withdrew what."""
        return f"withdrew consent to {self.purpose.replace('_', ' ')}"
