"""Everybody's days with an order, as columns: what models of value and of rhythm are fitted to."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from shopkeeper.domain.customer import Bought, objects
from shopkeeper.stores.contract.ledger import LedgerReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class OrderDays(Struct, frozen=True):
    """One entry per customer and day with an order, by customer, then day; none of whom objects to profiling."""

    customer: NDArray[np.int64]
    day: NDArray[np.datetime64]
    """Days of the shop's."""
    margin: NDArray[np.float64]
    """Contribution margin of the day's orders, net of returns, in units of the reporting currency."""
    cursor: str
    """Up to which event of the log customers are known here."""
    turn: int
    """Up to which merge or split."""
    objecting: frozenset[int]
    """Customers who object: nothing is foretold of them, and nothing foretold of them is kept."""


def order_days(reader: LedgerReader, scale: float) -> OrderDays:
    """Read the log of order days off the records; ``scale`` is minor units in a unit of the currency.

    Of a record only what is asked for is unpacked, and numbers go into flat arrays: a million customers take some tens
    of bytes each.
    """
    import numpy as np

    read = msgspec.msgpack.Decoder(Bought).decode
    customers, sizes, days, margins = array("q"), array("q"), array("q"), array("d")
    objecting: list[int] = []
    cursor, turn = reader.setting("cursor") or "", int(reader.setting("last_turn") or 0)
    for chunk in reader.all_records():
        for row in chunk:
            if row.orders:
                record = read(row.body)
                if objects(record):
                    objecting.append(row.customer)
                    continue
                customers.append(row.customer)
                sizes.append(len(record.days))
                days.extend(record.days)
                margins.extend(record.day_margin)
            elif b"profiling" in row.body and objects(read(row.body)):
                objecting.append(row.customer)
    return OrderDays(
        np.repeat(np.frombuffer(customers, np.int64), np.frombuffer(sizes, np.int64)),
        np.frombuffer(days, np.int64).astype("datetime64[D]"),
        np.frombuffer(margins, np.float64) / scale,
        cursor,
        turn,
        frozenset(objecting),
    )
