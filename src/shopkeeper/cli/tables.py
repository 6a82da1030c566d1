"""Bringing in a table of another system's database, for ``shopkeeper import --table``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console

from shopkeeper.cli import report as pages
from shopkeeper.cli.handing import done as handed
from shopkeeper.cli.refused import show_refused
from shopkeeper.cli.screen import count, fill, heading, screen, table, text
from shopkeeper.cli.steps import Steps
from shopkeeper.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from shopkeeper.domain.reading import Guess
    from shopkeeper.domain.report import ImportSummary
    from shopkeeper.shop import Shop


def bring_table(
    shop: Shop, folder: Path, url: str, query: str, kind: str | None, *, anyway: bool, **how: Any
) -> None:
    """Show what is recognised of a table, bring in what is new in it, show what became of it."""
    if not query:
        raise InvalidInput("--table without --query", hint="give the name of a table, or a SELECT")
    console = screen()
    guess = shop.preview_table(
        url, query, kind, **{key: how[key] for key in how if key not in ("cursor", "source")}
    )
    _recognised(console, guess, given=kind is not None)
    if guess.doubtful and not anyway:
        raise InvalidInput(
            f"{guess.refused:,} of the first {count(guess.rows, 'row')} cannot be used",
            hint="name the right columns with --map, or bring in the others with --anyway",
        )
    summary = _brought(shop, url, query, guess.kind, how)
    pages.show_imports(console, [summary])
    if sentence := pages.reconciliation(summary):
        console.print(text(sentence))
    show_refused(console, shop, [summary])
    console.print(text(f"Next: shopkeeper refresh --shop {folder}"))


def _brought(shop: Shop, url: str, query: str, kind: str, how: dict[str, Any]) -> ImportSummary:
    """Bring it in, here or by the worker that holds the shop."""
    from shopkeeper.domain.report import ImportSummary
    from shopkeeper.shop.tables import with_environment

    with Steps() as steps:
        made = handed(
            shop,
            "import table",
            lambda: shop.collect_table(url, query, kind, progress=steps, **how),
            steps,
            url=with_environment(url),  # the worker's environment is another
            query=query,
            kind=kind,
            how=how,
        )
    return msgspec.convert(made, ImportSummary, from_attributes=True)


def _recognised(console: Console, guess: Guess, *, given: bool) -> None:
    heading(console, f"{guess.file}: {guess.kind}" + ("" if given else " (guessed from its columns)"))
    console.print(fill(table("field", "column"), list(guess.mapping.items())))
    if guess.unknown:
        console.print(text("columns not recognised: " + ", ".join(guess.unknown)))
    for note in guess.notes:
        console.print(text(note))
