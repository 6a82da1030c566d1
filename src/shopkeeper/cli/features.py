"""The command for the team's own models: features."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from shopkeeper.cli.handout import checked, table_out
from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import count


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(features)


def features(
    *,
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day that may be known.")],
    out: Annotated[
        Path, typer.Option(help="The file to write, .parquet or .csv; - for CSV on standard output.")
    ],
    horizon: Annotated[
        int | None,
        typer.Option(min=1, help="Weeks after it whose orders are to be foretold: adds the labels."),
    ] = None,
    known: Annotated[
        bool, typer.Option("--known", help="Leave out what happened by then but was received later.")
    ] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What was known of every customer at the end of a day, as a table for models of your own."""
    checked(out)
    with opened(folder) as shop:
        found = shop.features(as_of=as_of.date(), horizon=horizon, known=known)
    table_out(found, out, f"with {count(found.num_columns - 1, 'column')} ")
