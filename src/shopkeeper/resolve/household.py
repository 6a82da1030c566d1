"""Households: who lives at one address under one family name. A grouping, never a merge.

An address and a family name become one key, which is kept as a keyed hash beside the identifier it was told on: the
household of a customer is found by it without anybody's address being read, and it goes with an erasure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
_SHORT: Final = {
    "st": "street", "str": "strasse", "straße": "strasse", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane",
    "dr": "drive", "ct": "court", "pl": "place", "sq": "square", "blvd": "boulevard", "cres": "crescent",
    "apt": "flat", "apartment": "flat", "unit": "flat", "no": "", "nr": "",
}  # fmt: skip
"""Words of an address that are written in more than one way."""
SEPARATOR: Final = "\n"


def household_key(family_name: str, postcode: str, street: str) -> str | None:
    """The key of a household, or None where too little is told.

    >>> household_key("Berg", "ls1 1aa", "1 High St.") == household_key("BERG", "LS1 1AA", "1, High Street")
    True
    >>> household_key("Berg", "LS1 1AA", "1 High Street") == household_key("Berg", "LS1 1AA", "11 High Street")
    False
    >>> household_key("Berg", "", "1 High Street") is household_key("Berg", "LS1 1AA", "High Street") is None
    True
    """
    name = "".join(_words(family_name))
    code = "".join(_words(postcode))
    way = [word for word in (_SHORT.get(word, word) for word in _words(street)) if word]
    if not name or not code or not any(word[:1].isdigit() for word in way):
        return None  # a street without a number is many households
    return SEPARATOR.join((name, code, " ".join(way)))


def _words(text: str) -> list[str]:
    flat = unicodedata.normalize("NFKD", text[:200].casefold())
    return _WORD.findall("".join(letter for letter in flat if not unicodedata.combining(letter)))
