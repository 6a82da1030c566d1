"""What a comparison tells: facts about a group beside others, frozen and ready for a page, a table or a notebook."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field


class Bar(Struct, frozen=True):
    """One bar of a picture: what it stands for, and the share of the group and of the others that it holds."""

    label: str
    group: float
    rest: float


class Fact(Struct, frozen=True, kw_only=True):
    """One fact: how a group differs from the others in it.

    Shares are compared by their difference, numbers by Cliff's delta (of two shares, Cliff's delta *is* their
    difference, so that ``difference`` means one thing everywhere: how much oftener one of the group is ahead of one of
    the others than behind).
    """

    about: str
    """A trait's name or a derived fact's key."""
    level: str = ""
    """The value whose share is meant; '' for numbers, yes or no, and 'any' or 'known' facts."""
    aspect: Literal["level", "yes", "any", "known", "number"] = "number"
    label: str
    sentence: str
    group: float
    """Share (0 to 1), or median."""
    rest: float
    group_size: int
    """Of how many of the group this is told."""
    rest_size: int
    difference: float
    low: float
    high: float
    ratio: float | None = None
    """Share of the group over share of the others; None for numbers and where the others have none."""
    ratio_low: float | None = None
    ratio_high: float | None = None
    effect: float
    """Standardised: Cohen's h of shares, and for numbers the d of two normal columns with the same delta. 0.2 is small,
    0.5 medium, 0.8 large."""
    certain: float
    """The limit of the effect's interval nearest to zero, 0 where it holds zero: what rankings go by."""
    level_of_interval: float
    p: float
    q: float | None = None
    """Adjusted for everything tested; None for what was not."""
    by_definition: str = ""
    """Why this is no insight: part of the group's definition, or its kin."""
    sampled: bool = False


class Comparison(Struct, frozen=True, kw_only=True):
    """What a group has in common, beside others."""

    group: int
    rest: int
    """How many customers each side has."""
    tested: int
    """Facts put to the test together."""
    facts: tuple[Fact, ...]
    """What was found: controlled for everything tested, above the least effect, most certain first."""
    others: tuple[Fact, ...]
    """Tested and not found different, or too little so."""
    by_definition: tuple[Fact, ...]
    """True because the group was made so, and not put to the test."""
    pictures: dict[str, tuple[Bar, ...]] = field(default_factory=dict)
    """By ``about``: the levels of a text, or the tenths of a column of numbers."""
    rate: float = 0.05
    least: float = 0.1
    dependence: str = "positive"
    notes: tuple[str, ...] = ()
    as_of: datetime | None = None

    def headlines(self, most: int = 5) -> tuple[str, ...]:
        """The strongest sentence about each thing, most certain first."""
        strongest: dict[str, str] = {}
        for fact in self.facts:
            strongest.setdefault(fact.about, fact.sentence)
        return tuple(strongest.values())[:most]
