"""Commands about mappings: try one on a sample body, and give it to a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened, write_json
from shopkeeper.cli.screen import count, fill, heading, minute, points, screen, table, text
from shopkeeper.domain.errors import BadFile

if TYPE_CHECKING:
    from rich.console import Console

    from shopkeeper.domain.trial import Trial, TriedEvent


def try_(
    mapping: Annotated[Path, typer.Argument(help="The mapping, a TOML file.", metavar="MAPPING.toml")],
    sample: Annotated[Path, typer.Argument(help="A body as the system sends it.", metavar="SAMPLE.json")],
    *,
    topic: Annotated[
        str, typer.Option(help="What the body is about, where that stands in a header beside it.")
    ] = "",
    json_to: Annotated[
        Path | None, typer.Option("--json", help="Write what came out as data; - for standard output.")
    ] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Show what a mapping makes of a sample body; nothing is brought in."""
    with opened(folder) as shop:
        trial = shop.try_mapping(mapping, sample, topic=topic, source=mapping.stem)
        zone = ZoneInfo(shop.settings.time_zone)
    if json_to is not None:
        write_json(trial, json_to)
    if str(json_to) != "-":
        _show(screen(), trial, zone)


def remap(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    mapping: Annotated[Path, typer.Argument(help="The mapping, a TOML file.", metavar="MAPPING.toml")],
    *,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Give a source another mapping; what it refused before can be replayed with it."""
    told = told_in(mapping)
    with opened(folder) as shop:
        shop.change_source(name, mapping=told)
    console = screen()
    console.print(text(f"{name} is read by {mapping} from now on."))
    console.print(text("What was refused can be read again: shopkeeper quarantine replay"))


def told_in(mapping: Path) -> str:
    """The text of a mapping. Raises BadFile."""
    try:
        return mapping.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadFile(f"{mapping} is not UTF-8", hint="save it as UTF-8") from None


def _show(console: Console, trial: Trial, zone: ZoneInfo) -> None:
    what = [
        count(trial.elements, "element"),
        count(len(trial.events), "event"),
        *([count(len(trial.records), "record")] if trial.records else []),
        *([f"{trial.ignored} ignored"] if trial.ignored else []),
        *([f"{len(trial.refused)} refused"] if trial.refused else []),
    ]
    console.print(text((f"{trial.title}: " if trial.title else "") + ", ".join(what), "bold"))
    for event in trial.events:
        _event(console, event, zone)
    for kind, record in trial.records:
        heading(console, f"Record: {kind}")
        console.print(fill(table("field", "value"), [(key, _plain(value)) for key, value in record.items()]))
    if trial.refused:
        heading(console, "Refused")
        console.print(fill(table(("element", "right"), "reason", "why"), trial.refused))
    if trial.notes:
        heading(console, "Look at")
        points(console, trial.notes)
    signed = (
        f"by the header {trial.signed_by}"
        if trial.signed_by
        else "not: the source's write key must come along"
    )
    console.print()
    console.print(text(f"Signed: {signed}"))


def _event(console: Console, event: TriedEvent, zone: ZoneInfo) -> None:
    heading(console, f"{event.name}: {event.sentence}")
    rows: list[tuple[str, str, str]] = [
        ("at", minute(event.occurred_at, zone), ""),
        ("id", event.message_id, ""),
        *([("channel", event.channel, "")] if event.channel else []),
        *([("brand", event.brand, "")] if event.brand else []),
    ]
    rows += [(kind, value, "identifier") for kind, value in event.identifiers]
    rows += [(key, _plain(value), "property") for key, value in event.properties.items()]
    rows += [(key, _plain(value), "more, sealed") for key, value in event.more.items()]
    console.print(fill(table("field", "value", ""), rows))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
