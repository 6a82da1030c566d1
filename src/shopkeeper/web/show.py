"""How figures, days and words are written on the pages: one object per page knows currency and time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shopkeeper.domain import money
from shopkeeper.domain.clock import instant

NOTHING = "–"
_MINUS = "\N{MINUS SIGN}"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Show:
    """Writes values for people.

    >>> show = Show("GBP", "Europe/London")
    >>> show.money(1234.6), show.money(1234.5, cents=True), show.short(18_909_744.118)
    ('£1,235', '£1,234.50', '£18.9m')
    """

    def __init__(self, currency: str, time_zone: str) -> None:
        self.currency = currency
        try:
            self.zone: ZoneInfo | Any = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            self.zone = UTC

    def money(self, amount: float | None, *, cents: bool = False, currency: str = "") -> str:
        """An amount in units of the currency, to whole units unless cents are asked for."""
        if amount is None:
            return NOTHING
        code = currency or self.currency
        text = money.show(amount * 10 ** money.exponent(code), code, cents=cents)
        return text.replace("-", _MINUS, 1) if text.startswith("-") else text

    def short(self, amount: float | None) -> str:
        """A large amount in few signs."""
        if amount is None:
            return NOTHING
        for size, sign in ((1e9, "bn"), (1e6, "m")):
            if abs(amount) >= 0.9995 * size:
                digits = 1 if abs(amount) >= 10 * size else 2
                symbol = money.show(0, self.currency, cents=False).replace("0", "")
                return f"{_MINUS if amount < 0 else ''}{symbol}{abs(amount) / size:.{digits}f}{sign}"
        return self.money(amount)

    @staticmethod
    def count(number: float | None) -> str:
        """A whole number.

        >>> Show.count(1044847), Show.count(None)
        ('1,044,847', '–')
        """
        return NOTHING if number is None else f"{number:,.0f}"

    @staticmethod
    def few(number: float) -> str:
        """A number that is expected, to a tenth where it is small.

        >>> Show.few(1204.4), Show.few(3.14)
        ('1,204', '3.1')
        """
        return f"{number:,.0f}" if abs(number) >= 10 else f"{number:.1f}"

    @staticmethod
    def amount_of(quantity: float) -> str:
        """A quantity, without decimals where it has none.

        >>> Show.amount_of(12.0), Show.amount_of(0.75)
        ('12', '0.75')
        """
        return f"{quantity:,.3f}".rstrip("0").rstrip(".")

    @staticmethod
    def digits(text: str) -> str:
        """An exact decimal, every digit kept, with its thousands marked.

        >>> Show.digits("18909744.118"), Show.digits("n/a")
        ('18,909,744.118', 'n/a')
        """
        try:
            return f"{Decimal(text):,f}".replace("-", _MINUS)
        except InvalidOperation:
            return text

    @staticmethod
    def number(value: float | None, digits: int = 2) -> str:
        """A number with decimals."""
        return NOTHING if value is None else f"{value:,.{digits}f}".replace("-", _MINUS)

    @staticmethod
    def percent(share: float | None, digits: int = 0) -> str:
        """A fraction as a percentage.

        >>> Show.percent(0.347), Show.percent(0.004), Show.percent(0.9999), Show.percent(-0.002)
        ('35%', '<1%', '>99%', '−<1%')
        """
        if share is None:
            return NOTHING
        if not digits and 0 < share < 0.005:
            return "<1%"
        if not digits and -0.005 < share < 0:
            return f"{_MINUS}<1%"
        if not digits and 0.995 < share < 1:
            return ">99%"
        return f"{share * 100:.{digits}f}%".replace("-", _MINUS)

    @staticmethod
    def chance(probability: float | None) -> str:
        """A probability that a model tells: never certain.

        >>> Show.chance(0.347), Show.chance(1.0), Show.chance(0.0), Show.chance(None)
        ('35%', '>99%', '<1%', '–')
        """
        return Show.percent(None if probability is None else min(max(probability, 0.004), 0.996))

    @staticmethod
    def change(share: float | None) -> str:
        """A relative change with its sign.

        >>> Show.change(0.12), Show.change(None)
        ('+12%', '–')
        """
        if share is None:
            return NOTHING
        return f"{'+' if share >= 0 else _MINUS}{abs(share) * 100:.0f}%"

    def local(self, at: datetime) -> datetime:
        """An instant in the shop's time zone."""
        return at.astimezone(self.zone)

    def date(self, at: datetime) -> datetime:
        """An instant whose date is the shop's; midnight UTC is how a day without a time is kept, in every zone.

        >>> Show("USD", "America/New_York").date(datetime(2011, 12, 9, tzinfo=UTC)).day
        9
        >>> Show("USD", "America/New_York").date(datetime(2011, 12, 9, 1, tzinfo=UTC)).day
        8
        """
        at = at.astimezone(UTC)
        return at if at.time() == time.min else self.local(at)

    def day(self, at: datetime | None) -> str:
        """A day in few signs.

        >>> Show("GBP", "UTC").day(datetime(2011, 12, 9, tzinfo=UTC))
        '9 Dec 2011'
        """
        if at is None:
            return NOTHING
        at = self.date(at)
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"

    def long_day(self, at: datetime | None) -> str:
        """A day written out."""
        if at is None:
            return NOTHING
        at = self.date(at)
        return f"{at.day} {at:%B %Y}"

    def week_day(self, at: datetime) -> str:
        """A day of a timeline."""
        at = self.local(at)
        return f"{at:%A} {at.day} {at:%B %Y}"

    def clock(self, at: datetime) -> str:
        """The time of day, to the minute."""
        return f"{self.local(at):%H:%M}"

    def moment(self, at: datetime | None) -> str:
        """A day with the time of day.

        >>> Show("GBP", "UTC").moment(datetime(2011, 12, 9, 8, 5, tzinfo=UTC))
        '9 Dec 2011, 08:05'
        """
        if at is None:
            return NOTHING
        local = self.local(at)
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}"

    @staticmethod
    def month(text: str) -> str:
        """A month as 2011-03 in words.

        >>> Show.month("2011-03"), Show.month("?")
        ('Mar 2011', '?')
        """
        year, _, month = text.partition("-")
        known = month.isdigit() and 1 <= int(month) <= 12
        return f"{_MONTHS[int(month) - 1]} {year}" if known else text

    def ago(self, at: datetime | None, now: datetime) -> str:
        """How long ago, in the unit people would use.

        >>> now = datetime(2011, 12, 10, tzinfo=UTC)
        >>> show = Show("GBP", "UTC")
        >>> show.ago(datetime(2011, 12, 9, tzinfo=UTC), now), show.ago(datetime(2011, 3, 10, tzinfo=UTC), now)
        ('yesterday', '9 months ago')
        """
        if at is None:
            return "never"
        days = (self.date(now).date() - self.date(at).date()).days
        if days <= 0:
            return "today"
        if days == 1:
            return "yesterday"
        return f"{self.span(days)} ago"

    @staticmethod
    def span(days: float) -> str:
        """A number of days in the unit people would use.

        >>> Show.span(1), Show.span(13), Show.span(20), Show.span(400)
        ('1 day', '13 days', '3 weeks', '13 months')
        """
        for limit, unit, size in ((14, "day", 1.0), (63, "week", 7.0), (730, "month", 30.44)):
            if days < limit:
                whole = max(1, round(days / size))
                return f"{whole} {unit}{'s' if whole != 1 else ''}"
        return f"{days / 365.25:.1f} years"

    def value(self, kind: str, unit: str, given: Any) -> str:
        """A trait's value by the kind and unit it was declared with."""
        if given is None or given in ("", [], ()):
            return NOTHING
        if kind == "money":
            return self.money(float(given), cents=True)
        if kind == "bool":
            return "yes" if given else "no"
        if kind == "time":
            return self.day(moment(given))
        if kind == "texts":
            return ", ".join(words(str(text)) for text in given)
        if kind == "int":
            return self.count(given) + (f" {unit}" if unit else "")
        if kind == "float":
            return self.number(float(given)) + (f" {unit}" if unit else "")
        return str(given)


def moment(value: Any) -> datetime | None:
    """An instant as a fold gives it (microseconds), as a prediction is kept (RFC 3339), or as it is.

    >>> moment("2011-12-09T00:00:00Z") == moment(1_323_388_800_000_000)
    True
    """
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) else instant(int(value))


def words(name: str) -> str:
    """A code as words.

    >>> words("call_centre"), words("loyalty_card")
    ('call centre', 'loyalty card')
    """
    return name.replace("_", " ")


def place(name: str) -> str:
    """A place as people call it; stores carry names, the web shop only its code.

    >>> place("web"), place("Old Town store"), place("unknown")
    ('Web shop', 'Old Town store', 'Not known')
    """
    return {"web": "Web shop", "unknown": "Not known"}.get(name, name)


def sentence(text: str) -> str:
    """With a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def initials(name: str) -> str:
    """Up to two letters for a round badge.

    >>> initials("Anna Berg"), initials("anna"), initials("")
    ('AB', 'A', '·')
    """
    letters = [part[0] for part in name.split() if part[0].isalpha()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "·"
