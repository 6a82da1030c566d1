"""What was erased does not come back: no event, no row in quarantine, no other address of the same mailbox.

An erasure leaves the pseudonyms of what it forgot, mailboxes included, and when. Whoever comes anew after that day is
welcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shopkeeper.collect.prepare import Prepared, Preparer

KEPT_WITHOUT_PERSON: Final = (
    "Order Completed",
    "Order Refunded",
    "Order Lines Added",
    "Order Updated",
    "Order Cancelled",
    "Stock Changed",
)
"""Events that stay, without the person, after an erasure: the books must still add up."""

_MAY_BE: Final = ("email", "phone", "loyalty_card", "user_id")
"""Kinds that a cell of a row may hold."""


def without_erased(preparer: Preparer, prepared: Prepared, gone: Mapping[bytes, int]) -> Prepared | None:
    """What stays of an event; None where nothing does. ``gone`` is when pseudonyms were erased.

    An event that was another's keeps that other person; of one that was the erased person's own the facts stay where
    the books need them, and all else is refused unseen. Whoever names one address of an erased mailbox names it.
    """
    at = prepared.occurred_at
    boxes = [(preparer.reached(one) or one)[0] for one in prepared.seen]
    lost = {box for box, one in zip(boxes, prepared.seen, strict=True) if gone.get(one[0], -1) >= at}
    left = tuple(one for box, one in zip(boxes, prepared.seen, strict=True) if box not in lost)
    if len(left) == len(prepared.seen):
        return prepared
    if left and left[0] == prepared.seen[0]:
        return prepared._replace(seen=left)
    if prepared.name in KEPT_WITHOUT_PERSON:
        return prepared._replace(seen=(), home=None, sealed={}, order_id="")
    return None


def found_by(preparer: Preparer, cells: Sequence[str]) -> tuple[set[bytes], list[bytes]]:
    """Of a row's values: pseudonyms as written and as identifiers are spelled, by which an erasure finds the row; and
    pseudonyms of the identifiers that they may be, by which a row that names an erased person is known.
    """
    pseudonym = preparer.vault.pseudonym
    written: set[bytes] = set()
    identifiers: list[bytes] = []
    for cell in cells:
        text = cell.strip()
        if not 2 < len(text) <= 512:
            continue
        written.add(pseudonym("cell", text.casefold()))
        for kind in _MAY_BE:
            value = preparer.canonical(kind, text)
            for one in () if value is None else (value, preparer.canonical.reaches(kind, value)):
                if one is not None:
                    written.add(pseudonym("cell", one.casefold()))
                    identifiers.append(pseudonym(kind, one))
    return written, identifiers
