"""Orders and what comes back.

Margin is contribution margin: a line's amount less the product's cost, an order's discount taken off in full. A line
without a known cost earns the catalogue's assumed share, and ``assumed`` says on how much that rests.

An order told again (``Order Updated``, or completed through a second door) and an order cancelled cannot be taken off a
record without a trace, since the record keeps sums and not what they are made of. The reducers raise ``Retold`` then,
and ``know.retelling`` folds the customer as if only the last telling had been heard, or nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Annotated

from msgspec import Meta, Struct

from shopkeeper.domain.catalogue import PLACES, UNKNOWN_GOODS, UNKNOWN_PLACE, Catalogue
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.customer import Customer, FirstOrder, OrderMark, Tally
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.events.orders import Quantity
from shopkeeper.know.reducers.shape import Moment, Reads, Reducer, Retold

_MOST = 10**14
"""Minor units that no line and no order reaches: sums of them must stay within 64 bits."""

Amount = Annotated[int, Meta(ge=-_MOST, le=_MOST)]


class LineRead(Struct, frozen=True, gc=False):
    """What is read of an order's line."""

    product_id: str = ""
    category: str = ""
    quantity: Quantity = 1
    amount: Amount = 0


class OrderRead(Struct, frozen=True, gc=False):
    """What is read of an order."""

    order_id: str = ""
    currency: str = ""
    store: str = ""
    country: str = ""
    staff_id: str = ""
    coupon: str = ""
    discount: float | None = None
    products: tuple[LineRead, ...] = ()
    amount: Amount = 0


