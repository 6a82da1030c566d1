"""Answers about the whole shop that a refresh works out ahead, since they are dear of many customers, kept until the
next one.

They name nobody, but a sum of few may tell of one (who came by a coupon of their own), and the report lists the most
valuable by number. So an erasure lets go of them in the transaction that forgets the person, and what was worked out of
a lake that still held them is not told: whoever asks next has it worked out of the lake without them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.stores.contract.ledger import LedgerWriter

REGULARS, LOOKED_BACK, REPORT = "ahead:regulars", "ahead:looked back", "ahead:report"
"""The ledger's settings that keep what sets regulars apart, what advocacy and brand fit foretold, and the report."""
_T = TypeVar("_T")


class Lake(Protocol):
    """Which lake an answer is of."""

    @property
    def as_of(self) -> datetime | None:
        """The refresh."""
        ...

    @property
    def watermark(self) -> int:
        """Up to which event."""
        ...

    @property
    def generation(self) -> int:
        """Number of the change that made it."""
        ...


class _Answer(Struct, frozen=True):
    """An answer and what it was asked of."""

    as_of: datetime | None
    watermark: int
    generation: int
    key: str
    answer: msgspec.Raw


def remembered(places: Places, told: Lake, name: str, key: str, kind: type[_T]) -> _T | None:
    """What was kept of this lake; None where it was another one (an erasure makes one, too), or asked otherwise."""
    with places.ledger.read() as reader:
        said = reader.setting(name)
    if not said:
        return None
    try:
        kept = msgspec.json.decode(said, type=_Answer)
        known = told.as_of, told.watermark, told.generation, key
        if (kept.as_of, kept.watermark, kept.generation, kept.key) != known:
            return None
        return msgspec.json.decode(kept.answer, type=kind)
    except msgspec.DecodeError:  # another version wrote it, or it was let go
        return None


def remember(places: Places, told: Lake, name: str, key: str, answer: Any, *, erasures: str) -> None:
    """Keep an answer until the next refresh, unless somebody was erased since it was begun (``begin``)."""
    made = _Answer(told.as_of, told.watermark, told.generation, key, msgspec.Raw(msgspec.json.encode(answer)))
    text = msgspec.json.encode(made).decode()

    def work(tx: LedgerWriter) -> None:
        if _erasures(tx) == erasures:
            tx.keep(name, text)

    places.ledger.write(work)


def begin(tx: LedgerWriter) -> str:
    """Let go of what was kept, to work it out anew; gives what ``remember`` is to be told."""
    forget(tx)
    return _erasures(tx)


def forget(tx: LedgerWriter) -> None:
    """Let go of what was kept."""
    for name in (REGULARS, LOOKED_BACK, REPORT):
        if tx.setting(name):
            tx.keep(name, "")


def _erasures(tx: LedgerWriter) -> str:
    return tx.setting("erasures") or ""
