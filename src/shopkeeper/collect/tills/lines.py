"""What was sold and given back in one transaction, in whole minor units, so that it adds up to the till's own totals.

Tills differ in what ``ExtendedAmount`` means. It is the line's total after its discounts, unless it is just quantity
times regular price while a discount is told beside it. The transaction's totals decide where they are there: of the
readings the first that adds up to them is taken. Amounts are without tax: where the totals or a flag say that prices
include tax, the tax is taken off line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct, field

from shopkeeper.collect.tills.header import Header, marked, read_link
from shopkeeper.collect.tills.pieces import Node
from shopkeeper.collect.tills.values import amount, flag, quantity, units
from shopkeeper.domain.errors import BadEvent, InvalidInput
from shopkeeper.domain.events.orders import Line
from shopkeeper.domain.money import to_minor

_ZERO: Final = Decimal(0)
_LONGEST: Final = 200
_GIFT: Final = frozenset(
    {"giftcertificate", "giftcard", "storedvalue", "giftcardsale", "giftcertificatesale"}
)
_GIFTED: Final = ("GiftCard", "GiftCertificate", "StoredValueInstrument")
_ASIDE: Final = ("Rounding", "PaymentOnAccount", "Deposit", "Tip", "Donation", "Charity", "Fee")
"""Lines that are part of what was paid, but no goods."""
_INCLUDED: Final = (
    "TaxIncludedInPriceFlag", "IncludedInPriceFlag", "TaxIncludedInTaxableAmountFlag", "InclusiveTaxFlag",
)  # fmt: skip


class Item(Struct):
    """One line that counts."""

    node: Node
    back: bool
    units: Decimal
    extended: int
    """Minor units, positive."""
    off: int
    """Discounts told beside it, minor units."""
    gross: bool
    """Whether ``extended`` seems to be before the discounts."""
    tax: int
    gift: bool
    reference: str = ""
    net: int = 0
    """What counts: after discounts and without tax."""


class Goods(Struct, kw_only=True):
    """What a transaction sold and gave back."""

    sold: list[Item] = field(default_factory=list)
    returned: dict[str, list[Item]] = field(default_factory=dict)
    """By the order it came from, "" where that is not told."""
    discount: int = 0
    """Off the whole transaction, in minor units, positive."""
    tax: int = 0
    grand: int | None = None
    voided: int = 0
    gifts: int = 0
    agrees: bool = True
    """Whether it adds up to the till's totals, as far as those are told."""


class _Money:
    """Reads amounts of one currency into minor units."""

    def __init__(self, currency: str) -> None:
        self.currency = currency

    def minor(self, value: Decimal) -> int:
        try:
            return to_minor(value, self.currency)
        except InvalidInput as error:
            raise BadEvent("bad_currency", error.message) from None

    def of(self, node: Node, *names: str) -> int | None:
        value = amount(node.get(*names), names[0])
        return None if value is None else self.minor(value)


def read_goods(retail: Node, header: Header) -> Goods:
    """The goods of a retail transaction. Raises BadEvent: bad_number, too_large, no_amount."""
    money = _Money(header.currency)
    goods = Goods()
    lines = retail.all("LineItem")
    void = {text for line in lines if marked(line, "VoidFlag") for text in _voids(line)}
    items: list[Item] = []
    taxes: list[tuple[int, Node]] = []
    aside = 0
    for line in lines:
        if marked(line, "VoidFlag", "CancelFlag") or line.get("SequenceNumber") in void:
            goods.voided += any(_is_goods(child) for child in line.children)
            continue
        for child in line.children:
            if _is_goods(child):
                items.append(_item(child, line, header, money))
            elif child.name == "Tax":
                taxes.append((money.of(child, "Amount", "TaxAmount") or 0, child))
            elif child.name in ("Discount", "TransactionDiscount"):
                goods.discount += abs(money.of(child, "Amount", "DiscountAmount") or 0)
            elif child.name in _ASIDE:
                aside += money.of(child, "Amount", "Total") or 0
    _settle(goods, items, taxes, aside, _totals(retail, money))
    return goods


def order_lines(items: Sequence[Item], currency: str) -> tuple[Line, ...]:
    """Items as lines of an order, with the amounts that were settled."""
    return tuple(_line(item, currency) for item in items)


