"""Order lines, one a row and in any order, as order and refund events; lines known from earlier files are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import repeat
from typing import Final

import numpy as np
import numpy.typing as npt

from shopkeeper.collect.files.amounts import Sum, decimal_of
from shopkeeper.collect.files.kinds import WHO
from shopkeeper.collect.files.linekeys import Hashes, line_keys
from shopkeeper.collect.files.numbers import MILLION
from shopkeeper.collect.files.orderbook import Coded, Codes, Ints, OrderBook
from shopkeeper.collect.files.parts import Groups, Part, parts_of, take_apart
from shopkeeper.domain.batch import Batch, LineMemory
from shopkeeper.domain.event import Event
from shopkeeper.domain.events.orders import (
    Line,
    OrderCompleted,
    OrderFields,
    OrderLinesAdded,
    OrderRefunded,
    OrderUpdated,
)
from shopkeeper.domain.identifier import Identifier

LINES_A_BATCH: Final = 20_000
WEB: Final = frozenset(
    {"web", "online", "webshop", "web shop", "web store", "internet", "ecommerce", "e-commerce"}
)
IDENTIFYING: Final = {name: "user_id" if name == "customer_id" else name for name in WHO}


def order_batches(
    book: OrderBook,
    *,
    source: str,
    now: int,
    zone: str,
    lines: LineMemory,
    progress: Callable[[float], None],
    whole: bool = False,
) -> Iterator[Batch]:
    """Events of all orders in batches, by currency and time, leaving out lines that are known.

    ``whole`` says that every order is there with all lines it has now: one that changed is told anew, and lines that
    went are gone. Otherwise lines only ever come to an order.

    What a batch brought is remembered only after its taker came back for the next: a batch that was never stored
    comes again with the same message ids. Days are those of the shop's ``zone``.
    """
    starts, ends, codes = book.arrange()
    groups = take_apart(book, starts, zone)
    minor, content = book.minor(), book.content()
    group_of = np.repeat(np.arange(len(groups.starts), dtype=np.int32), groups.ends - groups.starts)
    keys = line_keys(group_of, content, book.quantity < 0)
    build = _Builder(book, source, now, groups, minor)
    total = Sum()
    orders, first, repeating = len(starts), 0, 0
    while first < orders:
        money = int(book.currency.codes[starts[first]])
        last = int(np.searchsorted(starts, starts[first] + LINES_A_BATCH, "left"))
        last = max(last, first + 1)
        while book.currency.codes[starts[last - 1]] != money:
            last -= 1
        batch = Batch(currency=book.currency.words[money])
        names = [book.order.words[code] for code in codes[first:last].tolist()]
        parts, several = parts_of(names, first, groups, book, source, lines, zone)
        repeating += several
        remember: dict[bytes, bytes] = {}
        span = slice(int(starts[first]), int(ends[last - 1]))
        kept = np.zeros(span.stop - span.start, bool)
        for part in parts:
            mine = build.lines_of(part)
            its = keys[mine] if len(part.groups) == 1 else _keys_of(book, content, mine)
            told = np.sort(its).astype(">u8").tobytes()
            if part.known == told and part.words == part.before:
                continue
            build.prepare(span)
            if part.known is None:
                remember[part.key] = part.remembered(told)
                build.add(batch, part, mine, None, b"")
                kept[mine - span.start] = True
                continue
            before = np.frombuffer(part.known, ">u8").astype(np.uint64)
            new = np.flatnonzero(~np.isin(its, before))
            if whole and _sold_differ(its, before):
                build.retell(batch, part, mine, mine[new])
                told = np.union1d(its, before[before & np.uint64(1) == 1]).astype(">u8").tobytes()
                kept[mine[new] - span.start] = True
                remember[part.key] = part.remembered(told)
                continue
            if len(new):
                added = np.sort(its[new])
                told = np.union1d(before, added).astype(">u8").tobytes()
                build.add(batch, part, mine[new], before, added.astype(">u8").tobytes())
                kept[mine[new] - span.start] = True
            if len(new) or part.words != part.before:
                remember[part.key] = part.remembered(told if len(new) else part.known)
        batch.read = span.stop - span.start
        batch.kept = int(kept.sum())
        batch.repeated = batch.read - batch.kept
        batch.exact_micros = total.add(
            sum(book.exact.floor[span][kept].tolist()), sum(book.exact.rest[span][kept].tolist())
        )
        batch.rounded_minor = sum(minor[span][kept].tolist())
        progress(last / orders)
        yield batch
        if remember:
            lines.remember_lines(remember)
        first = last
    if repeating:
        book.notes.append(f"receipt numbers repeat: {repeating} were taken apart by store, day or customer")


def _keys_of(book: OrderBook, content: Hashes, lines: Ints) -> Hashes:
    """Keys of the lines of an order that stand in several groups."""
    return line_keys(np.zeros(len(lines), np.int32), content[lines], book.quantity[lines] < 0)


def _sold_differ(its: Hashes, before: Hashes) -> bool:
    """Whether an order has other sold lines than before; one without any is being returned, not changed."""
    sold = its[its & np.uint64(1) == 0]
    return bool(len(sold)) and not np.array_equal(np.sort(sold), np.sort(before[before & np.uint64(1) == 0]))


class _Builder:
    """Makes the events of an order; holds the Python values of the lines of one batch."""

    def __init__(self, book: OrderBook, source: str, now: int, groups: Groups, minor: Ints) -> None:
        self.book, self.source, self.now, self.minor, self.groups = book, source, now, minor, groups
        starts = groups.starts
        self.shared = {
            name: _shared(book.text(name), starts) for name in ("store", "staff_id", "country", "coupon")
        }
        self.people = [
            (IDENTIFYING[name], book.text(name), *_range(book.text(name).codes, starts))
            for name in WHO
            if book.has(name)
        ]
        self.offset = -1

    def lines_of(self, part: Part) -> Ints:
        """The lines of an order."""
        bounds = [(int(self.groups.starts[group]), int(self.groups.ends[group])) for group in part.groups]
        if len(bounds) == 1:
            return np.arange(*bounds[0])
        return np.concatenate([np.arange(*bound) for bound in bounds])

    def prepare(self, span: slice) -> None:
        """Build the lines of a batch once, as sold: quantities and amounts of returns turned to positive."""
        book = self.book
        if self.offset == span.start:
            return
        self.offset = span.start
        prices, where = np.unique(book.price[span], return_inverse=True)
        decimals = [decimal_of(price) for price in prices.tolist()]
        self.negative = book.quantity[span] < 0
        sign = np.where(self.negative, -1, 1)
        units, fraction = np.divmod(book.quantity[span] * sign, MILLION)
        quantities: list[int | float] = units.tolist()
        for i in np.flatnonzero(fraction).tolist():
            quantities[i] = (int(units[i]) * MILLION + int(fraction[i])) / MILLION
        self.amounts = self.minor[span] * sign
        texts = [
            book.text(name).listed(span) if book.has(name) else repeat("")
            for name in ("product_id", "sku", "name", "category", "brand", "variant")
        ]
        self.lines = [
            Line(
                product_id=product,
                sku=sku,
                name=name,
                category=category,
                brand=brand,
                variant=variant,
                price=decimals[price],
                quantity=quantity,
                amount=amount,
            )
            for product, sku, name, category, brand, variant, price, quantity, amount in zip(
                *texts, where.tolist(), quantities, self.amounts.tolist(), strict=False
            )
        ]

    def add(
        self, batch: Batch, part: Part, lines: Ints, before: npt.NDArray[np.uint64] | None, added: bytes
    ) -> None:
        """Append the events that these lines of one order make; ``before`` are the keys known of it."""
        local = lines - self.offset
        back = self.negative[local]
        suffix = f":{blake2b(added, digest_size=8).hexdigest()}" if added else ""
        sold, returned = local[~back], local[back]
        if len(sold):
            again = before is not None and bool((before & np.uint64(1) == 0).any())
            batch.orders += 1
            batch.events.append(
                self._event(
                    "Order Lines Added" if again else "Order Completed",
                    OrderLinesAdded if again else OrderCompleted,
                    f"order:{self.source}:{part.name}{suffix if again else ''}",
                    part,
                    sold,
                )
            )
        if len(returned):
            again = before is not None and bool((before & np.uint64(1) == 1).any())
            batch.returns += 1
            batch.events.append(
                self._event(
                    "Order Refunded",
                    OrderRefunded,
                    f"refund:{self.source}:{part.name}{suffix if again else ''}",
                    part,
                    returned,
                )
            )

    def retell(self, batch: Batch, part: Part, lines: Ints, new: Ints) -> None:
        """Append the event that tells an order anew, as of now, and its new returns."""
        local, fresh = lines - self.offset, new - self.offset
        returned = fresh[self.negative[fresh]]
        message_id = f"order:{self.source}:{part.name}:{self.now}"
        sold = local[~self.negative[local]]
        batch.events.append(self._event("Order Updated", OrderUpdated, message_id, part, sold, at=self.now))
        if len(returned):
            batch.returns += 1
            again = f"refund:{self.source}:{part.name}:{self.now}"
            batch.events.append(self._event("Order Refunded", OrderRefunded, again, part, returned))

    def _event(
        self,
        kind: str,
        struct: type[OrderFields],
        message_id: str,
        part: Part,
        local: Ints,
        at: int | None = None,
    ) -> Event:
        book = self.book
        places = local.tolist()
        if len(part.groups) == 1:
            shared = {name: values[part.groups[0]] for name, values in self.shared.items()}
        else:  # the groups of these lines first
            own = np.searchsorted(self.groups.starts, local + self.offset, "right") - 1
            order = dict.fromkeys([*own.tolist(), *part.groups])
            shared = {
                name: next((values[group] for group in order if values[group]), "")
                for name, values in self.shared.items()
            }
        store = shared["store"]
        online = store.casefold() in WEB
        properties = struct(
            order_id=part.name,
            products=tuple([self.lines[i] for i in places]),
            store="web" if online else store,
            staff_id=shared["staff_id"],
            country=shared["country"],
            coupon=shared["coupon"],
            currency=book.currency.words[int(book.currency.codes[places[0] + self.offset])],
            amount=int(self.amounts[local].sum()),
        )
        return Event(
            name=kind,
            message_id=message_id,
            occurred_at=int(book.time[local + self.offset].min()) if at is None else at,
            received_at=self.now,
            identifiers=self._identifiers(part.groups),
            properties=properties,
            source=self.source,
            channel="web" if online else "store" if store else "",
        )

    def _identifiers(self, groups: Sequence[int]) -> tuple[Identifier, ...]:
        found: list[Identifier] = []
        for kind, column, least, most in self.people:
            several: dict[int, None] = {}
            for group in groups:
                high = int(most[group])
                if high < 0:
                    continue
                if least[group] == high:
                    several[high] = None
                    continue
                start, end = int(self.groups.starts[group]), int(self.groups.ends[group])
                several.update(dict.fromkeys(column.codes[start:end].tolist()))
            found.extend(Identifier(kind, column.words[code]) for code in several if code >= 0)
        return tuple(found)


def _range(codes: Codes, starts: Ints) -> tuple[Codes, Codes]:
    """Smallest and largest code of each order, leaving out absent ones; -1 where all are absent."""
    if not len(starts):
        return codes[:0], codes[:0]
    most = np.maximum.reduceat(codes, starts)
    least = np.minimum.reduceat(np.where(codes < 0, np.iinfo(np.int32).max, codes), starts)
    return np.where(most < 0, -1, least).astype(np.int32), most


def _shared(column: Coded, starts: Ints) -> list[str]:
    """One value an order of a column that is the same on its lines."""
    words = [*column.words, ""]
    return [words[code] for code in _range(column.codes, starts)[0].tolist()]
