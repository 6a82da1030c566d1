"""Numbers by which other tools know a person: Segment's ``context.externalIds`` and RudderStack's ``externalId``.

Each is an object with ``id`` and ``type``, in Segment's with ``collection`` ("users", or "accounts" for firms) and
``encoding`` ("none", or how the id was made unreadable). Formats:
https://www.twilio.com/docs/segment/unify/identity-resolution/externalids, and RudderStack's SDKs (``putExternalId``),
whose ``identifierType`` says of what type the id is where ``type`` names the object in a destination ("HS-contacts").

A type that means one of our kinds becomes that kind. Every other one is kept, named by its type (``braze_id:123``): as
a device's or browser's number where its type says so, so that two who use one device do not become one, and otherwise
as an ``external_id``. A number of a firm or of an order names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from shopkeeper.domain.identifier import IDENTIFIER_KINDS

_KNOWN: Final = {
    **{kind.replace("_", ""): kind for kind in IDENTIFIER_KINDS if kind != "external_id"},
    "crossdomainid": "anonymous_id",
    "gaclientid": "anonymous_id",  # the cookie _ga
    "idfa": "device_id",
    "idfv": "device_id",
    "advertisingid": "device_id",
}
"""Types by their letters and digits, and the kinds they are."""
_OURS: Final = frozenset({"user_id", "anonymous_id"})
"""Kinds that speak of the shop's own numbering: another tool's "user_id" is not ours."""
_SYSTEMS: Final = frozenset({"android", "ios", "tvos", "watchos", "ipados"})
_NOBODY: Final = frozenset(
    {"groupid", "accountid", "companyid", "organizationid", "organisationid", "orderid"}
)
_USERS: Final = ("", "users", "user")
_DEVICE: Final = frozenset(
    {"device", "install", "installation", "player", "push", "fcm", "apns", "idfa", "idfv", "gaid", "aaid", "oaid"}
)  # fmt: skip
_BROWSER: Final = frozenset({"cookie", "visitor", "browser", "session", "fbp", "fbc"})
_WORD: Final = re.compile(r"[a-z]+", re.ASCII)
_LONGEST: Final = 64
"""Characters of a type."""
_ROOM: Final = 440
"""Characters of an id that is named by its type: together they must be no longer than an identifier may be."""
_NOTHING: Final = re.compile(r"[0-]*|null|none|nil|nan|undefined|unknown|anonymous|guest|n/?a", re.IGNORECASE)


def told_by(context: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Kind and value of every external id in the context of a tracking call; what is none is passed over.

    >>> list(told_by({"externalIds": [{"id": "7", "type": "braze_id"}, {"id": "a@b.example", "type": "email"}]}))
    [('external_id', 'braze_id:7'), ('email', 'a@b.example')]
    """
    for field in ("externalIds", "externalId"):
        given = context.get(field)
        for entry in given if type(given) is list else (given,):
            if type(entry) is dict and (found := _read(entry)) is not None:
                yield found


def _read(entry: dict[str, Any]) -> tuple[str, Any] | None:
    value, of, collection = entry.get("id"), entry.get("type"), entry.get("collection", "")
    if type(of) is not str or type(value) not in (str, int) or says_nothing(value):
        return None
    if type(collection) is not str or collection.casefold() not in _USERS:
        return None
    named = entry.get("identifierType")
    if type(named) is str and (meant := kind_of(named)) and not meant[1]:
        of = named
    encoding = entry.get("encoding")
    if type(encoding) is str and encoding.casefold() not in ("", "none"):
        of = f"{of}_{encoding}"
    found = kind_of(of)
    if found is None:
        return None
    kind, scope = found
    if not scope:
        return kind, value
    text = str(value).strip()
    return (kind, f"{scope}:{text}") if len(text) <= _ROOM else None


def says_nothing(value: Any) -> bool:
    """Whether a number of a device or a tool is one that clients send where they have none.

    >>> says_nothing("00000000-0000-0000-0000-000000000000"), says_nothing("null"), says_nothing(17)
    (True, True, False)
    """
    return _NOTHING.fullmatch(str(value).strip()) is not None


@lru_cache(maxsize=1024)
def kind_of(of: str) -> tuple[str, str] | None:
    """The kind that a type of external ids is, and the name by which its values are told from others', empty where
    they need none; None where it names no person.

    >>> kind_of("android.idfa"), kind_of("loyaltyCard"), kind_of("Klaviyo ID"), kind_of("onesignal_player_id")
    (('device_id', ''), ('loyalty_card', ''), ('external_id', 'klaviyo_id'), ('device_id', 'onesignal_player_id'))
    >>> kind_of("order"), kind_of("group_id"), kind_of("crm.user_id")
    (None, None, ('external_id', 'crm.user_id'))
    """
    scope = "_".join(of.casefold().replace(":", ".").split())
    if not scope or len(scope) > _LONGEST:
        return None
    system, _, last = scope.rpartition(".")
    if system in _SYSTEMS:
        return "device_id", ""
    letters = "".join(character for character in last if character.isalnum())
    kind = _KNOWN.get(letters)
    if letters in _NOBODY or (kind is not None and IDENTIFIER_KINDS[kind].reference):
        # the numbers of orders are no secret: who names one has not shown to be its buyer
        return None
    if kind is not None and not (system and kind in _OURS):
        return kind, ""
    words = {*_WORD.findall(_parted(of))}
    if words & _DEVICE:
        return "device_id", scope
    return ("anonymous_id" if words & _BROWSER else "external_id"), scope


def _parted(of: str) -> str:
    """A type in lower case, with its words apart where capitals part them."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", of).lower()
