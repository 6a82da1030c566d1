"""Orders, refunds and customers of a web shop as events, under message ids that depend on what is told alone.

An order as placed is ``Order Completed`` at the time it was placed. Its message id holds a hash of its content: told
again unchanged, by another webhook or by the bulk export, it is the same event; told with another content it is
another telling of the same order, of which only the last counts (``know.retelling``). Quantities are those before
returns, since every refund is an event of its own.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from shopkeeper.collect.webshops.parts import Back, Ordered, Person, Refunded, Sold
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.clock import instant
from shopkeeper.domain.delivery import Settled
from shopkeeper.domain.event import Event, Properties
from shopkeeper.domain.events.identity import ConsentGiven, ConsentWithdrawn, Identified
from shopkeeper.domain.events.orders import Line, OrderCancelled, OrderCompleted, OrderRefunded, OrderUpdated
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.money import exponent, from_minor


class Teller:
    """Makes events for one source of one kind of web shop."""

    def __init__(self, settled: Settled, *, shop: str, source: str, received_at: int) -> None:
        self.settled = settled
        self.shop = shop
        self.source = source
        self.received_at = received_at

    def order(self, order: Ordered, batch: Batch, *, again: bool = False) -> None:
        """What an order tells; ``again``: as it stands now, which may not be as it was placed."""
        if order.test:
            batch.passing("test_order")
            return
        # in an order of its own, so that it does not matter in which one the web shop tells them
        sold = sorted(
            [line for line in order.lines if not line.gift], key=lambda line: (len(line.id), line.id)
        )
        if len(sold) < len(order.lines):
            batch.passing("gift_card_sold", len(order.lines) - len(sold))
        who = self._who(order.person)
        tied = (*who, self._number(order.id)) if who else ()
        if sold or not order.lines:
            told = self._told(order, sold)
            mark = _hash(told)
            add = batch.events.append
            add(self._event("Order Completed", f"order:{order.id}:{mark}", order.at, tied, told, order.store))
            batch.orders += 1
            if (again or order.edited) and order.updated > order.at:
                updated = OrderUpdated(**{f: getattr(told, f) for f in told.__struct_fields__})
                name = f"order:{order.id}:{mark}:updated"
                add(self._event("Order Updated", name, order.updated, tied, updated, order.store))
        for refund in order.refunds:
            self.refund(refund, batch, who=who, store=order.store)
        if order.cancelled is not None:
            self.cancelled(order.id, order.cancelled, batch, who=who, store=order.store)

    def refund(
        self, refund: Refunded, batch: Batch, *, who: tuple[Identifier, ...] = (), store: str = ""
    ) -> None:
        """What came back of an order; the order's number ties a refund that names nobody to who bought."""
        lines = [
            _back(back, refund.currency) for back in refund.lines if not back.line.gift and back.quantity
        ]
        amount = sum(line.amount for line in lines if isinstance(line.amount, int)) + refund.more
        if not lines and amount <= 0:
            batch.passing("nothing_refunded")
            return
        told = OrderRefunded(
            order_id=refund.order, products=tuple(lines), currency=refund.currency, amount=max(amount, 0)
        )
        tied = who or ((self._number(refund.order),) if refund.order else ())
        batch.events.append(
            self._event("Order Refunded", f"refund:{refund.id}", refund.at, tied, told, store)
        )
        batch.returns += 1

    def cancelled(
        self, order: str, at: int, batch: Batch, *, who: tuple[Identifier, ...] = (), store: str = ""
    ) -> None:
        """An order is off."""
        told = OrderCancelled(order_id=order)
        tied = who or (self._number(order),)
        batch.events.append(self._event("Order Cancelled", f"order:{order}:cancelled", at, tied, told, store))

    def person(self, person: Person, batch: Batch) -> None:
        """What a customer's record tells: who they are, and what they agreed to."""
        who = self._who(person)
        if not who:
            batch.passing("names_nobody")
            return
        if person.told:
            self._identified(person, who, batch)
        for consent in person.consents:
            struct = ConsentGiven if consent.given else ConsentWithdrawn
            told = struct(purpose=consent.purpose, method=consent.level or self.shop)
            stamp = "" if consent.at is None else str(consent.at)
            state = "given" if consent.given else "withdrawn"
            batch.events.append(
                self._event(
                    f"Consent {state.capitalize()}",
                    f"consent:{person.id}:{consent.purpose}:{state}:{stamp}",
                    person.updated if consent.at is None else consent.at,
                    who,
                    told,
                    "",
                )
            )

    def _identified(self, person: Person, who: tuple[Identifier, ...], batch: Batch) -> None:
        """At most once a day with one content: a web shop tells a customer anew with every order."""
        told = Identified(**person.told)
        name = f"customer:{person.id}:{instant(person.updated).date().isoformat()}:{_hash(told)}"
        batch.events.append(self._event("Identified", name, person.updated, who, told, ""))

    def _told(self, order: Ordered, sold: list[Sold]) -> OrderCompleted:
        return OrderCompleted(
            order_id=order.id,
            products=tuple(_line(line, line.quantity, line.net, order.currency) for line in sold),
            currency=order.currency,
            store=order.store,
            country=order.country,
            coupon=order.coupon,
            total=_short(order.total),
            tax=_short(order.tax),
            shipping=_short(order.shipping),
            amount=sum(line.net for line in sold),
        )

    def _who(self, person: Person) -> tuple[Identifier, ...]:
        return tuple(person.identifiers)

    def _number(self, order: str) -> Identifier:
        return Identifier("order", f"{self.shop}:{order}")

    def _event(
        self,
        name: str,
        message: str,
        at: int,
        who: tuple[Identifier, ...],
        properties: Properties,
        store: str,
    ) -> Event:
        usual = self.settled.channel or "web"
        return Event(
            name=name,
            message_id=f"{self.shop}:{message}",
            occurred_at=at,
            received_at=self.received_at,
            identifiers=who,
            properties=properties,
            source=self.source,
            brand=self.settled.brand,
            channel="store" if store not in ("", "web") else usual,
        )


