"""Commands about conditions: who meets one, and how many they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from shopkeeper.cli import insight, segment
from shopkeeper.cli.handout import checked, table_out
from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import count, day, fill, heading, minute, money, percent, screen, table, text

if TYPE_CHECKING:
    import pyarrow as pa

    from shopkeeper.domain.traits import Trait
    from shopkeeper.shop import Shop

_SHOWN = ("orders", "revenue", "margin", "last_order", "clv_12m", "p_alive", "state")
_ON_SCREEN = 25
Condition = Annotated[
    str, typer.Argument(help="Such as \"p_alive < 0.5 and events('Product Viewed', days => 14) >= 2\".")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(customers)
    group = typer.Typer(
        help="Segments: customers for whom a condition is true, kept up live.", no_args_is_help=True
    )
    group.command(name="count")(size)
    segment.commands(group)
    insight.commands(group)
    app.add_typer(group, name="segment")


def customers(
    condition: Condition,
    *,
    columns: Annotated[str, typer.Option(help="Traits to show, with commas between them.")] = "",
    limit: Annotated[int | None, typer.Option(min=0, help="Most customers.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write all of them into this file, .csv or .parquet; - is CSV to standard output."),
    ] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """The customers of whom a condition is true."""
    wanted = [name.strip() for name in columns.split(",") if name.strip()] or None
    if out is not None:
        checked(out)
    with opened(folder) as shop:
        if out is not None:
            table_out(shop.customers(condition, columns=wanted, limit=limit), out)
            return
        most = _ON_SCREEN if limit is None else limit
        found = shop.customers(condition, columns=wanted or _SHOWN, limit=most + 1)
        _show(shop, found.slice(0, most), wanted or _SHOWN)
        if found.num_rows > most and limit is None:
            screen().print(
                text("and more; --limit shows more of them, --out writes them all, 'segment count' counts")
            )


def _show(shop: Shop, found: pa.Table, names: Any) -> None:
    console, zone = screen(), ZoneInfo(shop.settings.time_zone)
    traits = {trait.name: trait for trait in shop.traits()}
    if not found.num_rows:
        console.print(text("Nobody meets that."))
        return
    made = table("id", *((name, "right") for name in names))
    rows = (
        (f"c{row['id']}", *(_cell(row[name], traits[name], shop.settings.currency, zone) for name in names))
        for row in found.to_pylist()
    )
    console.print(fill(made, rows))


def _cell(value: Any, trait: Trait, currency: str, zone: ZoneInfo) -> str:
    if value is None:
        return "–"
    match trait.kind:
        case "money":
            return money(value, currency)
        case "time":
            return day(value) if trait.day else minute(value, zone)
        case "float":
            return f"{value:,.2f}"
        case "int":
            return f"{value:,}"
        case "bool":
            return "yes" if value else "no"
        case "texts":
            return ", ".join(value)
    return str(value)


def size(condition: Condition, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """How many customers a condition is true of, and what they are worth."""
    with opened(folder) as shop:
        found, zone = shop.size(condition), ZoneInfo(shop.settings.time_zone)
    console = screen()
    heading(console, f"{count(found.customers, 'customer')}, {percent(found.share)} of {found.of:,}")
    expected = money(found.expected, found.currency)
    console.print(text(f"expected within the horizon: {expected}, {percent(found.expected_share)} of all"))
    console.print(text(f"margin so far: {money(found.margin, found.currency)}"))
    console.print(text(f"as of {minute(found.as_of, zone)}"))
