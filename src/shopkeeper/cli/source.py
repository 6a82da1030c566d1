"""Commands about sources: who hands in by itself, with which keys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import count, fill, minute, screen, table, text
from shopkeeper.cli.trial import remap, told_in, try_
from shopkeeper.domain.errors import InvalidInput

Name = Annotated[str, typer.Argument(help="The source's name.")]


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    group = typer.Typer(
        no_args_is_help=True, help="Systems that hand things in by themselves, and their keys."
    )
    for command in (add, rotate, revoke, secret, disable, enable):
        group.command()(command)
    group.command("list")(list_)
    group.command("try")(try_)
    group.command("map")(remap)
    app.add_typer(group, name="source")


def add(
    name: Name,
    kind: Annotated[str, typer.Option(help="tracking, poslog, shopify or webhook.")] = "tracking",
    *,
    brand: Annotated[str, typer.Option(help="Brand of what it tells.")] = "",
    channel: Annotated[str, typer.Option(help="Channel where it does not say itself.")] = "",
    mapping: Annotated[
        Path | None, typer.Option(help="File that says how to read its bodies (TOML).")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="Web origin that may use its key; may be given again.")
    ] = None,
    events_per_second: Annotated[int, typer.Option(min=0, help="Limit; 0 for none.")] = 0,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Add a source; its write key is shown this once."""
    with opened(folder) as shop:
        key = shop.add_source(
            name,
            kind,
            brand=brand,
            channel=channel,
            mapping=told_in(mapping) if mapping else "",
            origins=tuple(origin or ()),
            events_per_second=events_per_second,
        )
    console = screen()
    console.print(text(f"Source {name} of kind {kind} is added."))
    if key:
        _show(key)
    if kind in ("shopify", "webhook"):
        console.print(text(f"Set what it signs with: shopkeeper source secret {name}"))


def list_(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Every source with its keys."""
    console = screen()
    with opened(folder) as shop:
        sources, zone = shop.sources(), ZoneInfo(shop.settings.time_zone)
    if not sources:
        console.print(text("There is no source yet; add one with 'shopkeeper source add NAME'."))
        return
    made = table("source", "kind", "state", "key", "created", "last used", "works")
    rows: list[tuple[str, ...]] = []
    for one in sources:
        state = "disabled" if one.source.disabled else "open"
        head = (one.source.name, one.source.kind, state + (", signs" if one.secret_since else ""))
        for key in one.keys or (None,):
            if key is None:
                rows.append((*head, "", "", "", ""))
                continue
            works = (
                "ended"
                if not key.works
                else ""
                if key.ends_at is None
                else f"until {minute(key.ends_at, zone)}"
            )
            used = minute(key.used_at, zone) if key.used_at else "never"
            rows.append((*head, f"...{key.hint}", minute(key.created_at, zone), used, works))
            head = ("", "", "")
    console.print(fill(made, rows))


def rotate(
    name: Name,
    *,
    grace_days: Annotated[
        float, typer.Option("--grace-days", min=0, help="How long the old key works beside the new one.")
    ] = 7.0,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Make a new write key; the old one works for some days more."""
    with opened(folder) as shop:
        key = shop.rotate_key(name, timedelta(days=grace_days))
    _show(key)


def revoke(
    name: Name,
    *,
    hint: Annotated[str | None, typer.Option(help="Only the key that ends in these four characters.")] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """End a source's keys now."""
    with opened(folder) as shop:
        ended = shop.revoke_key(name, hint)
    screen().print(text(f"{count(ended, 'key')} of {name} ended."))


def secret(
    name: Name,
    *,
    given: Annotated[
        Path | None,
        typer.Option("--file", help="File that holds the secret the sender gave; - for standard input."),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget the secret.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Set what a source signs with: drawn and shown this once, or read from a file."""
    if forget and given is not None:
        raise InvalidInput("--forget and --file at once", hint="give one of them")
    told: str | None = "" if forget else None
    if given is not None:
        told = (
            typer.get_text_stream("stdin").read() if str(given) == "-" else given.read_text("utf-8")
        ).strip()
        if not told:
            raise InvalidInput("the secret is empty", hint="use --forget to forget the present one")
    with opened(folder) as shop:
        drawn = shop.set_secret(name, told)
    screen().print(text(f"The secret of {name} is {'forgotten' if forget else 'set'}."))
    if drawn:
        _show(drawn)


def disable(name: Name, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Take nothing from a source any more."""
    with opened(folder) as shop:
        shop.change_source(name, disabled=True)
    screen().print(text(f"{name} is disabled; 'shopkeeper source enable {name}' opens it again."))


def enable(name: Name, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Take from a disabled source again."""
    with opened(folder) as shop:
        shop.change_source(name, disabled=False)
    screen().print(text(f"{name} is open."))


def _show(key: str) -> None:
    """A key alone on its line of standard output, for whoever copies it or reads it into a variable."""
    screen(errors=True).print(text("Keep this, it is shown this once:"))
    typer.echo(key)
