"""One spelling per identifier: canonical e-mail, telephone, cards and handles, and junk that names nobody.

E-mail is lower-cased with its domain in ASCII (IDNA); telephone numbers become E.164 with the shop's region as the
default; cards and tokens lose spaces and dashes. Values that many systems write when they know nothing ("test",
all zeros, "unknown") are junk: they are kept, sealed, but name nobody.

A canonical value never changes its spelling: the pseudonyms of everything known, and what is kept of who was erased,
are made of it. That two addresses reach one mailbox is therefore said beside (``Keys.reaches``).
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from shopkeeper.resolve.household import SEPARATOR, household_key
from shopkeeper.resolve.mailboxes import mailbox

_JUNK_EMAIL = re.compile(
    r"^(test|tests|testing|none|null|no|na|n\.a|unknown|anonymous|nobody|noreply|no-reply|x+|a+|asdf|abc|email|mail)"
    r"@|@(test|none|null|unknown|x|na)\.(com|org|net|de|uk|co\.uk)$"
)
_JUNK_VALUE = re.compile(
    r"^(0+|-1|9{5,}|null|none|nil|nan|na|n/?a|undefined|unknown|anonymous|guest|test|x+|-+|\.+|#+)$"
)
_PLAIN_EMAIL = re.compile(
    r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$"
)
_CARD = re.compile(r"[\s-]+")
_LONGEST = 512


class Keys:
    """Canonical identifiers for a shop in one region (ISO 3166 two letters, for telephone numbers).

    With ``mailboxes`` false every e-mail address is a mailbox of its own.

    >>> keys = Keys("GB")
    >>> keys("email", " Anna.Berg@Example.COM "), keys("phone", "07700 900123"), keys("loyalty_card", "LC-00 12")
    ('anna.berg@example.com', '+447700900123', 'LC0012')
    >>> keys("email", "test@test.com"), keys("phone", "0000000000"), keys("user_id", "null")
    (None, None, None)
    >>> keys("external_id", "Braze ID: 123"), keys("external_id", "braze_id:null")
    ('braze_id:123', None)
    """

    def __init__(self, region: str = "GB", *, mailboxes: bool = True) -> None:
        self.region = region
        self.mailboxes = mailboxes
        self._phone = lru_cache(maxsize=200_000)(self._read_phone)

    def __call__(self, kind: str, value: str) -> str | None:
        """The canonical value of an identifier, or None when it names nobody."""
        text = value.strip()
        if not text or len(text) > _LONGEST or _JUNK_VALUE.match(text.casefold()):
            return None
        if kind == "email":
            return email(text)
        if kind == "phone":
            return self._phone(text)
        if kind == "payment_token":
            return text  # opaque: a provider may tell tokens apart by case alone
        if kind in ("loyalty_card", "gift_card"):
            return _CARD.sub("", text).upper() or None
        if kind == "household":
            return household_key(*text.split(SEPARATOR)) if text.count(SEPARATOR) == 2 else None
        if kind == "social":
            network, _, handle = text.partition(":")
            handle = handle.lstrip("@").casefold()
            return f"{network.strip().casefold()}:{handle}" if handle else None
        if kind == "e_receipt":  # a customer's number at a service, where forms also write "yes" or "1"
            return text if len(text) > 3 and any(letter.isdecimal() for letter in text) else None
        if kind == "external_id":
            return _external_id(text)
        return text

    def reaches(self, kind: str, value: str) -> str | None:
        """The address of the mailbox that a canonical e-mail address reaches, where that is spelled otherwise.

        >>> Keys().reaches("email", "anna.berg+shop@gmail.com"), Keys().reaches("email", "annaberg@gmail.com")
        ('annaberg@gmail.com', None)
        >>> Keys().reaches("email", "test+1@gmail.com")  # a mailbox whose address names nobody is not told of
        """
        if kind != "email" or not self.mailboxes:
            return None
        reached = mailbox(value)
        return reached if reached != value and email(reached) == reached else None

    def _read_phone(self, text: str) -> str | None:
        try:
            number = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number) or len(set(str(number.national_number))) == 1:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _external_id(text: str) -> str | None:
    """A number at another tool as ``type:number``, or None where either is missing or junk."""
    of, _, number = text.partition(":")
    of, number = "_".join(of.casefold().split()), number.strip()
    return f"{of}:{number}" if of and number and not _JUNK_VALUE.match(number.casefold()) else None


@lru_cache(maxsize=200_000)
def email(text: str) -> str | None:
    """A canonical e-mail address, or None when it is none or names nobody.

    >>> email("Zoë@Müller.example"), email("not an address")
    ('zoë@xn--mller-kva.example', None)
    """
    low = text.casefold()
    if not (_PLAIN_EMAIL.match(low) and ".." not in low):
        try:
            checked = validate_email(text, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            return None
        low = f"{checked.local_part.casefold()}@{(checked.ascii_domain or checked.domain).casefold()}"
    return None if _JUNK_EMAIL.search(low) else low
