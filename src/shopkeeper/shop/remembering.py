"""Answers about the whole shop that a refresh works out ahead, since they are dear of many customers, kept until the
next one.

They are sums over everybody as of the refresh and name nobody: an erasure since then leaves them as they are, as it
does a report that was printed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.shop.insights import Known
    from shopkeeper.stores.contract.ledger import LedgerWriter

REGULARS, LOOKED_BACK = "ahead:regulars", "ahead:looked back"
"""The ledger's settings that keep what sets regulars apart, and what advocacy and brand fit foretold."""
_T = TypeVar("_T")


class _Answer(Struct, frozen=True):
    """An answer and what it was asked of."""

    as_of: datetime
    watermark: int
    key: str
    answer: msgspec.Raw


def remembered(places: Places, told: Known, name: str, key: str, kind: type[_T]) -> _T | None:
    """What was kept of the refresh that the lake tells of; None where it is of another one, or asked otherwise."""
    with places.ledger.read() as reader:
        said = reader.setting(name)
    if not said:
        return None
    try:
        kept = msgspec.json.decode(said, type=_Answer)
        if (kept.as_of, kept.watermark, kept.key) != (told.as_of, told.watermark, key):
            return None
        return msgspec.json.decode(kept.answer, type=kind)
    except msgspec.DecodeError:  # another version wrote it
        return None


def remember(places: Places, told: Known, name: str, key: str, answer: Any) -> None:
    """Keep an answer until the next refresh."""
    made = _Answer(told.as_of, told.watermark, key, msgspec.Raw(msgspec.json.encode(answer)))
    text = msgspec.json.encode(made).decode()
    places.ledger.write(lambda tx: tx.keep(name, text))


def forget(places: Places) -> None:
    """Let go of what an earlier refresh kept."""
    with places.ledger.read() as reader:
        kept = [name for name in (REGULARS, LOOKED_BACK) if reader.setting(name)]
    if kept:

        def work(tx: LedgerWriter) -> None:
            for name in kept:
                tx.keep(name, "")

        places.ledger.write(work)
