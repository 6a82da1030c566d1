"""The figures of the report that the lake answers: trade, rankings, value and who is fading.

Rankings of categories and places tell of the twelve months up to the report's instant (or, in a shop whose last sale is
longer ago, up to that sale) and compare them with the twelve months before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.money import exponent
from shopkeeper.domain.profile import CustomerRow
from shopkeeper.domain.report import Ranked, Trade
from shopkeeper.know.overview_sql import SQL

if TYPE_CHECKING:
    import pyarrow as pa

Query = Callable[[str, Mapping[str, Any] | None], "pa.Table"]
"""A lake's ``query``: SQL and its parameters to a table."""

_EVER = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
_PARAMETER = re.compile(r"\$([a-z]+)")


class Overview(Struct, frozen=True, kw_only=True):
    """Fields of ``domain.report.Report``, by the same names. Names of customers are not the lake's to know."""

    trade: Trade
    months: tuple[tuple[str, float, float, int], ...] = ()
    most_valuable: tuple[CustomerRow, ...] = ()
    fading: tuple[CustomerRow, ...] = ()
    fading_value: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    value_total: float | None = None
    value_top_tenth: float | None = None
    categories: tuple[Ranked, ...] = ()
    places: tuple[Ranked, ...] = ()
    channels: tuple[Ranked, ...] = ()


def overview(
    query: Query,
    *,
    as_of: datetime,
    currency: str,
    assumed_margin: float,
    rates: Iterable[tuple[str, int, float]] = (),
    time_zone: str = "UTC",
    top: int = 10,
) -> Overview:
    """Ask the lake for everything the report shows of it.

    ``assumed_margin`` is the share of an amount taken as margin where a product's cost is not known; ``rates`` are
    (currency, day number, reporting units for one unit) as for ``domain.money.Rates``; months begin in ``time_zone``;
    ``top`` bounds the lists of customers. Sales in a currency without a rate are counted, and their amounts left out.
    """
    asked: dict[str, Any] = {
        "rates": spans(currency, rates),
        "currency": currency,
        "minor": float(10 ** exponent(currency)),
        "assumed": float(assumed_margin),
        "zone": time_zone,
        "top": top,
    }

    def ask(name: str) -> list[dict[str, Any]]:
        sql = SQL[name]
        given = {key: asked[key] for key in set(_PARAMETER.findall(sql))}
        rows: list[dict[str, Any]] = query(sql, given or None).to_pylist()
        return rows

    minor = asked["minor"]
    totals = ask("trade")[0]
    trade = _trade(totals, minor)
    since, start, until = _windows(as_of, trade.last)
    asked |= {"since": since, "start": start, "until": until}
    compare = trade.first is not None and trade.first <= since
    states = ask("states")
    value = ask("value")[0]
    return Overview(
        trade=trade,
        months=_months(ask("months"), minor),
        most_valuable=tuple(map(_customer, ask("most_valuable"))),
        fading=tuple(map(_customer, ask("fading"))),
        fading_value=next((row["expected"] or 0.0 for row in states if row["state"] == "fading"), 0.0),
        states={row["state"]: row["customers"] for row in states},
        value_total=value["total"],
        value_top_tenth=value["top_tenth"] / value["total"]
        if value["total"] and value["total"] > 0
        else None,
        categories=_ranked(ask("categories"), minor, compare=compare),
        places=_ranked(ask("places"), minor, compare=compare),
        channels=_channels(ask("channels")),
    )


def spans(reporting: str, rates: Iterable[tuple[str, int, float]]) -> list[dict[str, Any]]:
    """From when to when each rate holds: a day without one takes the last before it, early days take the first."""
    first, last = _EVER
    spans = [{"currency": reporting, "since": first, "until": last, "factor": 1.0, "rate": 1.0}]
    of: dict[str, dict[int, float]] = {}
    for currency, day, rate in rates:
        if currency != reporting:
            of.setdefault(currency, {})[day] = rate
    for currency, by_day in sorted(of.items()):
        days = sorted(by_day)
        scale = 10.0 ** (exponent(reporting) - exponent(currency))
        for day, after in zip(days, [*days[1:], None], strict=True):
            spans.append(
                {
                    "currency": currency,
                    "since": first if day == days[0] else instant(day * DAY),
                    "until": last if after is None else instant(after * DAY),
                    "factor": by_day[day] * scale,
                    "rate": by_day[day],
                }
            )
    return spans


def _windows(as_of: datetime, last_sale: datetime | None) -> tuple[datetime, datetime, datetime]:
    """Two years up to the report: where the earlier one begins, where the later one begins, where it ends."""
    until = as_of.astimezone(UTC)
    if last_sale is not None and last_sale < _year_before(until):
        until = last_sale + timedelta(microseconds=1)
    start = _year_before(until)
    return _year_before(start), start, until


