"""The fold: a customer's record as a pure function of that customer's events, in their order, and the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Customer, objects
from shopkeeper.domain.event import EVENTS, Logged
from shopkeeper.domain.ordering import place
from shopkeeper.know.reducers import READS, REDUCERS, Moment, Reducer, buying
from shopkeeper.know.reducers.buying import OrderRead, completed
from shopkeeper.know.reducers.shape import Retold
from shopkeeper.know.retelling import Retelling
from shopkeeper.stores.contract.rows import Folded, FoldedRow

_OF_ATTRIBUTES = frozenset({"Profile Enriched", "Consent Given", "Consent Withdrawn"})
_NOTHING_SOLD = Catalogue()
_encode = msgspec.msgpack.Encoder().encode
FAULTS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, msgspec.MsgspecError)
"""What one event may raise without keeping the others out of the record."""

_decode = msgspec.msgpack.Decoder(Customer).decode


def fold(events: Iterable[FoldedRow], catalogue: Catalogue, record: Customer | None = None) -> Customer:
    """Fold events, already in their order (``domain.ordering``), onto a record.

    Folding the first part and then the rest gives what folding everything at once gives. Where that cannot be done
    without the first part's events, since one of the rest tells an order again or cancels it, raises ``Retold``; the
    record given is spoilt then.

    An event that cannot be taken in is counted in ``failed`` and changes nothing else.

    >>> fold([], Catalogue()).events
    0
    """
    if record is not None:
        return _onto(record, events, catalogue, {})
    rows = list(events)
    try:
        return _onto(Customer(), rows, catalogue, {})
    except Retold:
        told = Retelling(map(Folded._make, rows), _read, FAULTS)
        return _onto(Customer(marks=told.off()), rows, catalogue, told.instead)


def _onto(
    c: Customer, events: Iterable[FoldedRow], catalogue: Catalogue, instead: Mapping[bytes, OrderRead | None]
) -> Customer:
    """Fold events onto a record, some of them with another content or with none."""
    channels = c.channels
    count = 0
    first, last = c.first_seen, c.last_seen
    at, key, name = 0, b"", ""
    for _, at, key, name, version, channel, source, node, others, payload in events:
        plan = _PLANS.get(name)
        if plan is not None:
            reducer, today, read, sight = plan
            try:
                nodes = (node, *map(int, others.split(","))) if others else (node,)
                moment = Moment(at, channel, source, nodes)
                if instead and key in instead:
                    if (order := instead[key]) is not None:
                        completed(c, moment, order, catalogue)
                else:
                    told = read(payload) if version == today else Logged.read(name, version, payload)
                    reducer(c, moment, told, catalogue)
            except FAULTS:
                c.failed[name] = c.failed.get(name, 0) + 1
        else:
            sight = False
            if name not in EVENTS:
                c.unknown[name] = c.unknown.get(name, 0) + 1
        if channel:
            channels[channel] = channels.get(channel, 0) + 1
            first, last = first or at, at
        elif sight:
            first, last = first or at, at
        count += 1
    if count:
        c.first_seen, c.last_seen = first, last
        c.events += count
        c.last = (at, place(name, key))
    return c


def _reader(name: str) -> Callable[[bytes], Any]:
    """How properties written under today's declaration are read for the reducer."""
    wanted = READS.get(name, EVENTS[name].struct)
    return _nothing if wanted is None else msgspec.json.Decoder(wanted, strict=False).decode


def _nothing(_: bytes) -> None:
    return None


_PLANS: dict[str, tuple[Reducer, int, Callable[[bytes], Any], bool]] = {
    name: (reducer, EVENTS[name].version, _reader(name), name in buying.REDUCERS)
    for name, reducer in REDUCERS.items()
}
"""By event name: what it does, today's version of its declaration, how that is read, and whether it is a sight of the
customer whatever channel it came through; what a file tells of somebody is none.
"""


def _read(name: str, version: int, payload: bytes) -> Any:
    _, today, read, _ = _PLANS[name]
    return read(payload) if version == today else Logged.read(name, version, payload)


def heed(record: Customer, beside: Iterable[Folded]) -> None:
    """Take in what was withdrawn on a shared identifier beside the customer, unless that identifier said so since.

    Nothing else of those events is the customer's.
    """
    for event in beside:
        said = fold([event], Catalogue()).standings
        for purpose, by_node in said.items():
            known = record.standings.setdefault(purpose, {})
            standing = by_node[event.node]
            if event.node not in known or known[event.node].at <= standing.at:
                known[event.node] = standing
    if objects(record):
        record.attributes.clear()


def attributes(rows: Iterable[FoldedRow], beside: Iterable[Folded]) -> dict[str, tuple[str, str, str]]:
    """What third parties say of somebody, where objections count that stand on shared identifiers beside: each from its
    own moment on, as when they were heard one after another.
    """
    record = Customer()
    waiting = sorted(beside, key=lambda event: event.occurred_at)
    for row in rows:
        if row[3] in _OF_ATTRIBUTES:
            while waiting and waiting[0].occurred_at < row[1]:
                heed(record, [waiting.pop(0)])
            record = _onto(record, [row], _NOTHING_SOLD, {})
    heed(record, waiting)
    return record.attributes


def pack(record: Customer) -> bytes:
    """The record as bytes to keep."""
    return _encode(record)


def unpack(body: bytes) -> Customer:
    """The record again.

    >>> unpack(pack(Customer(orders=3))).orders
    3
    """
    return _decode(body)
