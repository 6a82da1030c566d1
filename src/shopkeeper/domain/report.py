"""The report a marketing director reads, as data. Money is in units of ``currency``; shares are fractions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from shopkeeper.domain.profile import CustomerRow


class ImportSummary(Struct, frozen=True, kw_only=True):
    """What became of one file: ``read = kept + repeated + quarantined``, always.

    ``exact`` is the sum of price times quantity without rounding, ``rounded`` the sum of line amounts.
    """

    file: str
    kind: str
    read: int
    kept: int
    repeated: int = 0
    quarantined: int = 0
    events: int = 0
    orders: int = 0
    returns: int = 0
    exact: str = ""
    rounded: str = ""
    difference: str = ""
    currency: str = ""
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    """Which column was taken for which field."""
    notes: tuple[str, ...] = ()
    """What the reader had to decide, such as whether the day or the month comes first."""


class People(Struct, frozen=True, kw_only=True):
    """How many customers stand behind how many identities."""

    identities: int
    customers: int
    named: int
    """Customers of whom a name, address or account is known."""
    anonymous: int
    """Visitors known only by a device."""
    buyers: int
    omnichannel: int
    """Buyers who bought in a store and online."""
    merged: int
    """Identities that were joined to another."""
    shared: int
    """Identities that many people share and that therefore link nobody."""
    by_kind: dict[str, int] = field(default_factory=dict)


class Trade(Struct, frozen=True, kw_only=True):
    """The business in a few figures."""

    orders: int
    returns: int
    amount: float
    margin: float
    returned: float
    unassigned_amount: float
    """Sold to people of whom nothing was left behind."""
    first: datetime | None = None
    last: datetime | None = None


class Ranked(Struct, frozen=True, kw_only=True):
    """One line of a ranking: a category, a place, a channel."""

    name: str
    amount: float
    margin: float = 0.0
    orders: int = 0
    customers: int = 0
    share: float = 0.0
    growth: float | None = None
    """Against the same months a year before."""
    extra: dict[str, Any] = field(default_factory=dict)


class Score(Struct, frozen=True, kw_only=True):
    """How well a model or a rule did on held-out time."""

    name: str
    mae: float
    rmse: float
    bias: float
    spearman: float
    top_decile: float
    chosen: bool = False
    rule: bool = False
    """Whether it is a simple rule that models have to beat."""
    beaten: float | None = None
    """Share of samples of the customers in which what is used had the smaller root mean square error; None of that
    itself, and where it was not counted.
    """


class Report(Struct, frozen=True, kw_only=True):
    """Everything the report shows."""

    shop: str
    as_of: datetime
    currency: str
    simulated: str = ""
    """What of it is simulated; empty in a real shop."""
    imports: tuple[ImportSummary, ...] = ()
    people: People
    trade: Trade
    months: tuple[tuple[str, float, float, int], ...] = ()
    """Month, amount, margin, orders."""
    most_valuable: tuple[CustomerRow, ...] = ()
    fading: tuple[CustomerRow, ...] = ()
    fading_value: float = 0.0
    """Expected 12-month value held by customers who are fading."""
    states: dict[str, int] = field(default_factory=dict)
    value_total: float | None = None
    value_top_tenth: float | None = None
    """Share of the expected value held by the top tenth of customers."""
    categories: tuple[Ranked, ...] = ()
    places: tuple[Ranked, ...] = ()
    channels: tuple[Ranked, ...] = ()
    """Acquisition channels: customers, margin so far, expected value, spend."""
    scores: tuple[Score, ...] = ()
    open_cases: int = 0
    quarantined: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    """Events in the log, by name."""
