"""Commands that run the shop: serve, refresh, rebuild, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shopkeeper.cli import report as pages
from shopkeeper.cli.options import DEFAULT_SHOP, HOST, PORT, ShopOption, opened, write_json
from shopkeeper.cli.screen import count, screen, text
from shopkeeper.cli.steps import Steps


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
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Serve the pages and the HTTP API."""
    with opened(folder) as shop:
        from shopkeeper.web.app import serve as serve_pages

        serve_pages(shop, host=host, port=port)


def refresh(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Fit every model anew, however long it takes.")
    ] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Take in what arrived, feed the lake, fit the models, score every customer."""
    with opened(folder) as shop, Steps() as steps:
        seconds = shop.refresh(full=full, progress=steps)
    spent = ", ".join(f"{step} {took:.1f} s" for step, took in seconds.items())
    screen().print(text(f"Refreshed in {sum(seconds.values()):.1f} s: {spent}"))


def rebuild(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Fold every customer anew from the log; the answer is the same, or something was wrong before."""
    with opened(folder) as shop, Steps() as steps:
        events = shop.rebuild(progress=steps)
    screen().print(text(f"Folded {count(events, 'event')} anew."))


def report(
    *,
    json_to: Annotated[
        Path | None, typer.Option("--json", help="Write the report as data; - for standard output.")
    ] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """The report: who the customers are, what they are worth, who is fading, what sells where."""
    with opened(folder) as shop:
        made, time_zone = shop.report(), shop.settings.time_zone
    if json_to is not None:
        write_json(made, json_to)
    if str(json_to) != "-":
        pages.show(screen(), made, time_zone)
