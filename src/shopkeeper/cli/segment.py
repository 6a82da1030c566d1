"""Commands about segments: what they are, who is in them, who entered and left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from shopkeeper.cli.handing import done
from shopkeeper.cli.options import DEFAULT_SHOP, Json, ShopOption, opened, write_json
from shopkeeper.cli.screen import count, fill, heading, minute, screen, table, text
from shopkeeper.cli.steps import Steps
from shopkeeper.domain.segment import STATES, Recounted, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopkeeper.shop import Shop

Name = Annotated[str, typer.Argument(help="The segment's name: small letters, digits, - and _.")]


def commands(group: typer.Typer) -> None:
    """Add the commands of this file to the group of segments."""
    group.command("list")(list_)
    for command in (save, show, members, changes, recount, activate, pause, archive):
        group.command()(command)


def list_(
    *,
    archived: Annotated[bool, typer.Option("--archived", help="Also those put away.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Every segment, its state and how many are in it."""
    with opened(folder) as shop:
        found = shop.segments(archived=archived)
    console = screen()
    if not found:
        console.print(
            text("There is no segment yet; define one with 'shopkeeper segment save NAME CONDITION'.")
        )
        return
    made = table("name", "title", "state", "customers", "condition")
    console.print(fill(made, ((s.name, s.title, _state(s), f"{s.size:,}", s.condition) for s in found)))


def _state(segment: Segment) -> str:
    return f"{segment.state} {segment.progress:.0%}" if segment.progress < 1 else segment.state


def save(
    name: Name,
    condition: Annotated[str, typer.Argument(help='In the condition language, such as "orders >= 2".')],
    *,
    title: Annotated[str | None, typer.Option(help="How people call it.")] = None,
    sentence: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Do not bring it into use yet.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Define a segment, or change it: a new version, which takes the place of the one in use customer by customer."""
    with opened(folder) as shop, Steps() as steps:
        made = _done(
            shop,
            lambda: shop.save_segment(
                name, condition, title=title, sentence=sentence, activate=not draft, progress=steps
            ),
            what="save", name=name, condition=condition, title=title, sentence=sentence, activate=not draft,
        )  # fmt: skip
    _say(made)


def activate(name: Name, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Bring a segment into use: everybody is looked at, and from then on customers enter and leave live."""
    with opened(folder) as shop, Steps() as steps:
        made = _done(shop, lambda: shop.activate_segment(name, progress=steps), what="activate", name=name)
    _say(made)


def pause(name: Name, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Let a segment stand still: who is in it stays."""
    with opened(folder) as shop:
        made = _done(shop, lambda: shop.pause_segment(name), what="pause", name=name)
    _say(made)


def archive(name: Name, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Put a segment away; what entered and left is kept."""
    with opened(folder) as shop:
        made = _done(shop, lambda: shop.archive_segment(name), what="archive", name=name)
    _say(made)


def _done(shop: Shop, here: Callable[[], Segment], **arguments: Any) -> Segment:
    return msgspec.convert(done(shop, "segment", here, **arguments), Segment, from_attributes=True)


def _say(made: Segment) -> None:
    console = screen()
    heading(console, f"{made.title} ({made.name}), version {made.version}")
    console.print(text(made.condition))
    console.print(text(f"{_state(made)}: {STATES[made.state]}"))
    console.print(text(count(made.size, "customer")))


def show(name: Name, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """One segment: its definition, its versions, how it grew and shrank."""
    with opened(folder) as shop:
        found, zone = shop.segment(name), ZoneInfo(shop.settings.time_zone)
    _say(found.segment)
    console = screen()
    if found.segment.sentence:
        console.print(text(found.segment.sentence))
    for label, names in (("asks about", found.segment.uses), ("asked about by", found.used_by)):
        if names:
            console.print(text(f"{label} {', '.join(names)}"))
    made = table("version", "saved", "by", "condition")
    console.print(
        fill(made, ((str(v.version), minute(v.at, zone), v.by, v.condition) for v in found.versions))
    )
    if found.days:
        made = table("day", "entered", "left", "in it")
        rows = (
            (d.day.isoformat(), f"{d.entered:,}", f"{d.exited:,}", f"{d.size:,}") for d in found.days[-14:]
        )
        console.print(fill(made, rows))


def members(
    name: Name,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many to list.")] = 25,
    cursor: Annotated[int | None, typer.Option(help="Where the list went on.")] = None,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Who is in a segment, and since when."""
    with opened(folder) as shop:
        page, zone = shop.members(name, cursor=cursor, limit=limit), ZoneInfo(shop.settings.time_zone)
    if json_to is not None:
        write_json(page, json_to)
        return
    console = screen()
    heading(console, f"{count(page.total, 'customer')} in {name}")
    made = table("customer", "name", "since")
    console.print(fill(made, ((m.customer, m.name, minute(m.since, zone)) for m in page.rows)))
    if page.next:
        console.print(text(f"and more: --cursor {page.next}"))


def changes(
    name: Annotated[str, typer.Argument(help="The segment's name; all segments where left out.")] = "",
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many to list.")] = 50,
    cursor: Annotated[int | None, typer.Option(help="Where the list went on.")] = None,
    json_to: Json = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Who entered and left, in order."""
    with opened(folder) as shop:
        page = shop.audience(name or None, cursor=cursor, limit=limit)
        zone = ZoneInfo(shop.settings.time_zone)
    if json_to is not None:
        write_json(page, json_to)
        return
    console = screen()
    if not page.rows:
        console.print(text("Nobody entered or left since."))
        return
    made = table("number", "when", "customer", "what", "segment", "because of")
    rows = (
        (
            str(c.id),
            minute(c.at, zone),
            c.customer,
            c.event.removeprefix("Audience ").lower(),
            c.segment,
            c.cause,
        )
        for c in page.rows
    )
    console.print(fill(made, rows))
    console.print(text(f"what follows: --cursor {page.next}"))


def recount(
    names: Annotated[list[str] | None, typer.Argument(help="Segments; all in use where left out.")] = None,
    *,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Compare who is in segments with what everybody's whole history says; there should be no difference."""
    with opened(folder) as shop, Steps() as steps:
        told = done(
            shop, "recount", lambda: shop.recount(*(names or []), progress=steps), steps, names=names or []
        )
        made = msgspec.convert(told, Recounted, from_attributes=True)
    console = screen()
    heading(console, f"{made.compared:,} answers of {count(made.customers, 'customer')} compared")
    console.print(text("No difference." if not made.found else f"{made.found:,} differences, mended:"))
    for one in made.differences[:50]:
        console.print(
            text(f"{one.customer} {'belongs into' if one.should else 'does not belong into'} {one.segment}")
        )
