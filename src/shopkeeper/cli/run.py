"""Commands that run the shop: serve, refresh, rebuild, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shopkeeper.cli import report as pages
from shopkeeper.cli import value
from shopkeeper.cli.handing import done
from shopkeeper.cli.options import DEFAULT_SHOP, HOST, PORT, ShopOption, opened, write_json
from shopkeeper.cli.screen import clean, count, screen, text
from shopkeeper.cli.steps import Steps
from shopkeeper.domain.errors import UnknownName

ABOUT = ("", "value")
"""What 'report' can be about."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)
    app.command()(refresh)
    app.command()(rebuild)
    app.command()(report)


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every network.")] = HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = PORT,
    proxy: Annotated[
        str, typer.Option(help="Address of a proxy in front, whose word on TLS and clients is taken.")
    ] = "",
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Serve the pages, the HTTP API and live collection, with a worker beside that takes in what arrives."""
    with opened(folder) as shop:
        from shopkeeper.shop.serving import worker_beside
        from shopkeeper.web.app import serve as serve_pages

        with worker_beside(folder):
            serve_pages(shop, host=host, port=port, proxy=proxy, tell=tell)


def refresh(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Fit every model anew, however long it takes.")
    ] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Take in what arrived, feed the lake, fit the models, score every customer."""
    with opened(folder) as shop, Steps() as steps:
        seconds: dict[str, float] = done(
            shop, "refresh", lambda: shop.refresh(full=full, progress=steps), steps, full=full
        )
    spent = ", ".join(f"{step} {took:.1f} s" for step, took in seconds.items())
    screen().print(text(f"Refreshed in {sum(seconds.values()):.1f} s: {spent}"))


def rebuild(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Fold every customer anew from the log; the answer is the same, or something was wrong before."""
    with opened(folder) as shop, Steps() as steps:
        events: int = done(shop, "rebuild", lambda: shop.rebuild(progress=steps), steps)
    screen().print(text(f"Folded {count(events, 'event')} anew."))


def report(
    about: Annotated[
        str,
        typer.Argument(help="'value' for who holds the value and how sure that is; nothing for the whole."),
    ] = "",
    *,
    json_to: Annotated[
        Path | None, typer.Option("--json", help="Write the report as data; - for standard output.")
    ] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """The report: who the customers are, what they are worth, who is fading, what sells where."""
    if about not in ABOUT:
        raise UnknownName("report", about, [one for one in ABOUT if one])
    if about == "value":
        _value(folder, json_to)
        return
    with opened(folder) as shop:
        made, time_zone = shop.report(), shop.settings.time_zone
    if json_to is not None:
        write_json(made, json_to)
    if str(json_to) != "-":
        pages.show(screen(), made, time_zone)


def _value(folder: Path, json_to: Path | None) -> None:
    with opened(folder) as shop:
        made, time_zone = shop.value(), shop.settings.time_zone
    if json_to is not None:
        write_json(made, json_to)
    if str(json_to) != "-":
        value.show(screen(), made, time_zone)


def tell(lines: list[str]) -> None:
    """Print what a server says when it begins; an address stays in one piece, however narrow the terminal."""
    for line in lines:
        typer.echo(clean(line))
