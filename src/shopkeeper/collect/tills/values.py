"""Values of a POSLog: amounts, quantities, flags, times and days, each read as strictly as tills allow."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from shopkeeper.collect.files.zone import zone_of
from shopkeeper.collect.leniency import MOST_AMOUNT, MOST_QUANTITY
from shopkeeper.domain.clock import EPOCH, MICROSECOND
from shopkeeper.domain.errors import BadEvent

_YES: Final = frozenset({"true", "1", "yes", "y"})
_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?=$|[TZ\s+-])")
_WALL: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ]?(\d\d):?(\d\d)(?::?(\d\d)([.,]\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?"
)


def amount(text: str, field: str) -> Decimal | None:
    """An amount of money, None where there is none.

    >>> amount("1299.90", "Amount"), amount("", "Amount"), amount("1,299.90", "Amount")
    (Decimal('1299.90'), None, Decimal('1299.90'))
    """
    text = text.strip()
    if not text:
        return None
    number = _number(text, field)
    if not -MOST_AMOUNT < number < MOST_AMOUNT:
        raise BadEvent("too_large", f"{field} is beyond any price")
    return number


def quantity(text: str) -> Decimal | None:
    """A count or a weight, None where there is none.

    >>> quantity("2.000"), quantity("0.345"), quantity("")
    (Decimal('2.000'), Decimal('0.345'), None)
    """
    text = text.strip()
    if not text:
        return None
    number = _number(text, "Quantity")
    if not -MOST_QUANTITY < number < MOST_QUANTITY:
        raise BadEvent("too_large", "Quantity is beyond any order")
    return number


def _number(text: str, field: str) -> Decimal:
    if "," in text and "." in text and text.rindex(".") > text.rindex(","):
        text = text.replace(",", "")
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadEvent("bad_number", f"{field} is no number") from None
    if not number.is_finite() or len(text) > 40:
        raise BadEvent("bad_number", f"{field} is no finite number of ordinary length")
    return number


def units(count: Decimal) -> int | float:
    """A quantity as an order's line holds it.

    >>> units(Decimal("2.000")), units(Decimal("0.345"))
    (2, 0.345)
    """
    return int(count) if count == count.to_integral_value() else float(count)


def flag(text: str) -> bool:
    """Whether a flag is set.

    >>> flag("true"), flag("1"), flag("false"), flag("")
    (True, True, False, False)
    """
    return text.strip().casefold() in _YES


def day(text: str) -> str:
    """A business day as ISO date; "" where there is none. Raises BadEvent.

    >>> day("20240503"), day("2024-05-03T00:00:00"), day("")
    ('2024-05-03', '2024-05-03', '')
    """
    text = text.strip()
    if not text:
        return ""
    found = _DAY.match(text)
    try:
        if found is not None:
            return date(*map(int, found.groups())).isoformat()
    except ValueError:
        pass
    raise BadEvent("bad_time", "a business day that is no date", hint="expected one such as 2024-05-03")


def moment(text: str, zone: str) -> int:
    """Microseconds since 1970 of a time; without an offset it is the wall clock of that zone. Raises BadEvent.

    >>> moment("1970-01-01T01:00:00", "Europe/Berlin"), moment("19700101000001", "UTC")
    (0, 1000000)
    >>> moment("1970-01-01T01:00:00.5+01:00", "UTC")
    500000
    """
    found = _WALL.fullmatch(text.strip())
    if found is None:
        raise BadEvent("bad_time", "a time that is none", hint="expected one such as 2024-05-03T17:33:35")
    year, month, of_month, hour, minute, second, part, offset = found.groups()
    try:
        at = datetime(
            int(year),
            int(month),
            int(of_month),
            int(hour),
            int(minute),
            int(second or 0),
            int(f"{part[1:]:0<6}"[:6]) if part else 0,
            tzinfo=UTC,
        )
        if offset is None:
            at = at.replace(tzinfo=zone_of(zone)).astimezone(UTC)
        elif offset != "Z":
            at = datetime.fromisoformat(
                at.isoformat()[:-6] + (offset if ":" in offset else f"{offset[:3]}:{offset[3:]}")
            )
        return (at - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        raise BadEvent("bad_time", "a time that no calendar has") from None
