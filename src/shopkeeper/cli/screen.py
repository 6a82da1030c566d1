"""What the terminal needs: consoles, plain words, amounts, small bars and tables.

Piped output is plain text without control codes, 110 columns wide unless COLUMNS says otherwise. Values that came from
outside are cleaned of control characters, so that a name in a file cannot move the cursor or hide a line.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, tzinfo
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.text import Text

from shopkeeper.cli.ledger import Ledger
from shopkeeper.domain.money import exponent, show

PLAIN_WIDTH = 110
_NARROWEST = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_TICKS = "▁▂▃▄▅▆▇█"

Justify = Literal["left", "right"]


def screen(*, errors: bool = False) -> Console:
    """A console on what standard output (or error) is now: coloured on a terminal, plain in a pipe."""
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() else plain_width(os.environ.get("COLUMNS", ""))
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def plain_width(columns: str) -> int:
    """How wide a page without a terminal is, from what COLUMNS says.

    >>> plain_width(""), plain_width("72"), plain_width("1"), plain_width("wide")
    (110, 72, 40, 110)
    """
    return max(int(columns), _NARROWEST) if columns.isdecimal() and int(columns) else PLAIN_WIDTH


def clean(value: object) -> str:
    r"""Text without control characters.

    >>> clean("An\x1b[31mna\n")
    'An[31mna'
    """
    return "".join(c for c in str(value) if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})


def text(value: object, style: str = "") -> Text:
    """Cleaned text that Rich shows as it is."""
    return Text(clean(value), style=style)


def money(amount: float | None, currency: str, *, cents: bool = False) -> str:
    """An amount in units of the currency, as people read it.

    >>> money(18909744.118, "GBP"), money(4.5, "GBP", cents=True), money(None, "GBP")
    ('£18,909,744', '£4.50', '–')
    """
    return show(None if amount is None else amount * 10 ** exponent(currency), currency, cents=cents)


def short_money(amount: float, currency: str) -> str:
    """A large amount in a sentence.

    >>> short_money(18909744.118, "GBP"), short_money(312400, "EUR"), short_money(950, "EUR")
    ('£18.9 million', '€312,000', '€950')
    """
    if abs(amount) >= 1e6:
        symbol = show(0, currency, cents=False).replace("0", "")
        return f"{'-' if amount < 0 else ''}{symbol}{abs(amount) / 1e6:,.1f} million"
    return money(round(amount, -3) if abs(amount) >= 1e4 else amount, currency)


def count(number: int | float, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> count(1, "order"), count(12345, "order"), count(2, "person", "people")
    ('1 order', '12,345 orders', '2 people')
    """
    return f"{number:,.0f} {one if number == 1 else many or one + 's'}"


def few(number: float) -> str:
    """A number that is expected, to a tenth where it is small.

    >>> few(1204.4), few(3.14)
    ('1,204', '3.1')
    """
    return f"{number:,.0f}" if abs(number) >= 10 else f"{number:.1f}"


def percent(share: float | None) -> str:
    """A share.

    >>> percent(0.583), percent(0.004), percent(0.9996), percent(None)
    ('58 %', '0.4 %', '>99 %', '–')
    """
    if share is None:
        return "–"
    if 0.995 <= share < 1:
        return ">99 %"
    digits = 1 if 0 < abs(share) < 0.01 else 0
    return f"{share * 100:.{digits}f} %"


def chance(probability: float | None) -> str:
    """A probability that a model tells: never certain.

    >>> chance(0.583), chance(1.0), chance(0.0), chance(None)
    ('58 %', '>99 %', '<1 %', '–')
    """
    if probability is None:
        return percent(None)
    return "<1 %" if probability < 0.005 else percent(min(probability, 0.996))


def day(moment: datetime | None, zone: tzinfo = UTC) -> str:
    """A date in the shop's zone. Midnight UTC is how a day without a time is kept, and is that day in every zone.

    >>> from zoneinfo import ZoneInfo
    >>> late = datetime(2011, 12, 9, 23, 30, tzinfo=UTC)
    >>> day(late), day(late, ZoneInfo("Europe/Berlin")), day(None)
    ('9 Dec 2011', '10 Dec 2011', '–')
    >>> day(datetime(2011, 12, 9, tzinfo=UTC), ZoneInfo("America/New_York"))
    '9 Dec 2011'
    """
    if moment is None:
        return "–"
    at = moment.astimezone(UTC)
    if at.time() != time.min:
        at = at.astimezone(zone)
    return f"{at.day} {at:%b %Y}"


def minute(moment: datetime, zone: tzinfo = UTC) -> str:
    """A date with the time of day, in the shop's zone.

    >>> minute(datetime(2011, 12, 9, 23, 30, tzinfo=UTC))
    '2011-12-09 23:30'
    """
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def bar(share: float, width: int = 12) -> str:
    """A bar as long as the share of the width.

    >>> bar(0.5, 4), bar(2.0, 4), bar(0, 4)
    ('██', '████', '')
    """
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def sparkline(values: Sequence[float]) -> str:
    """One tick a value, from the lowest to the highest; zero is the ground where nothing is negative.

    >>> sparkline([0, 5, 10])
    '▁▅█'
    """
    if not values:
        return ""
    low, high = min(0.0, *values), max(values)
    spread = high - low
    return "".join(_TICKS[int((value - low) / spread * 7 + 0.5)] if spread else _TICKS[0] for value in values)


def table(*columns: str | tuple[str, Justify]) -> Ledger:
    """An empty table; a column given as (name, "right") is aligned to the right."""
    made = Ledger(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(columns):
        name, justify = column if isinstance(column, tuple) else (column, "left")
        made.add_column(name, justify=justify, no_wrap=place == 0 or justify == "right", overflow="ellipsis")
    return made


def fill(made: Ledger, rows: Iterable[Sequence[Any]]) -> Ledger:
    """The table with rows of cleaned cells."""
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else text(cell) for cell in row))
    return made


def points(console: Console, sentences: Iterable[str]) -> None:
    """Sentences as a list with hanging bullets."""
    grid = Ledger.grid(padding=(0, 1))
    for sentence in sentences:
        grid.add_row("•", text(sentence))
    console.print(grid)


def heading(console: Console, words: str) -> None:
    """A heading with air above it."""
    console.print()
    console.print(text(words, "bold"))
