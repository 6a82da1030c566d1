"""What is expected of customers, a row each, as programs are told: over any horizon, and as a refresh predicted it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from math import inf
from typing import Any, Literal

import msgspec
from msgspec import Struct

_DIGITS = 4
"""Places after the point of figures told as text, as a refresh keeps them; more are noise that must be carried."""


class WorthRow(Struct, frozen=True, kw_only=True):
    """What is expected of one customer within the horizon."""

    id: str
    expected_orders: float
    """Days with an order expected within the horizon."""
    orders_low: float
    """With ``orders_high``, the range of that number at ``level``."""
    orders_high: float
    margin_per_order: float
    """Contribution margin expected of an order, in the shop's currency."""
    value: float
    """Contribution margin expected within the horizon, discounted, in the shop's currency."""
    value_low: float
    """With ``value_high``, the range of ``value`` at ``level``, of this customer alone."""
    value_high: float
    value_sd: float
    """Standard deviation of this customer alone: squares of many add up."""
    p_alive: float
    """Probability of being still a customer on ``as_of``."""


class Worths(Struct, frozen=True, kw_only=True):
    """What is expected of customers over a horizon, and of all of them together."""

    data: tuple[WorthRow, ...]
    as_of: date
    """Day, in the shop's zone, by whose end everything is known."""
    customers: int
    """All whom the condition found, on whichever page they are."""
    total: float
    """Value of all of them."""
    total_low: float
    """With ``total_high``, the range of ``total`` at ``level``."""
    total_high: float
    currency: str
    horizon_weeks: float | Literal["inf"]
    """Weeks from the end of ``as_of``; inf is without end."""
    discount: float
    """Yearly rate as a share."""
    level: float
    """Of every range: 0.8 is sure to 80 %."""
    together: float
    """Share by which all customers may be off at once."""
    model: str
    tested_weeks: float
    """How far ahead the model was tested on the shop's own past; 0 where it could not be."""
    run: int
    """The refresh that chose the model."""
    notes: tuple[str, ...]
    """What a reader should know."""


class PredictedAll(Struct, frozen=True, kw_only=True):
    """What a refresh predicted of customers, and what it meant by it."""

    data: tuple[dict[str, Any], ...]
    """Customers by ascending id, each with its ``id`` and predicted traits by name; ``/api/v1/traits`` says what these
    mean. Customers who were merged since are one row.
    """
    as_of: datetime
    """When it was predicted."""
    run: int
    """The refresh: the same number is the same predictions."""
    customers: int
    """All whom the condition found, on whichever page they are."""
    currency: str
    """Of every amount of money."""
    horizon_weeks: float
    """Weeks from ``as_of`` within which values and orders were expected, whatever a trait is called."""
    discount: float
    """Yearly rate as a share at which values were discounted."""
    level: float
    """Of every range: 0.8 is sure to 80 %."""
    model: str


def told_of(found: Any) -> dict[str, str]:
    """What the schema of an Arrow table says beside its rows."""
    return {key.decode(): value.decode() for key, value in (found.schema.metadata or {}).items()}


def worths(found: Any, start: int = 0, most: int | None = None) -> dict[str, Any]:
    """The fields of ``Worths`` from the table that ``shop.worth`` gives, with some of its rows."""
    told = told_of(found)
    weeks = float(told["horizon_weeks"])
    return {
        "data": msgspec.convert(rows_of(found, start, most), tuple[WorthRow, ...]),
        "as_of": date.fromisoformat(told["as_of"]),
        "customers": found.num_rows,
        "horizon_weeks": "inf" if weeks == inf else weeks,
        "run": int(told["run"]),
        "notes": tuple(told["notes"].splitlines()),
        **_texts(told, "currency", "model"),
        **_numbers(told, "total", "total_low", "total_high", "discount", "level", "together", "tested_weeks"),
    }


def predicted_all(found: Any, start: int = 0, most: int | None = None) -> dict[str, Any]:
    """The fields of ``PredictedAll`` from the table that ``shop.predicted`` gives, with some of its rows."""
    told = told_of(found)
    return {
        "data": tuple(rows_of(found, start, most)),
        "as_of": datetime.fromisoformat(told["as_of"]),
        "run": int(told["run"]),
        "customers": found.num_rows,
        **_texts(told, "currency", "model"),
        **_numbers(told, "horizon_weeks", "discount", "level"),
    }


def rows_of(found: Any, start: int = 0, most: int | None = None) -> list[dict[str, Any]]:
    """Rows as plain data, figures rounded; the number of a customer is written as everywhere outside: ``c17``."""
    rows: list[dict[str, Any]] = found.slice(start, most).to_pylist()
    return [
        {"id": f"c{row.pop('customer')}"}
        | {
            name: round(value, _DIGITS) + 0.0 if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _texts(told: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: told[name] for name in names}


def _numbers(told: Mapping[str, str], *names: str) -> dict[str, float]:
    return {name: float(told[name]) for name in names}
