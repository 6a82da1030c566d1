"""Commands about what customers are worth: over any horizon, and as it was predicted earlier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from shopkeeper.cli.handout import checked, table_out
from shopkeeper.cli.options import DEFAULT_SHOP, Json, ShopOption, opened, write_json
from shopkeeper.cli.screen import chance, count, day, fill, heading, money, percent, screen, table, text
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.expected import PredictedAll, Worths, predicted_all, told_of, worths

if TYPE_CHECKING:
    import pyarrow as pa

_ON_SCREEN = 25
_Whose = Annotated[
    str, typer.Argument(help="A condition, such as \"state = 'fading'\"; everybody without one.")
]
_AsOf = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day of the past, in the shop's zone.")
]
_Limit = Annotated[int, typer.Option(min=0, help="Most customers on the screen.")]
_Out = Annotated[
    Path | None,
    typer.Option(help="Write all of them into this file, .csv or .parquet; - is CSV to standard output."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(worth)
    app.command()(predicted)
    app.command()(predictions)


def worth(
    condition: _Whose = "",
    *,
    horizon: Annotated[str, typer.Option(help="Weeks ahead, or 'inf' for the residual value.")] = "",
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day, instead of --horizon.")
    ] = None,
    discount: Annotated[float | None, typer.Option(help="Yearly rate as a share, such as 0.1.")] = None,
    as_of: _AsOf = None,
    limit: _Limit = _ON_SCREEN,
    out: _Out = None,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What customers are worth over any horizon: orders and margin expected, with ranges."""
    if out is not None:
        checked(out)
    with opened(folder) as shop:
        found = shop.worth(
            condition or None,
            horizon=_weeks(horizon),
            until=None if until is None else until.date(),
            as_of=None if as_of is None else as_of.date(),
            discount=discount,
        )
        currency = shop.settings.currency
    if _handed(found, out, json_to, lambda: Worths(**worths(found))):
        return
    told = told_of(found)
    console = screen()
    ahead = "without end" if told["horizon_weeks"] == "inf" else f"in {told['horizon_weeks']} weeks"
    if until is not None:
        ahead = f"until {until:%Y-%m-%d}"
    heading(console, f"{count(found.num_rows, 'customer')}, {ahead} from {told['as_of']}")
    rows = found.sort_by([("value", "descending")])
    total, low, high = (money(float(told[key]), currency) for key in ("total", "total_low", "total_high"))
    level = percent(float(told["level"]))
    console.print(text(f"{total} of margin together; {level} sure to be between {low} and {high}"))
    if float(told["horizon_weeks"]) > (tested := float(told["tested_weeks"])):
        far = f"on {tested:g} weeks ahead" if tested else "on nothing, for want of a past"
        console.print(text(f"The model could be tested {far}: what lies farther is extrapolated."))
    made = table(
        "id", ("orders", "right"), ("value", "right"), (f"{level} from", "right"), ("to", "right"),
        ("still a customer", "right"),
    )  # fmt: skip
    lines = (
        (
            f"c{row['customer']}", f"{row['expected_orders']:,.1f}", money(row["value"], currency),
            money(row["value_low"], currency), money(row["value_high"], currency), chance(row["p_alive"]),
        )
        for row in rows.slice(0, limit).to_pylist()
    )  # fmt: skip
    console.print(fill(made, lines))


def predicted(
    condition: _Whose = "",
    *,
    as_of: _AsOf = None,
    limit: _Limit = _ON_SCREEN,
    out: _Out = None,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What the last refresh at or before a day predicted of customers."""
    if out is not None:
        checked(out)
    with opened(folder) as shop:
        found = shop.predicted(None if as_of is None else as_of.date(), condition or None)
        currency = shop.settings.currency
    if _handed(found, out, json_to, lambda: PredictedAll(**predicted_all(found))):
        return
    console, told = screen(), told_of(found)
    heading(
        console,
        f"{count(found.num_rows, 'customer')}, as predicted {told['as_of'][:10]} for {told['horizon_weeks']} weeks",
    )
    made = table(
        "id", ("expected value", "right"), ("at least", "right"), ("at most", "right"),
        ("still a customer", "right"), "state",
    )  # fmt: skip
    lines = (
        (
            f"c{row['customer']}", money(row["clv_12m"], currency), money(row["clv_low"], currency),
            money(row["clv_high"], currency), chance(row["p_alive"]), row["state"] or "",
        )
        for row in found.sort_by([("clv_12m", "descending")]).slice(0, limit).to_pylist()
    )  # fmt: skip
    console.print(fill(made, lines))


def predictions(
    who: Annotated[str, typer.Argument(help="A customer id or any identifier.")],
    *,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What was predicted of one customer, refresh by refresh."""
    with opened(folder) as shop:
        found, zone = shop.predictions(who), ZoneInfo(shop.settings.time_zone)
    if json_to is not None:
        write_json(found, json_to)
        return
    console = screen()
    heading(console, f"{found.id}, as predicted at {count(len(found.points), 'refresh', 'refreshes')}")
    made = table(
        "refresh", ("orders", "right"), ("value", "right"), ("at least", "right"), ("at most", "right"),
        ("still a customer", "right"), "state",
    )  # fmt: skip
    lines = (
        (
            day(one.as_of, zone),
            "–" if one.expected_orders_12m is None else f"{one.expected_orders_12m:,.1f}",
            *(money(amount, found.currency) for amount in (one.clv_12m, one.clv_low, one.clv_high)),
            chance(one.p_alive), one.state,
        )
        for one in found.points
    )  # fmt: skip
    console.print(fill(made, lines))
    if any(one.merged > 1 for one in found.points):
        console.print(text("Some rows add up what was predicted of customers who turned out to be one."))


def _weeks(horizon: str) -> float | None:
    if not horizon:
        return None
    try:
        return float(horizon)
    except ValueError:
        raise InvalidInput(f"--horizon {horizon!r:.20}", hint="give a number of weeks, or inf") from None


def _handed(found: pa.Table, out: Path | None, json_to: Path | None, data: Callable[[], object]) -> bool:
    """Whether it was written into files, or to standard output, rather than shown."""
    if out is not None:
        table_out(found, out, silent=str(json_to) == "-")
    if json_to is not None:
        write_json(data(), json_to)
    return out is not None or json_to is not None
