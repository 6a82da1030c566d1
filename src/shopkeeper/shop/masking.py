"""Masks personal values by class: what an actor's role does not see in clear shows enough to recognise, or nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.personal import Personal

Sees = Collection[Personal]
"""The classes of personal data that somebody sees in clear: ``Actor.sees``."""

_CODE = re.compile(r"[\w.-]{1,40}")
"""A code of a form, such as ``damaged_item``: nobody's own words."""


def class_of(kind: str, event: str = "Identified") -> Personal:
    """The class of an identifier's kind, or of a personal property of an event; what nobody declared is undeclared.

    >>> import shopkeeper.domain.events
    >>> class_of("email"), class_of("loyalty_card"), class_of("birthday"), class_of("shoe_size")
    (<Personal.CONTACT: 'contact'>, <Personal.IDENTIFIER: 'identifier'>, <Personal.DEMOGRAPHIC: 'demographic'>,
     <Personal.UNDECLARED: 'undeclared'>)
    """
    declared = _declared(event).get(kind)
    if declared is not None:
        return declared
    return IDENTIFIER_KINDS[kind].personal if kind in IDENTIFIER_KINDS else Personal.UNDECLARED


@cache
def _declared(event: str) -> dict[str, Personal]:
    return EVENTS[event].personal if event in EVENTS else {}


def mask(kind: str, value: str) -> str:
    """Enough of an e-mail, number or card to recognise it by; of all else nothing.

    >>> mask("email", "anna@example.com"), mask("loyalty_card", "LC123456"), mask("street", "1 High Street")
    ('a•••@•••.com', '••••3456', '••••')
    """
    if kind == "email" and "@" in value:
        return f"{value[0]}•••@•••.{value.rsplit('.', 1)[-1]}"
    return "••••" + value[-4:] if kind in IDENTIFIER_KINDS and len(value) > 7 else "••••"


def seen(kind: str, value: str, sees: Sees) -> str:
    """A personal value as somebody may see it."""
    return value if class_of(kind) in sees else mask(kind, value)


def words_of(value: str, sees: Sees) -> str:
    """What may be somebody's own words, or a code of a form, which is nobody's."""
    return value if Personal.TEXT in sees or _CODE.fullmatch(value) else mask("text", value)
