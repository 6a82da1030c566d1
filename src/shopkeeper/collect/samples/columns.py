"""Small builders of Arrow columns: picking with nulls, exact decimals, wall-clock and UTC times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.source import DAY, Flags, Ints

ZONE = "Europe/London"


@lru_cache(maxsize=4096)
def scalar(text: str) -> pa.StringScalar:
    """The text as an Arrow scalar, made once: Arrow looks for optional libraries each time it converts one."""
    return pa.scalar(text, pa.string())


def texts(values: Sequence[str | None]) -> pa.StringArray:
    """A string column; an empty string counts as missing."""
    return pa.array([value or None for value in values], pa.string())


def pick(values: pa.Array, index: Ints, keep: Flags | None = None) -> pa.Array:
    """`values[index]`, null where `keep` is false or the index is negative.

    >>> pick(pa.array(["a", "b"]), np.array([1, -1, 0])).to_pylist()
    ['b', None, 'a']
    """
    known = index >= 0 if keep is None else keep & (index >= 0)
    return values.take(pa.array(np.where(known, index, 0), mask=~known))


def join(*parts: pa.Array | str) -> pa.Array:
    """The parts of each row joined into one text; null where a part is null."""
    return pc.binary_join_element_wise(*[scalar(p) if isinstance(p, str) else p for p in parts], scalar(""))


def decimal_milli(milli: Ints) -> pa.Array:
    """Thousandths as exact decimal128(18, 3).

    >>> decimal_milli(np.array([2950, -1])).to_pylist()
    [Decimal('2.950'), Decimal('-0.001')]
    """
    words = np.empty((len(milli), 2), "<i8")
    words[:, 0] = milli
    words[:, 1] = milli >> 63  # sign extension of the two's complement
    return pa.Array.from_buffers(pa.decimal128(18, 3), len(milli), [None, pa.py_buffer(words)])


def money(pounds: npt.NDArray[np.float64]) -> pa.Array:
    """Pounds with two decimals, for CSV files."""
    pence = np.rint(pounds * 100).astype(np.int64)
    return decimal_milli(pence * 10).cast(pa.decimal128(18, 2))


def local(minute: Ints) -> pa.Array:
    """Minutes on the shop's wall clock as a timestamp without zone."""
    return pa.array(minute.astype("datetime64[m]").astype("datetime64[ms]"))


def days(day: Ints, known: Flags | None = None) -> pa.Array:
    """Days since 1970 as dates."""
    return pa.array(day.astype(np.int32), pa.int32(), mask=None if known is None else ~known).cast(
        pa.date32()
    )


_OFFSET_DAYS = (10_000, 20_000)
"""The days from 1997 to 2024, for which offsets are known."""


@lru_cache(maxsize=1)
def _offsets() -> Ints:
    """Minutes that the wall clock is ahead of UTC at noon of each day."""
    zone = ZoneInfo(ZONE)
    start = dt.datetime(1970, 1, 1, 12)  # noqa: DTZ001 - a wall clock, the zone is put on below
    noons = ((start + dt.timedelta(days=day)).replace(tzinfo=zone) for day in range(*_OFFSET_DAYS))
    return np.array(
        [(noon.utcoffset() or dt.timedelta()) // dt.timedelta(minutes=1) for noon in noons], np.int64
    )


def utc_millis(minute: npt.NDArray[np.floating[Any]] | Ints) -> Ints:
    """Wall-clock minutes (fractions allowed) to UTC milliseconds; the offset is that of the day's noon."""
    day = np.floor(minute / DAY).astype(np.int64)
    ahead = _offsets()[day - _OFFSET_DAYS[0]]
    return np.asarray(np.rint(minute * 60_000).astype(np.int64) - ahead * 60_000)


def iso_utc(millis: Ints) -> pa.Array:
    """UTC milliseconds as ISO 8601 text with Z.

    >>> iso_utc(np.array([0])).to_pylist()
    ['1970-01-01T00:00:00.000Z']
    """
    stamps = pa.array(millis, pa.int64()).cast(pa.timestamp("ms"))
    return join(pc.strftime(stamps, format="%Y-%m-%dT%H:%M:%S"), "Z")


def hexes(values: npt.NDArray[np.uint64], prefix: str = "") -> pa.StringArray:
    """64-bit numbers as 16 hexadecimal digits behind a prefix."""
    return pa.array([f"{prefix}{value:016x}" for value in values.tolist()], pa.string())
