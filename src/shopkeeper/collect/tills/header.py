"""Which transaction it is, where and when it was: the natural key of a till's receipt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from shopkeeper.collect.files.zone import to_local, zone_of
from shopkeeper.collect.tills.pieces import Node
from shopkeeper.collect.tills.values import day, flag, moment
from shopkeeper.domain.clock import micros
from shopkeeper.domain.errors import BadEvent

AROUND: Final = ("RetailStoreID", "StoreID", "WorkstationID", "BusinessDayDate", "CurrencyCode")
"""What a document may say once for all of its transactions."""
LONGEST: Final = 80
"""Characters of one part of the key."""
_TIMES: Final = ("EndDateTime", "BeginDateTime", "TransactionDateTime", "POSLogDateTime")
_STAFF: Final = ("OperatorID", "CashierID", "Operator")


class Header(Struct, frozen=True, kw_only=True):
    """What tells one transaction from every other, and what its events share."""

    store: str
    workstation: str
    sequence: str
    day: str
    """The business day, ISO."""
    at: int
    """When it ended, microseconds since 1970."""
    currency: str
    staff_id: str = ""

    @property
    def key(self) -> str:
        """Store, workstation, business day and sequence; the number of its order.

        >>> Header(store="S1", workstation="3", sequence="0042", day="2024-05-03", at=0, currency="GBP").key
        'S1/3/2024-05-03/42'
        """
        return key_of(self.store, self.workstation, self.day, self.sequence)


def key_of(store: str, workstation: str, of_day: str, sequence: str) -> str:
    """The natural key; a sequence with leading zeros is the one without."""
    return f"{store}/{_plain(workstation)}/{of_day}/{_plain(sequence)}"


def read_header(transaction: Node, around: Mapping[str, str], *, zone: str, currency: str) -> Header:
    """The header of a transaction; ``around`` is what the document says for all. Raises BadEvent."""
    store = _part(
        _store(transaction) or around.get("RetailStoreID", "") or around.get("StoreID", ""), "store"
    )
    sequence = _part(transaction.get("SequenceNumber", "TransactionNumber"), "sequence number")
    workstation = _part(
        transaction.get("WorkstationID", "WorkStationID", "TillID") or around.get("WorkstationID", "") or "0",
        "workstation",
    )
    of_day = day(transaction.get("BusinessDayDate", "BusinessDay") or around.get("BusinessDayDate", ""))
    at = _when(transaction, of_day, zone)
    return Header(
        store=store,
        workstation=workstation,
        sequence=sequence,
        day=of_day or to_local(at, zone).date().isoformat(),
        at=at,
        currency=_currency(transaction, around) or currency,
        staff_id=_staff(transaction),
    )


def read_link(link: Node, header: Header) -> str:
    """The order number of another transaction that this one points at; "" where it says too little.

    What a link leaves out is as in the transaction it stands in, but never the day: a receipt of some day with the
    same number is another receipt.
    """
    sequence = link.get("SequenceNumber", "TransactionNumber")
    of_day = link.get("BusinessDayDate", "BusinessDay") or link.get(*_TIMES)
    if not sequence or not of_day:
        return ""
    try:
        of_day = day(of_day)
    except BadEvent:
        return ""
    store = (_store(link) or header.store)[:LONGEST]
    workstation = link.get("WorkstationID", "WorkStationID", "TillID") or header.workstation
    return key_of(store, workstation[:LONGEST], of_day, sequence[:LONGEST])


def marked(transaction: Node, *names: str) -> bool:
    """Whether one of these flags is set, as an attribute or as an element.

    >>> marked(Node("Transaction", {"TrainingModeFlag": "true"}), "TrainingModeFlag")
    True
    """
    return any(flag(transaction.attribute(name) or transaction.get(name)) for name in names)


def _store(node: Node) -> str:
    unit = node.child("BusinessUnit")
    return node.get("RetailStoreID", "StoreID") or (
        unit.get("UnitID") or unit.text if unit is not None else ""
    )


def _staff(transaction: Node) -> str:
    found = transaction.child(*_STAFF)
    if found is None:
        return ""
    return (found.get(*_STAFF, "ID") or found.attribute("OperatorID") or found.text)[:LONGEST]


def _currency(transaction: Node, around: Mapping[str, str]) -> str:
    retail = transaction.child("RetailTransaction")
    code = transaction.get("CurrencyCode") or (retail.get("CurrencyCode") if retail is not None else "")
    if not code:
        code = next(
            (
                one.attribute("Currency", "CurrencyCode")
                for one in transaction.within()
                if "Currency" in one.attributes or "CurrencyCode" in one.attributes
            ),
            "",
        )
    code = (code or around.get("CurrencyCode", "")).upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise BadEvent("bad_currency", "a currency that is no code of three letters", hint="use ISO 4217")
    return code


def _when(transaction: Node, of_day: str, zone: str) -> int:
    text = transaction.get(*_TIMES)
    retail = transaction.child("RetailTransaction")
    if not text and retail is not None:
        text = retail.get("ReceiptDateTime", *_TIMES)
    if text:
        return moment(text, zone)
    if of_day:  # a till that tells the day only: its middle, which is that day in every zone near
        noon = datetime.fromisoformat(of_day).replace(hour=12, tzinfo=zone_of(zone))
        return micros(noon.astimezone(UTC))
    raise BadEvent("bad_time", "a transaction without a time", hint="expected EndDateTime or BeginDateTime")


def _part(text: str, what: str) -> str:
    if not text or len(text) > LONGEST:
        raise BadEvent(
            "no_key",
            f"a transaction without a usable {what}",
            hint="store, workstation, business day and sequence number tell transactions apart",
        )
    return text


def _plain(number: str) -> str:
    """A number without leading zeros; anything else as it is.

    >>> _plain("0042"), _plain("A07"), _plain("000")
    ('42', 'A07', '0')
    """
    return (number.lstrip("0") or "0") if number.isascii() and number.isdigit() else number
