"""How values travel to PostgreSQL and back: binary, whole columns of them as one array.

Every integer is a BIGINT, so that a statement is prepared once whatever its values. Arrays are packed here because
that costs about half a microsecond a value; psycopg's own lists cost several.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types.numeric import FloatBinaryDumper, Int8BinaryDumper, NumericBinaryLoader, NumericLoader

_INT8, _BYTEA, _TEXT, _FLOAT8 = 20, 17, 25, 701
_NULL: Final = b"\xff\xff\xff\xff"
_NUL_SHOWN: Final = "\u2400".encode()
"""PostgreSQL's texts cannot hold the character NUL; its picture stands for it."""


class Column:
    """Values of one type as a PostgreSQL array, packed."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body


class Integers(Column):
    """An array of BIGINT."""


class Octets(Column):
    """An array of BYTEA."""


class Texts(Column):
    """An array of TEXT."""


class Floats(Column):
    """An array of DOUBLE PRECISION."""


def _head(oid: int, count: int, nulls: int) -> bytes:
    return struct.pack("!iiIii", 1, nulls, oid, count, 1) if count else struct.pack("!iiI", 0, 0, oid)


def _numbers(values: Sequence[Any], oid: int, letter: str) -> bytes:
    """An array of numbers of eight bytes each."""
    count = len(values)
    if None in values:
        one = struct.Struct(f"!i{letter}").pack
        return _head(oid, count, 1) + b"".join(_NULL if v is None else one(8, v) for v in values)
    flat: list[Any] = [8] * (2 * count)
    flat[1::2] = values
    return _head(oid, count, 0) + struct.pack("!" + f"i{letter}" * count, *flat)


def _strings(values: Sequence[bytes | None], oid: int) -> bytes:
    """An array of strings of bytes."""
    if None in values:
        parts = [_NULL if v is None else len(v).to_bytes(4) + v for v in values]
        return _head(oid, len(values), 1) + b"".join(parts)
    full: Sequence[bytes] = values  # type: ignore[assignment]
    parts = [b""] * (2 * len(full))
    parts[0::2] = [size.to_bytes(4) for size in map(len, full)]
    parts[1::2] = full
    return _head(oid, len(full), 0) + b"".join(parts)


def integers(values: Sequence[Any]) -> Integers:
    """Integers as one parameter.

    >>> len(integers([1, 2, 3]).body), len(integers([]).body)
    (56, 12)
    """
    return Integers(_numbers(values, _INT8, "q"))


def octets(values: Sequence[Any]) -> Octets:
    """Strings of bytes as one parameter."""
    return Octets(_strings(values, _BYTEA))


def texts(values: Sequence[Any]) -> Texts:
    """Texts as one parameter."""
    return Texts(_strings([v if v is None else text(v) for v in values], _TEXT))


def floats(values: Sequence[Any]) -> Floats:
    """Numbers as one parameter."""
    return Floats(_numbers(values, _FLOAT8, "d"))


def text(value: str) -> bytes:
    r"""A text as PostgreSQL can hold it.

    >>> text("a\0b").decode()
    'a␀b'
    """
    body = value.encode()
    return body.replace(b"\0", _NUL_SHOWN) if b"\0" in body else body


PACKERS: Final[dict[str, Callable[[Sequence[Any]], Column]]] = {
    "bigint": integers,
    "bytea": octets,
    "text": texts,
    "double precision": floats,
}
"""How the columns of each type are packed."""

_BY_TYPE: Final[dict[type, Callable[[Sequence[Any]], Column]]] = {
    int: integers,
    bool: integers,
    bytes: octets,
    str: texts,
    float: floats,
}


def listed(values: Sequence[Any]) -> Column:
    """A list of values of one type, for ``= ANY(?)``."""
    return _BY_TYPE[type(values[0])](values) if values else integers(())


class _Packed(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer:
        return obj.body


def _dumper(array: int) -> type[_Packed]:
    return type("_PackedArray", (_Packed,), {"oid": array})


class _Text(Dumper):
    format = Format.BINARY
    oid = _TEXT

    def dump(self, obj: str) -> Buffer:
        return text(obj)


def _whole(number: Decimal) -> int | float:
    """Sums of integers come as NUMERIC: an integer again where it is one."""
    return int(number) if number == number.to_integral_value() else float(number)


class _Sum(NumericLoader):
    def load(self, data: Buffer) -> Any:
        return _whole(super().load(data))


class _BinarySum(NumericBinaryLoader):
    def load(self, data: Buffer) -> Any:
        return _whole(super().load(data))


def adapt(connection: Connection[Any]) -> None:
    """Make a connection speak so."""
    adapters = connection.adapters
    adapters.register_dumper(int, Int8BinaryDumper)
    adapters.register_dumper(bool, Int8BinaryDumper)
    adapters.register_dumper(float, FloatBinaryDumper)
    adapters.register_dumper(str, _Text)
    for kind, array in ((Integers, 1016), (Octets, 1001), (Texts, 1009), (Floats, 1022)):
        adapters.register_dumper(kind, _dumper(array))
    adapters.register_loader("numeric", _Sum)
    adapters.register_loader("numeric", _BinarySum)
