"""Commands that keep a shop safe: backup, restore, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shopkeeper.cli.handing import done
from shopkeeper.cli.options import DEFAULT_SHOP, LedgerOption, ShopOption, opened
from shopkeeper.cli.screen import screen, text


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(backup)
    app.command()(restore)
    app.command()(doctor)


def backup(
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="Where to; the shop's backups folder where left out.")
    ] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Copy the whole shop, while it is running or not."""
    with opened(folder) as shop:
        where = None if to is None else str(to.resolve())
        made = done(shop, "backup", lambda: shop.backup(to), to=where)
    screen().print(text(f"Backed up to {made}"))


def restore(
    made: Annotated[Path, typer.Argument(help="A backup.", metavar="BACKUP")],
    into: Annotated[Path, typer.Argument(help="A folder that is new or empty.", metavar="INTO")],
    *,
    ledger: LedgerOption = None,
) -> None:
    """Make a shop from a backup, elsewhere."""
    from shopkeeper.shop import restore as restore_shop

    with restore_shop(made, into, ledger=ledger) as shop:
        screen().print(text(f"{shop.settings.name} is restored in {into}"))


def doctor(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Check the installation and the shop, and say what to do."""
    console = screen()
    with opened(folder) as shop:
        findings = shop.doctor()
    for finding in findings:
        console.print(
            text(f"{'ok  ' if finding.ok else 'look'}  {finding.what}", "" if finding.ok else "bold yellow")
        )
        if not finding.ok and finding.advice:
            console.print(text(f"      {finding.advice}"))
    if any(not finding.ok for finding in findings):
        raise typer.Exit(1)
    console.print(text("All is well."))