def share(line: Sold, quantity: int) -> int:
    """What some units of a line were sold for, in minor units.

    >>> share(Sold(id="1", quantity=3, net=1000), 2)
    667
    """
    if not line.quantity or quantity >= line.quantity:
        return line.net
    return round(Decimal(line.net) * quantity / line.quantity)


def _back(back: Back, currency: str) -> Line:
    return _line(back.line, back.quantity, share(back.line, back.quantity), currency)


def _line(line: Sold, quantity: int, net: int, currency: str) -> Line:
    return Line(
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        variant=line.variant,
        brand=line.brand,
        price=_price(net, quantity, currency),
        quantity=quantity,
        amount=net,
    )


def _price(net: int, quantity: int, currency: str) -> Decimal:
    """What one unit was sold for: a decimal with as many digits as it needs, at most four more than the currency.

    >>> _price(1000, 2, "EUR"), _price(1000, 3, "EUR")
    (Decimal('5.00'), Decimal('3.333333'))
    """
    if not quantity:
        return Decimal(0)
    each = (Decimal(net) / quantity).quantize(Decimal("0.0001"))
    fine = each.scaleb(-exponent(currency))
    plain = from_minor(int(each), currency)
    return plain if plain == fine else fine


def _short(value: Decimal | None) -> Decimal | None:
    """The same amount always in the same digits.

    >>> _short(Decimal("10.0")), _short(Decimal("1E+2")), _short(Decimal("1.2340"))
    (Decimal('10.00'), Decimal('100.00'), Decimal('1.234'))
    """
    if value is None:
        return None
    cents = value.quantize(Decimal("0.01"))
    return cents if cents == value else value.quantize(Decimal("0.000001")).normalize()


def _hash(told: Any) -> str:
    return blake2b(msgspec.json.encode(told), digest_size=9).hexdigest()
