"""Classes of personal data: how a declared field is stored, masked, exported and erased.

What is declared personal is sealed in the vault under the key of the identity it belongs to, and never
enters the log, the lake or a log line. A property that nobody declared counts as personal until someone does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Personal(StrEnum):
    """How closely a value is tied to one person."""

    NONE = "none"
    """A fact without a person: amounts, products, dates, channels."""
    IDENTIFIER = "identifier"
    """Names one person or device: card, account, cookie."""
    CONTACT = "contact"
    """Reaches a person: e-mail, phone, postal address."""
    NAME = "name"
    """What the person is called."""
    DEMOGRAPHIC = "demographic"
    """Describes the person: birth date, household."""
    TEXT = "text"
    """Free text a person wrote or somebody wrote about them."""
    UNDECLARED = "undeclared"
    """Nobody has said yet; treated as personal."""


EVERY_CLASS: frozenset[Personal] = frozenset(Personal) - {Personal.NONE}
"""Every class of what is personal."""


def looks_personal(value: Any) -> bool:
    """Whether an undeclared property must be sealed: all text and structures, and numbers long enough to be a phone.

    >>> looks_personal(True), looks_personal(3.5), looks_personal("blue"), looks_personal(447700900123)
    (False, False, True, True)
    """
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) >= 1_000_000
    return True
