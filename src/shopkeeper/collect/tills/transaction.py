"""One till transaction as events: an order, what came back, what was called off, and who was named.

Left out knowingly, and counted: training, cancelled, suspended and unfinished transactions, transactions that are no
sale (sign-on, pay-in), and sales of nothing but gift cards (a gift card is money until it is spent). A void of an
earlier transaction becomes ``Order Cancelled`` where it says which one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from shopkeeper.collect.tills.header import Header, marked, read_header, read_link
from shopkeeper.collect.tills.lines import Goods, Item, order_lines, read_goods
from shopkeeper.collect.tills.people import Person
from shopkeeper.collect.tills.pieces import Node
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.delivery import Settled
from shopkeeper.domain.event import Event, Properties
from shopkeeper.domain.events.identity import Identified
from shopkeeper.domain.events.orders import OrderCancelled, OrderCompleted, OrderRefunded
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.money import from_minor

_VOIDING: Final = frozenset(
    {
        "postvoid",
        "postvoidtransaction",
        "voidtransaction",
        "transactionvoid",
        "posttransactionvoid",
        "voidedtransaction",
    }
)
"""Elements that make a transaction the void of another."""
_VOIDED: Final = frozenset({"postvoid", "postvoided", "void", "voided", "voidtransaction"})
"""Reasons of a link, types and states that say so."""
_UNFINISHED: Final = frozenset(
    {
        "suspended",
        "suspendeddeleted",
        "suspendedretrieved",
        "inprocess",
        "failed",
        "cancelled",
        "canceled",
        "aborted",
    }
)


class Maker:
    """Makes events of transactions for one source."""

    def __init__(self, settled: Settled, *, source: str, received_at: int) -> None:
        self.settled = settled
        self.source = source
        self.received_at = received_at

    def add(self, transaction: Node, around: Mapping[str, str], batch: Batch) -> None:
        """Put what a transaction tells into a batch. Raises BadEvent, and then nothing is put in."""
        if marked(transaction, "TrainingModeFlag", "TrainingFlag"):
            batch.passing("training")
            return
        retail = transaction.child("RetailTransaction")
        header = read_header(transaction, around, zone=self.settled.zone, currency=self.settled.currency)
        if (link := _voiding(transaction, retail)) is not None:
            self._void(link, transaction, retail, header, batch)
        elif marked(transaction, "CancelFlag") or (retail is not None and marked(retail, "CancelFlag")):
            batch.passing("cancelled")
        elif retail is None:
            batch.passing("not_a_sale")
        else:
            self._retail(retail, header, batch)

    def _retail(self, retail: Node, header: Header, batch: Batch) -> None:
        status = _folded(retail.attribute("TransactionStatus") or retail.get("TransactionStatus"))
        if status in _VOIDED or marked(retail, "VoidFlag"):
            # the transaction told again, now as one that was voided afterwards
            batch.events.append(self._cancelled(header.key, header, Person(retail)))
            return
        if status in _UNFINISHED:
            batch.passing("unfinished")
            return
        goods = read_goods(retail, header)
        person = Person(retail)
        events = self._events(goods, person, header)
        if goods.voided:
            batch.passing("voided_line", goods.voided)
        if goods.gifts:
            batch.passing("gift_card_sold", goods.gifts)
        if person.refused:
            batch.passing("card_number_refused", person.refused)
        if not events:
            batch.passing("nothing_sold")
            return
        if not goods.agrees:
            batch.passing("totals_differ")
        batch.orders += bool(goods.sold)
        batch.returns += len(goods.returned)
        batch.events.extend(events)

    def _events(self, goods: Goods, person: Person, header: Header) -> list[Event]:
        events = []
        who = tuple(person.identifiers)
        if goods.sold:
            # the order's own number ties a later return or void that names nobody to whoever bought
            own = (*who, Identifier("order", header.key)) if who else ()
            events.append(self._event("Order Completed", "sale", header, own, self._sale(goods, header)))
        for reference, items in goods.returned.items():
            # somebody else may bring it back: who is named is not tied to who bought
            tied = who or ((Identifier("order", reference),) if reference else ())
            returned = OrderRefunded(
                order_id=reference,
                products=order_lines(items, header.currency),
                currency=header.currency,
                store=header.store,
                staff_id=header.staff_id,
                amount=_sum(items),
            )
            events.append(self._event("Order Refunded", f"return:{reference}", header, tied, returned))
        if who and person.told:
            told = Identified(**{k: v for k, v in person.told.items() if k in Identified.__struct_fields__})
            event = self._event("Identified", "customer", header, who, told)
            events.append(_renamed(event, f"poslog:customer:{person.digest()}"))
        return events

    def _sale(self, goods: Goods, header: Header) -> OrderCompleted:
        money = header.currency
        alone = not goods.returned
        return OrderCompleted(
            order_id=header.key,
            products=order_lines(goods.sold, money),
            currency=money,
            store=header.store,
            staff_id=header.staff_id,
            discount=from_minor(goods.discount, money) if goods.discount else None,
            tax=from_minor(goods.tax, money) if goods.tax and alone else None,
            total=from_minor(goods.grand, money) if goods.grand is not None and alone else None,
            amount=_sum(goods.sold) - goods.discount,
        )

    def _void(self, link: Node, transaction: Node, retail: Node | None, header: Header, batch: Batch) -> None:
        reference = read_link(link, header)
        if not reference or reference == header.key:
            batch.passing("void_of_nothing_named")
            return
        batch.events.append(self._cancelled(reference, header, Person(retail or transaction)))

    def _cancelled(self, reference: str, header: Header, person: Person) -> Event:
        who = tuple(person.identifiers) or (Identifier("order", reference),)
        told = OrderCancelled(order_id=reference)
        event = self._event("Order Cancelled", "", header, who, told)
        return _renamed(event, f"poslog:{reference}:void")

    def _event(
        self,
        name: str,
        part: str,
        header: Header,
        who: tuple[Identifier, ...],
        properties: Properties,
    ) -> Event:
        return Event(
            name=name,
            message_id=f"poslog:{header.key}:{part}",
            occurred_at=header.at,
            received_at=self.received_at,
            identifiers=who,
            properties=properties,
            source=self.source,
            brand=self.settled.brand,
            channel=self.settled.channel or "store",
        )


def _voiding(transaction: Node, retail: Node | None) -> Node | None:
    """What says which other transaction this one voids, None where it voids none."""
    for holder in (transaction, retail):
        if holder is None:
            continue
        for child in holder.children:
            if _folded(child.name) in _VOIDING:
                return child.child("TransactionLink", "OriginalTransaction") or child
            reason = child.attribute("ReasonCode", "LinkReasonCode") or child.get("ReasonCode")
            if child.name == "TransactionLink" and _folded(reason) in _VOIDED:
                return child
        if (
            _folded(holder.attribute("TransactionType", "TypeCode") or holder.get("TransactionType"))
            in _VOIDED | _VOIDING
        ):
            return holder.child("TransactionLink", "OriginalTransaction") or Node("TransactionLink", {})
    return None


def _renamed(event: Event, message_id: str) -> Event:
    return replace(event, message_id=message_id)


def _sum(items: list[Item]) -> int:
    return sum(item.net for item in items)


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
