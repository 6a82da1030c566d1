"""Commands about groups of customers: what they have in common, which channel does what, what is worth a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import count, day, fill, heading, money, percent, points, screen, table, text

if TYPE_CHECKING:
    from rich.console import Console

    from shopkeeper.shop.told import ChannelsPart, Comparison

Group = Annotated[str, typer.Argument(help="A segment's name, or a condition.")]
_SHOWN = 15


def commands(group: typer.Typer) -> None:
    """Add the commands of this file to those about segments."""
    group.command()(compare)
    group.command()(channels)
    group.command()(flows)
    group.command()(suggest)


def compare(
    segment: Group,
    *,
    with_: Annotated[
        str,
        typer.Option(
            "--with", help="Another segment or condition, or 'other buyers'; left out, everybody else."
        ),
    ] = "",
    most: Annotated[int, typer.Option("--limit", min=1, help="Facts to list.")] = _SHOWN,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What the customers of a segment have in common, beside others."""
    with opened(folder) as shop:
        found = shop.compare(segment, with_ or None)
    _compared(screen(), found, most)


def _compared(console: Console, found: Comparison, most: int) -> None:
    heading(console, f"{count(found.group, 'customer')} beside {found.rest:,}")
    console.print(
        text(f"{len(found.facts)} of {found.tested} facts differ by more than chance and by enough to matter")
    )
    rows = (
        (fact.sentence, f"{fact.difference:+.2f}", f"{fact.low:+.2f} to {fact.high:+.2f}")
        for fact in found.facts[:most]
    )
    if found.facts:
        console.print(fill(table("fact", ("difference", "right"), ("range", "right")), rows))
    if found.by_definition:
        console.print(text(f"{len(found.by_definition)} more are so because the segment is made so"))
    points(console, found.notes)


def channels(
    segment: Annotated[
        str, typer.Argument(help="A segment's name, or a condition; left out, everybody.")
    ] = "",
    *,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Which channels start, assist and close the orders of a segment within the last year."""
    with opened(folder) as shop:
        found, currency = shop.channels_of(segment or None), shop.settings.currency
    _parts(screen(), found, currency)


def _parts(console: Console, found: ChannelsPart, currency: str) -> None:
    heading(console, f"{count(found.orders, 'order')}, {money(found.margin, currency)} margin")
    console.print(
        text(f"{found.without_path:,} came without anything heard in the {found.window} days before")
    )
    columns = ("starts", "assists", "closes", "on the way to", "booked there", "unseen by booking")
    made = table("channel", *((name, "right") for name in columns))
    rows = (
        (
            part.channel, f"{part.starts:,}", f"{part.assists:,}", f"{part.closes:,}",
            percent(part.involved_share.value), f"{part.booked:,}", f"{part.unseen:,}",
        )
        for part in found.parts
    )  # fmt: skip
    console.print(fill(made, rows))
    points(console, (*found.hidden, *(crossing.sentence for crossing in found.crossings), *found.notes))


def flows(
    segments: Annotated[
        list[str],
        typer.Argument(
            help="Names of saved segments; who is in several stands in the first.", metavar="NAME..."
        ),
    ],
    *,
    per: Annotated[str, typer.Option(help="'month' or 'week'.")] = "month",
    periods: Annotated[int, typer.Option(min=1, max=26, help="How many of them.")] = 6,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """How customers moved between segments: how many stood in one at the beginning and in another at the end."""
    with opened(folder) as shop:
        found, zone = (
            shop.segment_flows(*segments, per=per, periods=periods),
            ZoneInfo(shop.settings.time_zone),
        )
    console = screen()
    heading(console, f"{count(found.customers, 'customer')} in any of them at any time")
    days = [day(at, zone) for at in found.boundaries]
    made = table("from", "to", "moved from", "to", ("customers", "right"), ("of those", "right"))
    rows = (
        (
            days[one.period], days[one.period + 1], one.source or "none of them", one.target or "none of them",
            f"{one.customers:,}", percent(one.share),
        )
        for one in found.flows
        if one.source != one.target
    )  # fmt: skip
    console.print(fill(made, rows))
    kept_up = table(
        "from",
        "segment",
        ("at its beginning", "right"),
        ("entered", "right"),
        ("left", "right"),
        ("at its end", "right"),
    )
    lines = (
        (
            days[one.period],
            one.segment,
            f"{one.at_start:,}",
            f"{one.entered:,}",
            f"{one.left:,}",
            f"{one.at_end:,}",
        )
        for one in found.traffic
    )
    console.print(fill(kept_up, lines))


def suggest(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Segments that every retailer expects, with thresholds from this shop's own customers."""
    with opened(folder) as shop:
        found, currency = shop.suggestions(), shop.settings.currency
        zone = ZoneInfo(shop.settings.time_zone)
    console = screen()
    heading(console, f"Suggested as of {day(found.as_of, zone)}")
    made = table("name", ("customers", "right"), ("value", "right"), "condition")
    rows = (
        (row.key.replace("_", "-"), f"{row.customers:,}", money(row.expected, currency), row.condition)
        for row in found.rows
    )
    console.print(fill(made, rows))
    for group in found.groups:
        console.print(text(f"a group that shows by itself: {group.title}, {percent(group.share)} of buyers"))
        if group.condition:
            near = (
                f"{percent(group.recall)} of it meet it, {percent(group.precision)} of those who do are of it"
            )
            console.print(text(f"  comes near to it: {group.condition} ({near})"))
    console.print(text(found.note))
