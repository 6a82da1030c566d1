"""Where the reading of a table stopped: the cursor's last value, kept as text, and how far back the next begins.

Rows become visible when their transaction ends, not when their time was taken: one that began earlier may end later,
behind the cursor. So the next reading begins somewhat before; what it sees again counts as repeated.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopkeeper.domain.errors import InvalidInput

SECONDS: Final = 300.0
"""How far back a reading by time begins, where nothing else is said."""
NUMBERS: Final = 1000
"""How far back a reading by number begins."""


class Mark(Struct, frozen=True):
    """The cursor's last value, and what it is of."""

    of: str
    kind: str
    text: str

    @property
    def value(self) -> Any:
        """The value as the database gave it."""
        return _READ[self.kind](self.text)


_READ: Final[dict[str, Any]] = {
    "time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "int": int,
    "decimal": Decimal,
    "float": float,
    "text": str,
}


def mark(value: Any, of: str) -> Mark:
    """A mark at a value. Raises InvalidInput for a type that does not grow."""
    if isinstance(value, datetime):
        return Mark(of, "time", value.isoformat())
    if isinstance(value, date):
        return Mark(of, "date", value.isoformat())
    for kind, type_ in (("int", int), ("decimal", Decimal), ("float", float), ("text", str)):
        if isinstance(value, type_) and not isinstance(value, bool):
            return Mark(of, kind, repr(value) if kind == "float" else str(value))
    raise InvalidInput(
        "the cursor's column holds neither times nor numbers",
        hint="take one such as updated_at or a serial id",
    )


def before(value: Any, overlap: float | None) -> Any:
    """Where the next reading begins: ``overlap`` seconds, or numbers, before the last value.

    >>> before("2026-05-01 12:00:00.25", None), before(5000, None), before(7, 2)
    ('2026-05-01 11:55:00', 4000, 5)
    """
    if isinstance(value, datetime):
        return value - timedelta(seconds=SECONDS if overlap is None else overlap)
    if isinstance(value, date):
        return value - timedelta(seconds=overlap or 0)
    if isinstance(value, str):
        return _text_before(value, SECONDS if overlap is None else overlap)
    back = NUMBERS if overlap is None else overlap
    if isinstance(value, Decimal):
        return value - Decimal(str(back))
    return value - (int(back) if isinstance(value, int) else back)


def _text_before(value: str, seconds: float) -> str:
    """The same for a time that is kept as text; a beginning of a text sorts before the text. Other texts stay."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    if len(value) <= 10:
        return (at - timedelta(days=1)).date().isoformat() if seconds else value
    style = f"%Y-%m-%d{value[10]}%H:%M:%S"
    return (at - timedelta(seconds=seconds)).replace(microsecond=0).strftime(style)


def digest(*parts: str) -> str:
    """What a mark is of: it holds for one database, query and column only."""
    return blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def read(kept: str | None, of: str) -> Mark | None:
    """The mark that was kept, if it is of the same."""
    if not kept:
        return None
    found = msgspec.json.decode(kept, type=Mark)
    return found if found.of == of else None


def written(one: Mark) -> str:
    """The mark as it is kept."""
    return msgspec.json.encode(one).decode()
