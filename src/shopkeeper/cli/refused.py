"""What could not be used: the quarantine as a list, and what an import just put into it. Never what the rows say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console

from shopkeeper.cli.handing import done
from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import count, fill, heading, minute, percent, screen, table, text
from shopkeeper.cli.steps import Steps

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
    """Add the commands of this file."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(quarantine)
    group.command()(replay)
    app.add_typer(group, name="quarantine")


def quarantine(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the latest to list.")] = 50,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What could not be used, latest first: where it stood and why, not what it says."""
    if context.invoked_subcommand is not None:
        return
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
        text(
            "Correct rows of a file there and import it again: what was kept is not counted twice. "
            "What a live source sent is read again by 'shopkeeper quarantine replay'."
        )
    )


def replay(
    *,
    ids: Annotated[list[int] | None, typer.Option("--id", help="Only this row; may be given again.")] = None,
    source: Annotated[str | None, typer.Option(help="Only what this source sent.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only what was refused for this reason.")] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Read what live sources sent and could not be used again, as mappings and settings are now."""
    from shopkeeper.shop.replaying import Replayed

    why = reason.replace(" ", "_") if reason else None
    with opened(folder) as shop, Steps() as steps:
        made = msgspec.convert(
            done(
                shop,
                "replay",
                lambda: shop.replay(ids=ids, source=source, reason=why, progress=steps),
                steps,
                ids=ids,
                source=source,
                reason=why,
            ),
            Replayed,
            from_attributes=True,
        )
    console = screen()
    console.print(
        text(
            f"Read {count(made.looked_at, 'row')} again: {made.left:,} left the quarantine with "
            f"{count(made.events, 'event')}, {made.stay:,} stay."
        )
    )
    for name, number in sorted(made.reasons.items(), key=lambda kv: -kv[1]):
        console.print(text(f"{number:,} because of {name.replace('_', ' ')}"))
    if made.of_files:
        console.print(text(f"{count(made.of_files, 'row')} of files: correct them there and import again."))


def show_refused(console: Console, shop: Shop, imports: Sequence[ImportSummary]) -> None:
    """What the imports that were just made put into quarantine: by file and reason, with the first lines of each."""
    if not any(summary.quarantined for summary in imports):
        return
    heading(console, "In quarantine")
    latest = iter(shop.quarantine(limit=min(sum(one.quarantined for one in imports), _LOOKED_AT)))
    # Each import is one transaction, so the latest rows are those of the last file.
    by_file = [(summary, list(islice(latest, summary.quarantined))) for summary in reversed(imports)]
    made = table("file", ("rows", "right"), "reason", "lines")
    console.print(fill(made, (row for summary, rows in reversed(by_file) for row in _reasons(summary, rows))))
    for summary in imports:
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