def _rate(c: Customer, order: OrderRead, moment: Moment, catalogue: Catalogue, sign: int) -> float:
    """Units of the reporting currency's minor unit for one minor unit of the order's; 0 where no rate is known."""
    currency = order.currency
    if not currency or currency == catalogue.currency:
        return 1.0
    if not catalogue.rates.knows(currency):
        c.unconverted[currency] = c.unconverted.get(currency, 0) + sign * order.amount
        return 0.0
    rate = catalogue.rates.convert(1_000_000, currency, moment.at // DAY) / 1_000_000
    if rate * max([abs(order.amount), *(abs(line.amount) for line in order.products)]) > _MOST:
        raise InvalidInput("an amount beyond any order", hint="look at the exchange rates")
    return rate


def _lines(  # noqa: C901, PLR0912 - one straight run per line is what makes it quick
    c: Customer, order: OrderRead, moment: Moment, catalogue: Catalogue, sign: int, rate: float
) -> tuple[float, float]:
    """Take the lines into products and categories; returns the order's margin and units.

    Most of the cost of a fold is here, once per line: hence no calls within.
    """
    margin = units = 0.0
    total = assumed = 0
    at = moment.at if sign > 0 else 0
    touched: set[str] = set()
    goods_of = catalogue.goods.get
    share = catalogue.assumed_margin
    products, categories = c.products, c.categories
    for line in order.products:
        product, quantity, amount = line.product_id, line.quantity, line.amount
        if rate != 1.0:
            amount = round(amount * rate)
        total += amount
        goods = goods_of(product, UNKNOWN_GOODS)
        if (cost := goods.cost) is not None and rate:
            # Goods written off give nothing back to anybody.
            earned = amount - cost * quantity if amount or at else 0.0
        elif rate:
            earned = amount * share
            assumed += amount
        else:
            earned = 0.0
        margin += earned
        if not goods.tangible:
            continue
        units += quantity
        category = goods.category or line.category
        if not at:
            quantity, amount, earned = -quantity, -amount, 0.0 - earned  # never minus zero
        if product in products:
            tally = products[product]
            tally.units += quantity
            tally.amount += amount
            tally.margin += earned
            if at:
                tally.orders += 1
                tally.last = at
        else:
            products[product] = Tally(1 if at else 0, quantity, amount, earned, at)
        if not category:
            continue
        if category in categories:
            tally = categories[category]
            tally.units += quantity
            tally.amount += amount
            tally.margin += earned
            if at and category not in touched:
                touched.add(category)
                tally.orders += 1
                tally.last = at
        else:
            categories[category] = Tally(1 if at else 0, quantity, amount, earned, at)
            touched.add(category)
    amount = _amount(order, rate)
    if not order.products:
        c.assumed += sign * amount
        return amount * catalogue.assumed_margin, 0.0
    c.assumed += sign * assumed
    return margin - (total - amount), units


def _amount(order: OrderRead, rate: float) -> int:
    return order.amount if rate == 1.0 else round(order.amount * rate)


def _place(order: OrderRead, moment: Moment) -> str:
    return order.store or PLACES.get(moment.channel, UNKNOWN_PLACE)


def _placed(
    c: Customer, order: OrderRead, moment: Moment, catalogue: Catalogue, mark: OrderMark | None, *, new: bool
) -> None:
    """Take in an order, or lines of one; ``mark`` is what is known of the order."""
    rate = _rate(c, order, moment, catalogue, 1)
    amount = _amount(order, rate)
    margin, units = _lines(c, order, moment, catalogue, 1, rate)
    place = _place(order, moment)
    c.amount += amount
    c.margin += margin
    c.units += units
    c.orders += new
    if new:
        c.offset = catalogue.offset(moment.at)
        day = (moment.at + c.offset) // DAY
        _earn(c, day, margin + (mark.margin if mark else 0.0), new=True)
    elif mark is not None and mark.told:
        day = mark.day
        _earn(c, day, margin)
    else:
        day = (moment.at + catalogue.offset(moment.at)) // DAY
        if not order.order_id:
            _earn(c, day, margin)
    if not rate and day not in c.unpriced:
        insort(c.unpriced, day)
    tally = c.places.get(place)
    if tally is None:
        tally = c.places[place] = Tally()
    tally.orders += new
    tally.units += units
    tally.amount += amount
    tally.margin += margin
    tally.last = moment.at
    if mark is not None:
        mark.amount += amount
        mark.margin += margin
        mark.units += units
        if new:
            mark.day, mark.place, mark.told = day, place, True
    elif order.order_id:
        c.marks[order.order_id] = OrderMark(day, place, amount, margin, units, told=new)
    if new:
        c.last_order = order.order_id
        reduced = bool(order.coupon) or (order.discount or 0) > 0
        c.coupons += bool(order.coupon)
        c.reduced += reduced
        if c.first is None:
            c.first = FirstOrder(moment.at, place, order.staff_id, order.coupon, reduced)
    if order.country:
        c.country = order.country


def _earn(c: Customer, day: int, margin: float, *, new: bool = False) -> None:
    """Add to the margin of a day, which is one of the days with an order or becomes one."""
    days = c.days
    if days and days[-1] == day:
        c.day_margin[-1] += margin
        return
    # An hour put back at midnight can bring a day again after the next one began.
    where = bisect_left(days, day)
    if where < len(days) and days[where] == day:
        c.day_margin[where] += margin
    elif new:
        days.insert(where, day)
        c.day_margin.insert(where, margin)


def completed(c: Customer, moment: Moment, order: OrderRead, catalogue: Catalogue) -> None:
    """An order was placed."""
    mark = c.marks.get(order.order_id)
    if mark is not None:
        if mark.cancelled:
            return
        if mark.told:
            raise Retold
    _placed(c, order, moment, catalogue, mark, new=True)


def updated(c: Customer, moment: Moment, order: OrderRead, catalogue: Catalogue) -> None:
    """An order was told anew, as a whole; without an order id there is nothing to put it in the place of."""
    if tells_all(order):
        completed(c, moment, order, catalogue)


def tells_all(order: OrderRead) -> bool:
    """Whether an update says which goods the order has now."""
    return bool(order.order_id and (order.products or order.amount))


def lines_added(c: Customer, moment: Moment, order: OrderRead, catalogue: Catalogue) -> None:
    """Further lines of an order came to light: they belong to the day of the order, if that is known."""
    mark = c.marks.get(order.order_id)
    if mark is None or not mark.cancelled:
        _placed(c, order, moment, catalogue, mark, new=False)


def refunded(c: Customer, moment: Moment, order: OrderRead, catalogue: Catalogue) -> None:
    """Goods came back: the same figures, taken off again, at the place where they were bought if that is known.

    Of a cancelled order nothing is left to come back.
    """
    mark = c.marks.get(order.order_id)
    if mark is not None and mark.cancelled:
        return
    rate = _rate(c, order, moment, catalogue, -1)
    amount = _amount(order, rate)
    margin, units = _lines(c, order, moment, catalogue, -1, rate)
    known = mark is not None and mark.told
    place = mark.place if mark is not None and known else _place(order, moment)
    c.amount -= amount
    c.margin -= margin
    c.units -= units
    c.returns += 1
    c.returned += amount
    tally = c.places.get(place)
    if tally is None:
        tally = c.places[place] = Tally(last=moment.at)
    tally.amount -= amount
    tally.margin -= margin
    tally.units -= units
    pending = margin
    if c.days:
        last = len(c.days) - 1
        c.day_margin[min(bisect_left(c.days, mark.day), last) if mark is not None and known else last] -= (
            margin
        )
        pending = margin if known else 0.0
    if mark is not None:
        mark.amount -= amount
        mark.margin -= pending
        mark.units -= units
    elif order.order_id:
        c.marks[order.order_id] = OrderMark(0, place, -amount, -pending, -units, told=False)


def cancelled(c: Customer, moment: Moment, order: OrderRead, _: Catalogue) -> None:
    """An order will not be fulfilled: nothing about it counts, whether it was heard before or comes later."""
    mark = c.marks.get(order.order_id)
    if mark is not None and not mark.cancelled:
        raise Retold
    if order.order_id:
        c.marks[order.order_id] = called_off()


def called_off() -> OrderMark:
    """The mark of a cancelled order."""
    return OrderMark(0, "", 0, 0.0, 0.0, cancelled=True)


REDUCERS: dict[str, Reducer] = {
    "Order Completed": completed,
    "Order Updated": updated,
    "Order Lines Added": lines_added,
    "Order Refunded": refunded,
    "Order Cancelled": cancelled,
}

READS: Reads = dict.fromkeys(REDUCERS, OrderRead)
