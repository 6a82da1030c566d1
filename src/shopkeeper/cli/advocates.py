"""Commands about regulars and those who bring others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from shopkeeper.cli.options import DEFAULT_SHOP, Json, ShopOption, opened, write_json
from shopkeeper.cli.screen import count, day, fill, heading, money, percent, points, screen, table, text

if TYPE_CHECKING:
    from rich.console import Console

    from shopkeeper.domain.advocacy import Advocate, Advocates, Friend, Regulars, ScorePart


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Who comes back regularly, who brings others, who fits.", no_args_is_help=True)
    group.command()(regulars)
    group.command()(advocates)
    group.command()(advocate)
    app.add_typer(group, name="insight")


def regulars(
    *,
    most: Annotated[int, typer.Option("--limit", min=1, help="Facts to list.")] = 12,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Who comes back regularly, and what sets them apart from others who had the time."""
    with opened(folder) as shop:
        found, currency = shop.regulars(), shop.settings.currency
    if json_to is not None:
        write_json(found, json_to)
        return
    _regulars(screen(), found, currency, most)


def _regulars(console: Console, found: Regulars, currency: str, most: int) -> None:
    heading(console, f"{count(found.regulars, 'regular')} among {count(found.buyers, 'buyer')}")
    console.print(
        text(
            f"{money(found.expected, currency)} expected in 12 months ({money(found.expected_low, currency)} to "
            f"{money(found.expected_high, currency)}), {percent(found.expected_share)} of all. "
            f"{found.definition}"
        )
    )
    if found.beside:
        console.print(text(f"{found.group:,} of them beside {found.rest:,} {found.beside}."))
    for title, facts in (("how they first came", found.apart), ("open to action", found.levers)):
        if facts:
            made = table(title, ("difference", "right"), ("range", "right"), "what it is", "to try")
            made.columns[0].no_wrap = False  # a sentence: it breaks before the figures beside it are cut
            rows = (
                (f.sentence, f"{f.difference:+.2f}", f"{f.low:+.2f} to {f.high:+.2f}", f.basis, f.action)
                for f in facts[:most]
            )
            console.print(fill(made, rows))
    points(console, found.notes)


def advocates(
    *,
    sort: Annotated[str, typer.Option(help="value, score or customers.")] = "value",
    most: Annotated[int, typer.Option("--limit", min=1, max=500, help="Customers to list.")] = 15,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Who brings others, what they brought, and what goes before it."""
    with opened(folder) as shop:
        found, currency = shop.advocates(sort=sort, most=most), shop.settings.currency
        zone = ZoneInfo(shop.settings.time_zone)
    if json_to is not None:
        write_json(found, json_to)
        return
    console = screen()
    _advocates(console, found, currency)
    console.print(text(f"As of {day(found.as_of, zone)}"))


def _advocates(console: Console, found: Advocates, currency: str) -> None:
    heading(console, f"{count(found.bringers, 'customer')} brought {count(found.brought, 'other')}")
    worth = f"Those brought are worth {money(found.value, currency)}, earned and expected"
    if found.value_low is not None:
        worth += (
            f"; 80 % sure to be {money(found.value_low, currency)} to {money(found.value_high, currency)}"
        )
    console.print(text(worth))
    columns = ("score", "spent", "expected", "brought", "value brought", "80 % from", "to")
    made = table("customer", *((name, "right") for name in columns))
    rows = (
        (
            one.name or one.id, f"{one.score:.0f}", money(one.margin, currency), money(one.expected, currency),
            f"{one.brought_customers:,}", money(one.brought_value, currency),
            money(one.brought_low, currency), money(one.brought_high, currency),
        )
        for one in found.rows
    )  # fmt: skip
    console.print(fill(made, rows))
    console.print(text(found.brings.sentence))
    if found.brings.verdict == "something":
        odds = table("before bringing others", ("odds by doubling it", "right"), ("95 % range", "right"))
        console.print(
            fill(
                odds, ((o.label, f"{o.ratio:.2f}", f"{o.low:.2f} to {o.high:.2f}") for o in found.brings.odds)
            )
        )
    console.print(text(f"Core range: {found.core.sentence}"))
    points(console, (one.sentence for one in found.fits))
    points(console, (f"{number:,} referrals do not count: {why}" for why, number in found.refused.items()))
    points(console, found.notes)


def advocate(
    who: Annotated[str, typer.Argument(help="A customer id or any identifier.")],
    *,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """One customer's advocacy and brand fit with their parts, and whom they brought."""
    with opened(folder) as shop:
        found, currency = shop.advocate(who), shop.settings.currency
    if json_to is not None:
        write_json(found, json_to)
        return
    _advocate(screen(), found, currency)


def _advocate(console: Console, found: Advocate, currency: str) -> None:
    heading(console, f"{found.name or found.id}: advocacy {found.score:.0f} of 100")
    _parts(console, found.parts)
    if found.brand_fit is not None:
        heading(console, f"Brand fit {found.brand_fit:.0f} of 100")
        _parts(console, found.brand_parts)
    ranged = ""
    if found.brought_low is not None and found.brought_customers:
        ranged = f" ({money(found.brought_low, currency)} to {money(found.brought_high, currency)})"
    console.print(
        text(
            f"Worth {money(found.own, currency)} alone, and brought {money(found.brought_value, currency)}{ranged}"
        )
    )
    if found.brought_by:
        console.print(text(f"Brought by {found.brought_by.name or found.brought_by.id}"))
    _tree(console, found.friends, currency, 0)


def _parts(console: Console, parts: tuple[ScorePart, ...]) -> None:
    made = table("part", ("points", "right"), ("of", "right"), "what it counts")
    console.print(fill(made, ((p.label, f"{p.points:.1f}", f"{p.most:.0f}", p.sentence) for p in parts)))


def _tree(console: Console, friends: tuple[Friend, ...], currency: str, depth: int) -> None:
    for one in friends:
        worth = money(one.margin + (one.expected or 0.0), currency)
        console.print(text(f"{'  ' * depth}· {one.name or one.id}, {count(one.orders, 'order')}, {worth}"))
        _tree(console, one.friends, currency, depth + 1)
