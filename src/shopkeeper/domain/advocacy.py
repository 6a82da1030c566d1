"""What is told of regulars, of those who bring others, and of who fits the brand."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class ScorePart(Struct, frozen=True, kw_only=True):
    """Points of one part of a score."""

    name: str
    label: str
    points: float
    most: float
    sentence: str


class Friend(Struct, frozen=True, kw_only=True):
    """Somebody who was brought."""

    id: str
    name: str
    orders: int
    margin: float
    """Contribution margin so far."""
    expected: float | None
    """Within the horizon; None where nothing is foretold."""
    brought: int = 0
    """How many they brought in turn."""
    friends: tuple[Friend, ...] = ()


class Advocate(Struct, frozen=True, kw_only=True):
    """Somebody who speaks for the shop, with what they spend and what they brought."""

    id: str
    name: str
    currency: str = ""
    """Of every amount of money."""
    score: float
    """0 to 100."""
    parts: tuple[ScorePart, ...]
    """They sum to the score."""
    orders: int
    margin: float
    expected: float | None
    brought_customers: int
    brought_value: float
    """Margin so far and expected of those brought directly, as of the last refresh."""
    brought_low: float | None = None
    """With ``brought_high``, its range of 80 %: what is expected may come otherwise, what was earned is earned."""
    brought_high: float | None = None
    reach: int
    friends: tuple[Friend, ...] = ()
    brought_by: Friend | None = None
    regular: bool | None = None
    brand_fit: float | None = None
    brand_parts: tuple[ScorePart, ...] = ()
    core_share: float | None = None
    full_price_share: float | None = None

    @property
    def own(self) -> float:
        """What they are worth by what they buy."""
        return self.margin + (self.expected or 0.0)


class OddsOf(Struct, frozen=True, kw_only=True):
    """By how much doubling a deed goes with higher odds of bringing somebody afterwards."""

    name: str
    label: str
    ratio: float
    low: float
    high: float


class WhatBrings(Struct, frozen=True, kw_only=True):
    """What went before bringing others. ``verdict``: something, nothing or not enough."""

    verdict: str
    sentence: str
    customers: int = 0
    bringers: int = 0
    p: float | None = None
    odds: tuple[OddsOf, ...] = ()


class Foretelling(Struct, frozen=True, kw_only=True):
    """Whether a measure known at an origin went with orders afterwards, beyond past orders."""

    name: str
    label: str
    customers: int
    plain: float | None
    beyond: float | None
    low: float | None
    high: float | None
    verdict: str
    """foretells, foretells less, nothing or not enough."""
    sentence: str


class BrandCore(Struct, frozen=True, kw_only=True):
    """The core range, and how it was found."""

    products: tuple[str, ...] = ()
    basis: str = ""
    """catalogue, regulars or buyers."""
    sentence: str = ""


class Advocates(Struct, frozen=True, kw_only=True):
    """Who brings others and what goes with it, as of the last refresh."""

    as_of: datetime
    currency: str = ""
    """Of every amount of money."""
    rows: tuple[Advocate, ...]
    bringers: int
    brought: int
    value: float
    """Of all who were brought and bought."""
    value_low: float | None = None
    """With ``value_high``, its range of 80 %."""
    value_high: float | None = None
    refused: dict[str, int] = field(default_factory=dict)
    """Referrals that do not count, by the reason in words."""
    brings: WhatBrings
    core: BrandCore
    fits: tuple[Foretelling, ...] = ()
    origin: datetime | None = None
    """The earlier day at which ``brings`` and ``fits`` were measured."""
    notes: tuple[str, ...] = ()
    next: str | None = None
    """Where the following page of ``rows`` begins; everything else is told of all of them on every page."""


class Apart(Struct, frozen=True, kw_only=True):
    """One thing in which regulars differ, with its interval. ``basis`` is association unless it was randomised."""

    about: str
    label: str
    sentence: str
    group: float
    rest: float
    difference: float
    low: float
    high: float
    effect: float
    certain: float
    q: float | None
    basis: str = "association"
    action: str = ""
    """What a shop could do about it; empty where it is how they first came."""
    first: bool = True
    """Whether it was settled with the first order; else it is measured up to today and may follow from coming
    regularly rather than go before it."""


class Regulars(Struct, frozen=True, kw_only=True):
    """Who comes back regularly and what sets them apart, as of the last refresh."""

    as_of: datetime
    currency: str = ""
    """Of every amount of money."""
    buyers: int
    regulars: int
    expected: float
    """Contribution margin they are expected to bring within the horizon."""
    expected_low: float
    """With ``expected_high``, its range of 80 %."""
    expected_high: float
    expected_share: float
    definition: str
    beside: str = ""
    """Whom they were laid beside."""
    group: int = 0
    rest: int = 0
    tested: int = 0
    apart: tuple[Apart, ...] = ()
    """How they first came, surest first."""
    levers: tuple[Apart, ...] = ()
    """What is open to action and goes with coming regularly, surest first."""
    notes: tuple[str, ...] = ()
