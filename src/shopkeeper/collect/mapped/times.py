"""When something happened, as senders write it: ISO 8601, seconds since 1970, the dates of e-mail, or a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shopkeeper.domain.clock import SECOND, instant, micros
from shopkeeper.domain.errors import BadEvent, InvalidInput

FORMATS: Final = ("auto", "iso", "unix", "unix_ms", "unix_us", "mail")
"""Names of formats; any other one is a pattern such as %d/%m/%Y %H:%M."""
_SCALES: Final = {"unix": SECOND, "unix_ms": 1_000, "unix_us": 1}
_DIGITS: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,9})?")
_LONG_FRACTION: Final = re.compile(r"(\.\d{6})\d+")
_FIRST, _LAST = -2_208_988_800 * SECOND, 7_258_118_400 * SECOND  # 1900 and 2200

Moment = Callable[[Any, str], int]
"""A sender's value as microseconds since 1970; the zone is that of times without one."""


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"no time zone is called {name[:40]!r}", hint="use one such as Europe/London"
        ) from None


def moment(style: str = "auto") -> Moment:
    """What reads times of a format; it raises BadEvent where a value is none.

    >>> moment()("1970-01-01T01:00:00", "Europe/Berlin"), moment("unix_ms")("5", "UTC")
    (0, 5000)
    >>> moment("%d.%m.%Y %H:%M")("09.12.2011 12:50", "UTC")
    1323435000000000
    """
    scale = _SCALES.get(style)

    def read(value: Any, zone: str) -> int:
        try:
            at = _scaled(value, scale) if scale else _read(value, style, zone)
        except (ValueError, TypeError, OverflowError, IndexError):
            at = None
        if at is None or not _FIRST <= at < _LAST:
            raise BadEvent(
                "bad_time", f"the time is not of the format {style}", hint="see 'at' in the mapping"
            )
        return at

    return read


def _read(value: Any, style: str, zone: str) -> int | None:
    if style == "auto" and not isinstance(value, str):
        return _by_size(value)
    if type(value) is not str:
        return None
    text = value.strip()
    if style == "auto" and _DIGITS.fullmatch(text) and len(text) > 8:  # 20111209 is a date
        return _by_size(float(text) if "." in text else int(text))
    if style in ("auto", "iso"):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", text))
    elif style == "mail":
        at = parsedate_to_datetime(text)
    else:
        at = datetime.strptime(text, style)  # noqa: DTZ007 - a zone is given below where the pattern has none
    return micros(at if at.tzinfo is not None else at.replace(tzinfo=zone_of(zone)))


def _scaled(value: Any, scale: int) -> int | None:
    if type(value) is str and _DIGITS.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if type(value) is not int and type(value) is not float:
        return None
    return round(value * scale)


def _by_size(value: Any) -> int | None:
    """Seconds, milliseconds or microseconds since 1970, told apart by size: none of them is near another's years."""
    if type(value) is not int and type(value) is not float:
        return None
    size = abs(value)
    return round(value * (SECOND if size < 1e11 else 1_000 if size < 1e14 else 1))


def checked(style: str) -> str:
    """The format, or InvalidInput where nothing could be read by it."""
    if style in FORMATS:
        return style
    if "%" not in style:
        raise InvalidInput(
            f"no format of times is called {style[:40]!r}",
            hint=f"use {', '.join(FORMATS)}, or a pattern such as %d/%m/%Y %H:%M",
        )
    try:
        sample = instant(1_323_435_000_000_000)
        there = datetime.strptime(sample.strftime(style), style).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(
            f"the pattern {style[:40]!r} cannot be read", hint="see strftime in Python's documentation"
        ) from None
    if there.date() != sample.date():
        raise InvalidInput(
            f"the pattern {style[:40]!r} does not tell the whole date", hint="year, month and day: %Y-%m-%d"
        )
    return style
