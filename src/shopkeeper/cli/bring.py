"""Commands that bring a shop to life: demo, init, import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec.structs import replace
from rich.console import Console

from shopkeeper.cli import report as pages
from shopkeeper.cli.handing import done as handed
from shopkeeper.cli.options import (
    DEFAULT_SHOP,
    HOST,
    PORT,
    LedgerOption,
    SavedMapping,
    ShopOption,
    asked,
    mapping_of,
    opened,
    saved_mapping,
    told_of,
    write_json,
)
from shopkeeper.cli.refused import show_refused
from shopkeeper.cli.run import serve as serve_shop
from shopkeeper.cli.screen import count, fill, heading, screen, table, text
from shopkeeper.cli.steps import Steps
from shopkeeper.cli.tables import bring_table
from shopkeeper.domain.errors import Conflict, InvalidInput
from shopkeeper.settings import Settings

if TYPE_CHECKING:
    from shopkeeper.domain.reading import Guess
    from shopkeeper.domain.report import ImportSummary
    from shopkeeper.shop import Shop

_DEFAULTS = Settings()
DEMO_USER = "demo@example.com"
"""The sample shop's administrator."""
_REASONS = 8
"""Most reasons shown before a file is brought in."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(name="demo")(demo)
    app.command(name="init")(init)
    app.command(name="import")(import_)


def demo(
    *,
    into: Annotated[Path, typer.Option("--into", help="Where the sample shop goes.")] = Path("sample-shop"),
    size: Annotated[
        float, typer.Option(min=0.001, max=100, help="1 is the whole sample, 0.01 a hundredth.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed simulates other people.")] = 7,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the pages after the report.")
    ] = True,
    json_to: Annotated[
        Path | None, typer.Option("--json", help="Write the report as data; - for standard output.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages.")] = PORT,
) -> None:
    """Build the sample shop, run the whole journey, print the report, serve the pages."""
    from shopkeeper.shop.demo import build

    if (into / "shop.toml").exists():
        raise Conflict(
            f"there is a shop in {into} already",
            hint=f"'shopkeeper serve --shop {into}' shows it; --into builds another one elsewhere",
        )
    with Steps() as steps:
        shop, report = build(into, size=size, seed=seed, progress=steps)
    with shop:
        shop.add_user(DEMO_USER, "administrator", "Demo")  # comes in by the link that the server prints
        if json_to is not None:
            write_json(report, json_to)
        if str(json_to) != "-":
            console = screen()
            pages.show(console, report, shop.settings.time_zone)
            console.print()
            console.print(
                text(f"The shop is in {into}. Look at a customer: shopkeeper customer ID --shop {into}")
            )
    if serve:
        serve_shop(
            host=HOST, port=port, proxy="", folder=into
        )  # with its worker, so that what is sent appears


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")] = DEFAULT_SHOP,
    *,
    name: Annotated[
        str, typer.Option(help="What the shop is called; its folder's name where left out.")
    ] = "",
    currency: Annotated[str, typer.Option(help="Reporting currency, ISO 4217.")] = _DEFAULTS.currency,
    time_zone: Annotated[str, typer.Option(help="Zone of times without one.")] = _DEFAULTS.time_zone,
    region: Annotated[
        str, typer.Option(help="Country of telephone numbers without a prefix.")
    ] = _DEFAULTS.region,
    ledger: LedgerOption = None,
) -> None:
    """Make a new, empty shop."""
    import shopkeeper

    title = name or folder.resolve().name.replace("-", " ").replace("_", " ").capitalize()
    with shopkeeper.create(
        folder, name=title, currency=currency, time_zone=time_zone, region=region, ledger=ledger
    ) as shop:
        console = screen()
        console.print(text(f"{shop.settings.name} is open in {folder}: {currency}, {time_zone}."))
        console.print(text(f"Next: shopkeeper import YOUR-EXPORTS --shop {folder}"))
        console.print(
            text(f"Keep {folder / 'secret.key'} safe and apart: without it personal data cannot be read.")
        )


def import_(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="CSV, Parquet, JSON Lines or Excel files.", metavar="PATH")
    ] = None,
    *,
    address: Annotated[
        str | None,
        typer.Option(
            "--table",
            envvar="SHOPKEEPER_TABLE",
            help="A database instead of files, as SQLAlchemy writes it; ${NAME} comes from the environment.",
            metavar="URL",
        ),
    ] = None,
    query: Annotated[str, typer.Option(help="The table in the database, or a SELECT.")] = "",
    cursor: Annotated[
        str, typer.Option(help="Column that grows with every change: only what is beyond it is read.")
    ] = "",
    kind: Annotated[
        str | None, typer.Option(help="What the files hold; guessed from the columns where left out.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Name of the system they come from; the kind where left out.")
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="Take this column for this field; may be given again.", metavar="FIELD=COLUMN"
        ),
    ] = None,
    use_map: Annotated[
        Path | None, typer.Option("--use-map", help="Take the mapping saved in this file.")
    ] = None,
    save_map: Annotated[
        Path | None, typer.Option("--save-map", help="Save the mapping that was used.")
    ] = None,
    numbering: Annotated[
        str | None,
        typer.Option(help="System that gave the customer numbers, where they are other people's elsewhere."),
    ] = None,
    dates: Annotated[
        str | None, typer.Option(help="How 03/04/2011 is meant: day-first or month-first.", metavar="ORDER")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="How 1,234 and 1.234 are meant: comma or point.", metavar="SIGN")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What stands between columns: , ; | tab or another character.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the text, such as cp1251.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; the first where left out.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on although many of the first rows cannot be used.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Bring in files: what is recognised is shown first, each file is one transaction, twice adds nothing."""
    columns = mapping_of(pairs or [])
    if query or not paths:
        if address is None:
            raise InvalidInput("no files are named", hint="name some, or a database with --table and --query")
        with opened(folder) as shop:
            how = {"mapping": columns, "numbering": numbering, "cursor": cursor, "source": source or ""}
            bring_table(shop, folder, address, query, kind, anyway=anyway, **how)
        return
    if save_map is not None and len(paths) > 1:
        raise InvalidInput(
            f"--save-map with {len(paths)} files", hint="save the mapping of one file at a time"
        )
    told = told_of(
        saved_mapping(use_map) if use_map is not None else None,
        kind,
        columns,
        dates=dates,
        decimal=decimal,
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
    )
    console = screen()
    with opened(folder) as shop:
        seen: list[Guess] = []
        for path in paths:  # all are looked at before the first is brought in
            guess = _recognise(console, shop, path, told)
            _go_on(console, path, guess, told, anyway=anyway, ask=asked() and not yes)
            seen.append(guess)
            if save_map is not None:
                write_json(replace(told, kind=guess.kind, columns=dict(guess.mapping)), save_map)
        done: list[ImportSummary] = []
        try:
            for path, guess in zip(paths, seen, strict=True):
                with Steps() as steps:
                    done.append(_bring(shop, path, guess.kind, source, told, numbering, steps))
        except KeyboardInterrupt:
            if done:  # those are kept
                pages.show_imports(console, done)
            raise
        pages.show_imports(console, done)
        for summary in done:
            if sentence := pages.reconciliation(summary):
                console.print(text(sentence))
        show_refused(console, shop, done)
        console.print(text(f"Next: shopkeeper refresh --shop {folder}"))


