"""What customers are worth, as a business looks at it: who holds the value, how sure that is, how it moved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from shopkeeper.domain.report import Score


def how_often(a_year: float) -> str:
    """A number of times a year in words.

    >>> how_often(0.25), how_often(1.0), how_often(0.6), how_often(2.0)
    ('once in 4 years', 'once a year', 'once in 1.7 years', '2 times a year')
    """
    if a_year == 1:
        return "once a year"
    return f"once in {1 / a_year:.2g} years" if a_year < 1 else f"{a_year:.2g} times a year"


class Held(Struct, frozen=True, kw_only=True):
    """The value held by some customers together."""

    name: str
    customers: int
    orders: float
    """Expected within the horizon."""
    value: float
    """Expected contribution margin within the horizon, discounted."""
    low: float
    """With ``high``, the range of the sum at the report's level."""
    high: float
    share: float
    """Of the value of all customers."""
    margin: float = 0.0
    """Contribution margin so far."""


class Shift(Struct, frozen=True, kw_only=True):
    """How the distribution of one prediction moved between two refreshes."""

    name: str
    before: float
    """Mean over the customers of the earlier refresh."""
    now: float
    psi: float
    """Population stability index by tenths of the earlier refresh."""
    noise: float
    """What the index would exceed once in a thousand times if nothing but chance were at work."""
    moved: bool
    """Whether it is above 0.1 and above the noise."""


class Moved(Struct, frozen=True, kw_only=True):
    """Customers who were in one state and are in another, or the same."""

    before: str
    now: str
    customers: int


class Parameter(Struct, frozen=True, kw_only=True):
    """A parameter of a model at two refreshes."""

    model: str
    name: str
    before: float
    now: float
    errors: float | None
    """By how many standard errors it moved; None where it has none."""


class Kept(Struct, frozen=True, kw_only=True):
    """What an earlier refresh foretold for the days since, and what came."""

    name: str
    customers: int
    expected: float
    low: float
    high: float
    orders: int
    """Days with an order since."""

    @property
    def within(self) -> bool:
        """Whether what came lies within the range."""
        return self.low <= self.orders <= self.high


class Change(Struct, frozen=True, kw_only=True):
    """A part of the change of the total value."""

    name: str
    customers: int
    value: float


class Drift(Struct, frozen=True, kw_only=True):
    """How predictions moved from an earlier refresh to this one, and how the earlier ones did."""

    run: int
    """The earlier refresh."""
    as_of: datetime
    days: int
    customers_before: int
    customers: int
    value_before: float
    value: float
    pick_before: str
    pick: str
    changes: tuple[Change, ...] = ()
    """They add up to the change of the value."""
    shifts: tuple[Shift, ...] = ()
    states: tuple[Moved, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    kept: tuple[Kept, ...] = ()
    """All customers first, then tenths by what was expected, the highest first."""
    warnings: tuple[str, ...] = ()
    """What is more than noise and large enough to look at; empty on most days."""


class Run(Struct, frozen=True, kw_only=True):
    """What a refresh keeps beside its predictions: models, how they were chosen, what they read and what they wrote."""

    run: int
    as_of: datetime
    schema_version: int = 1
    pick: str = ""
    notes: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    models: dict[str, Any] = field(default_factory=dict)
    """Fitted models as JSON."""
    choice: dict[str, Any] = field(default_factory=dict)
    """The tournament: score cards and what plots are drawn from."""
    tested: str = ""
    """Day on which the tournament was held."""
    tested_customers: int = 0
    """Customers there were then."""
    features: tuple[str, ...] = ()
    """What the models read."""
    columns: dict[str, str] = field(default_factory=dict)
    """Columns of the predictions and their types."""
    customers: int = 0
    value: float = 0.0
    horizon_weeks: float = 52.0
    discount: float = 0.0
    level: float = 0.8
    end: str = ""
    """Last day observed, in the shop's zone."""
    seconds: float = 0.0
    drift: tuple[Drift, ...] = ()
    """Against the refresh before, and against one about four weeks before."""


class Point(Struct, frozen=True, kw_only=True):
    """What one refresh predicted of one customer."""

    as_of: datetime
    run: int = 0
    """The refresh, as in everything else that tells of it."""
    clv_12m: float | None = None
    clv_low: float | None = None
    clv_high: float | None = None
    p_alive: float | None = None
    expected_orders_12m: float | None = None
    state: str = ""
    merged: int = 1
    """Of how many customers, one today, it was predicted; values and bounds are then sums."""


class Predicted(Struct, frozen=True, kw_only=True):
    """What was predicted of one customer, refresh by refresh, the earliest first."""

    id: str
    currency: str
    points: tuple[Point, ...] = ()


class ValueReport(Struct, frozen=True, kw_only=True):
    """Who holds the value, how sure that is, and how it moved."""

    shop: str
    currency: str
    as_of: datetime
    """Of the refresh that predicted it."""
    run: int = 0
    """That refresh: the same number is the same predictions."""
    horizon_weeks: float
    discount: float
    level: float
    total: Held
    at_risk: Held
    """By those who are fading or lapsed."""
    deciles: tuple[Held, ...] = ()
    """Tenths of the customers by expected value, the highest first."""
    concentration: tuple[tuple[float, float], ...] = ()
    """Share of customers, the most valuable first, and the share of the value they hold."""
    top: tuple[tuple[float, float], ...] = ()
    """The same at 1, 5, 10, 20 and 50 in 100; none where a loss is expected of all together, of which nobody holds a
    share.
    """
    states: tuple[Held, ...] = ()
    alarms_per_year: float | None = None
    """How often a year a customer who has not left is called fading, as aimed at by the rhythm in force."""
    channels: tuple[Held, ...] = ()
    """By the channel through which they came."""
    segments: tuple[Held, ...] = ()
    """By segment in use; customers may be in several."""
    pick: str = ""
    notes: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    choice: dict[str, Any] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()
    runs: tuple[tuple[datetime, float, int], ...] = ()
    """Earlier refreshes that are kept: when, total value, customers."""
