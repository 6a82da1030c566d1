"""Everybody's days with an order, as columns: what models of value and of rhythm are fitted to."""

from __future__ import annotations

from array import array
from bisect import bisect_left
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
    """Contribution margin of the day's orders, net of returns, in units of the reporting currency; NaN where one of
    them is in a currency without a rate.
    """
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
    unknown = array("q")
    objecting: list[int] = []
    cursor, turn = reader.setting("cursor") or "", int(reader.setting("last_turn") or 0)
    for chunk in reader.all_records():
        for row in chunk:
            if row.orders:
                record = read(row.body)
                if objects(record):
                    objecting.append(row.customer)
                    continue
                if record.unpriced:
                    unknown.extend(
                        len(days) + at
                        for day in record.unpriced
                        if (at := bisect_left(record.days, day)) < len(record.days) and record.days[at] == day
                    )
                customers.append(row.customer)
                sizes.append(len(record.days))
                days.extend(record.days)
                margins.extend(record.day_margin)
            elif b"profiling" in row.body and objects(read(row.body)):
                objecting.append(row.customer)
    margin = np.frombuffer(margins, np.float64) / scale
    margin[np.frombuffer(unknown, np.int64)] = np.nan
    return OrderDays(
        np.repeat(np.frombuffer(customers, np.int64), np.frombuffer(sizes, np.int64)),
        np.frombuffer(days, np.int64).astype("datetime64[D]"),
        margin,
        cursor,
        turn,
        frozenset(objecting),
    )


def taken_as(customer: NDArray[np.int64], margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the margin of each day, one that is not known as what the customer's others came to on average; of whom none
    is known as the average customer's.

    So an order counts without its amount: as a margin of 0 it would take from the margin per order of everybody.
    """
    import numpy as np

    known = ~np.isnan(margin)
    if known.all():
        return margin
    who, code = np.unique(customer, return_inverse=True)
    count = np.bincount(code[known], minlength=who.size)
    total = np.bincount(code[known], weights=margin[known], minlength=who.size)
    mean = total / np.maximum(count, 1)
    usual = float(mean[count > 0].mean()) if known.any() else 0.0
    return np.where(known, margin, np.where(count > 0, mean, usual)[code])


def unknown_note(margin: NDArray[np.float64]) -> tuple[str, ...]:
    """Say of how many days with an order the amount is not known."""
    import numpy as np

    days = int(np.isnan(margin).sum())
    if not days:
        return ()
    return (
        f"{days:,} of {margin.size:,} customers' days with an order {'is' if days == 1 else 'are'} in a currency "
        "without an exchange rate: taken as worth what the customer's others, or the average customer's, are",
    )
