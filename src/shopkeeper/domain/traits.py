"""A trait: one fact about every customer, declared once.

A declaration is at the same time a column of the customers' table, an operand of conditions, a field of the
API, a label on the screen, a line of the reference, and known to masking, export and erasure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from shopkeeper.domain.customer import Customer
from shopkeeper.domain.personal import Personal

Kind = Literal["int", "float", "bool", "text", "time", "money", "texts"]
Ticks = Literal["event", "time", "refresh"]


class Trait(Struct, frozen=True, kw_only=True):
    """One declared trait. ``of`` derives it from the record at an instant (microseconds)."""

    name: str
    kind: Kind
    label: str
    sentence: str
    unit: str = ""
    personal: Personal = Personal.NONE
    clock: Ticks = "event"
    """What changes it: an event, the passing of time, or a refresh of the models."""
    of: Callable[[Customer, int], Any] | None = None
    """None for predictions, which a refresh writes."""
    at: Callable[[Customer], int | None] | None = None
    """Of a time, the same in microseconds: for whoever reads many."""
    values: tuple[str, ...] = ()
    """Every value that a text may have, where these are known."""
    bounds: tuple[float, float] | None = None
    """Between which values, both included, a number lies."""
    day: bool = False
    """Whether a time is a day of the shop's, kept as midnight in UTC, rather than an instant."""
    formula: str = ""
    """What a trait that time changes is in the language of conditions, so that it is asked as of any instant."""


ARROW: dict[str, str] = {
    "int": "int64",
    "float": "float64",
    "bool": "bool",
    "text": "string",
    "time": "timestamp[us, tz=UTC]",
    "money": "float64",
    "texts": "list<string>",
}
"""The column type of each kind; money is in units of the reporting currency, ready to read."""
