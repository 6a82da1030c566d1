"""Who it was: loyalty and customer numbers, receipt addresses, and tokens of cards, but never a card's number.

A payment card's number (PAN) must not get anywhere near a log. Where an account or a token is expected, digits that
could be one (13 to 19 of them, right by Luhn's check) are refused. Loyalty and gift cards often keep to Luhn's check
too; of those only numbers in the ranges of the payment schemes are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

import msgspec

from shopkeeper.collect.person import person_of
from shopkeeper.collect.tills.pieces import Node
from shopkeeper.domain.identifier import Identifier

LONGEST: Final = 512
_LOYALTY: Final = frozenset(
    {
        "LoyaltyAccountID", "LoyaltyID", "LoyaltyCardID", "LoyaltyCardNumber", "LoyaltyMembershipID", "LoyaltyNumber",
        "MembershipID", "LoyaltyProgramAccountID",
    }
)  # fmt: skip
_CUSTOMER: Final = frozenset({"CustomerID", "CustomerNumber"})
_EMAIL: Final = frozenset(
    {"EMail", "Email", "eMail", "EmailAddress", "EMailAddress", "eMailAddress", "EMailID"}
)
_PHONE: Final = frozenset(
    {"TelephoneNumber", "Telephone", "PhoneNumber", "Phone", "MobileNumber", "FullTelephoneNumber"}
)
_NUMBER: Final = ("FullTelephoneNumber", "FullNumber", "CompleteNumber", "Number")
_TOKEN: Final = frozenset(
    {
        "PaymentToken", "CardToken", "Token", "TokenID", "AccountToken", "TokenizedAccountNumber",
        "HashedAccountNumber", "HashedPAN", "CardHash", "HashedCardNumber",
    }
)  # fmt: skip
_ACCOUNT: Final = frozenset(
    {"PrimaryAccountNumber", "AccountNumber", "CardNumber", "AccountID", "CreditCardNumber", "PAN"}
)
_GIFT: Final = frozenset(
    {
        "GiftCardNumber",
        "GiftCertificateNumber",
        "GiftCardID",
        "CardNumber",
        "AccountNumber",
        "SerialNumber",
        "Number",
    }
)
_RECEIPT: Final = frozenset(
    {
        "EReceiptAccountID", "EReceiptAccount", "EReceiptCustomerID", "EReceiptUserID", "EReceiptAddress",
        "eReceiptAccountID", "eReceiptCustomerID", "eReceiptAddress", "DigitalReceiptAccountID",
        "DigitalReceiptAddress", "DigitalReceiptCustomerID", "ElectronicReceiptAccountID", "ElectronicReceiptAddress",
    }
)  # fmt: skip
"""A customer's number at an e-receipt service; the number of an electronic receipt itself is another with each sale."""
_GIFTS: Final = ("giftcard", "giftcertificate", "storedvalue", "gift")
_OTHERS: Final = frozenset(
    {
        "OperatorID",
        "Operator",
        "Associate",
        "SalesAssociate",
        "Manager",
        "ManagerApproval",
        "Store",
        "BusinessUnit",
    }
)
"""Elements about people and places that are not the customer."""
_GOODS: Final = ("Item", "GTIN", "UPC", "EAN", "SKU", "Serial")
"""Words in the names of elements that number goods."""
_WRITTEN: Final = re.compile(r"(?:<([\w.:-]+)[^<>]*>|=[\"'])\s*(\d(?:[ -]?\d){12,18})\s*(?=[<\"'])")
"""Digits that fill an element or an attribute, with the element's name."""
_SCHEMES: Final = re.compile(
    r"4|5[0-8]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|3(0[0-5]|[689])|35(2[89]|[3-8])|6011|64[4-9]|65|62|6304|6759|676"
)
"""Beginnings of Visa, Mastercard, Maestro, American Express, Diners, JCB, Discover and UnionPay numbers."""
_HASHED: Final = re.compile(r"[\w+/=.:|-]{12,256}", re.ASCII)


