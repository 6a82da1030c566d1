"""Spellings under which clients and files tell who somebody is, and the one under which it is kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

IDENTIFYING: Final[dict[str, str]] = {
    "email": "email",
    "e_mail": "email",
    "emailAddress": "email",
    "email_address": "email",
    "phone": "phone",
    "phoneNumber": "phone",
    "phone_number": "phone",
    "mobile": "phone",
    "loyalty_card": "loyalty_card",
    "loyaltyCard": "loyalty_card",
    "loyalty_card_number": "loyalty_card",
    "loyaltyCardNumber": "loyalty_card",
    "payment_token": "payment_token",
    "paymentToken": "payment_token",
    "e_receipt": "e_receipt",
    "eReceipt": "e_receipt",
    "e_receipt_account": "e_receipt",
    "eReceiptAccount": "e_receipt",
    "digital_receipt_account": "e_receipt",
    "digitalReceiptAccount": "e_receipt",
    "gift_card": "gift_card",
    "giftCard": "gift_card",
    "gift_card_number": "gift_card",
    "giftCardNumber": "gift_card",
    "social": "social",
    "device_id": "device_id",
    "deviceId": "device_id",
    "advertising_id": "device_id",
    "advertisingId": "device_id",
}
"""Property or trait that is an identifier, and its kind."""

NETWORKED: Final = frozenset(
    {"facebook", "instagram", "pinterest", "tiktok", "twitter", "youtube", "mastodon"}
)
"""Traits that name a social network and hold the person's handle there."""

SAID: Final = ("campaign", "consent")
"""Parts of a call's context that are kept with the event."""

_FIELDS: Final[dict[str, str]] = {
    "firstname": "first_name",
    "givenname": "first_name",
    "forename": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "familyname": "last_name",
    "email": "email",
    "emailaddress": "email",
    "phone": "phone",
    "phonenumber": "phone",
    "mobile": "phone",
    "birthday": "birthday",
    "birthdate": "birthday",
    "dateofbirth": "birthday",
    "dob": "birthday",
    "gender": "gender",
    "sex": "gender",
    "title": "title",
    "salutation": "title",
    "street": "street",
    "address1": "street",
    "addressline1": "street",
    "city": "city",
    "town": "city",
    "state": "state",
    "region": "state",
    "province": "state",
    "county": "state",
    "postcode": "postcode",
    "postalcode": "postcode",
    "zip": "postcode",
    "zipcode": "postcode",
    "country": "country",
    "company": "company",
    "avatar": "avatar",
    "household": "household",
    "householdid": "household",
    "acquisitionchannel": "acquisition_channel",
    "joined": "joined",
    "createdat": "joined",
}
_ADDRESS: Final = frozenset({"street", "city", "state", "postcode", "country"})


@lru_cache(maxsize=4096)
def _field(key: str) -> str | None:
    return _FIELDS.get("".join(letter for letter in key.lower() if letter.isalnum()))


def person_of(traits: dict[str, Any]) -> dict[str, Any]:
    """Traits of an identify call as properties of the event "Identified"; what has no field there comes along as is.

    >>> person_of({"firstName": "Anna", "address": {"postalCode": "LS1 1AA"}, "points": 7})
    {'first_name': 'Anna', 'postcode': 'LS1 1AA', 'points': 7}
    """
    told: dict[str, Any] = {}
    for key, value in traits.items():
        if value is None or value == "":
            continue
        field = _field(key)
        if field is not None:
            word = value.get("name") if type(value) is dict else value  # a company is an object
            if type(word) is str or type(word) is int:
                told.setdefault(field, str(word))
        elif key == "address":
            _address(value, told)
        elif key == "name" and type(value) is str:
            _split_name(value, told, traits)
        else:
            told[key] = value
    return told


def _address(value: Any, told: dict[str, Any]) -> None:
    if type(value) is str:
        told.setdefault("street", value)
    elif type(value) is dict:
        for key, part in value.items():
            field = _field(key)
            if field in _ADDRESS and (type(part) is str or type(part) is int) and part != "":
                told.setdefault(field, str(part))


def _split_name(name: str, told: dict[str, Any], traits: dict[str, Any]) -> None:
    """A full name is split at its last space, unless the parts are told as well."""
    if any(_field(key) in ("first_name", "last_name") and traits[key] for key in traits):
        return
    first, _, last = name.strip().rpartition(" ")
    if first:
        told["first_name"] = first.strip()
    if last:
        told["last_name"] = last