def _year_before(at: datetime) -> datetime:
    """The same day a year earlier, the 28th for a leap day.

    >>> _year_before(datetime(2012, 2, 29, tzinfo=UTC)).date().isoformat()
    '2011-02-28'
    """
    try:
        return at.replace(year=at.year - 1)
    except ValueError:
        return at.replace(year=at.year - 1, day=28)


def _trade(row: dict[str, Any], minor: float) -> Trade:
    return Trade(
        orders=int(row["orders"]),
        returns=int(row["returns"]),
        amount=_money(row["amount"], minor),
        margin=_money(row["margin"], minor),
        returned=_money(row["returned"], minor),
        unassigned_amount=_money(row["unassigned"], minor),
        first=_utc(row["first_sale"]),
        last=_utc(row["last_sale"]),
    )


def _money(amount: float, minor: float = 1.0) -> float:
    """Units of the currency to the cent: sums of floats differ in their last digits from one run to the next."""
    return round(amount / minor, 2)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)


def _months(rows: list[dict[str, Any]], minor: float) -> tuple[tuple[str, float, float, int], ...]:
    """Every month from the first to the last one, those without a sale as zero."""
    by_month = {row["month"]: row for row in rows}
    told: list[tuple[str, float, float, int]] = []
    if not by_month:
        return ()
    last = max(by_month)
    month = min(by_month)
    while month <= last:
        row = by_month.get(month)
        told.append(
            (month, _money(row["amount"], minor), _money(row["margin"], minor), int(row["orders"]))
            if row
            else (month, 0.0, 0.0, 0)
        )
        year, number = int(month[:4]), int(month[5:])
        month = f"{year + number // 12:04d}-{number % 12 + 1:02d}"
    return tuple(told)


def _ranked(rows: list[dict[str, Any]], minor: float, *, compare: bool) -> tuple[Ranked, ...]:
    """A ranking with shares, and growth where the earlier window is covered by trade and had any."""
    total = sum(row["amount"] for row in rows)
    return tuple(
        Ranked(
            name=row["name"],
            amount=_money(row["amount"], minor),
            margin=_money(row["margin"], minor),
            orders=int(row["orders"]),
            customers=int(row["customers"]),
            share=row["amount"] / total if total > 0 else 0.0,
            growth=row["amount"] / row["before"] - 1 if compare and row["before"] > 0 else None,
            extra={"before": _money(row["before"], minor)}
            | {key: row[key] for key in ("place", "city") if key in row},
        )
        for row in rows
    )


def _channels(rows: list[dict[str, Any]]) -> tuple[Ranked, ...]:
    """Acquisition channels: what each customer cost and is worth. Cost counts months of which the spend is known."""
    total = sum(row["amount"] for row in rows)
    ranked = []
    for row in rows:
        spend, customers = row["spend"], int(row["customers"])
        acquired = None if row["acquired"] is None else int(row["acquired"])
        cac = spend / acquired if spend and acquired else None
        worth = (row["margin"] + (row["expected"] or 0.0)) / customers if customers else None
        extra = {
            "expected_12m": None if row["expected"] is None else _money(row["expected"]),
            "spend": None if spend is None else _money(spend),
            "acquired": acquired,
            "cac": None if cac is None else round(cac, 4),
            "value": None if worth is None else round(worth, 4),
            "value_to_cac": round(worth / cac, 4) if cac and worth is not None else None,
        }
        ranked.append(
            Ranked(
                name=row["name"],
                amount=_money(row["amount"]),
                margin=_money(row["margin"]),
                orders=int(row["orders"]),
                customers=customers,
                share=row["amount"] / total if total > 0 else 0.0,
                extra=extra,
            )
        )
    return tuple(ranked)


def _customer(row: dict[str, Any]) -> CustomerRow:
    ways = (("store", row["store_orders"]), ("web", row["web_orders"]))
    return CustomerRow(
        id=str(row["id"]),
        name="",
        country=row["country"] or "",
        orders=int(row["orders"] or 0),
        amount=row["revenue"] or 0.0,
        margin=row["margin"] or 0.0,
        last_order=_utc(row["last_order"]),
        clv_12m=row["clv_12m"],
        clv_low=row["clv_low"],
        clv_high=row["clv_high"],
        p_alive=row["p_alive"],
        state=row["state"] or "",
        state_since=_utc(row["state_since"]),
        next_order=_utc(row["next_order"]),
        channels=tuple(way for way, orders in ways if orders),
    )