def _is_goods(node: Node) -> bool:
    """Whether a line item's content is goods: Sale, Return, SaleForPickup, CustomerOrderForDelivery, ...

    The pick-up of what an earlier transaction sold (``PreviousCustomerOrder``) is no sale.
    """
    return node.name.startswith(("Sale", "Return", "CustomerOrderFor"))


def _voids(line: Node) -> list[str]:
    """Sequence numbers of the lines that a voiding line takes back."""
    return [
        text
        for link in line.within()
        if link.name in ("ItemLink", "VoidedLineItem")
        and (text := link.get("LineItemSequenceNumber", "SequenceNumber") or link.text)
    ]


def _item(node: Node, line: Node, header: Header, money: _Money) -> Item:
    counted = node.child("Quantity")
    count = _ZERO + 1
    if counted is not None:
        told = quantity(counted.text or counted.attribute("Units"))
        count = told if told is not None else count
    back = node.name.startswith("Return") or count < 0
    count = abs(count)
    actual = amount(node.get("ActualSalesUnitPrice"), "ActualSalesUnitPrice")
    regular = amount(node.get("RegularSalesUnitPrice"), "RegularSalesUnitPrice")
    told_total = amount(node.get("ExtendedAmount"), "ExtendedAmount")
    off = abs(money.of(node, "ExtendedDiscountAmount") or 0) or _modified(node, line, money)
    gross = False
    if told_total is not None:
        extended = abs(money.minor(told_total))
        full = None if regular is None else abs(money.minor(regular * count))
        gross = bool(off) and extended == full and (actual is None or actual == regular)
    else:
        price = actual if actual is not None else regular
        if price is None:
            raise BadEvent("no_amount", "a line without ExtendedAmount and without a unit price")
        extended = abs(money.minor(price * count))
        gross = bool(off) and actual is None
    kind = (node.attribute("ItemType") or line.attribute("ItemType")).replace(" ", "").casefold()
    return Item(
        node=node,
        back=back,
        units=count,
        extended=extended,
        off=off,
        gross=gross,
        tax=sum(abs(money.of(tax, "Amount", "TaxAmount") or 0) for tax in node.all("Tax")),
        gift=kind in _GIFT or node.child(*_GIFTED) is not None,
        reference=_reference(node, line, header) if back else "",
    )


def _modified(node: Node, line: Node, money: _Money) -> int:
    """What price modifiers took off the line."""
    total = 0
    for change in [*node.all("RetailPriceModifier", "PriceModification"), *line.all("RetailPriceModifier")]:
        told = change.child("Amount")
        if told is None or marked(change, "VoidFlag"):
            continue
        action = (told.attribute("Action") or change.attribute("Action") or "Subtract").casefold()
        value = amount(told.text, "Amount")
        if value is not None and action in ("subtract", "add"):
            total += money.minor(value) if action == "subtract" else -money.minor(value)
    return abs(total)


def _reference(node: Node, line: Node, header: Header) -> str:
    link = node.child("TransactionLink", "OriginalTransaction", "RetailTransactionLink") or line.child(
        "TransactionLink"
    )
    return read_link(link, header) if link is not None else ""


def _totals(retail: Node, money: _Money) -> dict[str, int]:
    """The transaction's totals: net (without tax), grand (with all), sub."""
    names = {"net": "net", "grand": "grand", "subtotal": "sub", "sub": "sub"}
    found: dict[str, int] = {}
    for total in retail.all("Total"):
        kind = (total.attribute("TotalType") or total.get("TotalType")).casefold()
        kind = kind.removeprefix("transaction").removesuffix("amount").removesuffix("total") or kind
        value = amount(total.text or total.get("Amount"), "Total")
        if value is not None and kind in names:
            found.setdefault(names[kind], money.minor(value))
    return found