def _bring(
    shop: Shop,
    path: Path,
    kind: str,
    source: str | None,
    told: SavedMapping,
    numbering: str | None,
    steps: Steps,
) -> ImportSummary:
    """Bring one file in, here or by the worker that holds the shop."""
    from shopkeeper.domain.report import ImportSummary

    reading = told.reading(shop.settings.region)

    def here() -> ImportSummary:
        return shop.collect(
            path,
            kind,
            source=source,
            mapping=told.columns,
            reading=reading,
            numbering=numbering,
            progress=steps,
        )

    made = handed(
        shop,
        "import",
        here,
        steps,
        path=str(path.resolve()),
        kind=kind,
        source=source,
        mapping=told.columns,
        reading=reading,
        numbering=numbering,
    )
    return msgspec.convert(made, ImportSummary, from_attributes=True)


def _go_on(
    console: Console, path: Path, guess: Guess, told: SavedMapping, *, anyway: bool, ask: bool
) -> None:
    """Stop where much of a file cannot be used, unless told to go on; ask where its kind was guessed."""
    if guess.doubtful:
        share = f"{guess.refused:,} of the first {count(guess.rows, 'row')} of {path} cannot be used"
        rows = [(f"{rows:,}", reason) for reason, rows in list(guess.reasons.items())[:_REASONS]]
        console.print(fill(table(("rows", "right"), "why"), rows))
        if not anyway:
            if not ask:
                raise InvalidInput(
                    share, hint="name the right columns with --map, or bring in the others with --anyway"
                )
            typer.confirm(f"{share}. Import the others?", default=False, abort=True)
    elif not told.kind and ask:
        typer.confirm(f"Import {path} as {guess.kind}?", default=True, abort=True)


def _recognise(console: Console, shop: Shop, path: Path, told: SavedMapping) -> Guess:
    """Show what was recognised of a file."""
    kind, mapping = told.kind or None, told.columns
    guess = shop.preview(path, kind, mapping, reading=told.reading(shop.settings.region))
    heading(console, f"{path}: {guess.kind}" + ("" if kind else " (guessed from its columns)"))
    rows = [(field, column, "given" if field in mapping else "") for field, column in guess.mapping.items()]
    if rows:
        console.print(fill(table("field", "column", ""), rows))
    if guess.unknown:
        console.print(text("columns not recognised: " + ", ".join(guess.unknown)))
    for note in guess.notes:
        console.print(text(note))
    if guess.refused:
        console.print(
            text(f"of the first {count(guess.rows, 'row')} {guess.refused:,} cannot be used", "bold")
        )
    return guess
