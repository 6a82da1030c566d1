"""Keeps the records of customers up with the log: extends a record where events came in order, folds anew elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import groupby
from math import isfinite
from operator import itemgetter

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Customer
from shopkeeper.domain.ordering import place
from shopkeeper.domain.protocols import Progress, Stands
from shopkeeper.know.fold import attributes, fold, heed, pack, unpack
from shopkeeper.know.live.watch import Watch
from shopkeeper.know.reducers import VERSION
from shopkeeper.know.reducers.shape import Retold
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.ordering import in_order
from shopkeeper.stores.contract.rows import Folded, FoldedRow, Logged, Record

_AT_ONCE = 1_000
"""Customers folded between two looks at the ledger: bounds memory, not correctness."""

_by_customer = itemgetter(0)
_MOST = 2**63 - 1


def extend(
    tx: LedgerWriter,
    rows: Sequence[Logged],
    customer_of: dict[int, int],
    refold: Collection[int],
    fresh: Collection[int],
    catalogue: Catalogue,
    watch: Watch | None = None,
    stands: Stands | None = None,
) -> set[int]:
    """Fold newly logged events onto the records they belong to; those in ``fresh`` have none and nothing but these.
    ``watch`` and ``stands`` are told of each.

    Returns the customers that must be folded anew instead: events came late, an order was told again or cancelled, or
    the record is of another version.
    """
    news = [
        (customer, at, key, name, version, channel, source, node, others, payload)
        for _, name, version, source, _, channel, at, _, node, others, key, payload in rows
        if node and (customer := customer_of[node]) not in refold
    ]
    late: set[int] = set()
    whose = {row[0] for row in news}
    if watch is not None:
        watch.expect(rows)
        watch.whole({customer_of[row.node] for row in rows if row.node} - whose, "event")
    known = {record.customer: record for record in tx.records(list(whose - set(fresh)))}
    done: list[Record] = []
    for customer, group in groupby(in_order(news), key=_by_customer):
        events = list(group)
        record = known.get(customer)
        if record is None and customer in fresh:
            if watch is not None:
                watch.hear(customer, None, events)
            folded = fold(events, catalogue)
            _tell(customer, folded, events, watch, stands)
            done.append(to_row(customer, folded, catalogue))
            continue
        _, at, key, name, *_ = events[0]
        first = (at, place(name, key))
        if record is None or (record.reducers, record.catalogue) != (VERSION, catalogue.version):
            late.add(customer)
            continue
        before = unpack(record.body)
        if watch is not None:
            watch.hear(customer, before, events)
        if first <= (record.last_at, record.last_key):
            late.add(customer)
            continue
        try:
            folded = fold(events, catalogue, before)
        except Retold:
            late.add(customer)
            continue
        _tell(customer, folded, events, watch, stands)
        done.append(to_row(customer, folded, catalogue))
    tx.remember(done)
    stood = stands.write() if stands is not None else {}
    if watch is not None:
        watch.restood(stood)
        watch.late(late)
        watch.flush()
    return late


def _tell(
    customer: int, record: Customer, events: Sequence[FoldedRow], watch: Watch | None, stands: Stands | None
) -> None:
    if watch is not None:
        watch.told(customer, record)
    if stands is not None:
        stands.told(customer, record, [event[3] for event in events])


def refold(
    tx: LedgerWriter,
    customers: Collection[int],
    catalogue: Catalogue,
    progress: Progress | None = None,
    watch: Watch | None = None,
    stands: Stands | None = None,
) -> int:
    """Fold some customers from all their events; returns how many events that took. ``watch`` and ``stands`` are told
    of each.
    """
    everybody = sorted(customers)
    events = 0
    for start in range(0, len(everybody), _AT_ONCE):
        some = everybody[start : start + _AT_ONCE]
        rows: list[Record] = []
        folded: dict[int, Customer] = {}
        beside: dict[int, list[Folded]] = defaultdict(list)
        for event in tx.withdrawn_beside(some):
            beside[event.customer].append(event)
        for customer, group in groupby(tx.to_fold(some), key=_by_customer):
            withdrawn = beside.get(customer, ())
            theirs = list(group)
            record = fold(theirs, catalogue)
            events += record.events
            heed(record, withdrawn)
            if withdrawn:
                record.attributes = attributes(theirs, withdrawn)
            rows.append(to_row(customer, record, catalogue))
            folded[customer] = record
            if stands is not None:
                stands.told(customer, record)
        tx.remember(rows)
        before = stands.write() if stands is not None else {}
        if watch is not None:
            watch.restood(before)
            watch.refolded(folded)
        if empty := [customer for customer in some if customer not in folded]:
            tx.drop_records(empty)
            if watch is not None:
                watch.gone(empty)
        if progress:
            progress("fold", min(1.0, (start + _AT_ONCE) / len(everybody)))
    return events


def _whole(figure: float) -> int:
    """A figure to sort by, within what a store keeps."""
    return max(-_MOST, min(_MOST, round(figure))) if isfinite(figure) else 0


def to_row(customer: int, record: Customer, catalogue: Catalogue) -> Record:
    """A record as the ledger keeps it."""
    return Record(
        customer,
        pack(record),
        record.last[0],
        record.last[1],
        VERSION,
        catalogue.version,
        record.orders,
        record.amount,
        _whole(record.margin),
        record.days[-1] if record.days else 0,
        record.country,
    )