def _settle(
    goods: Goods,
    items: list[Item],
    taxes: list[tuple[int, Node]],
    aside: int,
    totals: dict[str, int],
) -> None:
    """Decide how amounts are meant, and share out tax that is in the prices."""
    told = sum(-item.tax if item.back else item.tax for item in items)
    tax = told or sum(value for value, _ in taxes)
    gifts = sum(item.extended for item in items if item.gift and not item.back)
    counted = [item for item in items if not item.gift]
    readings = ([item.gross for item in counted], [False] * len(counted), [True] * len(counted))
    included = None
    for reading in readings:
        worth = (
            sum(_worth(item, gross) for item, gross in zip(counted, reading, strict=True)) - goods.discount
        )
        included = _agreement(worth, tax, gifts + aside, totals, len(items))
        if included is not None:
            break
    else:
        reading = readings[0]
        goods.agrees = not totals
    said = _said([node for _, node in taxes] + [t for item in items for t in item.node.all("Tax")])
    for item, gross in zip(counted, reading, strict=True):
        item.net = abs(_worth(item, gross))
    if tax and (included if said is None or included is not None else said):
        _take_off(counted, tax, by_line=bool(told))
    goods.sold = [item for item in counted if not item.back]
    for item in counted:
        if item.back:
            goods.returned.setdefault(item.reference, []).append(item)
    goods.tax = tax
    goods.grand = totals.get("grand")
    goods.gifts = sum(item.gift for item in items)
    if not goods.sold:
        goods.discount = 0


def _worth(item: Item, gross: bool) -> int:  # noqa: FBT001
    worth = max(item.extended - item.off, 0) if gross else item.extended
    return -worth if item.back else worth


def _agreement(worth: int, tax: int, others: int, totals: dict[str, int], lines: int) -> bool | None:
    """Whether prices include tax, by the totals; None where they do not fit.

    A minor unit a line is rounding.
    """
    spare = max(lines, 1)

    def fits(name: str, value: int) -> bool:
        # tills show what is paid out with a sign or without
        told = totals.get(name)
        return told is not None and min(abs(told - value), abs(told + value)) <= spare

    paid = worth + others
    if tax and (fits("grand", paid + tax) or fits("net", worth) or fits("net", paid)):
        return False
    if tax and (fits("grand", paid) or fits("net", worth - tax) or fits("net", paid - tax)):
        return True
    if not tax and (fits("grand", paid) or fits("net", worth) or fits("net", paid)):
        return False
    if set(totals) == {"sub"} and (fits("sub", worth) or fits("sub", paid)):
        return False
    return None


def _said(taxes: list[Node]) -> bool | None:
    """Whether prices include tax, by the flags; None where nothing is said."""
    for tax in taxes:
        for name in _INCLUDED:
            if text := tax.attribute(name) or tax.get(name):
                return flag(text)
    return None


def _take_off(items: list[Item], tax: int, *, by_line: bool) -> None:
    """Take the tax off the lines: each its own, or shared out so that the parts add up."""
    if by_line:
        for item in items:
            item.net = max(item.net - item.tax, 0)
        return
    signed = [-item.net if item.back else item.net for item in items]
    whole = sum(signed)
    if not whole:
        return
    given = passed = 0
    for item, worth in zip(items, signed, strict=True):
        passed += worth
        due = round(Decimal(tax) * passed / whole)
        share, given = due - given, due
        item.net = abs(worth - share)


def _line(item: Item, currency: str) -> Line:
    node = item.node
    identity = node.child("POSIdentity")
    scanned = (identity.get("POSItemID") if identity is not None else "") or node.get("POSItemID")
    number = node.get("ItemID") or scanned or node.get("SKU", "StockKeepingUnitID")
    level = node.child("MerchandiseHierarchy")
    category = "" if level is None else level.text or level.attribute("DepartmentDescription", "Description")
    exponent = -Decimal(to_minor(Decimal(1), currency)).adjusted()
    price = Decimal(item.net).scaleb(exponent) / (item.units or 1)
    return Line(
        product_id=number[:_LONGEST],
        sku=scanned[:_LONGEST] if scanned != number else "",
        name=node.get("Description", "ItemDescription")[:_LONGEST],
        category=category[:_LONGEST],
        price=_short(price),
        quantity=units(item.units),
        amount=item.net,
    )


def _short(price: Decimal) -> Decimal:
    """A unit price with at most six decimals and no needless zeros beyond two.

    >>> _short(Decimal("3.3333333333")), _short(Decimal(5))
    (Decimal('3.333333'), Decimal('5.00'))
    """
    price = price.quantize(Decimal("0.000001")).normalize()
    places = price.as_tuple().exponent
    return price if isinstance(places, int) and places < -2 else price.quantize(Decimal("0.01"))
