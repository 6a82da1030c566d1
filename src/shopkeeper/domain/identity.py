"""Who is who, as people ask and settle it: explanations, the audit of merges and splits, and what needs a look."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from shopkeeper.domain.profile import IdentifierShown

GUARDS: Final[dict[str, str]] = {
    "shared": "an identifier between them is used by too many to say who it is",
    "accounts": "they hold different accounts, and two accounts are two customers until somebody says otherwise",
    "decided": "somebody decided that they are not one person",
    "size": "together they would have more identifiers than a person has",
    "unrelated": "nothing that was seen leads from one to the other",
}
"""What keeps two identifiers apart, as people read it."""

REFUSED: Final[dict[str, str]] = {
    "accounts": "Two customers with identifiers in common who hold different accounts: one person with two accounts?",
    "size": "Two customers with identifiers in common, together more than a person has: one person, or a shared card?",
}
"""Guards whose refusal a person may overrule, and what is asked of them."""

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
    """Two for ``same`` and ``different``; one or two for ``leave`` and ``undecide``, which takes back all decisions on
    one; some for ``split``; one for the others.
    """
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


class Compared(Struct, frozen=True, kw_only=True):
    """One bar of a waterfall: the prior, or what one comparison of two records says. It holds nobody's value."""

    name: str
    """``prior``, or what was compared: ``first name``, ``birthday``, ``e-mail``, ..."""
    level: str
    """How alike the two are in it, in words."""
    weight: float
    """Match weight: log2 of the Bayes factor of that level, in bits."""
    adjustment: float = 0.0
    """Term-frequency adjustment: bits that a rarer value than usual adds, or a more common one takes away."""


class Waterfall(Struct, frozen=True, kw_only=True):
    """How a model weighs the evidence that two records are one person's, as the records are now."""

    weight: float
    """The sum of all bars: log2 of the odds."""
    probability: float
    odds: str
    """Such as ``1:40``."""
    bars: tuple[Compared, ...]
    one: IdentifierShown | None
    """The identifier on which the one record was told; None where it was typed in."""
    other: IdentifierShown
    rule: str = ""
    """Where the two count as one whatever the sum: why."""
    against: str = ""
    """What speaks so much against it that linkage would not join them, whatever the sum."""


def odds(weight: float) -> str:
    """Odds for bits, to two digits.

    >>> odds(-5.32), odds(0), odds(10), odds(3.3), odds(60)
    ('1:40', '1:1', '1,000:1', '9.8:1', 'over a billion to 1')
    """
    size = 2.0 ** min(abs(weight), 40)
    if size >= 1e9:
        return "over a billion to 1" if weight > 0 else "1 to over a billion"
    digits = f"{float(f'{size:.2g}'):,.1f}".removesuffix(".0")
    return f"{digits}:1" if weight > 0 else f"1:{digits}"


def sentence_against(reason: str) -> str:
    """What a guard of linkage says, as people read it.

    >>> sentence_against("birthday"), sentence_against("loyalty_card")
    ('their days of birth are a generation apart', 'they hold different loyalty cards')
    """
    known = {
        "first name": "their first names are not forms of one name",
        "birthday": "their days of birth are a generation apart",
        "user_id": "they hold different accounts",
    }
    return known.get(reason, f"they hold different {reason.replace('_', ' ')}s") if reason else ""


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
    """For ``likeness``: log2 of the odds that they are one person's, when it was found."""
    waterfall: Waterfall | None = None
    """For ``likeness``: how that adds up, by the records and the model of now."""
    references: tuple[str, ...] = ()
    """How to name both ends when settling, whatever one may see of them."""


class Reason(Struct, frozen=True, kw_only=True):
    """What stands between two identifiers."""

    guard: str
    sentence: str
    about: tuple[IdentifierShown, ...] = ()
    references: tuple[str, ...] = ()
    """How to name each of ``about`` when settling it, whatever one may see of it."""
    of_kind: str = ""
    count: int = 0


class Explanation(Struct, frozen=True, kw_only=True):
    """Why two identifiers are one customer's, or why they are not."""

    one: bool
    customers: tuple[str, ...]
    asked: tuple[IdentifierShown, ...] = ()
    """The two that were asked about."""
    references: tuple[str, ...] = ()
    """How to name them again without their values, such as ``node:7``."""
    steps: tuple[Step, ...] = ()
    reasons: tuple[Reason, ...] = ()
    likeness: Waterfall | None = None
    """For two customers: what the model says of their two records that are most alike. None where people were never
    linked here, one of them told nothing of themselves, or one objects to what is concluded of them.
    """


class Particulars(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is told of somebody who is looked for; empty says nothing."""

    first_name: str = ""
    last_name: str = ""
    birthday: str = ""
    """A day: year first, or day-month-year."""
    street: str = ""
    """One address line: street and house number."""
    city: str = ""
    postcode: str = ""
    state: str = ""
    email: str = ""
    phone: str = ""
    gender: str = ""

    def given(self) -> dict[str, str]:
        """What is told, by name.

        >>> Particulars(first_name="Ann", city=" ").given()
        {'first_name': 'Ann'}
        """
        return {name: value.strip() for name, value in asdict(self).items() if value.strip()}


class Match(Struct, frozen=True, kw_only=True):
    """A customer who may be the one that is looked for."""

    id: str
    name: str
    probability: float
    orders: int = 0
    waterfall: Waterfall


class Matches(Struct, frozen=True, kw_only=True):
    """Customers ranked by the chance that they are the one looked for."""

    rows: tuple[Match, ...]
    records: int
    """Records of how many were compared against, or could have been."""
    customer: str = ""
    """Who was looked for, where that was a customer."""


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
    ``refused``: what was seen ties two customers, and a guard keeps them apart.
    """
    sentence: str
    customer: str
    identifier: IdentifierShown | None = None
    reference: str = ""
    """How to name the identifier when settling it, whatever one may see of it."""
    other: str = ""
    """For ``alike`` and ``refused``: how to name the other identifier."""
    tie: tuple[IdentifierShown, ...] = ()
    """For ``refused``: two identifiers that were seen together."""
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
