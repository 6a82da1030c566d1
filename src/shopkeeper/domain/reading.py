"""How a file is read, and what it seems to be."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

_DOUBTFUL: Final = 0.05
"""Share of the first rows that may be unusable in a file that was read as it was meant."""
_MONTH_FIRST: Final = frozenset({"US", "AS", "FM", "GU", "MH", "MP", "PH", "PR", "PW", "UM", "VI"})


class Reading(Struct, frozen=True):
    """How a file is read where it does not say itself; None means: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    day_first: bool | None = None
    decimal_comma: bool | None = None
    longest: int = 1 << 20
    """Bytes a row may have."""
    region: str = ""
    """Country of the shop, ISO 3166: it decides for dates such as 03/04/2011 where no date of the file does."""

    @property
    def usual_day_first(self) -> bool:
        """Whether dates of the region usually have the day before the month."""
        return self.region.upper() not in _MONTH_FIRST


class Guess(Struct, frozen=True, kw_only=True):
    """What a file seems to be. Holds names of columns and counts, no values."""

    file: str
    kind: str
    confidence: float
    """1 where the kind was given; else how far the best kind is ahead of the next."""
    format: str
    mapping: dict[str, str]
    """Field -> column."""
    unknown: tuple[str, ...] = ()
    """Columns that mean nothing here; for events and third-party attributes they are kept as they are."""
    ambiguous: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Further columns that could have been the field."""
    notes: tuple[str, ...] = ()
    rows: int = 0
    """Rows looked at."""
    refused: int = 0
    """How many of them could not be used."""
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    """Why: sentence -> how many rows of them, most first."""
    reading: Reading = Reading()

    @property
    def doubtful(self) -> bool:
        """Whether so many of the first rows cannot be used that the file was probably misread."""
        return self.refused > _DOUBTFUL * self.rows
