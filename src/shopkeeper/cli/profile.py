"""One customer in the terminal: who it is, what is known, what is expected, and the latest of the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from shopkeeper.cli.screen import (
    bar,
    clean,
    count,
    day,
    fill,
    heading,
    minute,
    money,
    percent,
    sparkline,
    table,
    text,
)
from shopkeeper.domain.profile import Profile, Share, Timeline
from shopkeeper.domain.traits import Trait

_SPOKEN = ("days", "weeks", "minutes")
"""Units that a label does not say already."""
_NOTHING: tuple[object, ...] = (None, "", 0, [], (), {})
"""Values that need no line; ``False`` equals 0 and needs none either."""


def show(
    console: Console, profile: Profile, timeline: Timeline, traits: Sequence[Trait], time_zone: str = "UTC"
) -> None:
    """Print the whole profile, days and times in the shop's zone; traits without a value are left out."""
    zone = ZoneInfo(time_zone)
    console.print()
    console.print(text(profile.name or profile.id, "bold"))
    console.print(text(f"{profile.id} · as of {day(profile.as_of, zone)}"))
    _person(console, profile, zone)
    _traits(console, profile, traits, zone)
    if profile.months:
        heading(console, "Margin month by month")
        values = [margin for _, margin in profile.months]
        console.print(text(f"{profile.months[0][0]} {sparkline(values)} {profile.months[-1][0]}"))
    _shares(console, "Where", profile.places, profile.currency, zone)
    _shares(console, "Categories", profile.categories, profile.currency, zone)
    _shares(console, "Products", profile.products, profile.currency, zone)
    _looked(console, profile, zone)
    _service(console, profile, zone)
    for title, told in (("Answers", profile.answers), ("Added by third parties", profile.attributes)):
        _told(console, title, told)
    _timeline(console, timeline, zone)


def value_of(trait: Trait, value: Any, currency: str, zone: tzinfo = UTC) -> str:
    """A trait's value as people read it; a trait named ``p_...`` is a probability.

    >>> trait = Trait(name="mean_gap", kind="float", label="Usual gap", sentence="", unit="days")
    >>> value_of(trait, 15.62, "GBP"), value_of(trait, None, "GBP")
    ('15.6 days', '–')
    """
    if value is None:
        return "–"
    if trait.kind == "money":
        return money(value, currency)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if trait.kind == "time":
        return day(datetime.fromisoformat(value) if isinstance(value, str) else value, zone)
    if isinstance(value, int | float):
        if trait.name.startswith("p_"):
            return percent(value)
        number = f"{value:,.1f}".removesuffix(".0")
        return f"{number} {trait.unit}" if trait.unit in _SPOKEN else number
    if isinstance(value, list | tuple):
        return ", ".join(clean(one) for one in value)
    return clean(value).replace("_", " ")


def _traits(console: Console, profile: Profile, traits: Sequence[Trait], zone: tzinfo) -> None:
    """What is known as pairs side by side, what is expected with its meaning; what is nothing is left out."""
    known = {name: value for name, value in profile.traits.items() if value not in _NOTHING}
    said = [
        (trait, trait.label, value_of(trait, known[trait.name], profile.currency, zone))
        for trait in traits
        if trait.name in known and trait.kind != "texts"
    ]
    facts = [(label, value) for trait, label, value in said if trait.clock != "refresh"]
    if facts:
        heading(console, "What is known")
        grid = Table.grid(padding=(0, 3))
        half = (len(facts) + 1) // 2
        for left, right in zip_longest(facts[:half], facts[half:], fillvalue=("", "")):
            grid.add_row(*(text(cell) for cell in (*left, *right)))
        console.print(grid)
    expected = [(label, value, trait.sentence) for trait, label, value in said if trait.clock == "refresh"]
    if expected:
        heading(console, "What is expected")
        console.print(fill(table("", "", "meaning"), expected))


def _person(console: Console, profile: Profile, zone: tzinfo) -> None:
    if profile.identifiers:
        heading(console, "Known by")
        rows = (
            (one.kind.replace("_", " "), one.value, day(one.first_seen, zone)) for one in profile.identifiers
        )
        console.print(fill(table("kind", "value", ("since", "right")), rows))
    _told(console, "Person", profile.personal)


def _told(console: Console, title: str, told: dict[str, str]) -> None:
    if told:
        heading(console, title)
        for name, value in told.items():
            console.print(text(f"{name.replace('_', ' ')}: {value}"))


def _looked(console: Console, profile: Profile, zone: tzinfo) -> None:
    if profile.looked_not_bought:
        heading(console, "Looked at and not bought")
        rows = (
            (one.name or one.product_id, f"{one.views:,}", day(one.last, zone))
            for one in profile.looked_not_bought
        )
        console.print(fill(table("product", ("views", "right"), ("last", "right")), rows))


def _service(console: Console, profile: Profile, zone: tzinfo) -> None:
    if profile.open_cases:
        heading(console, f"{count(len(profile.open_cases), 'open case')}: service first")
        cases = (
            (one.reason.replace("_", " "), one.medium, one.sentiment, day(one.opened_at, zone))
            for one in profile.open_cases
        )
        console.print(fill(table("reason", "by", "mood", ("since", "right")), cases))
    if profile.consents:
        heading(console, "Consents")
        given = (
            (
                one.label,
                "yes" if one.granted else "no",
                day(one.since, zone),
                one.basis.replace("_", " "),
                one.source,
            )
            for one in profile.consents
        )
        console.print(fill(table("purpose", "granted", ("since", "right"), "basis", "source"), given))


def _shares(console: Console, title: str, shares: Sequence[Share], currency: str, zone: tzinfo) -> None:
    if not shares:
        return
    heading(console, title)
    most = max(max((one.amount for one in shares), default=0.0), 0.01)
    made = table("", ("orders", "right"), ("sales", "right"), "", ("margin", "right"), ("last", "right"))
    rows = (
        (
            one.name or one.key,
            f"{one.orders:,}",
            money(one.amount, currency),
            bar(one.amount / most, 10),
            money(one.margin, currency),
            day(one.last, zone),
        )
        for one in shares
    )
    console.print(fill(made, rows))


def _timeline(console: Console, timeline: Timeline, zone: tzinfo) -> None:
    if not timeline.entries:
        return
    heading(console, "Latest events")
    made = table("when", "channel", "what", ("amount", "right"))
    rows = (
        (
            minute(entry.occurred_at, zone),
            entry.channel,
            entry.sentence,
            "" if entry.amount is None else money(entry.amount, entry.currency, cents=True),
        )
        for entry in timeline.entries
    )
    console.print(fill(made, rows))
    if timeline.next:
        console.print(text("earlier events: --timeline with a larger number"))
