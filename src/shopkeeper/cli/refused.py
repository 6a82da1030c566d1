"""What could not be used: the quarantine as a list, and what an import just put into it. Never what the rows say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import count, fill, heading, minute, percent, screen, table, text

if TYPE_CHECKING:
    from shopkeeper.domain.report import ImportSummary
    from shopkeeper.shop import Shop
    from shopkeeper.shop.facade import Quarantined

_LINES_NAMED = 12
"""Lines of a file that are named for each reason."""
_LOOKED_AT = 5000
"""Rows of an import that are looked at for their lines; the counts by reason cover all."""
_MUCH = 0.05
"""Share of a file from which on its refused rows are more than slips."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(quarantine)


def quarantine(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the latest to list.")] = 50,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What could not be used, latest first: where it stood and why, not what it says."""
    console = screen()
    with opened(folder) as shop:
        rows, waiting = shop.quarantine(limit=limit), int(shop.health()["quarantined"])
        zone = ZoneInfo(shop.settings.time_zone)
    if not rows:
        console.print(text("Nothing is in quarantine."))
        return
    heading(console, f"In quarantine: {count(waiting, 'row')}")
    made = table(("id", "right"), "when", "source", "kind", ("line", "right"), "reason", "detail")
    told = (
        (
            f"{row.id}",
            minute(row.received_at, zone),
            row.source,
            row.kind,
            f"{row.line:,}" if row.line else "",
            row.reason.replace("_", " "),
            row.detail,
        )
        for row in rows
    )
    console.print(fill(made, told))
    if waiting > len(rows):
        console.print(text(f"the latest {len(rows):,}; --limit {waiting} lists all"))
    console.print(
        text("Correct these rows in their file and import it again: what was kept is not counted twice.")
    )


def show_refused(console: Console, shop: Shop, done: Sequence[ImportSummary]) -> None:
    """What the imports that were just made put into quarantine: by file and reason, with the first lines of each."""
    if not any(summary.quarantined for summary in done):
        return
    heading(console, "In quarantine")
    latest = iter(shop.quarantine(limit=min(sum(one.quarantined for one in done), _LOOKED_AT)))
    # Each import is one transaction, so the latest rows are those of the last file.
    by_file = [(summary, list(islice(latest, summary.quarantined))) for summary in reversed(done)]
    made = table("file", ("rows", "right"), "reason", "lines")
    console.print(fill(made, (row for summary, rows in reversed(by_file) for row in _reasons(summary, rows))))
    for summary in done:
        if summary.read and summary.quarantined > _MUCH * summary.read:
            share = percent(summary.quarantined / summary.read)
            lost = f"{summary.file}: {summary.quarantined:,} of {count(summary.read, 'row')} ({share}) stayed outside."
            console.print(
                text(f"{lost} Look at the columns taken for each field; --map corrects them.", "bold")
            )
    console.print(text("'shopkeeper quarantine' lists them one by one."))


def _reasons(summary: ImportSummary, rows: Iterable[Quarantined]) -> Iterable[tuple[str, ...]]:
    """A file's reasons, the most frequent first; the details that its rows share stand with the reason."""
    lines: dict[str, list[int]] = defaultdict(list)
    details: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        lines[row.reason].append(row.line)
        details[row.reason].add(row.detail)
    for reason, number in sorted(summary.reasons.items(), key=lambda kv: (-kv[1], kv[0])):
        said = reason.replace("_", " ")
        if len(details[reason]) == 1 and (detail := next(iter(details[reason]))):
            said = f"{said}: {detail}"
        yield summary.file, f"{number:,}", said, first_lines(lines[reason], number)


def first_lines(lines: Iterable[int], number: int) -> str:
    """The first lines of a file, of so many in all.

    >>> first_lines([12, 5, 7], 3), first_lines(range(1, 40), 39), first_lines([], 3)
    ('5, 7, 12', '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ...', '')
    """
    named = sorted({line for line in lines if line})
    shown = ", ".join(f"{line}" for line in named[:_LINES_NAMED])
    return f"{shown}, ..." if named and number > len(named[:_LINES_NAMED]) else shown
