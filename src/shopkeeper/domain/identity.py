"""Who is who, as people ask and settle it: explanations, the audit of merges and splits, and what needs a look."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from shopkeeper.domain.profile import IdentifierShown

GUARDS: Final[dict[str, str]] = {
    "shared": "an identifier between them is used by too many to say who it is",
    "accounts": "they hold different accounts, and two accounts are two customers until somebody says otherwise",
    "decided": "somebody decided that they are not one person",
    "size": "together they would have more identifiers than a person has",
    "unrelated": "nothing that was seen leads from one to the other",
}
"""What keeps two identifiers apart, as people read it."""

SETTLEMENTS: Final[dict[str, str]] = {
    "same": "these two are one person's",
    "different": "these two are not one person's",
    "undecide": "let what was seen decide again",
    "unlink": "this identifier is not its customer's",
    "split": "these identifiers of a customer are somebody else's",
    "leave": "looked at; it may stay as it is",
    "set_aside": "this identifier names nobody",
    "restore": "this identifier, which was set aside, names somebody after all",
}
"""What may be settled."""


class Settle(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to settle, of whom. Identifiers are given as everywhere: ``kind:value``, or bare."""

    what: str
    """One of ``SETTLEMENTS``."""
    identifiers: tuple[str, ...] = ()
    """Two for ``same``, ``different`` and ``undecide``; some for ``split``; one for the others."""
    customer: str = ""
    """For ``split``."""
    dry_run: bool = False
    """Only say what it would do."""


class Turned(Struct, frozen=True, kw_only=True):
    """Two customers that became one, or one that became two."""

    kind: str
    """``merge``: ``other`` became part of ``customer``. ``split``: ``other`` left it."""
    customer: str
    other: str


class Settlement(Struct, frozen=True, kw_only=True):
    """What came of settling something."""

    what: str
    customers: tuple[str, ...]
    """Whose the identifiers are now."""
    turned: tuple[Turned, ...] = ()
    events: int = 0
    """Events folded anew."""
    carried: int = 0
    """Withdrawn consents that were written down on both sides of a split, since they held for both until then."""
    dry_run: bool = False


class Step(Struct, frozen=True, kw_only=True):
    """One link of a chain of evidence."""

    one: IdentifierShown
    other: IdentifierShown
    why: str
    """The event on which both were seen; ``decided`` or ``likeness`` where it was no event."""
    at: datetime
    source: str = ""
    by: str = ""
    """Who decided it."""
    weight: float | None = None
    """For ``likeness``: log2 of the odds that they are one person's."""


class Reason(Struct, frozen=True, kw_only=True):
    """What stands between two identifiers."""

    guard: str
    sentence: str
    about: tuple[IdentifierShown, ...] = ()
    of_kind: str = ""
    count: int = 0


class Explanation(Struct, frozen=True, kw_only=True):
    """Why two identifiers are one customer's, or why they are not."""

    one: bool
    customers: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    reasons: tuple[Reason, ...] = ()


class TurnShown(Struct, frozen=True, kw_only=True):
    """A merge or a split that was, and its cause."""

    number: int
    at: datetime
    kind: str
    customer: str
    other: str
    why: str
    """An event's name, a guard, or the word of a decision."""
    about: tuple[IdentifierShown, ...] = ()
    by: str = ""
    """Who decided it; empty for what followed from events."""


class Beside(Struct, frozen=True, kw_only=True):
    """Somebody tied to what needs a look."""

    id: str
    name: str
    by: IdentifierShown
    """With which identifier."""
    orders: int = 0


class Suspicion(Struct, frozen=True, kw_only=True):
    """Something about identities that a person should look at."""

    kind: str
    """``shared``: many use one identifier. ``crowded``: one customer has very many. ``busy``: more is bought with one
    on a day than one person does. ``alike``: a model takes two customers for one person, and a guard keeps them apart.
    """
    sentence: str
    customer: str
    identifier: IdentifierShown | None = None
    reference: str = ""
    """How to name the identifier when settling it, whatever one may see of it."""
    other: str = ""
    """For ``alike``: how to name the other identifier."""
    weight: float | None = None
    """For ``alike``: log2 of the odds."""
    of_kind: str = ""
    count: int = 0
    beside: tuple[Beside, ...] = ()
    """The first few."""


class Ruling(Struct, frozen=True, kw_only=True):
    """The rules of identity, those that the settings ask for, and what they would change, or did."""

    in_force: dict[str, int]
    """By name: ``most.email``, ``a_day.phone``, ``size``, ``silence_days``."""
    wanted: dict[str, int]
    applied: bool = False
    shared: int = 0
    """Identifiers that would name nobody from now on."""
    freed: int = 0
    """Identifiers that would name somebody again."""
    merged: int = 0
    split: int = 0
    events: int = 0
    """Events folded anew; 0 as long as it is not applied."""


class Worthless(Struct, frozen=True, kw_only=True):
    """A value that people of very many family names use, or one that was set aside and is not any more."""

    identifier: IdentifierShown
    reference: str
    names: int
    back: bool = False
    """Whether it would name somebody again."""


class JunkFound(Struct, frozen=True, kw_only=True):
    """Values that name nobody, as learned from the records, and what setting them aside would change, or did."""

    rows: tuple[Worthless, ...] = ()
    known: int = 0
    """Values that are set aside already and stay so."""
    applied: bool = False
    merged: int = 0
    split: int = 0
    events: int = 0


class HouseholdMember(Struct, frozen=True, kw_only=True):
    """Another customer of a household."""

    id: str
    name: str
    by: tuple[str, ...]
    """``address`` (and one family name), or the kind of an identifier that both use, such as ``phone``."""
    orders: int = 0
    margin: float = 0.0


class Household(Struct, frozen=True, kw_only=True):
    """Whom a customer lives with, as far as it can be told. They stay customers of their own."""

    customer: str
    members: tuple[HouseholdMember, ...] = ()


class ReviewPage(Struct, frozen=True, kw_only=True):
    """A page of what needs a look. ``next`` is the cursor of the following page."""

    rows: tuple[Suspicion, ...]
    next: int | None = None
