"""POSLog deliveries and files: ARTS/IXRetail XML of any version, with or without namespaces.

Names of elements are those of the ARTS POSLog specification (namespace http://www.nrf-arts.org/IXRetail/namespace/),
versions 1 to 6. One unusable transaction is refused with its XML; its neighbours are kept. XML that is unsafe or not
well-formed is refused whole: of a document that was cut off nothing is taken, so that it can be sent again whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape

from shopkeeper.collect.tills.header import AROUND
from shopkeeper.collect.tills.people import masked
from shopkeeper.collect.tills.pieces import KEPT, Piece, Pieces
from shopkeeper.collect.tills.transaction import Maker
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.delivery import Delivery, Settled, Understood
from shopkeeper.domain.errors import BadEvent

FORMAT: Final = "poslog"
AT_ONCE: Final = 2_000
"""Transactions in one batch of a file."""
_CELLS: Final = 500


def read(delivery: Delivery, settled: Settled) -> Understood:
    """What a POSLog document tells.

    Raises BadEvent where it cannot be read at all: bad_xml, unsafe_xml, too_large, not_a_poslog.

    >>> from shopkeeper.domain.delivery import Delivery, Settled
    >>> body = b'''<POSLog><Transaction><RetailStoreID>S1</RetailStoreID><WorkstationID>3</WorkstationID>
    ...   <SequenceNumber>42</SequenceNumber><BusinessDayDate>2024-05-03</BusinessDayDate>
    ...   <EndDateTime>2024-05-03T17:33:35</EndDateTime><RetailTransaction><LineItem><Sale><ItemID>85048</ItemID>
    ...   <Quantity>2</Quantity><ExtendedAmount>13.90</ExtendedAmount></Sale></LineItem></RetailTransaction>
    ...   </Transaction></POSLog>'''
    >>> delivery = Delivery(source="tills", format="poslog", received_at=0, body=body)
    >>> [event] = read(delivery, Settled(now=0, zone="UTC", currency="GBP", region="GB")).batch.events
    >>> event.name, event.properties.order_id, event.properties.amount
    ('Order Completed', 'S1/3/2024-05-03/42', 1390)
    """
    whole = Batch()
    maker = Maker(settled, source=delivery.source, received_at=delivery.received_at)
    for batch in batches([delivery.body], maker):
        _join(whole, batch)
    return Understood(batch=whole)


def check(body: bytes) -> int:
    """How many transactions a document holds, read through but not understood. Raises BadEvent as ``read`` does."""
    pieces = Pieces([body], "Transaction")
    count = sum(1 for _ in pieces)
    _recognised(pieces)
    return count


def batches(
    blocks: Iterable[bytes],
    maker: Maker,
    *,
    at_once: int = AT_ONCE,
    progress: Callable[[], None] | None = None,
) -> Iterator[Batch]:
    """The transactions of a document of any length, some at a time, in bounded memory. Raises BadEvent."""
    pieces = Pieces(blocks, "Transaction")
    batch, count = Batch(), 0
    for piece in pieces:
        try:
            maker.add(piece.node, pieces.around, batch)
        except BadEvent as error:
            batch.refused.append(_refused(piece, pieces.around, error))
        count += 1
        if count >= at_once:
            yield _counted(batch)
            batch, count = Batch(), 0
            if progress is not None:
                progress()
    _recognised(pieces)
    yield _counted(batch)


def _recognised(pieces: Pieces) -> None:
    if not pieces.found and pieces.root != "POSLog":
        raise BadEvent(
            "not_a_poslog",
            "XML without any Transaction, and no POSLog",
            hint="expected ARTS/IXRetail POSLog: POSLog > Transaction > RetailTransaction",
        )


def _counted(batch: Batch) -> Batch:
    batch.read = len(batch.events) + len(batch.refused)
    return batch


def _join(whole: Batch, part: Batch) -> None:
    whole.events.extend(part.events)
    whole.refused.extend(part.refused)
    whole.read += part.read
    whole.orders += part.orders
    whole.returns += part.returns
    for reason, count in part.passed.items():
        whole.passing(reason, count)


def _refused(piece: Piece, around: Mapping[str, str], error: BadEvent) -> Refused:
    """A refused transaction, with its XML (cut; card numbers masked) and its values for an erasure to find it by.

    What the document said for all of its transactions goes with it, so that it can be read again alone.
    """
    shared = "".join(f"<{name}>{escape(around[name])}</{name}>" for name in AROUND if name in around)
    raw = masked(piece.raw)
    if shared:
        raw = f"<POSLog>{shared}{raw}</POSLog>"
    cells = list(dict.fromkeys(text[:512] for text in piece.node.texts() if len(text) > 2))
    return Refused(
        line=piece.line,
        reason=error.reason,
        detail=error.message,
        raw=raw[:KEPT],
        cells=tuple(masked(f"<AccountNumber>{cell}<")[15:-1] for cell in cells[:_CELLS]),
    )