def luhn(digits: str) -> bool:
    """Whether digits are right by Luhn's check.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def card_number(text: str, *, anywhere: bool = True) -> bool:
    """Whether a text could be a payment card's number; with ``anywhere`` false only in the schemes' own ranges.

    >>> card_number("4111 1111 1111 1111"), card_number("************1111"), card_number("6335861234567897")
    (True, False, True)
    >>> card_number("6335861234567897", anywhere=False)
    False
    """
    digits = text.replace(" ", "").replace("-", "")
    if not (13 <= len(digits) <= 19 and digits.isascii() and digits.isdigit() and luhn(digits)):
        return False
    return anywhere or _SCHEMES.match(digits) is not None


def masked(xml: str) -> str:
    """XML with every payment card's number masked but for the last four digits; numbers of goods stay.

    >>> masked("<ItemID>4111111111111111</ItemID><CardNumber>4111111111111111</CardNumber>")
    '<ItemID>4111111111111111</ItemID><CardNumber>************1111</CardNumber>'
    """

    def hide(found: re.Match[str]) -> str:
        name, text = (found.group(1) or "").rpartition(":")[2], found.group(2)
        if any(word in name for word in _GOODS) or not card_number(text, anywhere=name in _ACCOUNT | _TOKEN):
            return found.group()
        start, end = found.start(2) - found.start(), found.end(2) - found.start()
        return found.group()[:start] + "*" * (len(text) - 4) + text[-4:] + found.group()[end:]

    return _WRITTEN.sub(hide, xml)


class Person:
    """Who a transaction names: identifiers, what is told of them, and how many card numbers had to be refused."""

    def __init__(self, retail: Node) -> None:
        self.identifiers: list[Identifier] = []
        self.refused = 0
        self._read(retail)
        customer = retail.child("Customer")
        self.told: dict[str, Any] = _told(customer) if customer is not None else {}

    def digest(self) -> str:
        """Of who was told what: the same customer told again, paying with another card, is no news."""
        who = sorted(
            (i.kind, i.value) for i in self.identifiers if i.kind not in ("payment_token", "gift_card")
        )
        content = [who, sorted(self.told.items())]
        return blake2b(msgspec.json.encode(content), digest_size=12).hexdigest()

    def _read(self, retail: Node) -> None:
        for node, above in _about(retail):
            name = node.name
            if name == "Tender":
                self._tender(node)
            elif name in _LOYALTY or (name in _CUSTOMER and above == "LoyaltyAccount" and not node.children):
                self._add("loyalty_card", node.text)
            elif name in _CUSTOMER:
                self._add("user_id", node.text)
            elif name in _RECEIPT:
                self._add("email" if "@" in node.text else "e_receipt", node.text)
            elif name in _EMAIL:
                self._add("email", node.text if "@" in node.text else node.get("Address", *_EMAIL))
            elif name in _PHONE and above not in _PHONE:
                self._add("phone", node.text or _phone(node))

    def _tender(self, tender: Node) -> None:
        kind = (tender.attribute("TenderType") or tender.get("TenderType", "TenderID")).casefold()
        gift = any(word in kind.replace(" ", "").replace("_", "") for word in _GIFTS)
        for node, above in _about(tender):
            if not node.text:
                continue
            if node.name in _TOKEN or (node.name in _ACCOUNT and _is_hash(node)):
                self._token(node.text)
            elif node.name in _GIFT and (gift or "Gift" in above or "Gift" in node.name):
                self._add("gift_card", node.text)
            elif node.name in _ACCOUNT and card_number(node.text):
                self.refused += 1
            elif node.name in _LOYALTY:
                self._add("loyalty_card", node.text)

    def _token(self, text: str) -> None:
        if card_number(text):
            self.refused += 1
        elif "*" not in text and len(text) <= LONGEST:
            self._add("payment_token", text)

    def _add(self, kind: str, value: str) -> None:
        if not value or len(value) > LONGEST or "*" in value:
            return
        if kind in ("loyalty_card", "gift_card", "user_id") and card_number(value, anywhere=False):
            self.refused += 1
            return
        one = Identifier(kind, value)
        if one not in self.identifiers:
            self.identifiers.append(one)


def _is_hash(node: Node) -> bool:
    """Whether an account stands there hashed: letters among the digits, and no masking."""
    text = node.text
    if "*" in text or re.match(r"[\dXx]+$", text) or not _HASHED.fullmatch(text):
        return False
    return any(letter.isalpha() for letter in text) and any(letter.isdigit() for letter in text)


def _about(node: Node) -> Iterator[tuple[Node, str]]:
    """Everything within, with the name of what it stands in, but for what is about others than the customer."""
    waiting = [(child, node.name) for child in reversed(node.children)]
    while waiting:
        one, above = waiting.pop()
        if one.name in _OTHERS:
            continue
        yield one, above
        if one.name != "Tender":
            waiting.extend((child, one.name) for child in reversed(one.children))


def _phone(node: Node) -> str:
    whole = node.get(*_NUMBER)
    if whole:
        return whole
    country = node.get("CountryCode", "ITUCountryCode").lstrip("+")
    local = " ".join(part for part in (node.get("AreaCode"), node.get("LocalNumber")) if part)
    return f"+{country} {local}" if country.isdigit() and local else local


def _told(customer: Node) -> dict[str, Any]:
    """Name and address of a customer element."""
    told: dict[str, str] = {}
    for node, above in _about(customer):
        if node.text and len(node.text) <= LONGEST and above not in _PHONE:
            key = node.attribute("TypeCode", "Location") if node.name == "Name" else node.name
            told.setdefault(_FIELDS.get(key, ""), node.text)
    told.pop("", None)
    return person_of(told)


_FIELDS: Final = {
    "FirstName": "first_name",
    "GivenName": "first_name",
    "First": "first_name",
    "LastName": "last_name",
    "FamilyName": "last_name",
    "Surname": "last_name",
    "Last": "last_name",
    "FullName": "name",
    "AddressLine": "street",
    "AddressLine1": "street",
    "Street": "street",
    "City": "city",
    "Territory": "state",
    "State": "state",
    "PostalCode": "postcode",
    "ZipCode": "postcode",
    "Country": "country",
    "CountryCode": "country",
    "BirthDate": "birthday",
}
