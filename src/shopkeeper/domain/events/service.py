"""Call centre and service desk."""

from __future__ import annotations

from typing import Annotated

from shopkeeper.domain.event import Properties, event, personal, says
from shopkeeper.domain.personal import Personal


class ContactFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What the opening and closing of a contact carry."""

    contact_id: Annotated[str, says("case number", "K-1")] = ""
    medium: Annotated[str, says("phone, email, chat, store or social", "phone")] = ""
    reason: Annotated[str, says("why: complaint, cancel, missing_part, question, ...", "complaint")] = ""
    sentiment: Annotated[str, says("positive, neutral or negative", "negative")] = ""
    order_id: Annotated[str, says("order it is about", "489434")] = ""
    outcome: Annotated[str, says("how it ended", "part sent")] = ""
    subject: Annotated[
        str | None, personal(Personal.TEXT, "in the customer's words", "Three screws are missing")
    ] = None

    def why(self) -> str:
        """The reason in words."""
        return self.reason.replace("_", " ") or "a question"


@event("Contact Opened")
class ContactOpened(ContactFields, frozen=True, kw_only=True, omit_defaults=True):
    """The customer got in touch."""

    def sentence(self) -> str:
        """By what way and why."""
        return f"got in touch by {self.medium or 'some way'}: {self.why()}"


@event("Contact Closed")
class ContactClosed(ContactFields, frozen=True, kw_only=True, omit_defaults=True):
    """A case was closed."""

    def sentence(self) -> str:
        """Which case ended how."""
        return f"case about {self.why()} closed" + (f": {self.outcome}" if self.outcome else "")
